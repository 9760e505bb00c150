"""Which questions are plain attacks on the model's instructions; the doubtful ones are not decided here."""

import re
from collections.abc import Iterator

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
_CLAUSE = r"(?:^\W*|[.,;:!?\-\u2013\u2014] ?|\b(?:please|now|and|then|purposes|just|also|to) )"
_IF = r"(?:if you were )?"
_THAT_YOU_ARE = r" (?:that )?you(?:'re| are| were)"
_ANOTHER = (
    r"(?:\w+ ){0,3}?(?:dan|administrator|admin|root|superuser|developer|hacker|terminal|shell|pirate"
    r"|unrestricted|jailbroken|uncensored|evil|human|poet|chatbot)"
)
_FREEDOM = r"(?:limits|limitations|restrictions|rules|filters?|censorship)"
_SWITCH_OFF = r"(?:(?:turn|switch) off|disable|deactivate|bypass|skip|circumvent|suspend|lift)"
_GUARD = (
    r"(?:safety|filters?|guardrails?|checks?|validation|validator|access policy|policies|security"
    r"|restrictions?|masking|masks?)"
)
_RETELL = r"(?:translate|summari[sz]e|rephrase|paraphrase|encode|spell|quote|copy|list|repeat|recite)"

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
    # Who it is to be, or to be no longer.
    rf"{_CLAUSE}(?:act|behave|answer|respond|reply|pose|role-?play) as {_IF}(?:an? |the )?{_ANOTHER}\b",
    rf"\b(?:pretend|imagine|simulate)(?: to be| being|{_THAT_YOU_ARE})? (?:an? |the )?{_ANOTHER}\b",
    rf"\byou(?:'re| are) (?:now )?(?:an? |the )?{_ANOTHER}\b",
    r"\bfrom now on,? (?:you|act|behave|answer|respond|ignore|forget)\b",
    rf"{_CLAUSE}(?:forget|drop|leave|abandon|stop) your (?:\w+ )?(?:role|character|persona)\b",
    rf"{_CLAUSE}stop being (?:an? |the )?(?:\w+ ){{0,2}}(?:assistant|bot|ai|model)\b",
    r"\bi(?:'m| am) your (?:developer|creator|administrator|admin|owner|maker|master)\b",
    r"\byou (?:must|will|shall|have to) (?:now )?obey\b",
    (
        r"\b(?:you|ai|assistant|administrator|model|bot|game)\b.{0,40}"
        rf"\b(?:without|no|free (?:of|from)) {_EVERY}{_FREEDOM}\b"
    ),
    rf"\bi (?:have|had) no {_FREEDOM}\b",
    # What is to be switched off.
    rf"{_CLAUSE}{_SWITCH_OFF} {_EVERY}(?:your )?(?:\w+ ){{0,2}}{_GUARD}\b",
    (
        r"\b(?:enter|enable|activate|go into|switch to|start) (?:the |your )?"
        r"(?:debug|developer|god|admin|maintenance|jailbreak|dan|sudo|unrestricted) mode\b"
    ),
    (
        r"\b(?:access policy|policies|rules|restrictions|row filters?|limits) "
        r"(?:no longer|do(?:es)? not|don't|doesn't) (?:apply|applies|hold|count)\b"
    ),
    (
        rf"{_CLAUSE}(?:do not|don't|never|stop) (?:follow(?:ing)?|obey(?:ing)?) {_EVERY}(?:your )?"
        rf"(?:{_ORDERS}|{_LIMITS})\b"
    ),
    r"\brun (?:this|it|the following)(?: \w+)? (?:exactly )?as it is\b",
    r"\byour new (?:task|role|job|goal|purpose|instructions?)\b|\bnew instructions? ?:",
    # What it was told.
    rf"\b(?:{_RETELL}|{_TELL}) .{{0,60}}\byour (?:own )?(?:{_ORDERS}|configuration|system message)\b",
    rf"\b{_RETELL} .{{0,60}}\b(?:system message|{_FIRST} prompt)\b",
    rf"\b(?:respond|answer|reply) (?:only )?with (?:your|the) (?:{_FIRST}|first) (?:messages?|{_ORDERS})\b",
    r"\b(?:what|which) (?:rules|instructions|orders|guidelines|prompt)\b.{0,20}\b(?:were|are|have) you\b",
    r"\b(?:in|of) your (?:first|initial|system|previous) (?:messages?|prompts?)\b",
    (
        r"\b(?:everything|all|the text|the words|what)(?: that| stands| is| was| were| written)* "
        r"(?:before|above) (?:this (?:line|message|question)|word for word|verbatim)\b"
    ),
    r"\brepeat after me\b|\bdo what it says\b",
    r"\bdecode\b.{0,40}\b(?:base ?64|hex|rot ?13)\b",
    r"^\W*(?:system|assistant|developer) ?:",
    r"\b(?:hidden|withheld|kept|masked) from me\b|\bshows? (?:me )?(?:all )?(?:the )?masked columns\b",
    # In German, Spanish, Portuguese, Italian, French and Dutch.
    r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b.{0,40}\b(?:anweisung|instruktion|regel)\w*",
    (
        r"\b(?:ignor[ae]\w*|olvid[ae]\w*|esqueça\w*|dimentic\w+)\b.{0,40}"
        r"\b(?:instrucci|instruç|istruzion|regla|regra|regol)\w*"
    ),
    (
        r"\b(?:ignor\w+|oubli\w+)\b.{0,40}\b(?:instructions?|consignes?|règles?)\b.{0,20}"
        r"\b(?:précéd|antér|ci-dessus)\w*"
    ),
    r"\b(?:negeer|vergeet)\b.{0,40}\b(?:instructies?|opdrachten|regels)\b",
    # A chat template's own marks, which a model server may read as the end of the question.
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>",
    r"\[/?INST\]|<</?SYS>>",
)
_DIGIT_IN_WORD = re.compile(r"[^\W\d_][0134578@$]|[0134578@$][^\W\d_]")
_LETTERS = str.maketrans("0134578@$", "oieastbas")
_APART = re.compile(r"(?:\b\w\s){5}")
_ATTACK = re.compile("|".join(f"(?:{attack})" for attack in _ATTACKS), re.IGNORECASE)


def is_prompt_attack(text: str) -> bool:
    """Tell whether the text tries to lift or to read out the model's instructions."""
    plain = " ".join(text.split())
    return any(_ATTACK.search(reading) for reading in dict.fromkeys((plain, *_unhide(text))))


def _unhide(text: str) -> Iterator[str]:
    """Yield the text with digits read as letters, and with letters joined that stand apart."""
    if _DIGIT_IN_WORD.search(text):
        yield " ".join(text.translate(_LETTERS).split())
    if _APART.search(text):
        words = (re.sub(r"\s", "", word) for word in re.split(r"\s{2,}", text.strip()))
        yield " ".join(words)
