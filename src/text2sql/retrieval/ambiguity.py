"""Tells without a model that a question has several readings, and which choices a person has.

Only a few forms are known, each of them a whole question: a mistake here costs a good question its answer.
"""

import re
from collections.abc import Iterator, Sequence

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.messages import Clarification, Passage
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.table_ranking import split_words
from text2sql.retrieval.value_links import Link

MAX_CHOICES = 4
MAX_TERMS = 2
"""How many of the choices are terms of the glossary, and how many sizes may go before these."""
REACH = 2
"""How many foreign keys away a table may be whose rows measure the one that is asked about."""

_BEGINS = (
    r"(?:(?:what|which|who)(?: is| are| was| were|'s)|(?:please )?(?:show|give|list|tell)(?: me| us)?)"
    r"(?: (?:all|the|our|my|some))*"
)
_NOUN = r"(?P<noun>\w+?(?: \w+)??)"
_WHEN = r"(?: (?:in \d{4}|(?:this|last) (?:year|quarter|month|week)|so far|overall|ever|right now|now))*"
_SIZE = "biggest|largest|smallest"
_LOW = "worst|smallest|weakest|poorest"
_RANKED = re.compile(
    rf"{_BEGINS} (?P<word>best|top|leading|most important|strongest|{_SIZE}|{_LOW})(?: \d+)? {_NOUN}{_WHEN}"
)
_SELLING = re.compile(
    rf"(?:which|what) {_NOUN}(?: (?:is|are|do|does|did)(?P<denied>n't| not)?)?"
    rf" (?:(?:sell|perform|do)(?:ing)?|sold|performed|did) (?P<how>well|badly|poorly){_WHEN}"
)
_RECENT = re.compile(rf"{_BEGINS} recent {_NOUN}")
_IN_PLACE = re.compile(r"(?:what|how (?:much|high)) (?:is|are|was|were) .+ (?:in|from) .+")

_NUMBER = re.compile(r"int|dec|num|real|double|float|money", re.IGNORECASE)
_TEMPORAL = re.compile(r"date|time", re.IGNORECASE)
_RATING = frozenset("rating score star".split())
_NO_MEASURE = frozenset(
    "id code number no num nr key zip postal postcode phone fax latitude longitude lat lng year month day"
    " week date time version index position rank order sequence flag is has".split()
)
"""A number whose name holds one of these measures nothing."""


def find_readings(
    question: str,
    catalog: Catalog,
    knowledge_base: KnowledgeBase,
    passages: Sequence[Passage] = (),
    links: Sequence[Link] = (),
    hidden: frozenset[str] = frozenset(),
) -> Clarification | None:
    """Return a question back where this one has several readings.

    `passages` are what the knowledge base finds for it, `links` the stored texts that it names. The choices
    name what the catalog shows, and terms that name nothing of `hidden`.

    Raises:
        KnowledgeBaseUnavailable: as the port says.
    """
    text = " ".join(question.lower().replace("\u2019", "'").split()).rstrip(" ?.!")
    if (found := _RECENT.fullmatch(text)) and (table := _find_table(found["noun"], catalog)):
        return _ask_how_recent(table)
    if (found := _RANKED.fullmatch(text)) and (table := _find_table(found["noun"], catalog)):
        is_low, is_size = (re.fullmatch(words, found["word"]) is not None for words in (_LOW, _SIZE))
    elif (found := _SELLING.fullmatch(text)) and (table := _find_table(found["noun"], catalog)):
        is_low, is_size = (found["how"] == "well") == bool(found["denied"]), False
    else:
        return _ask_whose_place(text, catalog, knowledge_base, passages, links, hidden)
    below = _tables_below(table, catalog)
    terms = knowledge_base.measures(frozenset(each.name for each in (table, *below)), hidden)[:MAX_TERMS]
    measures = _list_measures(table, below, terms, is_size=is_size)
    return _ask(
        f"By what should {_spoken(table.name)} be compared?",
        [f"{'lowest' if is_low else 'highest'} {measure}" for measure in measures],
    )


def _ask(question: str, choices: Sequence[str]) -> Clarification | None:
    """Return the question where there is something to choose."""
    different = tuple(dict.fromkeys(choices))[:MAX_CHOICES]
    return Clarification(question=question, choices=different) if len(different) > 1 else None


def _ask_how_recent(table: Table) -> Clarification | None:
    if not any(_TEMPORAL.search(f"{column.type} {column.name}") for column in table.columns):
        return None
    return _ask(
        f"How recent should the {_spoken(table.name)} be?",
        ["of the last 7 days", "of the last 30 days", "the newest 10"],
    )


def _ask_whose_place(
    text: str,
    catalog: Catalog,
    knowledge_base: KnowledgeBase,
    passages: Sequence[Passage],
    links: Sequence[Link],
    hidden: frozenset[str],
) -> Clarification | None:
    """Ask of which table the value is meant, where a measure of all of them is wanted."""
    if len(links) != 1 or not _IN_PLACE.fullmatch(text):
        return None
    words = set(split_words(text))
    if any(words.issuperset(split_words(table.name)) for table in catalog.tables):
        return None
    measures = knowledge_base.measures(frozenset(table.name for table in catalog.tables), hidden)
    terms = [term for term in measures if any(p.source == f"glossary: {term}" for p in passages)]
    if len(terms) != 1:
        return None
    tables = dict.fromkeys(stored.table for stored in links[0].columns)
    return _ask(
        f"Of what in {links[0].text} is the {terms[0]} meant?",
        [f"{terms[0]} of {_spoken(table)} in {links[0].text}" for table in tables],
    )


def _list_measures(
    table: Table, below: Sequence[Table], terms: Sequence[str], *, is_size: bool
) -> Iterator[str]:
    """Return what rows of the table can be compared by, the likeliest first."""
    own = [_spoken(column.name) for column in table.columns if _is_measure(column, table)]
    if is_size:
        yield from own[:MAX_TERMS]
    yield from terms
    children = [each for each in below if any(key.table == table.name for key in each.foreign_keys)]
    for child in children:
        for column in child.columns:
            if _RATING.intersection(split_words(column.name)) and _is_measure(column, child):
                yield f"average {_spoken(column.name)}"
    for child in children:
        yield f"number of {_spoken(child.name)}"
    yield from own


def _tables_below(table: Table, catalog: Catalog) -> list[Table]:
    """Return the tables whose rows belong to rows of this one, at most `REACH` foreign keys away."""
    below: list[Table] = []
    names = {table.name}
    for _ in range(REACH):
        found = [
            each
            for each in catalog.tables
            if each.name not in names and any(key.table in names for key in each.foreign_keys)
        ]
        below += found
        names |= {each.name for each in found}
    return below


def _find_table(noun: str, catalog: Catalog) -> Table | None:
    """Return the only table that is called so, plural aside."""
    wanted = split_words(noun)
    found = [table for table in catalog.tables if split_words(table.name) == wanted]
    return found[0] if len(found) == 1 else None


def _is_measure(column: Column, table: Table) -> bool:
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    is_number = bool(_NUMBER.search(column.type)) and column.name not in keys
    return is_number and _NO_MEASURE.isdisjoint(split_words(column.name))


def _spoken(name: str) -> str:
    return name.replace("_", " ")
