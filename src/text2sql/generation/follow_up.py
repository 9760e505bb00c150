"""Tells without a model whether a question leans on those before it; in doubt it does.

Only English is known here. A short question in another language seems to have no verb, and so it leans.
"""

import re

from text2sql.messages import EarlierTurn

FRAGMENT_WORDS = 8
"""A text without a verb may stand alone when it is longer than this."""
WHOLE_WORDS = 4
"""What comes after a question back is an answer to it when it is shorter than this."""

_ASKS = frozenset("what which who whose whom when where why how what's who's where's".split())
_HELPS = frozenset(
    "is are was were be been do does did has have had can could will would should may might".split()
)
ORDERS = frozenset(
    "list show give find get count display tell name return compute calculate compare sum rank select"
    " describe identify report provide fetch print plot retrieve determine see".split()
)
"""What a question begins with that is put as an order."""
_EMPTY = _ASKS | _HELPS | ORDERS
_EMPTY |= frozenset(
    "a about all also an and any at by each every for from i in just many me more most much now of on only"
    " our please some than the there to us we you".split()
)
"""Words that a pronoun cannot stand for."""

_PREAMBLE = re.compile(
    r"(?:(?:please|thanks|thank you|great|ok|okay|well|so|yes|no|sorry|hm+)\b[\s,.;!]*"
    r"|(?:can|could|would) you\s+)+"
)
_GOES_ON = (
    r"^(?:and|or|but|also|then|now|only|just|(?:the )?same|instead|again|without|except|(?:ex|in)cluding"
    r"|what about|how about|what if|versus|vs|not|next|previous|both|either|neither|all of)\b"
)
_CHANGES = (
    r"^(?:add|include|remove|exclude|drop|keep|leave|limit|restrict|narrow|use|replace|change|swap|round"
    r"|convert|expand|repeat|redo|compared? (?:with|to|against)"
    r"|(?:sort|order|group|rank|split|filter|break)(?:ed)?(?: down)? (?:by|to|for|on|into|per))\b"
)
_NAMES_NOTHING = (
    (
        r"^how many (?:are|were|have|had|has|did|do|in|for|from|by|per|on|with|without|since|after|before"
        r"|last|this)\b"
    ),
    r"^how much (?:in|for|from|by|per|on|since|after|before|last|this|more)\b",
    r"^(?:which|what|who) (?:in|for|by|per|since)\b",
    r"^which (?:is|are|was|were) (?!the\b)",
    (
        r"^(?:which|what|who)(?:'s| is| are| was| were) (?:the )?"
        r"(?:\w+est|worst|average|mean|median|total|sum|maximum|minimum|first|second|third|last"
        r"|(?:most|least) \w+)(?:\W*$| (?:in|for|by|per)\b)"
    ),
    r"^(?:which|what|whose) \w+\W*$",
    r"^(?:why|when|where|who|which|what|how(?: \w+)?|by whom|since when)\W*$",
    (
        r"^(?:show|list|give|display|tell|get|see|return|find)(?: me| us)?"
        r"(?: (?:only|just|more|fewer|by|per|for|in|from|with|without)\b(?! (?:each|every)\b)"
        r"| (?:all|everything|(?:the )?(?:top|first|last|next|bottom) \w+)\W*$)"
    ),
)
_POINTS_BACK = (
    r"^(?:\S+ ){0,7}(?:instead|too|as well|again|also|though|else|only)\W*$",
    r"\bthe same (?:for|but|by|in|with|thing|question|query|again|as (?:above|before))\b",
    r"\b(?:previous|above|earlier|preceding|last) (?:one|question|query|answer|result|list)s?\b",
    r"\bthe (?:others?|rest|former|latter|remaining)\b(?! of\b)",
    r"\b(?:of|for|in|from|by|to|than|like|about|at|on|since) that\b",
)
_LEANING = tuple(map(re.compile, (_GOES_ON, _CHANGES, *_NAMES_NOTHING, *_POINTS_BACK)))
_CALENDAR = r"(?:year|quarter|month|week|day|morning|evening|season|decade|century)"
_POINTER = re.compile(rf"\bthis\b(?! {_CALENDAR})|\bthat\b")
_PRONOUN = re.compile(
    r"\b(?P<own>its|their|his|her)\b|\b(?:they|them|theirs|these|he|him|she|hers|ones)\b"
    r"|\bit\b(?! (?:takes?|took)\b)"
    r"|\bof those\b|\bthose\b(?! (?:who|that|which|whose|where|with|without)\b)"
    r"|\b(?:that|this|the|which|other|\w+est) one\b"
)
_RELATIVE = re.compile(
    r"(?<!,)(?<!\b(?:at|by|in|of|on|to))(?<!\b(?:and|for))(?<!\b(?:from|with))"
    r" (?:who|whom|whose|which|that|where)\b"
)
"""Begins a clause about the word before it."""
_CLAUSE = re.compile(
    r"[,;]|[.:?!] |\b(?:and|or|but|as|who|which|that|where|when|whose|if|because|while)\b"
    r"|\b(?:with|than|after|before)\b(?=\s+\w)"
)
_WORD = re.compile(r"[^\W_]+(?:'\w+)?")


def leans(question: str, last: EarlierTurn) -> bool:
    """Tell whether the question may need those before it to be understood; `last` is the one just before."""
    text = " ".join(question.lower().replace("\u2019", "'").split())
    preamble = _PREAMBLE.match(text)
    text = text[preamble.end() :] if preamble else text
    words = _WORD.findall(text)
    if last.clarification and (len(words) < WHOLE_WORDS or words[0] not in _ASKS | _HELPS | ORDERS):
        return True
    return (
        (len(words) <= FRAGMENT_WORDS and not _has_verb(text))
        or any(pattern.search(text) for pattern in _LEANING)
        or any(not _content(text[: found.start()]) for found in _POINTER.finditer(text))
        or any(not _has_antecedent(text, found) for found in _PRONOUN.finditer(text))
    )


def _has_verb(text: str) -> bool:
    """Tell whether the main clause asks or orders something, as far as a list of words can tell."""
    relative = _RELATIVE.search(text, 1)
    main = text[: relative.start()] if relative else text
    firsts = {word[0] for part in re.split("[,;:.] ", main) if (word := _WORD.findall(part))}
    return not (firsts.isdisjoint(ORDERS) and (_ASKS | _HELPS).isdisjoint(_WORD.findall(main)))


def _has_antecedent(text: str, pronoun: re.Match[str]) -> bool:
    """Tell whether a clause before the pronoun's own holds what it may stand for."""
    before = text[: pronoun.end() if pronoun["own"] else pronoun.start()]
    *earlier, _ = _CLAUSE.split(before)
    return any(map(_content, earlier))


def _content(text: str) -> bool:
    return not _EMPTY.issuperset(_WORD.findall(text))
