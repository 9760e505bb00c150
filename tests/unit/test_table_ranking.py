from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.retrieval.table_ranking import choose_tables

ROOM = 16
"""In columns: that is how large a table is here. One may fill a quarter."""


def _size(table: Table) -> int:
    return len(table.columns)


def _table(name: str, *columns: str, to: tuple[str, ...] = ()) -> Table:
    """Return a table with a key, and a foreign key to each of `to`; both are its last columns."""
    refs = {f"ref{'abc'[i]}": other for i, other in enumerate(to)}
    return Table(
        name=name,
        primary_key=("id",),
        columns=tuple(Column(name=each, type="TEXT") for each in (*columns, "id", *refs)),
        foreign_keys=tuple(
            ForeignKey(columns=(ref,), table=other, references=("id",)) for ref, other in refs.items()
        ),
    )


def _others(count: int = 20) -> list[Table]:
    return [_table(f"other{'abcdefghijklmnopqrst'[i]}", "first", "second", "third") for i in range(count)]


def _choose(tables: list[Table], question: str, *hints: str, room: int = ROOM) -> list[str]:
    catalog = Catalog(name="x", dialect="sqlite", server="test", tables=tuple(tables))
    return [table.name for table in choose_tables(catalog, question, hints, room, _size)]


def test_table_that_the_question_names_is_chosen() -> None:
    assert "invoice" in _choose([*_others(), _table("invoice", "paid")], "List all invoices.")


def test_words_of_names_in_capitals_and_with_digits_are_found() -> None:
    tables = [*_others(), _table("FACT2SalesLine", "x"), _table("HTTPRequests", "x")]
    assert "FACT2SalesLine" in _choose(tables, "each line of today")
    assert "HTTPRequests" in _choose(tables, "the requests of today")


def test_abbreviated_name_is_found() -> None:
    tables = [*_others(), _table("dept", "budget"), _table("cust_addr", "zip")]
    assert "dept" in _choose(tables, "What does each department cost?")
    assert "cust_addr" in _choose(tables, "Where do our customers live?")


def test_inflected_and_joined_words_are_found() -> None:
    tables = [*_others(), _table("certificates", "x"), _table("tripsegments", "x"), _table("who", "petname")]
    assert "certificates" in _choose(tables, "Who is certified?")
    assert "tripsegments" in _choose(tables, "the longest trip")
    assert "who" in _choose(tables, "give me the pet name")


def test_description_and_sample_values_are_looked_at() -> None:
    told = _table("tx").model_copy(update={"description": "Money that customers got back, the refunds"})
    city = Column(name="c1", type="TEXT", samples=("Aberdeen", "Leith"))
    held = _table("loc").model_copy(update={"columns": (city,)})
    assert "tx" in _choose([*_others(), told, held], "How many refunds were there?")
    assert "loc" in _choose([*_others(), told, held], "Who lives in Aberdeen?")


def test_rare_word_counts_more_than_one_that_every_table_has() -> None:
    tables = [*(_table(f"first_{name}", "second") for name in "abcdefghij"), _table("loans", "x")]
    assert "loans" in _choose(tables, "the first and second of the loans", room=4)


def test_words_about_the_shape_of_the_result_mean_no_table() -> None:
    tables = [
        _table(f"{name}_x", "y", "z", "w") for name in ("sorted", "alphabetical", "descending", "order")
    ]
    question = "The refunds sorted by name in alphabetical order, or in descending order"
    assert "tx" in _choose([*tables, _table("tx", "refund", "x", "y")], question)


def test_tables_between_two_chosen_ones_come_with_them() -> None:
    tables = [
        *(_table("student", "x"), _table("course", "x")),
        *(_table("student_card", "x", "y", "z"), _table("course_plan", "x", "y", "z")),
        *(_table("m1", "x", to=("student", "m2")), _table("m2", "y", to=("course",))),
    ]
    chosen = _choose(tables, "Which student took which course?")
    assert chosen == ["student", "course", "student_card", "m1", "m2"]


def test_table_is_chosen_without_those_between_where_they_do_not_fit() -> None:
    tables = [
        *(_table("teacher", "x"), _table("student", "x"), _table("course", "x")),
        *(_table("m1", "x", to=("student", "m2")), _table("m2", "y", to=("course",))),
    ]
    chosen = _choose(tables, "Which teacher, student and course?", room=8)
    assert {"teacher", "student", "course"} <= set(chosen)


def test_neighbour_of_a_fitting_table_goes_before_a_stranger() -> None:
    tables = [*_others(), _table("payers", "x"), _table("invoices", "y", to=("payers",))]
    assert "payers" in _choose(tables, "How many invoices are there?")


def test_table_that_only_a_hint_names_is_chosen() -> None:
    tables = [*_others(), _table("t_4711", "x")]
    hint = "churn: the share of customers who left. SQL: COUNT(t_4711.x)"
    assert "t_4711" not in _choose(tables, "What is the churn?")
    assert "t_4711" in _choose(tables, "What is the churn?", hint)


def test_name_without_words_is_found_in_a_hint() -> None:
    tables = [*_others(), _table("x9", "y")]
    assert "x9" in _choose(tables, "What is the churn?", "churn: SQL: COUNT(x9.y)")
    assert "x9" not in _choose(tables, "What is the churn?", "churn: SQL: COUNT(xx9.y)")


def test_word_of_the_question_counts_more_than_one_of_a_hint() -> None:
    fruits = [_table(f"t_{fruit}", fruit, "x", "y") for fruit in ("apple", "pear", "plum", "cherry")]
    tables = [*fruits, _table("t_refund", "refund", "x", "y")]
    assert "t_refund" in _choose(tables, "the refund", "An apple, a pear, a plum or a cherry.")


def test_wide_table_keeps_its_keys_and_the_columns_that_fit() -> None:
    wide = _table("facts", *(f"{a}{b}" for a in "abcdefgh" for b in "qwxyz"), "discount", to=("othera",))
    catalog = Catalog(name="x", dialect="sqlite", server="test", tables=(*_others(), wide))
    facts = choose_tables(catalog, "the highest discount of all facts", (), 20, _size)[-1]
    assert [column.name for column in facts.columns] == ["aq", "aw", "discount", "id", "refa"]
    assert facts.primary_key == wide.primary_key
    assert facts.foreign_keys == wide.foreign_keys


def test_only_table_may_fill_the_room() -> None:
    wide = _table("facts", *(f"c{a}" for a in "abcdefghijklmnopqrst"))
    catalog = Catalog(name="x", dialect="sqlite", server="test", tables=(wide,))
    (facts,) = choose_tables(catalog, "facts", (), 15, _size)
    assert len(facts.columns) == 15


def test_chosen_tables_stand_in_the_catalogs_order() -> None:
    tables = [_table("payers", "x"), *_others(), _table("invoices", "y", to=("payers",))]
    assert _choose(tables, "invoices and payers") == ["payers", "othera", "otherb", "invoices"]


def test_key_to_a_table_that_the_caller_does_not_see_leads_nowhere() -> None:
    tables = [*_others(), _table("invoices", "y", to=("secrets",))]
    assert "secrets" not in _choose(tables, "Which secrets are in the invoices?", "secrets are secret")
