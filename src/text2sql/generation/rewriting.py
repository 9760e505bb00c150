"""RewriteQuestion: a question that leans on those before it becomes a whole one, which is screened again."""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from text2sql.errors import InvalidQuestion
from text2sql.generation.follow_up import ORDERS, leans
from text2sql.generation.port import Completion, Prompt, SqlModel, Turn
from text2sql.guardrail.port import Guardrail
from text2sql.guardrail.step import check_question
from text2sql.messages import EarlierTurn, Reading, Screening, Usage

REWRITING = "rewriting.v1.md"
MAX_TOKENS = 80

_LABEL = re.compile(r"^(?:the )?(?:(?:whole|rewritten|full|complete) )?question:\s*", re.IGNORECASE)
_QUOTED = re.compile(r"([\"'`*]+)(.*)\1")
_STATEMENT = re.compile(r"^select\b|\bselect\b.*[;`=(*]", re.IGNORECASE)

_NAMES_ANOTHER = re.compile(
    r"(?:and|or|but|now|what about|how about|what of|(?:the )?same (?:for|with|in))\b", re.IGNORECASE
)
_ADDS = re.compile(
    r"\b(?:by|per|each|every|only|just|too|also|as well|both|together|all|sort\w*|order\w*|without|except"
    r"|their|its|his|her|how many|how much|which|who|when|where|why)\b",
    re.IGNORECASE,
)
_TWO_QUESTIONS = re.compile(r"\? \w|\band how (?:many|much)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_JOINING = frozenset("and or what about how of the a an in for with by because is are".split())


def rewrite_question(
    screening: Screening,
    earlier: tuple[EarlierTurn, ...],
    model: SqlModel,
    guardrail: Guardrail,
    max_characters: int,
    *,
    on_usage: Callable[[Usage], None] | None = None,
) -> Reading:
    """Return how the question that was let through is read; `earlier` holds one turn at least.

    One that stands alone is read as it was asked, and no model is asked. Where the model's reply is no
    question of fair length, one that was asked already, or one that asks the last one over again beside the
    new one, what went before goes along with the question.
    `on_usage` is told what the call took.

    Raises:
        ModelError: as the model's port says.
        GuardrailUnavailable: the guardrail did not answer for the whole question; nothing may go on.
    """
    if not leans(screening.text, earlier[-1]):
        return Reading(screening=screening)
    completion = model.complete(build_rewriting(screening.text, earlier))
    if on_usage:
        on_usage(completion.usage)
    whole = read_whole(completion)
    asked = {text.casefold() for text in (screening.text, *(turn.question for turn in earlier))}
    if whole is None or whole.casefold() in asked or asks_both(whole, screening.text, earlier[-1].question):
        return Reading(screening=screening, earlier=earlier)
    try:
        rescreened = check_question(whole, guardrail, max_characters)
    except InvalidQuestion:
        return Reading(screening=screening, earlier=earlier)
    rescreened = rescreened.model_copy(update={"findings": (*screening.findings, *rescreened.findings)})
    blocked = rescreened.blocked_message is not None
    return Reading(screening=rescreened, read_as=None if blocked else rescreened.text)


def build_rewriting(question: str, earlier: tuple[EarlierTurn, ...]) -> Prompt:
    """Return the prompt, which holds the questions alone: no schema, no statement and no row."""
    lines = []
    for turn in earlier:
        lines.append(f"Question: {_on_one_line(turn.question)}")
        if turn.clarification:
            lines.append(f"Asked back: {_on_one_line(turn.clarification)}")
    lines += [f"Follow-up: {_on_one_line(question)}", "Whole question:"]
    turns = (Turn(role="user", text="\n".join(lines)),)
    return Prompt(system=_load(), turns=turns, max_tokens=MAX_TOKENS)


def read_whole(completion: Completion) -> str | None:
    """Return the one question that the reply is; None for prose, a statement, or what was cut off."""
    text = completion.text.strip()
    if completion.finish != "stop" or len(text.splitlines()) != 1:
        return None
    text = _LABEL.sub("", text)
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2].strip()
    first, _, others = text.partition(" ")
    asks = text.endswith("?") or (first.lower() in ORDERS and not text.endswith(":"))
    return text if asks and others and not _STATEMENT.search(text) else None


def asks_both(whole: str, question: str, before: str) -> bool:
    """Tell whether a rewrite asks the question before as well, where the follow-up names another thing.

    Small models make "How many were paid by card and cash?" of "What about cash?".
    """
    if _TWO_QUESTIONS.search(whole) and not _TWO_QUESTIONS.search(before):
        return True
    if not _NAMES_ANOTHER.match(question) or _ADDS.search(question):
        return False
    known = _words(before)
    new = [word for word in _WORD.findall(whole.casefold()) if word not in known | _JOINING]
    if not new or not known <= _words(whole):
        return False
    return (
        re.search(rf"(?:\band\b|\bor\b|,)(?:\W+\w+){{0,4}}\W+{re.escape(new[0])}\b", whole.casefold())
        is not None
    )


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _load() -> str:
    return files("text2sql.generation").joinpath("prompts", REWRITING).read_text("utf-8")
