"""Writes the questions of the sample shop as `text2sql eval` takes them: shop_questions.py FILE.csv."""

import csv
import sys
from pathlib import Path

import yaml

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"


def main(target: Path) -> None:
    """Write them all, with the SQL that is known to be right."""
    questions = yaml.safe_load((SHOP / "questions.yaml").read_text("utf-8"))["questions"]
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["database", "question", "sql"])
        rows.writerows(["shop", each["question"], each["sql"]] for each in questions)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
