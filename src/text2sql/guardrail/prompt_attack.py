"""Which questions are plain attacks on the model's instructions; the doubtful ones are not decided here."""

import re

_EVERY = r"(?:(?:all|any|every|each|of|the|these|those) )*"
_FIRST = r"(?:system|initial|hidden|original|secret|internal|developer)"
# One choice, without overlap: a repeat of choices that share a word takes exponential time.
_OWN = (
    r"(?:your|previous|prior|above|earlier|preceding|foregoing"
    r"|system|initial|hidden|original|secret|internal)"
)
_ORDERS = r"(?:instructions?|prompts?|directives?|directions)"
_LIMITS = (
    r"(?:rules?|guidelines?|restrictions?|constraints?|limits|limitations|programming"
    r"|training|polic(?:y|ies))"
)
_TELL = (
    r"(?:reveal|show|print|repeat|display|output|give|tell|send|leak|expose|recite"
    r"|what(?:['\u2019]s| is| are| was| were))"
)

_ATTACKS = (
    # Words that only the model's own orders have: "ignore the discount rules" stays honest.
    rf"\b(?:ignore|disregard|forget) {_EVERY}(?:{_OWN} )+{_ORDERS}\b",
    rf"\b(?:ignore|disregard|forget|override|bypass) {_EVERY}your (?:\w+ )?(?:{_ORDERS}|{_LIMITS})\b",
    rf"^\W*(?:please )?(?:ignore|disregard|forget) {_EVERY}{_OWN} {_LIMITS}\b",
    rf"\b(?:ignore|disregard|forget) (?:all|any|every|these) (?:of )?(?:the )?{_ORDERS}\b",
    (
        r"\b(?:ignore|disregard|forget) (?:everything|anything|all|what) (?:that )?"
        r"you(?:'ve| have| were| are)? (?:been )?(?:told|instructed|taught)\b"
    ),
    (
        rf"\b{_TELL} (?:me |us )?(?:all )?(?:of )?your (?:{_FIRST} )*"
        r"(?:prompts?|instructions|rules|guidelines|system messages?)\b"
    ),
    rf"\b{_TELL} (?:me |us )?the {_FIRST} prompt\W*$",
    r"\byou are now (?:in )?(?:an? )?(?:dan\b|developer mode|jailbroken|unrestricted|free of|no longer)",
    (
        r"\b(?:pretend|imagine|act as if) (?:that )?(?:you|there) (?:have|are|had|were) no "
        rf"(?:{_LIMITS}|filters?)\b"
    ),
    # A chat template's own marks, which a model server may read as the end of the question.
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>",
    r"\[/?INST\]|<</?SYS>>",
)
_ATTACK = re.compile("|".join(f"(?:{attack})" for attack in _ATTACKS), re.IGNORECASE)


def is_prompt_attack(text: str) -> bool:
    """Tell whether the text tries to lift or to read out the model's instructions."""
    return _ATTACK.search(" ".join(text.split())) is not None
