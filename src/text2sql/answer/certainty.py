"""Whether an answer is in doubt, and whether it may be shown as certain."""

from text2sql.messages import Executed

SURE = 0.98
"""A model that held its only draft to be at least as likely as this is not asked for others."""
CERTAIN_SHARE = 0.75
"""The least share of drafts that must have come to the same rows."""


def is_in_doubt(executed: Executed) -> bool:
    """Tell whether the only draft so far should be compared with others.

    It should where the model is not sure of it, and where it found nothing. Most models do not tell how
    sure they are. What a person has approved is not in doubt.
    """
    valid = executed.valid
    if valid.verified or executed.vote.drafts > 1:
        return False
    return not _has_a_value(executed) or (valid.probability is not None and valid.probability < SURE)


def is_certain(executed: Executed) -> bool:
    """Tell whether enough speaks for the answer; a draft that stands alone, or found no value, never is.

    Of the answers that are certain nine in ten should be right. The limits were set on questions of other
    databases than those that docs/accuracy.md reports.
    """
    vote = executed.vote
    if executed.valid.verified:
        return True
    return vote.drafts > 1 and vote.agreeing / vote.drafts >= CERTAIN_SHARE and _has_a_value(executed)


def _has_a_value(executed: Executed) -> bool:
    return any(cell is not None for row in executed.result.rows for cell in row)
