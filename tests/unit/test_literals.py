from pathlib import Path

import pytest

from stored_values import Texts, catalog_of, write_values
from text2sql.datasource.policy.access import Access, TableRules
from text2sql.datasource.values_index import StoredValues
from text2sql.errors import SqlRejected
from text2sql.messages import Dialect, SqlDraft, ValidSql, VerifiedQuery
from text2sql.validation.literals import without_unstored
from text2sql.validation.step import validate_sql

COLLEGE: Texts = {
    "instructor.dept_name": ["Comp. Sci.", "History", "Physics"],
    "instructor.name": ["Zhang", "Einstein"],
    "student.home_city": ["Aberdeen", "São Paulo"],
    "student.sex": ["F", "M"],
}


def _validated(*sql: str, dialect: Dialect = "mysql", rules: dict[str, TableRules] | None = None) -> ValidSql:
    access = Access(catalog=catalog_of(COLLEGE, dialect), rules=rules or {})
    return validate_sql(SqlDraft(sql=sql[0], alternatives=sql[1:]), access, 10)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> StoredValues:
    return write_values(tmp_path_factory.mktemp("values"), COLLEGE)


@pytest.fixture(scope="module")
def exact_values(tmp_path_factory: pytest.TempPathFactory) -> StoredValues:
    return write_values(tmp_path_factory.mktemp("values"), COLLEGE, is_exact=True)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (
            "dept_name = 'Computer Science'",
            "instructor.dept_name has no 'Computer Science', but 'Comp. Sci.'.",
        ),
        (
            "'Computer Science' = dept_name",
            "instructor.dept_name has no 'Computer Science', but 'Comp. Sci.'.",
        ),
        ("i.DEPT_NAME <> 'Phisics'", "instructor.dept_name has no 'Phisics', but 'Physics'."),
        ("dept_name IN ('History', 'Physic')", "instructor.dept_name has no 'Physic', but 'Physics'."),
        ("dept_name NOT IN ('Physic')", "instructor.dept_name has no 'Physic', but 'Physics'."),
        (
            "dept_name LIKE 'Computer Science'",
            "instructor.dept_name has no 'Computer Science', but 'Comp. Sci.'.",
        ),
        (
            "EXISTS (SELECT 1 FROM student WHERE sex = 'Female')",
            "student.sex has no 'Female', but 'F'.",
        ),
        (
            "sex = 'Male' AND dept_name = 'Physic'",
            "student.sex has no 'Male', but 'M'. instructor.dept_name has no 'Physic', but 'Physics'.",
        ),
    ],
)
def test_text_that_the_column_lacks_is_told_with_the_one_that_is_close(
    condition: str, told: str, values: StoredValues
) -> None:
    valid = _validated(f"SELECT i.name FROM instructor AS i, student AS s WHERE {condition}")
    with pytest.raises(SqlRejected) as caught:
        without_unstored(valid, values)
    assert (caught.value.reason, caught.value.feedback) == ("VALUE_NOT_STORED", told)


@pytest.mark.parametrize(
    "condition",
    [
        "dept_name = 'Comp. Sci.'",
        "dept_name = 'comp. sci.'",  # these collations are blind to case
        "dept_name = 'HISTORY '",
        "dept_name = 'Chemistry'",  # nothing is close
        "dept_name LIKE '%Computer Science%'",
        "dept_name LIKE 'Physic_'",
        "dept_name > 'Physic'",
        "LOWER(dept_name) = 'physic'",
        "dept_name = name",
        "dept_name = '2020'",
        "name = CONCAT('Zh', 'ang')",
        "d.dept_name = 'Physic'",
    ],
)
def test_text_that_is_stored_or_not_like_any_passes(condition: str, values: StoredValues) -> None:
    source = "(SELECT dept_name FROM instructor) AS d, instructor AS i" if "d." in condition else "instructor"
    valid = _validated(f"SELECT name FROM {source} WHERE {condition}")
    assert without_unstored(valid, values) == valid


def test_accents_count_only_where_the_column_is_compared_exactly(
    values: StoredValues, exact_values: StoredValues
) -> None:
    valid = _validated("SELECT sex FROM student WHERE home_city = 'Sao Paulo'")
    assert without_unstored(valid, values) == valid
    with pytest.raises(SqlRejected, match="São Paulo"):
        without_unstored(valid, exact_values)


def test_case_counts_in_sqlite_but_not_in_like(exact_values: StoredValues) -> None:
    like = _validated("SELECT sex FROM student WHERE home_city LIKE 'aberdeen'", dialect="sqlite")
    assert without_unstored(like, exact_values) == like
    equal = _validated("SELECT sex FROM student WHERE home_city = 'aberdeen'", dialect="sqlite")
    with pytest.raises(SqlRejected, match="'aberdeen', but 'Aberdeen'"):
        without_unstored(equal, exact_values)


def test_stored_text_is_told_to_the_letter(tmp_path: Path) -> None:
    values = write_values(tmp_path, {**COLLEGE, "instructor.name": ["Ada  O'Neil"]})
    valid = _validated("SELECT dept_name FROM instructor WHERE name = 'Ada O''Neil'")
    with pytest.raises(SqlRejected, match="has no 'Ada O''Neil', but 'Ada  O''Neil'"):
        without_unstored(valid, values)


def test_several_close_texts_are_nobodys(tmp_path: Path) -> None:
    values = write_values(tmp_path, {**COLLEGE, "instructor.name": ["Einstein", "Einsteins"]}, is_exact=True)
    valid = _validated("SELECT dept_name FROM instructor WHERE name = 'einstein'")
    assert without_unstored(valid, values) == valid


def test_column_that_is_not_wholly_known_is_not_judged(tmp_path: Path) -> None:
    valid = _validated("SELECT name FROM instructor WHERE dept_name = 'Physic'")
    values = write_values(tmp_path, COLLEGE, incomplete=["instructor.dept_name"])
    assert without_unstored(valid, values) == valid
    assert without_unstored(valid, None) == valid


@pytest.mark.parametrize(
    "rules",
    [
        {"instructor": TableRules(masks={"dept_name": "last_four"})},
        {"instructor": TableRules(masks={"dept_name": "full"}, raw_filters=frozenset({"dept_name"}))},
        {"instructor": TableRules(rows=("`name` = 'Zhang'",))},
    ],
    ids=["masked", "filtered by what is stored", "rows filtered"],
)
def test_what_the_caller_may_not_see_as_stored_is_not_compared(
    rules: dict[str, TableRules], values: StoredValues
) -> None:
    valid = _validated("SELECT name FROM instructor WHERE dept_name = 'Physic'", rules=rules)
    assert valid.compared == ()
    assert without_unstored(valid, values) == valid


def test_visible_column_is_compared_under_a_policy(values: StoredValues) -> None:
    rules = {"instructor": TableRules(masks={"name": "full"})}
    valid = _validated("SELECT name FROM instructor WHERE dept_name = 'Physic'", rules=rules)
    with pytest.raises(SqlRejected, match="'Physics'"):
        without_unstored(valid, values)


def test_alternative_that_asks_for_what_is_stored_takes_the_place(values: StoredValues) -> None:
    sql = "SELECT name FROM instructor WHERE dept_name = '{}'"
    valid = _validated(*map(sql.format, ("Physic", "Physics", "Phisics", "Physic", "History")))
    kept = without_unstored(valid, values)
    assert [each.compared[0].text for each in (kept, *kept.alternatives)] == ["Physics", "History"]
    assert (kept.votes, kept.refused) == (1, 3)


def test_what_a_person_approved_is_not_judged(values: StoredValues) -> None:
    sql = "SELECT name FROM instructor WHERE dept_name = 'Physic'"
    approved = VerifiedQuery(question="Who?", sql=sql, approved_by="Ada", approved_on="2026-01-01")
    access = Access(catalog=catalog_of(COLLEGE))
    valid = validate_sql(SqlDraft(sql=sql, verified=approved), access, 10)
    assert without_unstored(valid, values) == valid


PAINTS: Texts = {
    "products.colour_code": ["9", "R1"],
    "products.name": ["Apple"],
    "colours.colour_code": ["R1"],
    "colours.description": ["red", "white"],
    "flags.description": ["white"],
}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({}, "products.colour_code has no 'White', but colours.description has."),
        ({"products": TableRules(), "colours": TableRules(masks={"description": "full"})}, ""),
        ({"products": TableRules(), "colours": TableRules(rows=("colour_code = 'R1'",))}, ""),
    ],
)
def test_text_that_a_linked_table_holds_is_told_with_its_column(
    rules: dict[str, TableRules], told: str, tmp_path: Path
) -> None:
    access = Access(catalog=catalog_of(PAINTS, products="colours"), rules=rules)
    draft = SqlDraft(sql="SELECT name FROM products WHERE colour_code = 'White'")
    valid = validate_sql(draft, access, 10)
    values = write_values(tmp_path, PAINTS)
    if not told:
        assert without_unstored(valid, values) == valid
        return
    with pytest.raises(SqlRejected) as caught:
        without_unstored(valid, values)
    assert caught.value.feedback == told
