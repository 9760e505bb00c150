"""The answer in a plain English sentence; each number in it is a cell, a count of rows or an exact sum."""

import re
from collections.abc import Sequence
from decimal import Decimal, localcontext

from text2sql.answer.cell_text import format_number
from text2sql.answer.columns import ColumnView, is_number, view_result
from text2sql.messages import ResultSet

NO_ROWS = "No rows match."

_LISTED = 5
"""How many names a list says before "and 12 more"."""
_COLUMNS_LISTED = 6
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLACES = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_SUMMED = re.compile(r"\b(?:sum|count)\s*\(", re.IGNORECASE)
# Sums of averages, of distinct counts or of running totals say nothing, so none is given where one may hide.
_NOT_ADDITIVE = re.compile(r"\b(?:avg|max|min|distinct|over|rollup|union)\b|/", re.IGNORECASE)
_ADDITIVE_NAME = re.compile(
    r"\b(?:total|sum|count|revenue|sales|amount|quantity|qty|orders|units|items|number|sold|spent|turnover)\b"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RATE_NAME = re.compile(
    r"\b(?:average|avg|mean|rate|ratio|percent|percentage|pct|share|price|running|cumulative)\b"
)


def compose_sentence(question: str, result: ResultSet, sql: str) -> str:
    """Say what the rows say; the same rows give the same sentence.

    `question` and `sql` give only a word for the rows and whether a column may be added up.
    """
    if not result.rows or not result.columns:
        return NO_ROWS
    views = view_result(result)
    sentence = _describe(views, len(result.rows), _Wording(question, sql, truncated=result.truncated))
    sentence = sentence[0].upper() + sentence[1:]
    if result.truncated:
        sentence += f" These are the first {_rows(len(result.rows))}; there are more."
    return sentence


def count_rows(result: ResultSet) -> str:
    """Say only how many rows there are, for when cells may not be said."""
    if not result.rows:
        return NO_ROWS
    return f"{'The first ' if result.truncated else ''}{_rows(len(result.rows))}."


class _Wording:
    """The words that do not come from the rows."""

    def __init__(self, question: str, sql: str, *, truncated: bool) -> None:
        tables = set(re.findall(r"\b(?:from|join)\s+[`\"\[]?(\w+)", sql.lower()))
        self._asked = next(
            (word for word in re.findall(r"\w+s\b", question.lower()) if word in tables), "rows"
        )
        self._may_add = bool(_SUMMED.search(sql)) and not _NOT_ADDITIVE.search(sql) and not truncated

    def lead(self, count: int, label: ColumnView) -> str:
        """Return "five products": the label's own name where it counts things, else the table asked for."""
        if len(set(label.cells)) < count:
            return f"{_count(count)} rows"
        noun = re.sub(r"\b(?:name|title|id)$", "", label.name).strip()
        if noun in {"", "first", "last", "full", "label", "result", "period"}:
            return f"{_count(count)} {self._asked}"
        return f"{_count(count)} {_plural(noun)}"

    def together(self, measure: ColumnView) -> str:
        """Return "; together 1,234.50" where the measure's cells may be added, else nothing."""
        adds_up = _ADDITIVE_NAME.search(measure.name) and not _RATE_NAME.search(measure.name)
        if not (self._may_add and adds_up) or None in measure.cells:
            return ""
        with localcontext(prec=200):
            total = sum((Decimal(str(cell)) for cell in measure.cells), Decimal(0))
        return f"; together {format_number(total)}" if total.is_finite() else ""


def _describe(views: Sequence[ColumnView], count: int, wording: _Wording) -> str:
    if count == 1:
        return _say_value(views[0]) if len(views) == 1 else _say_row(views)
    measures = [view for view in views if view.role == "measure" and len(_values(view)) > 1]
    labels = _find_labels(views)
    if not measures:
        return _say_list(labels or list(views), count, wording)
    if not labels:
        return _say_range(measures, count)
    is_series = [view.role for view in labels] == ["time"] and len(set(labels[0].cells) - {None}) == count
    if is_series:
        return _say_series(labels[0], measures[0], wording)
    return _say_ranking(labels, measures, count, wording)


def _find_labels(views: Sequence[ColumnView]) -> list[ColumnView]:
    named = [view for view in views if view.role in {"label", "time"}]
    return (named or [view for view in views if view.role == "identifier"])[:2]


def _say_value(view: ColumnView) -> str:
    if view.cells[0] is None:
        return f"There is no value: the {view.name} is null."
    return f"The {view.name} is {view.text(0)}."


def _say_row(views: Sequence[ColumnView]) -> str:
    labels = [view for view in views if view.role == "label" and view.cells[0] is not None][:1]
    rest = [view for view in views if view not in labels]
    said = "; ".join(f"{view.name} {view.text(0)}" for view in rest[:_COLUMNS_LISTED])
    more = f"; and {_count(len(rest) - _COLUMNS_LISTED)} more columns" if len(rest) > _COLUMNS_LISTED else ""
    return f"{labels[0].text(0) if labels else 'One row'}: {said}{more}."


def _say_list(labels: Sequence[ColumnView], count: int, wording: _Wording) -> str:
    names = [_name_row(labels, row) for row in range(min(count, _LISTED))]
    if count > _LISTED:
        return f"{wording.lead(count, labels[0])}: {', '.join(names)} and {count - _LISTED:,} more."
    return f"{wording.lead(count, labels[0])}: {', '.join(names[:-1])} and {names[-1]}."


def _say_range(measures: Sequence[ColumnView], count: int) -> str:
    ranges = []
    for view in measures[:_COLUMNS_LISTED]:
        values = _values(view)
        low, high = min(values)[1], max(values)[1]
        ranges.append(f"{view.name} from {view.text(low)} to {view.text(high)}")
    return f"{_rows(count)}: {'; '.join(ranges)}."


def _say_series(time: ColumnView, measure: ColumnView, wording: _Wording) -> str:
    order = sorted(range(len(time.cells)), key=lambda row: str(time.cells[row]).zfill(8))
    rows = [row for row in order if is_number(measure.cells[row])]
    first, last = rows[0], rows[-1]
    top = max(_values(measure), key=lambda value: (value[0], -value[1]))[1]
    peak = f"{'on' if _DAY.match(time.text(top)) else 'in'} {time.text(top)}"
    return (
        f"from {time.text(first)} to {time.text(last)} the {measure.name} went from {measure.text(first)} "
        f"to {measure.text(last)}; the highest point is {measure.text(top)} {peak}"
        f"{wording.together(measure)}."
    )


def _say_ranking(
    labels: Sequence[ColumnView], measures: Sequence[ColumnView], count: int, wording: _Wording
) -> str:
    measure = next((view for view in measures if _is_sorted(view)), measures[0])
    values = _values(measure)
    high, low = max(values)[0], min(values)[0]
    leaders = [row for value, row in values if value == high]
    losers = [row for value, row in values if value == low]
    missing = count - len(values)
    start, end = wording.lead(count, labels[0]), wording.together(measure)
    if missing:
        end += f"; {_count(missing)} {'has' if missing == 1 else 'have'} no value"
    if high == low:
        return f"{start}: each has {_amount(measure, leaders[0])}{end}."
    top, bottom = _share(labels, leaders), _share(labels, losers)
    if leaders == [0] and losers == [count - 1] and _is_sorted(measure) and not missing:
        distinct = len({value for value, _ in values}) == count
        place = _PLACES[count] if distinct and count < len(_PLACES) else "last"
        lowest = measure.text(count - 1)
        return f"{start}: {top} leads with {_amount(measure, 0)}; {bottom} is {place} with {lowest}{end}."
    return (
        f"{start}: {top} {_has(leaders)} the highest {measure.name}, {measure.text(leaders[0])}; "
        f"{bottom} the lowest, {measure.text(losers[0])}{end}."
    )


def _share(labels: Sequence[ColumnView], rows: Sequence[int]) -> str:
    more = f" and {_count(len(rows) - 1)} more" if len(rows) > 1 else ""
    return _name_row(labels, rows[0]) + more


def _has(rows: Sequence[int]) -> str:
    return "has" if len(rows) == 1 else "have"


def _amount(measure: ColumnView, row: int) -> str:
    """Return "a revenue of 12.50", "42 orders" or "total sales of 12.50"."""
    if not re.search(r"[^s]s$", measure.name):
        article = "an" if measure.name[0] in "aeiou" else "a"
        return f"{article} {measure.name} of {measure.text(row)}"
    if isinstance(measure.cells[row], int):
        return f"{measure.text(row)} {measure.name}"
    return f"{measure.name} of {measure.text(row)}"


def _name_row(labels: Sequence[ColumnView], row: int) -> str:
    if labels[0].role == "identifier":
        return f"{labels[0].name} {labels[0].text(row)}"
    first, *others = (view.text(row) for view in labels)
    return f"{first} ({others[0]})" if others else first


def _values(view: ColumnView) -> list[tuple[Decimal, int]]:
    """Return the finite numbers with their rows."""
    numbers = [(Decimal(str(cell)), row) for row, cell in enumerate(view.cells) if is_number(cell)]
    return [(number, row) for number, row in numbers if number.is_finite()]


def _is_sorted(view: ColumnView) -> bool:
    values = [value for value, _ in _values(view)]
    return values[0] != values[-1] and values == sorted(values, reverse=True)


def _count(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _plural(noun: str) -> str:
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    if re.search(r"(?:ss|us|x|z|ch|sh)$", noun):
        return noun + "es"
    return noun if noun.endswith("s") else noun + "s"
