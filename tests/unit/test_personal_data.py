"""Personal data in rows, by value: what the guardrail has not let through is not shown."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest

from text2sql.answer.personal_data import CALL_CHARACTERS, HIDDEN, RESULT_CHARACTERS, mask_personal_data
from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail import names
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.policy import GuardrailPolicy
from text2sql.messages import Cell, Check, Finding, ResultColumn, ResultSet, Screening

EMAILS = GuardrailPolicy.model_validate({"personal": {"EMAIL": {"output": "mask"}}})


class Recorder:
    """Screens by a function, and remembers what it was given."""

    def __init__(self, screen: Callable[[str], Screening]) -> None:
        self.texts: list[str] = []
        self._screen = screen

    def screen(self, text: str, direction: str) -> Screening:
        assert direction == "output"
        assert text.strip()
        self.texts.append(text)
        return self._screen(text)


def emails() -> Recorder:
    return Recorder(lambda text: LocalGuardrail(10, EMAILS).screen(text, "output"))


def masked(rows: list[tuple[Cell, ...]], guardrail: Recorder) -> tuple[tuple[tuple[Cell, ...], ...], Check]:
    columns = tuple(ResultColumn(name=f"c{number}", type="unknown") for number in range(len(rows[0])))
    given = ResultSet(columns=columns, rows=tuple(rows), truncated=True)
    result, check = mask_personal_data(given, guardrail, clock=lambda: 0.0)
    assert result.model_copy(update={"rows": given.rows}) == given
    return result.rows, check


def test_text_is_masked_and_what_is_no_text_stays() -> None:
    cells: tuple[Cell, ...] = (7, Decimal("1.50"), 2.5, True, date(2025, 1, 5), None, "", "  ")
    rows, check = masked([("ada@example.com or bob@example.com", *cells), ("none", *cells)], emails())
    assert rows == (("{EMAIL} or {EMAIL}", *cells), ("none", *cells))
    assert (check.passed, check.detail) == (True, "Masked in the rows: EMAIL.")


def test_rows_without_personal_data_stay_and_the_check_says_so() -> None:
    rows, check = masked([("Ada",), ("Bob",)], emails())
    assert rows == (("Ada",), ("Bob",))
    assert (check.passed, check.detail) == (True, "Nothing that is masked was found in the rows.")


def test_guardrail_is_not_asked_where_there_is_no_text() -> None:
    guardrail = emails()
    rows, check = masked([("", 1), (" ", None)], guardrail)
    assert (rows, check.passed, guardrail.texts) == ((("", 1), (" ", None)), True, [])


@pytest.mark.skipif(not names.are_installed(), reason="the extra `names` is not installed")
def test_column_of_names_is_masked_in_one_call() -> None:
    policy = GuardrailPolicy.model_validate({"personal": {"NAME": {"output": "mask"}}})
    local = LocalGuardrail(10, policy)
    people = Recorder(lambda text: local.screen(text, "output"))
    given = ("John Smith", "Jennifer Garcia", "Anna Müller", "Carlos Lopez", "Priya Sharma", "Mary Jones")
    rows, check = masked([(name, "completed") for name in given], people)
    assert rows == (("{NAME}", "completed"),) * len(given)
    assert check.detail == "Masked in the rows: NAME."
    assert len(people.texts) == 1


def test_thousands_of_cells_cost_few_calls() -> None:
    guardrail = emails()
    given: list[tuple[Cell, ...]] = [(f"{row}@example.com", f"city {row % 3}") for row in range(3000)]
    rows, _ = masked(given, guardrail)
    assert rows[2999] == ("{EMAIL}", "city 2")
    assert len(guardrail.texts) <= 7
    assert max(map(len, guardrail.texts)) <= CALL_CHARACTERS + 2


def test_each_text_comes_back_to_its_cells_where_a_mask_takes_more_than_one() -> None:
    def screen(text: str) -> Screening:
        """Mask neighbours as one, as a model that finds names does."""
        shown = text.replace("Ada;\nAda Bea", "{NAME}").replace("Bea", "{NAME}")
        return Screening(text=shown, findings=(Finding(kind="NAME", action="masked"),))

    rows, _ = masked([("Ada",), ("Ada Bea",), ("Bea",), ("Cy",)], Recorder(screen))
    assert rows == (("Ada",), ("Ada {NAME}",), ("{NAME}",), ("Cy",))


def test_text_that_holds_the_separator_cannot_shift_the_others() -> None:
    def screen(text: str) -> Screening:
        return Screening(text=text.replace("b;\nc", "bc"))

    rows, _ = masked([("a",), ("x;\ny",), ("b",), ("c",), ("d",)], Recorder(screen))
    assert rows == (("a",), ("x;\ny",), ("b",), ("c",), ("d",))


def test_what_the_guardrail_blocks_is_hidden_and_nothing_else_is() -> None:
    def screen(text: str) -> Screening:
        return Screening(text=text, blocked_message="Not to be shown." if "bad" in text else None)

    rows, check = masked([("good", "bad"), ("fine", "bad"), ("well", "no")], Recorder(screen))
    assert rows == (("good", HIDDEN), ("fine", HIDDEN), ("well", "no"))
    assert not check.passed
    assert check.detail == "2 cells are hidden. The guardrail held them back: Not to be shown."


def test_guardrail_that_stops_answering_hides_the_rest_and_is_not_asked_again() -> None:
    answers: Iterator[bool] = iter([True, False])

    def screen(text: str) -> Screening:
        if not next(answers):
            raise GuardrailUnavailable("The guardrail did not answer.")
        return Screening(text=text)

    guardrail = Recorder(screen)
    rows, check = masked([(letter * CALL_CHARACTERS, 1) for letter in "abc"], guardrail)
    assert rows == (("a" * CALL_CHARACTERS, 1), (HIDDEN, 1), (HIDDEN, 1))
    assert (check.passed, check.detail) == (False, "2 cells are hidden. The guardrail did not answer.")
    assert len(guardrail.texts) == 2


@pytest.mark.parametrize("text", ["x" * (CALL_CHARACTERS + 1), "x" * RESULT_CHARACTERS, b"ada@example.com"])
def test_what_cannot_be_screened_is_hidden(text: Cell) -> None:
    rows, check = masked([(text,), ("short",)], emails())
    assert rows == ((HIDDEN,), ("short",))
    assert not check.passed
    assert check.detail.startswith("1 cell is hidden.")


def test_text_beyond_the_limit_of_a_result_is_hidden() -> None:
    length = RESULT_CHARACTERS // 10 - 1
    rows, check = masked([(f"{row:0{length}}",) for row in range(12)], emails())
    assert [row for row, (cell,) in enumerate(rows) if cell == HIDDEN] == [10, 11]
    assert check.detail == "2 cells are hidden. There is more text than can be screened."


def test_text_for_which_there_is_no_time_is_hidden() -> None:
    times = iter([0.0, 4.0, 6.0, 7.0])
    guardrail = emails()
    given = tuple((letter * CALL_CHARACTERS,) for letter in "ab")
    columns = (ResultColumn(name="a", type="text"),)
    result, check = mask_personal_data(
        ResultSet(columns=columns, rows=given, truncated=False), guardrail, clock=lambda: next(times)
    )
    assert result.rows == (given[0], (HIDDEN,))
    assert check.detail == "1 cell is hidden. There was no time to screen them."
    assert len(guardrail.texts) == 1
