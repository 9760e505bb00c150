"""Which chart fits a result; only the choice, as data: nothing is drawn or run here."""

from collections.abc import Sequence

from text2sql.answer.columns import ColumnView, is_number, view_result
from text2sql.messages import Chart, ResultSet

MAX_BARS = 50
MAX_MEASURES = 3
MIN_POINTS = 10


def choose_chart(result: ResultSet) -> Chart:
    """Return a chart that `x` and `y` describe by column name, or `none` with the reason."""
    if not result.rows or not result.columns:
        return _none("There are no rows to show.")
    views = view_result(result)
    if len({view.column.name for view in views}) < len(views):
        return _none("Two columns have the same name.")
    if len(result.rows) == 1:
        return _choose_number(views)
    measures = [view for view in views if view.role == "measure" and any(map(is_number, view.cells))]
    if not measures:
        return _none("There is no column of numbers to measure.")
    return _choose_by_roles(views, measures, len(result.rows))


def _choose_by_roles(views: Sequence[ColumnView], measures: Sequence[ColumnView], rows: int) -> Chart:
    times = [view for view in views if view.role == "time"]
    labels = [view for view in views if view.role == "label"]
    if len(times) == 1 and not labels:
        return _choose_line(times[0], measures)
    if not times and not labels and len(measures) == len(("x", "y")) and rows >= MIN_POINTS:
        return _make("scatter", measures[0], measures[1:], "Two columns of numbers without labels.")
    axis = labels or [view for view in views if view.role == "identifier"][:1]
    if len(axis) == 1 and not times:
        return _choose_bar(axis[0], measures, rows)
    return _none("The columns are not one label or time with numbers.")


def _choose_number(views: Sequence[ColumnView]) -> Chart:
    if len(views) == 1 and views[0].role == "measure" and is_number(views[0].cells[0]):
        return Chart(type="number", y=(views[0].column.name,), reason="One number.")
    return _none("One row needs no chart.")


def _choose_line(time: ColumnView, measures: Sequence[ColumnView]) -> Chart:
    if len(set(time.cells)) < len(time.cells):
        return _none("A point in time occurs in more than one row.")
    return _make("line", time, measures, "Numbers over time.")


def _choose_bar(label: ColumnView, measures: Sequence[ColumnView], rows: int) -> Chart:
    if len(measures) > MAX_MEASURES:
        return _none(f"More than {MAX_MEASURES} columns of numbers.")
    if rows > MAX_BARS:
        return _none(f"More than {MAX_BARS} bars.")
    return _make("bar", label, measures, "Numbers by label.")


def _make(kind: str, x: ColumnView, y: Sequence[ColumnView], reason: str) -> Chart:
    names = tuple(view.column.name for view in y)
    return Chart.model_validate({"type": kind, "x": x.column.name, "y": names, "reason": reason})


def _none(reason: str) -> Chart:
    return Chart(type="none", reason=reason)
