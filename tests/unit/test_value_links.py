from datetime import date
from pathlib import Path

import pytest

from stored_values import Texts, catalog_of, write_values
from text2sql.datasource.policy.access import Access, TableRules
from text2sql.datasource.values_index import StoredValues
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.retrieval.value_links import find_links, tell

COLLEGE: Texts = {
    "department.dept_name": ["Comp. Sci.", "History", "Physics", "Music"],
    "department.building": ["Taylor", "Watson", "Packard"],
    "student.student_name": [
        "Zhang",
        "Bourikas",
        "O'Brien",
        "May",
        *(f"Somebody {n}" for n in range(80)),
        "run",
    ],
    "student.home_city": ["Aberdeen", "Baltimore", "São Paulo"],
    "student.standing": ["freshman", "in", "A", "senior year", "IN"],
    "takes.grade": ["A", "B", "B+"],
    "course.title": ["Game Design", "Image Processing", "The Music of the Ages"],
}
ACCESS = Access(catalog=catalog_of(COLLEGE))


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> StoredValues:
    return write_values(tmp_path_factory.mktemp("values"), COLLEGE)


def _links(question: str, values: StoredValues, access: Access = ACCESS) -> list[str]:
    return [tell(link).text for link in find_links(question, access, values)]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Who lives in Aberdeen?", "student.home_city has 'Aberdeen'."),
        ("Who lives in aberdeen?", "student.home_city has 'Aberdeen'."),
        ("Students from Sao Paulo", "student.home_city has 'São Paulo'."),
        ("Grades in 'game design'", "course.title has 'Game Design'."),
        ("Who takes image-processing?", "course.title has 'Image Processing'."),
        ("How many freshmans are there?", "student.standing has 'freshman'."),
        ("How many students are in their senior year?", "student.standing has 'senior year'."),
        ("What does Zhang study?", "student.student_name has 'Zhang'."),
        ("What does O'Brien study?", "student.student_name has 'O''Brien'."),
        ("What are the courses of “The Music of the Ages”?", "course.title has 'The Music of the Ages'."),
        ("Who has a grade of B?", "takes.grade has 'B'."),
        ("Which grades did student May get?", "student.student_name has 'May'."),
    ],
)
def test_text_that_the_question_names_is_told_as_it_is_stored(
    question: str, told: str, values: StoredValues
) -> None:
    assert _links(question, values) == [told]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Who teaches in Computer Science?", "department.dept_name has 'Comp. Sci.'."),
        ("Who lives in Aberdean?", "student.home_city has 'Aberdeen'."),
        ('Who lives in "baltimor"?', "student.home_city has 'Baltimore'."),
    ],
)
def test_name_that_is_not_stored_leads_to_the_one_close_to_it(
    question: str, told: str, values: StoredValues
) -> None:
    (passage,) = map(tell, find_links(question, ACCESS, values))
    assert (passage.text, passage.score) == (told, 0.5)
    assert passage.source == f"values: {told.split(maxsplit=1)[0]}"


@pytest.mark.parametrize(
    "question",
    [
        "Which students are in a department?",  # `in` and `A` are stored
        "How may I see a student?",  # `May` is a name, `may` is not
        "What does a student run?",  # a plain word among many texts
        "Show the title of each course.",
        "How many students are there in 2020?",
        "Which students have a name that contains 'may'?",
        "Which cities start with 'Balti'?",
        "HOW MAY I SEE A STUDENT?",
        "Who is Somebody?",  # eighty are as close
        "Who lives in Rome?",
        "",
        "???",
    ],
)
def test_words_that_name_nothing_are_not_linked(question: str, values: StoredValues) -> None:
    assert _links(question, values) == []


def test_word_of_a_table_or_column_is_not_linked_in_lower_case(tmp_path: Path) -> None:
    texts: Texts = {"nurse.position": ["Nurse", "Head Nurse"]}
    access, values = Access(catalog=catalog_of(texts)), write_values(tmp_path, texts)
    assert _links("How many nurses are there?", values, access) == []
    assert _links('How many have the position "nurse"?', values, access) == ["nurse.position has 'Nurse'."]


def test_longest_phrase_wins(values: StoredValues) -> None:
    question = 'Who takes "The Music of the Ages" in the Music department?'
    assert _links(question, values) == [
        "course.title has 'The Music of the Ages'.",
        "department.dept_name has 'Music'.",
    ]


def test_text_of_several_columns_is_told_once_the_named_column_first(tmp_path: Path) -> None:
    texts: Texts = {f"t{n}.{name}": ["Ada"] for n, name in enumerate(("a", "b", "c", "city", "d"))}
    access = Access(catalog=catalog_of(texts))
    (told,) = _links("Which city is Ada?", write_values(tmp_path, texts), access)
    assert told == "t3.city and t0.a and t1.b have 'Ada'."


def test_at_most_six_are_told_those_spelled_alike_first(tmp_path: Path) -> None:
    names = ["Aaron", "Bella", "Carol", "David", "Emily", "Frank", "Gregory"]
    texts: Texts = {"people.name": names}
    access, values = Access(catalog=catalog_of(texts)), write_values(tmp_path, texts)
    told = _links("Ask Gregori, Aaron, Bella, Carol, David, Emily", values, access)
    assert len(told) == 6
    assert told[-1] == "people.name has 'Gregory'."
    assert len(_links("Ask Gregory, Aaron, Bella, Carol, David, Emily, Frank", values, access)) == 6


@pytest.mark.parametrize(
    "rules",
    [
        {"student": TableRules(masks={"home_city": "last_four"})},
        {"student": TableRules(masks={"home_city": "full"}, raw_filters=frozenset({"home_city"}))},
        {"student": TableRules(rows=("`student_name` = 'Zhang'",))},
        {"department": TableRules()},
    ],
    ids=["masked", "filtered by what is stored", "rows filtered", "no rule for the table"],
)
@pytest.mark.parametrize("question", ["Who lives in Aberdeen?", "Who lives in Aberdean?"])
def test_what_the_caller_may_not_see_as_stored_is_not_told(
    question: str, rules: dict[str, TableRules], values: StoredValues
) -> None:
    assert _links(question, values, ACCESS.model_copy(update={"rules": rules})) == []


def test_denied_column_and_table_are_not_told(values: StoredValues) -> None:
    less = {name: texts for name, texts in COLLEGE.items() if name != "student.home_city"}
    assert _links("Who lives in Aberdeen?", values, Access(catalog=catalog_of(less))) == []
    assert _links("Who lives in Aberdeen?", values, Access(catalog=catalog_of({"takes.grade": []}))) == []


def test_column_without_a_rule_is_told_beside_a_masked_one(values: StoredValues) -> None:
    rules = {"student": TableRules(masks={"student_name": "full"})}
    access = ACCESS.model_copy(update={"rules": rules})
    assert _links("Does Zhang live in Aberdeen?", values, access) == ["student.home_city has 'Aberdeen'."]


def test_context_holds_the_links(values: StoredValues) -> None:
    base, today = LocalKnowledgeBase(()), date(2026, 6, 30)
    context = retrieve_context("Who lives in Aberdeen?", base, ACCESS, today, 9_000, values=values)
    assert [passage.text for passage in context.passages] == ["student.home_city has 'Aberdeen'."]
    assert retrieve_context("Who lives in Aberdeen?", base, ACCESS, today, 9_000).passages == ()


def test_names_that_need_quotes_get_them(tmp_path: Path) -> None:
    texts: Texts = {"book club.home town": ["Aberdeen"]}
    access = Access(catalog=catalog_of(texts))
    told = _links("Who lives in Aberdeen?", write_values(tmp_path, texts), access)
    assert told == ["`book club`.`home town` has 'Aberdeen'."]
