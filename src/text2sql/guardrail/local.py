"""The guardrail that needs no service: fixed rules, the same verdict for the same text."""

from text2sql.guardrail.rules import RULES, TOO_LONG_MESSAGE, Block, Direction
from text2sql.messages import Finding, Screening


class LocalGuardrail:
    """Masks social security numbers and hidden characters; blocks attacks, write requests and profanity."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters

    def screen(self, text: str, direction: Direction) -> Screening:
        """Apply the rules in order; the first block ends it, after all masks: `text` may be kept."""
        if direction == "input" and len(text) > self._max_characters:
            return _block("", (), "TOO_LONG", TOO_LONG_MESSAGE)
        findings: tuple[Finding, ...] = ()
        for rule in RULES:
            if isinstance(rule, Block):
                if direction == "input" and rule.sees(text):
                    return _block(text, findings, rule.kind, rule.message)
            else:
                text, count = rule.pattern.subn(rule.replacement, text)
                if count:
                    findings += (Finding(kind=rule.kind, action="masked"),)
        return Screening(text=text, findings=findings)


def _block(text: str, findings: tuple[Finding, ...], kind: str, message: str) -> Screening:
    blocked = Finding(kind=kind, action="blocked")
    return Screening(text=text, findings=(*findings, blocked), blocked_message=message)
