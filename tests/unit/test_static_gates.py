"""What the source must never do: run code made from text, or hand SQL to a database outside an adapter."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "text2sql"
FILES = sorted(SOURCE.rglob("*.py"))
RUNS_CODE = frozenset({"eval", "exec", "compile", "__import__"})
ASKS_A_DATABASE = frozenset({"execute", "executemany", "executescript", "mogrify"})
ADAPTERS = (
    "execution/",
    "datasource/introspection/",
    "datasource/values_index.py",
    "documents/local_index.py",
    "jobs/sqlite.py",
)
"""All else hands a statement to ExecuteSql, and only as ValidateSql has emitted it.

The jobs, and the indexes of stored values and documents, are our own."""


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


def _imports(source: str) -> set[str]:
    """Return the modules that are imported, wherever in the text."""
    nodes = list(ast.walk(ast.parse(source)))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", [p for p in FILES if _name(p).startswith("datasource/")], ids=_name)
def test_what_is_known_of_a_database_does_not_lean_on_the_validator(path: Path) -> None:
    imported = _imports(path.read_text("utf-8"))
    assert not any(f"{name}.".startswith("text2sql.validation.") for name in imported)


def test_imports_are_seen() -> None:
    source = "import a.b\ndef f():\n    from c.d import e"
    assert _imports(source) == {"a.b", "c.d"}


def test_calls_are_seen() -> None:
    assert _calls("x = eval(text)\ncursor.execute(sql)\nre.compile(p)") == {"eval", ".execute", ".compile"}
