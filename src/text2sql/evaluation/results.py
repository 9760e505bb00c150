"""What became of one question, as a line of a results file, and reading such files back."""

from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import ValidationError

from text2sql.errors import InvalidEvaluation
from text2sql.evaluation.gold_form import Difficulty
from text2sql.evaluation.questions import GoldQuestion
from text2sql.messages import Message, OutcomeName, StepRecord

FailureClass: TypeAlias = Literal[
    "does_not_run",
    "wrong_columns",
    "empty_or_not",
    "wrong_rows",
    "wrong_order",
    "declined",
    "timeout",
    "model_error",
    "other",
    "gold_failed",
]
"""Why a question does not count as right; the last one says nothing of the answer."""


class Excerpt(Message):
    """How a result begins, as text for people."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    count: int
    """How many rows the whole result has."""


class Result(Message):
    """One line: what was asked, what came, and whether that is right."""

    database: str
    question: str
    gold: str
    sql: str | None
    """What ran, or the last draft where none would run; None where nothing was drafted or it was declined."""
    outcome: OutcomeName | Literal["gold_failed"]
    """How the question ended; `gold_failed` where it was not asked, for there is nothing to judge it by."""
    correct: bool | None
    """None where the gold failed: then the question counts neither way."""
    certain: bool = False
    """Whether the answer was shown as certain."""
    failure: FailureClass | None = None
    difficulty: Difficulty
    error: str | None = None
    """A code of docs/errors.md and the message."""
    gold_error: str | None = None
    seconds: float = 0.0
    """From the question to the reply; the gold's own time does not count."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """None where nobody charges, or the price is not known."""
    drafts: int = 0
    """How often the model wrote."""
    repairs: int = 0
    """How often it was told what was wrong with a draft."""
    config: str = ""
    gold_result: Excerpt | None = None
    """Of a question that is not right; else None."""
    own_result: Excerpt | None = None
    """The same of the answer, where it has rows."""
    steps: tuple[StepRecord, ...] = ()

    @property
    def asked(self) -> GoldQuestion:
        """The question as the questions file has it."""
        return GoldQuestion(self.database, self.question, self.gold)

    def line(self) -> str:
        """Return it as one line of JSON, with its end."""
        return self.model_dump_json(exclude={"steps": {"__all__": {"usage"}}}) + "\n"


def read_results(path: Path) -> dict[str, Result]:
    """Return the results of a file by the question's key; a last line that was broken off is left out.

    Raises:
        InvalidEvaluation: it cannot be read, or a line is no result.
    """
    try:
        return parse_results(path.read_bytes(), path)
    except OSError as error:
        raise InvalidEvaluation(
            f"{path} cannot be read.", remedy="Name a file that `text2sql eval` wrote."
        ) from error


def parse_results(data: bytes, path: Path) -> dict[str, Result]:
    """Do the same with what was read from `path`."""
    results: dict[str, Result] = {}
    whole = data[: data.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            result = Result.model_validate_json(line)
        except ValidationError as error:
            raise InvalidEvaluation(
                f"{path}, line {number}, is no result.",
                remedy="Remove that line: its question is then asked again.",
            ) from error
        results[result.asked.key] = result
    return results
