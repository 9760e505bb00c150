"""docs/errors.md and the code say the same, in both directions."""

import re
from pathlib import Path
from typing import get_args

from text2sql import errors
from text2sql.cli.ask import EXIT_CODES
from text2sql.cli.main import INTERRUPTED
from text2sql.errors import Text2SqlError
from text2sql.messages import OutcomeName
from text2sql.validation.refusal import Reason


def rows(repository: Path, heading: str) -> dict[str, list[str]]:
    """Return the other cells of the table's rows by their first cell."""
    text = (repository / "docs" / "errors.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    read = [(first, rest) for first, *rest in cells if not first.startswith("---") and rest != []]
    assert len({first for first, _ in read}) == len(read), "a row stands there twice"
    return {first: rest for first, rest in read if not rest[0].startswith(("Exit code", "Meaning"))}


def classes(kind: type[Text2SqlError] = Text2SqlError) -> list[type[Text2SqlError]]:
    below = [error for child in kind.__subclasses__() for error in classes(child)]
    return [kind, *below] if kind.__module__ == errors.__name__ else below


def test_outcomes_have_the_exit_codes_of_the_command(repository: Path) -> None:
    documented = {name: cells[0] for name, cells in rows(repository, "Outcomes").items()}
    expected = {name: str(EXIT_CODES.get(name, "the error's")) for name in get_args(OutcomeName)}
    usage = {"Unknown option or missing argument": "2", "Ctrl-C": str(INTERRUPTED)}
    usage["Output closed early, as `head` does"] = "1"
    assert documented == {**expected, **usage}


def test_errors_have_the_exit_codes_and_retries_of_their_classes(repository: Path) -> None:
    documented = {code: tuple(cells[:2]) for code, cells in rows(repository, "Errors").items()}
    assert documented == {
        kind.code: (str(kind.exit_code), "yes" if kind.retryable else "no") for kind in classes()
    }


def test_every_error_says_when_it_happens_and_what_to_do(repository: Path) -> None:
    for code, cells in rows(repository, "Errors").items():
        assert [bool(re.fullmatch(r".{15,}\.", cell)) for cell in cells[2:]] == [True, True], code


def test_every_reason_of_a_refusal_is_explained(repository: Path) -> None:
    documented = rows(repository, "Why a statement was refused")
    assert set(documented) == set(get_args(Reason))
    assert all(meaning.endswith(".") for (meaning,) in documented.values())
