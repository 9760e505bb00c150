from pathlib import Path

import pytest

from text2sql.errors import InvalidEvaluation
from text2sql.evaluation.questions import GoldQuestion, digest, read_questions, sample

ALL = tuple(GoldQuestion(f"db{n % 3}", f"Question {n}?", "SELECT 1") for n in range(30))


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_questions_are_read_with_their_gold(tmp_path: Path) -> None:
    text = '\ufeffsql,note,database,question\r\n"SELECT 1,\n2",x,shop,"How many, all in all?"\r\n'
    assert read_questions(write(tmp_path / "q.csv", text)) == (
        GoldQuestion("shop", "How many, all in all?", "SELECT 1,\n2"),
    )


def test_question_that_stands_there_twice_is_asked_once(tmp_path: Path) -> None:
    text = "database,question,sql\na,Q?,SELECT 1\na,Q?,SELECT 1\na,Q?,SELECT 2\n"
    assert len(read_questions(write(tmp_path / "q.csv", text))) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("database,question\na,Q?\n", "lacks the column sql"),
        ("", "lacks the column database"),
        ("database,question,sql\n", "has no questions"),
        ("database,question,sql\na,Q?,SELECT 1\na,,SELECT 1\n", "line 3: question is empty"),
        ("database,question,sql\na,Q?\n", "line 2: sql is empty"),
        ('database,question,sql\na,"Q?,SELECT 1\n', "cannot be read"),
    ],
)
def test_file_that_is_not_usable_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidEvaluation, match=problem) as caught:
        read_questions(write(tmp_path / "q.csv", text))
    assert caught.value.remedy


def test_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_bytes(b"database,question,sql\na,\xff,SELECT 1\n")
    for name in ("q.csv", "nowhere.csv", "."):
        with pytest.raises(InvalidEvaluation, match="cannot be read"):
            read_questions(tmp_path / name)


def test_sample_depends_on_the_seed_and_not_on_the_order() -> None:
    some = sample(ALL, 10, 1)
    assert len(some) == 10
    assert sample(ALL[::-1], 10, 1) == some
    assert sample(ALL, 10, 2) != some


def test_smaller_sample_is_part_of_a_larger_one() -> None:
    assert set(sample(ALL, 5, 1)) < set(sample(ALL, 12, 1)) < set(sample(ALL, None, 1)) == set(ALL)


def test_questions_to_one_database_follow_each_other() -> None:
    databases = [question.database for question in sample(ALL, 20, 1)]
    assert databases == sorted(databases)


def test_digest_is_that_of_the_questions_in_any_order() -> None:
    assert digest(ALL) == digest(ALL[::-1]) != digest(ALL[1:])
