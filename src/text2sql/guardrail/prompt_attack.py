"""Which questions are plain attacks on the model's instructions; the doubtful ones are not decided here."""

import re

_EVERY = r"(?:(?:all|any|every|each|of|the|these|those)\s+)*"
_OWN = r"(?:your|previous|prior|above|earlier|preceding|foregoing|system|original|initial)"
_ORDERS = r"(?:instructions?|prompts?|directives?|directions)"
_LIMITS = r"(?:rules?|guidelines?|restrictions?|constraints?|limits|limitations|programming|training|policy|policies)"
_TELL = r"(?:reveal|show|print|repeat|display|output|give|tell|send|leak|expose|recite|what(?:'s|\s+is|\s+are|\s+was|\s+were))"
_FIRST = r"(?:system|initial|hidden|original|secret|internal|developer)"

_ATTACKS = (
    # Words that only the model's own orders have: "ignore the discount rules" stays honest.
    rf"\b(?:ignore|disregard|forget)\s+{_EVERY}{_OWN}\s+(?:{_OWN}\s+|{_FIRST}\s+)*{_ORDERS}\b",
    rf"\b(?:ignore|disregard|forget|override|bypass)\s+{_EVERY}your\s+(?:\w+\s+)?(?:{_ORDERS}|{_LIMITS})\b",
    rf"^\W*(?:please\s+)?(?:ignore|disregard|forget)\s+{_EVERY}{_OWN}\s+{_LIMITS}\b",
    rf"\b(?:ignore|disregard|forget)\s+(?:all|any|every|these)\s+(?:of\s+)?(?:the\s+)?{_ORDERS}\b",
    r"\b(?:ignore|disregard|forget)\s+(?:everything|anything|all|what)\s+(?:that\s+)?"
    r"you(?:'ve|\s+have|\s+were|\s+are)?\s+(?:been\s+)?(?:told|instructed|taught)\b",
    rf"\b{_TELL}\s+(?:me\s+|us\s+)?(?:all\s+)?(?:of\s+)?your\s+(?:{_FIRST}\s+)*"
    r"(?:prompts?|instructions|rules|guidelines|system\s+messages?)\b",
    rf"\b{_TELL}\s+(?:me\s+|us\s+)?the\s+{_FIRST}\s+prompt\W*$",
    r"\byou\s+are\s+now\s+(?:in\s+)?(?:an?\s+)?(?:dan\b|developer\s+mode|jailbroken|unrestricted|free\s+of|no\s+longer)",
    r"\b(?:pretend|imagine|act\s+as\s+if)\s+(?:that\s+)?(?:you|there)\s+(?:have|are|had|were)\s+no\s+"
    rf"(?:{_LIMITS}|filters?)\b",
    # A chat template's own marks, which a model server may read as the end of the question.
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>",
    r"\[/?INST\]|<</?SYS>>",
)
_ATTACK = re.compile("|".join(f"(?:{attack})" for attack in _ATTACKS), re.IGNORECASE)


def is_prompt_attack(text: str) -> bool:
    """Tell whether the text tries to lift or to read out the model's instructions."""
    return _ATTACK.search(text) is not None
