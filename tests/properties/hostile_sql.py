"""Attacks: honest statements with hostile parts in them, and mutations of the text of both.

What an attack would touch has the names of this module, so that who watches the database knows where to look.
"""

import re
from pathlib import Path

from grammar import each_alternative, joined, read_rules, sentences
from honest_sql import HONEST
from hypothesis import strategies as st

from sentence_grammar import Rules
from text2sql.messages import Dialect
from text2sql.validation.function_names import FUNCTIONS

LOCKS = ("lock_a", "lock_b")
VARIABLES = ("a", "b")
FILE = "taken.txt"
CANARY = "canary"
"""Stands where only who reads beyond the catalog can see it: in a secret, and as the session's user."""
SHOWS_MORE = re.compile(rf"{CANARY}|mariadb|text2sql-tests", re.IGNORECASE)
"""What no row of the catalog holds: the secret, the user, the server's version, its folder."""

_PARTS = read_rules(Path(__file__).with_name("hostile.yaml"))


def _calls(dialect: Dialect) -> Rules:
    """Return calls of every allowed function, with arguments that it may not expect."""
    arguments = [
        "",
        "{number}",
        "{text}",
        "{number}, {number}",
        "{text}, {number}",
        "{text}, {text}, {number}",
    ]
    calls = [f"{name}({own})" for name in sorted(FUNCTIONS[dialect]) for own in arguments]
    return {"call": calls, "wild": ["{call}"] * 20}


def _mixed(dialect: Dialect) -> Rules:
    attacks = joined(_PARTS["everywhere"], _PARTS[dialect])
    return joined(HONEST[dialect], attacks, attacks, _calls(dialect))


HOSTILE: dict[Dialect, Rules] = {
    "sqlite": _mixed("sqlite"),
    "mariadb": _mixed("mariadb"),
}
"""By dialect."""

_FRAMES = {
    **{name: f"{{{name}}}" for name in ("statement", "attack", "query")},
    **{name: f"SELECT {{{name}}} FROM {{world}}" for name in ("item", "number", "text", "wild", "aggregate")},
    **{name: f"SELECT c.name FROM {{world}} WHERE {{{name}}}" for name in ("condition", "call")},
    "where": "SELECT c.name FROM {world} {where}",
    "world": "SELECT * FROM {world}",
    "tail": "{pairs} {tail}",
}
_MARIADB_FRAMES = {
    "target": "SELECT c.name INTO {target} FROM {world}",
    "modifier": "SELECT {modifier} c.name FROM {world}",
}


def each_part(dialect: Dialect) -> list[str]:
    """Return every part of the grammar once, in a short statement."""
    frames = _FRAMES | (_MARIADB_FRAMES if dialect == "mariadb" else {})
    return list(each_alternative(HOSTILE[dialect], frames))


_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[\w@$]+|\s+|.", re.DOTALL)
_SPACES = (
    "\n",
    "\t",
    "/**/",
    "/* x */",
    "-- x\n",
    "#\n",
    "--x ",
    *"\x0b\x0c\x1a\x85\u00a0\u2028\u200b\u3000",
    "",
)


def statements(dialect: Dialect) -> st.SearchStrategy[str]:
    """Return honest statements, attacks, and mutations of both."""
    honest, hostile = (sentences(rules[dialect], "statement") for rules in (HONEST, HOSTILE))
    return st.one_of(honest, hostile, _mutated(honest, hostile), _mutated(hostile, honest))


@st.composite
def _mutated(draw: st.DrawFn, own: st.SearchStrategy[str], other: st.SearchStrategy[str]) -> str:
    """Draw a statement and change one to three of its tokens."""
    tokens = _TOKEN.findall(draw(own))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(tokens) - 1, 0)))
        kind = draw(st.sampled_from(("delete", "double", "swap", "space", "text", "splice", "hide")))
        here = tokens[place : place + 1]
        if kind == "delete":
            changed = []
        elif kind == "double":
            changed = here * 2
        elif kind == "swap":
            changed = [draw(st.sampled_from(tokens))]
        elif kind == "space":
            changed = [*here, draw(st.sampled_from(_SPACES))]
        elif kind == "text":
            changed = [*here, draw(st.text(max_size=3))]
        elif kind == "splice":
            changed = [*here, " ", *_TOKEN.findall(draw(other))[draw(st.integers(0, 9)) :]]
        else:
            changed = [draw(st.sampled_from(("/*!", "/*M!", "/*+", "/*", "-- "))), *here, " */"]
        tokens[place : place + 1] = changed
    return "".join(tokens)
