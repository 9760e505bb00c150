"""What the source must never do: run code made from text, or hand SQL to a database outside an adapter."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "text2sql"
FILES = sorted(SOURCE.rglob("*.py"))
RUNS_CODE = frozenset({"eval", "exec", "compile", "__import__"})
ASKS_A_DATABASE = frozenset({"execute", "executemany", "executescript", "mogrify"})
ADAPTERS = ("execution/", "datasource/introspection/", "jobs/sqlite.py")
"""All else hands a statement to ExecuteSql, and only as ValidateSql has emitted it. The jobs are our own."""


def _calls(source: str) -> set[str]:
    """Return the names of all functions and, with a dot before them, methods that are called."""
    functions = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {function.id for function in functions if isinstance(function, ast.Name)}
    return names | {f".{function.attr}" for function in functions if isinstance(function, ast.Attribute)}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_code_is_run_from_text(path: Path) -> None:
    assert _calls(path.read_text("utf-8")) & RUNS_CODE == set()


@pytest.mark.parametrize("path", [p for p in FILES if not _name(p).startswith(ADAPTERS)], ids=_name)
def test_no_database_is_asked_outside_the_adapters(path: Path) -> None:
    asking = {f".{name}" for name in ASKS_A_DATABASE}
    assert _calls(path.read_text("utf-8")) & asking == set()


def test_calls_are_seen() -> None:
    assert _calls("x = eval(text)\ncursor.execute(sql)\nre.compile(p)") == {"eval", ".execute", ".compile"}
