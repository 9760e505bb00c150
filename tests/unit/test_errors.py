from collections import Counter

import pytest

from text2sql.errors import DiskFull, Text2SqlError, exit_code


def all_errors(kind: type[Text2SqlError] = Text2SqlError) -> list[type[Text2SqlError]]:
    """Return the class and all below it that this product defines."""
    below = [error for child in kind.__subclasses__() for error in all_errors(child)]
    return [kind, *below] if kind.__module__ == "text2sql.errors" else below


def test_every_error_has_a_code_of_its_own() -> None:
    codes = Counter(kind.code for kind in all_errors())
    assert [code for code, count in codes.items() if count > 1] == []


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_exit_code_is_found_by_the_error_code(kind: type[Text2SqlError]) -> None:
    assert exit_code(kind.code) == kind.exit_code
    assert kind.exit_code not in {0, 3, 4, 5, 130}  # those of outcomes and of Ctrl-C


def test_unknown_code_exits_as_an_internal_error_does() -> None:
    assert exit_code("NO_SUCH_CODE") == Text2SqlError.exit_code == 1


def test_error_keeps_its_message_and_remedy() -> None:
    error = DiskFull("No room.", remedy="Free some.")
    assert (str(error), error.message, error.remedy) == ("No room.", "No room.", "Free some.")
