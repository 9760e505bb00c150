"""Questions with their gold SQL, from a CSV file, and reproducible samples of them; none is asked here."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from text2sql.errors import InvalidEvaluation

COLUMNS = ("database", "question", "sql")


@dataclass(frozen=True)
class GoldQuestion:
    """A question to a database, and the statement whose rows are the right answer."""

    database: str
    question: str
    sql: str

    @property
    def key(self) -> str:
        """A digest of all three, by which result files are matched."""
        return _digest(f"{self.database}\0{self.question}\0{self.sql}")


def read_questions(path: Path) -> tuple[GoldQuestion, ...]:
    """Return the questions of a CSV file with the columns of `COLUMNS`, each once; others are ignored.

    Raises:
        InvalidEvaluation: the file cannot be read, lacks a column, a cell is empty, or it has no question.
    """
    remedy = f"It is a CSV file in UTF-8 with the columns {', '.join(COLUMNS)}."
    found: dict[GoldQuestion, None] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidEvaluation(f"{path} lacks the column {missing[0]}.", remedy=remedy)
            for row in reader:
                values = [(row[name] or "").strip() for name in COLUMNS]
                if not all(values):
                    empty = COLUMNS[values.index("")]
                    raise InvalidEvaluation(
                        f"{path}, line {reader.line_num}: {empty} is empty.", remedy="Fill it in."
                    )
                found[GoldQuestion(*values)] = None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidEvaluation(f"{path} cannot be read.", remedy=remedy) from error
    if not found:
        raise InvalidEvaluation(f"{path} has no questions.", remedy=remedy)
    return tuple(found)


def sample(questions: Iterable[GoldQuestion], limit: int | None, seed: int) -> tuple[GoldQuestion, ...]:
    """Return `limit` of the questions, or all, those of one database together.

    The choice depends on the seed and the questions, not on their order: a smaller sample of a seed is part
    of a larger one. Questions to one database follow each other because a model that has just read a schema
    need not read it again.
    """
    shuffled = sorted(questions, key=lambda each: _digest(f"{seed}:{each.key}"))
    return tuple(sorted(shuffled[:limit], key=lambda each: (each.database, each.key)))


def digest(questions: Iterable[GoldQuestion]) -> str:
    """Return what two files share that hold the same questions, in whatever order."""
    return _digest("\n".join(sorted(each.key for each in questions)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
