"""Results of an evaluation that nobody ran, for tests of what is made of them."""

from typing import Any

from text2sql.evaluation.results import Result


def result(question: str = "How many?", **fields: Any) -> Result:
    """Return a right answer, but for these fields."""
    right: dict[str, Any] = {
        "database": "shop",
        "question": question,
        "gold": "SELECT 1",
        "sql": "SELECT 1",
        "outcome": "answered",
        "correct": True,
        "difficulty": "easy",
        "seconds": 2.0,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "drafts": 1,
    }
    return Result.model_validate({**right, **fields})


def wrong(question: str = "How many?", **fields: Any) -> Result:
    """Return a wrong answer, but for these fields."""
    return result(question, **{"correct": False, "failure": "wrong_rows", **fields})


def unjudged(question: str = "How many?") -> Result:
    """Return what is left of a question whose gold failed."""
    return result(question, correct=None, failure="gold_failed", outcome="gold_failed", sql=None, drafts=0)
