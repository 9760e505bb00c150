"""What a question asks for in so many words, and a statement does not do."""

from pathlib import Path

import pytest
import yaml

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.messages import SqlDraft, ValidSql, VerifiedQuery
from text2sql.validation.step import validate_sql

STUDENTS = Table(
    name="students",
    primary_key=("id",),
    row_count=9,
    columns=(
        Column(name="id", type="INT", distinct=9),
        Column(name="name", type="TEXT", distinct=7),
        Column(name="age", type="INT"),
        Column(name="line_1", type="TEXT"),
        Column(name="average_mark", type="INT"),
    ),
)
ALLERGIES = Table(
    name="allergies",
    columns=(Column(name="student", type="INT"), Column(name="kind", type="TEXT")),
    foreign_keys=(ForeignKey(columns=("student",), table="students", references=("id",)),),
)
FILMS = Table(
    name="films", columns=(Column(name="studio", type="TEXT"), Column(name="director", type="TEXT"))
)
CATALOG = Catalog(name="x", dialect="mysql", server="test", tables=(STUDENTS, ALLERGIES, FILMS))
JOINED = "FROM students AS s JOIN allergies AS a ON s.id = a.student"


def validate(question: str, sql: str, *, is_first: bool = True) -> ValidSql:
    return validate_sql(SqlDraft(sql=sql), Access(catalog=CATALOG), 10, question, is_first=is_first)


@pytest.mark.parametrize(
    ("question", "sql", "told"),
    [
        (
            "Who is allergic to both milk and soy?",
            f"SELECT s.name {JOINED} WHERE a.kind IN ('milk', 'soy')",
            "(SELECT ... WHERE kind = 'milk') AND ... IN (SELECT ... WHERE kind = 'soy')",
        ),
        (
            "Who has both a milk and a soy allergy?",
            f"SELECT s.name {JOINED} WHERE a.kind = 'milk' AND a.kind = 'soy'",
            "one row has only one kind",
        ),
        (
            "Who has both a milk and a soy allergy?",
            f"SELECT s.name {JOINED} WHERE s.age > 3 AND (a.kind = 'milk' OR a.kind LIKE 'soy')",
            "(SELECT ... WHERE kind = 'soy')",
        ),
        (
            "Which students are not allergic to milk?",
            f"SELECT s.name {JOINED} WHERE a.kind <> 'milk'",
            "Instead of it write s.id NOT IN (SELECT student FROM allergies WHERE kind = 'milk').",
        ),
        (
            "Which studios never worked with Hill?",
            "SELECT studio FROM films WHERE director <> 'Hill'",
            "studio NOT IN (SELECT studio FROM films WHERE director = 'Hill')",
        ),
        (
            "Which students have both milk and soy allergies?",
            (
                "SELECT name FROM students WHERE id IN"
                " (SELECT student FROM allergies WHERE kind IN ('milk', 'soy'))"
            ),
            "one row has only one kind",
        ),
        (
            "Which studios did not work with Hill?",
            "SELECT studio FROM films WHERE director <> 'Hill'",
            "studio NOT IN",
        ),
        (
            "Who has at least two allergies?",
            f"SELECT s.name {JOINED} GROUP BY s.name",
            "The question says 2",
        ),
        ("Who is older than 1,200?", "SELECT name FROM students WHERE age > 120", "The question says 1200"),
        ("Which different kinds are there?", "SELECT kind FROM allergies", "Write SELECT DISTINCT."),
        ("How many distinct kinds?", "SELECT COUNT(kind) FROM allergies", "COUNT(DISTINCT ...)"),
        ("How many different kinds?", "SELECT COUNT() FROM allergies", "COUNT(DISTINCT ...)"),
        ("What is the average age?", "SELECT age FROM students", "Write AVG(...)."),
        ("What is their total age?", "SELECT age FROM students", "Write SUM(...)."),
        ("All names in alphabetical order", "SELECT name FROM students", "Write ORDER BY."),
    ],
)
def test_first_draft_that_does_not_do_it_is_sent_back_and_a_later_one_is_doubted(
    question: str, sql: str, told: str
) -> None:
    with pytest.raises(SqlRejected) as caught:
        validate(question, sql)
    assert caught.value.reason == "QUESTION_NOT_MET"
    assert told in caught.value.feedback
    doubt = validate(question, sql, is_first=False).unmet
    assert doubt.endswith(".")
    assert caught.value.feedback.startswith(doubt[:-1])


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("Who is allergic to milk or soy?", f"SELECT s.name {JOINED} WHERE a.kind IN ('milk', 'soy')"),
        (
            "Who is allergic to both milk and soy?",
            f"SELECT s.name {JOINED} WHERE a.kind IN ('milk', 'soy') GROUP BY s.name HAVING COUNT(*) = 2",
        ),
        (
            "Who is allergic to both milk and soy?",
            (
                "SELECT name FROM students WHERE id IN (SELECT student FROM allergies WHERE kind = 'milk')"
                " AND id IN (SELECT student FROM allergies WHERE kind = 'soy')"
            ),
        ),
        ("Both name and age, please", "SELECT name, age FROM students WHERE name = 'a' OR age = 3"),
        ("Who is not called Ann?", "SELECT name FROM students WHERE name <> 'Ann'"),
        ("Which students are not 9?", f"SELECT a.kind {JOINED} WHERE s.age <> 9"),
        ("Who never was 9?", "SELECT id FROM students WHERE age <> 9"),
        ("Allergies other than milk", f"SELECT a.kind {JOINED} WHERE a.kind <> 'milk'"),
        ("Who is over 20?", "SELECT name FROM students WHERE age >= 21"),
        ("More than 10% of what?", "SELECT name FROM students WHERE age > 0.1"),
        ("Who has more than 0 years?", "SELECT name FROM students"),
        ("Who joined in the last 3 months?", "SELECT name FROM students WHERE name > '2026-03-01'"),
        ("Who joined in 2024?", "SELECT name FROM students WHERE name LIKE '2024-%'"),
        ("Who joined until 2024?", "SELECT name FROM students WHERE name < '2025-01-01'"),
        ("Who is called 'Agent 47'?", "SELECT name FROM students WHERE name = 'Agent'"),
        ("What are the line 1 and the name?", "SELECT line_1, name FROM students"),
        ("Different students", "SELECT id FROM students"),
        ("How many different students?", "SELECT COUNT(*) FROM students"),
        ("Different kinds", "SELECT kind FROM allergies GROUP BY kind"),
        ("The average mark of each", "SELECT name, average_mark FROM students"),
        ("The average age", "SELECT SUM(age) / COUNT(*) FROM students"),
        ("The total number of students", "SELECT COUNT(*) FROM students"),
        ("Names in descending order", "SELECT name FROM students ORDER BY name DESC"),
        ("Wie alt sind sie im Durchschnitt?", "SELECT age FROM students"),
        ("Different ages of both", "SELECT age FROM students UNION SELECT student FROM allergies"),
    ],
)
def test_statement_that_may_be_right_passes(question: str, sql: str) -> None:
    assert validate(question, sql).unmet == ""


def test_approved_statement_is_compared_with_no_question() -> None:
    sql = "SELECT age FROM students"
    approved = VerifiedQuery(question="The average age", sql=sql, approved_by="a", approved_on="2026-01-01")
    draft = SqlDraft(sql=sql, verified=approved)
    assert validate_sql(draft, Access(catalog=CATALOG), 10, "The average age", is_first=True).unmet == ""


def test_gold_of_the_sample_shop_does_what_its_question_says(repository: Path) -> None:
    shop = repository / ".cache" / "shop.sqlite"
    if not shop.exists():
        pytest.skip("make builds the sample shop")
    access = Access(catalog=SqliteDatabase(shop).read_catalog())
    asked = yaml.safe_load((repository / "examples" / "shop" / "questions.yaml").read_text("utf-8"))
    told = {
        each["question"]: validate_sql(SqlDraft(sql=each["sql"]), access, 10, each["question"]).unmet
        for each in asked["questions"]
        if "sql" in each
    }
    assert len(told) > 80
    assert {question: unmet for question, unmet in told.items() if unmet} == {}
