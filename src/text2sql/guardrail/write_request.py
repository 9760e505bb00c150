"""Which questions ask for a change of the data: imperatives and raw SQL at the start, nothing else."""

import re

_POLITE = (
    r"(?:(?:hey|hi|hello|ok|okay|please|pls|kindly|now|just|then|first|go ahead and"
    r"|(?:can|could|would|will) you|i(?:'d| would)? (?:want|need|like) you to)\b[\s,:!]*)*"
)
_THE = r"(?:the|all|every|each|any|this|that|these|those|my|our|his|her|their|both)"
_THING = (
    r"(?:accounts?|customers?|employees?|entry|entries|invoices?|orders?|payments?|products?|records?|rows?"
    r"|suppliers?|tickets?|users?)"
)
_VALUE = (
    r"(?:address|amount|balance|discount|email|name|password|phone|price|quantity|role|salary|status|stock)"
)
_SHOWN = r"(?:answer|chart|dashboard|graph|list|plot|query|report|results?|sql|summary|view)"
_SCHEMA = r"(?:tables?|databases?|schemas?|index(?:es)?|triggers?)"
# "Delete rates per store?" is a question about a measure.
_MEASURED = (
    r"(?!(?:actions?|buttons?|clicks?|commands?|counts?|dates?|events?|flags?|frequency|history|logs?"
    r"|markers?|operations?|percentages?|permissions?|queries|rates?|reasons?|requests?|statements?"
    r"|statistics|stats|times?|trends?|volumes?)\b)"
)

_STATEMENTS = (
    rf"drop\s+{_SCHEMA}\b",
    r"drop\s+(?:view|user|procedure|function)\s+(?:if\s+exists\s+)?[\w.`\"]+\s*(?:;|$)",
    r"truncate\s+(?:table\s+)?[\w.`\"]+\s*(?:;|$)",
    r"truncate\s+table\b",
    r"alter\s+(?:table|database|schema|user|view)\b",
    r"delete\s+from\b",
    r"(?:insert\s+(?:ignore\s+|or\s+\w+\s+)?|replace\s+|merge\s+)into\b",
    r"update\s+[\w.`\"]+\s+set\b",
    r"create\s+(?:temporary\s+)?table\s+(?:if\s+not\s+exists\s+)?[\w.`\"]+\s*(?:\(|as\s+select\b)",
    r"create\s+(?:or\s+replace\s+)?view\s+[\w.`\"]+\s+as\s+(?:select|with)\b",
    r"create\s+(?:unique\s+)?index\s+[\w.`\"]+\s+on\b",
    r"create\s+(?:database|schema)\s+[\w.`\"]+\s*(?:;|$)",
    r"(?:grant|revoke)\s+[\w\s,]+\s+on\s+\S+\s+(?:to|from)\b",
)
_IMPERATIVES = (
    rf"drop\s+{_THE}\s+(?:\S+\s+){{0,3}}{_SCHEMA}\b",
    r"(?:drop|delete|erase|wipe|remove|purge)\s+everything\b",
    rf"(?:delete|erase|purge|truncate|wipe)\s+{_THE}\b",
    rf"(?:delete|remove|erase)\s+(?:the\s+)?{_THING}\s+(?:number\s+|no\.?\s*|id\s+)?#?\d",
    rf"delete\s+{_MEASURED}\w+\s+(?:where|from|older|before|whose|who|that|with)\b",
    r"(?:delete|purge|erase)\s+(?:old|duplicate|inactive|expired|test)\s+\w+",
    r"remove\s+.{0,80}\bfrom\s+(?:the\s+)?(?:\w+\s+){0,2}(?:table|database)\b",
    rf"update\s+{_THE}\s+(?!(?:\w+\s+){{0,2}}{_SHOWN}\b)\w",
    rf"update\s+{_THING}\s+(?:number\s+|id\s+)?#?\d",
    rf"update\s+(?:\S+\s+){{0,3}}(?:{_VALUE}|prices|salaries)\s+(?:\S+\s+){{0,5}}(?:to|by)\s+\S",
    rf"(?:set|change|modify|increase|raise|reduce|lower|decrease)\s+(?:the\s+|all\s+)?(?:\S+\s+){{0,2}}"
    rf"(?:{_VALUE}|prices|salaries)\s+(?:of|for)\s+.{{1,80}}\s(?:to\s+\S|by\s+[$€£]?\d)",
    rf"(?:insert|add|create|register)\s+(?:a|an|another|one)\s+new\s+{_THING}\b\s*"
    r"(?:[.!?;]?$|named|called|with|for|in|into|to|whose)",
    r"insert\s+(?:a|an|another|one|the|this|these|new|\d+)\s+(?!rates?\b)\w",
    r"add\s+.{1,80}\sto\s+the\s+(?:\w+\s+){0,2}(?:table|database)\b",
    rf"(?:rename|alter)\s+{_THE}\s+(?:\w+\s+){{0,2}}(?:table|database|schema)\b",
)
_START = re.compile(
    rf"\s*[\"'`(]*\s*{_POLITE}(?:{'|'.join(_STATEMENTS + _IMPERATIVES)})",
    re.IGNORECASE,
)


def is_write_request(text: str) -> bool:
    """Tell whether the text begins with an order to change data or schema.

    A request that hides further on is not looked for: the validator lets nothing but SELECT through.
    """
    return _START.match(text) is not None
