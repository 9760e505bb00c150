"""Whether an answer may be shown as certain: of those that are, nine in ten should be right."""

from text2sql.messages import Executed

CERTAIN_SHARE = 0.75
"""The least share of drafts that must have come to the same rows."""
CERTAIN_PROBABILITY = 0.97
"""The least probability of a draft that stands alone."""


def is_certain(executed: Executed) -> bool:
    """Tell whether enough speaks for the answer; a model's result without a value is never certain.

    The limits were set on questions of other databases than those that docs/accuracy.md reports.
    """
    if executed.valid.verified:
        return True
    vote, probability = executed.vote, executed.valid.probability
    if all(cell is None for row in executed.result.rows for cell in row):
        return False
    if vote.drafts > 1:
        return vote.agreeing / vote.drafts >= CERTAIN_SHARE
    return probability is not None and probability >= CERTAIN_PROBABILITY
