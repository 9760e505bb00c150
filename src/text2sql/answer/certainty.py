"""Whether an answer is in doubt, whether it may be shown as certain, and whether it may be shown at all."""

from text2sql.messages import Coverage, Executed

SURE = 0.98
"""A model that held its only draft to be at least as likely as this is not asked for others."""
CERTAIN_SHARE = 0.75
"""The least share of drafts that must have come to the same rows."""
GUESS_SHARE = 0.5
"""Drafts that agree less than this have only guessed, where most of the question is about the unknown."""


def is_in_doubt(executed: Executed) -> bool:
    """Tell whether the only draft so far should be compared with others.

    It should where the model is not sure of it, and where it found nothing. Most models do not tell how
    sure they are. What a person has approved or written is not in doubt.
    """
    valid = executed.valid
    if valid.verified or valid.by_person or executed.vote.drafts > 1:
        return False
    return not _has_a_value(executed) or (valid.probability is not None and valid.probability < SURE)


def is_certain(executed: Executed, coverage: Coverage) -> bool:
    """Tell whether enough speaks for the answer; a draft that stands alone, or found no value, never is.

    Nor is an answer to a question that is mostly about what is not known here, or that asks for something in
    so many words that the statement does not do.

    Of the answers that are certain nine in ten should be right. The limits were set on questions of other
    databases than those that docs/accuracy.md reports.
    """
    vote = executed.vote
    if executed.valid.verified:
        return True
    return (
        vote.drafts > 1
        and vote.agreeing / vote.drafts >= CERTAIN_SHARE
        and _has_a_value(executed)
        and not executed.valid.unmet
        and not is_mostly_unknown(coverage)
    )


def is_a_guess(executed: Executed, coverage: Coverage) -> bool:
    """Tell whether so little speaks for the rows that they are better not shown."""
    vote = executed.vote
    if executed.valid.verified or not is_mostly_unknown(coverage):
        return False
    return vote.agreeing / vote.drafts < GUESS_SHARE


def is_mostly_unknown(coverage: Coverage) -> bool:
    """Tell whether most words that say what a question is about are not known here."""
    return len(coverage.unknown) > len(coverage.known)


def _has_a_value(executed: Executed) -> bool:
    return any(cell is not None for row in executed.result.rows for cell in row)
