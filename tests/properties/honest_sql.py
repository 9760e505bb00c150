"""Honest statements over the small shop."""

from pathlib import Path

from grammar import joined, read_rules

from sentence_grammar import Rules
from text2sql.messages import Dialect

_PARTS = read_rules(Path(__file__).with_name("honest.yaml"))

HONEST: dict[Dialect, Rules] = {
    "sqlite": joined(_PARTS["everywhere"], _PARTS["sqlite"]),
    "mariadb": joined(_PARTS["everywhere"], _PARTS["mariadb"]),
}
"""By dialect."""
