"""Tells without a model what a question is about, and how much of that a database knows.

Only English is known here: a question in another language is told nothing of.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from text2sql.datasource.catalog import Catalog
from text2sql.messages import Coverage, Declined, Passage
from text2sql.retrieval.table_ranking import OF_THE_RESULT, index_words, split_words

LEAST_WORDS = 2
"""A question about fewer things than this is not declined; one unknown word may be a synonym."""
ENGLISH = 2
"""So many of the commonest words must a question hold, or it may be in another language."""
TOLD = 2
"""How many unknown words a refusal names, at most."""

_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|(?<!\w)'[^']*'(?!\w)")
_ENGLISH = frozenset(
    "the of how what which who whose are is did does do our many list show find give each for and with have"
    " has there from by than that their when where tell me much".split()
)
EMPTY = frozenset(
    # the words of any sentence
    "a about above across after again against all almost along already also although am among an and another"
    " any anyone anything are around as ask at away back be because been before being below beside between"
    " both but by can cannot could did do does doing done down during either else even ever every everyone"
    " everything for from further get give given go goes going had happen has have having he her here hers"
    " him his how however i if in instead into is it its itself just keep kind know least less let like list"
    " look made make many may me might mine more most much must my need neither never no nobody none nor not"
    " nothing now of off often on once one only or other our out over own part per please possible quite"
    " rather really same see seem several shall she should show since so some someone something sort still"
    " such take tell than thank that the their them then there these they thing this those though through"
    " thus to together too toward two under unless until up upon us use used using very want was way we well"
    " were what whatever when where whether which while who whole whom whose why will with within without"
    " each correspond would yes yet you your aren couldn didn doesn don hadn hasn"
    " haven isn shouldn wasn weren won wouldn"
    " hi called call named name contain include including involve belong"
    " associated related corresponding respective respectively available exist existing present consist"
    " different distinct unique various certain particular specific detail information info data database"
    " table column row record value entry item id identifier key field type category description show display"
    " find return compute calculate report provide print fetch retrieve determine identify describe compare"
    " select answer question result sorted sort ranked rank grouped group ascending descending"
    " alphabetical alphabetically alphabetic lexicographic lexicographical"
    # aggregates, comparisons and numbers
    " number count total sum average mean median maximum minimum max min amount quantity percent percentage"
    " share ratio rate highest lowest high low higher lower great greater greatest big bigger biggest large"
    " larger largest small smaller smallest top bottom best worst better worse long longer longest short"
    " shorter shortest few fewer fewest enough exactly equal common commonly popular first second third"
    " fourth fifth last next previous latest earliest recent recently newest oldest early late later new old"
    " older young younger youngest zero three four five six seven eight nine ten dozen hundred thousand"
    " million half single double twice multiple letter word substring start begin end"
    # the calendar
    " date time day week month quarter year decade century today yesterday tomorrow hour minute second ago"
    " daily weekly monthly yearly annual january february march april june july august september october"
    " november december monday tuesday wednesday thursday friday saturday sunday".split()
)


def cover(question: str, catalog: Catalog) -> Coverage:
    """Return which of the question's words stand in names, descriptions or samples of the catalog.

    Names and numbers are left out, and words that a question about anything may hold.
    """
    if not _is_english(question):
        return Coverage()
    ranking = index_words(catalog)
    text = OF_THE_RESULT.sub(" ", _QUOTED.sub(" ", question))
    words = [(word, "".join(split_words(word))) for word in _read_words(text)]
    joined = {
        part for (_, a), (_, b) in pairwise(words) if ranking.knows(a + b) for part in (a, b)
    }  # `job title` is known as `jobtitle`
    known: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for word, stem in words:
        if stem not in EMPTY and word not in EMPTY:
            (known if stem in joined or ranking.knows(stem) else unknown)[stem] = word
    return Coverage(known=tuple(known.values()), unknown=tuple(unknown.values()))


def decline_unknown(coverage: Coverage, passages: Sequence[Passage]) -> Declined | None:
    """Return a refusal where nothing that a question is about is known; `passages` are what is known."""
    if passages or coverage.known or len(coverage.unknown) < LEAST_WORDS:
        return None
    missing = " or ".join(coverage.unknown[:TOLD])
    return Declined(reason=f"Nothing in this database seems to be about {missing}.")


def _is_english(question: str) -> bool:
    return len(_ENGLISH.intersection(question.lower().split())) >= ENGLISH


def _read_words(text: str) -> list[str]:
    """Return the words in lower case; one with a capital is a name, but for the first of a sentence."""
    words = []
    for found in _WORD.finditer(text):
        begins = text[: found.start()].rstrip()[-1:] in ("", *".?!:")
        word = re.sub(r"['\u2019].*", "", found[0])
        if word.islower() or begins:
            words.append(word.lower())
    return words
