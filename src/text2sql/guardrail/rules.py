"""The local guardrail's rules in the order they apply, and every sentence that they show."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from text2sql.guardrail.profanity import holds_profanity
from text2sql.guardrail.prompt_attack import is_prompt_attack
from text2sql.guardrail.write_request import is_write_request

Direction: TypeAlias = Literal["input", "output"]

PROFANITY_MESSAGE = "Please ask again without swear words."
PROMPT_ATTACK_MESSAGE = (
    "I answer questions about the data; I do not change or show my own instructions. "
    "Please ask for the data you want to see."
)
WRITE_REQUEST_MESSAGE = "I only read: I can show data, I cannot change it."
TOO_LONG_MESSAGE = "The question is too long. Please ask a shorter one."


@dataclass(frozen=True)
class Mask:
    """Replaces what the pattern finds, in both directions."""

    kind: str
    pattern: re.Pattern[str]
    replacement: str


@dataclass(frozen=True)
class Block:
    """Stops a question; what is stored in the database may be shown, so answers pass."""

    kind: str
    sees: Callable[[str], bool]
    message: str


# Emoji, Persian and Indic scripts need joiners and direction marks: only overrides and isolates go.
_BIDI_CONTROLS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# NUL and oversize are refused before the guardrail; tab and line ends are ordinary white space.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Invisible tag characters spell text that only a model reads; an emoji flag holds at most seven of them.
_HIDDEN_TEXT = re.compile(r"[\U000e0000-\U000e007f]{8,}")
# The Social Security Administration gives out no area 000, 666 or 9xx, no group 00, no serial 0000.
_SSN = re.compile(
    r"(?<!\d)(?<!\d-)(?!000|666|9)\d{3}([-\u2010-\u2015\u2212 \u00a0\u202f])(?!00)\d{2}\1(?!0000)\d{4}"
    r"(?!\d)(?!-\d)"
)

RULES: tuple[Mask | Block, ...] = (
    Mask("BIDI_CONTROL", _BIDI_CONTROLS, ""),
    Mask("CONTROL_CHARACTER", _CONTROLS, ""),
    Mask("HIDDEN_TEXT", _HIDDEN_TEXT, ""),
    Mask("SSN", _SSN, "[SSN]"),
    Block("PROMPT_ATTACK", is_prompt_attack, PROMPT_ATTACK_MESSAGE),
    Block("WRITE_REQUEST", is_write_request, WRITE_REQUEST_MESSAGE),
    Block("PROFANITY", holds_profanity, PROFANITY_MESSAGE),
)
"""Masks come first, so that a hidden character cannot split a word that a block looks for,
and a blocked text is a masked one."""
