"""Which questions ask for a change of the data: imperatives and raw SQL at the start, nothing else."""

import re

_POLITE = (
    r"(?:(?:hey|hi|hello|ok|okay|please|pls|kindly|and|also|now|just|then|first|go ahead and"
    r"|(?:can|could|would|will) you|i(?:'d| would)? (?:want|need|like) you to)\b[ ,:!]*)*"
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
    rf"drop {_SCHEMA}\b",
    r"drop (?:view|user|procedure|function) (?:if exists )?[\w.`\"]+ ?(?:;|$)",
    r"truncate (?:table )?[\w.`\"]+ ?(?:;|$)",
    r"truncate table\b",
    r"alter (?:table|database|schema|user|view)\b",
    r"delete from\b",
    r"(?:insert (?:ignore |or \w+ )?|replace |merge )into\b",
    r"update [\w.`\"]+ set\b",
    r"create (?:temporary )?table (?:if not exists )?[\w.`\"]+ ?(?:\(|as select\b)",
    r"create (?:or replace )?view [\w.`\"]+ as (?:select|with)\b",
    r"create (?:unique )?index [\w.`\"]+ on\b",
    r"create (?:database|schema) [\w.`\"]+ ?(?:;|$)",
    r"(?:grant|revoke) [\w ,]+ on \S+ (?:to|from)\b",
)
_IMPERATIVES = (
    rf"drop {_THE} (?:\S+ ){{0,3}}{_SCHEMA}\b",
    r"(?:drop|delete|erase|wipe|remove|purge) everything\b",
    rf"(?:delete|erase|purge|wipe) {_THE}\b",
    rf"(?:delete|remove|erase) (?:the )?{_THING} (?:number |no\.? ?|id )?#?\d",
    rf"delete {_MEASURED}\w+ (?:where|from|older|before|whose|who|that|with)\b",
    r"(?:delete|purge|erase) (?:old|duplicate|inactive|expired|test) \w+",
    r"remove .{0,80}\bfrom (?:the )?(?:\w+ ){0,2}(?:table|database)\b",
    rf"update {_THE} (?!(?:\w+ ){{0,2}}{_SHOWN}s?\b)\w",
    rf"update {_THING} (?:number |id )?#?\d",
    rf"update (?:\S+ ){{0,3}}(?:{_VALUE}|prices|salaries) (?:\S+ ){{0,5}}(?:to \S|by [$€£]?\d)",
    (
        rf"(?:set|change|modify|increase|raise|reduce|lower|decrease) (?:the |all )?(?:\S+ ){{0,2}}"
        rf"(?:{_VALUE}|prices|salaries) (?:of|for) .{{1,80}} (?:to \S|by [$€£]?\d)"
    ),
    (
        rf"(?:insert|add|create|register) (?:a|an|another|one) new {_THING}\b ?"
        r"(?:[.!?;]?$|named|called|with|for|in|into|to|whose)"
    ),
    r"insert (?:a|an|another|one|the|this|these|new|\d+) (?!rates?\b)\w",
    r"add .{1,80} to the (?:\w+ ){0,2}(?:table|database)\b",
    rf"(?:rename|alter) {_THE} (?:\w+ ){{0,2}}(?:table|database|schema)\b",
)
# The patterns read text whose white space is single spaces; a run of it would take them cubic time.
_START = re.compile(rf"[\"'`(]*{_POLITE}(?:{'|'.join(_STATEMENTS + _IMPERATIVES)})", re.IGNORECASE)


def is_write_request(text: str) -> bool:
    """Tell whether the text begins with an order to change data or schema.

    A request that hides further on is not looked for: the validator lets nothing but SELECT through.
    """
    return _START.match(" ".join(text.split())) is not None
