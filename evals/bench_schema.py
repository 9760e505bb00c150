"""`make bench-schema`: how often the schema text that a model is given holds what the gold needs.

No model runs. Small databases are shown as they are. Large ones are made by merging the databases of a
half into one warehouse, which is asked the questions to all of them. The figures go to evals/results.
"""

import hashlib
import json
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

import click
import pytest
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_spiderman import Half, load_database, read_bench_questions, split
from pydantic import SecretStr
from sqlglot import exp

from servers import Server, server_folder, start_mariadb, start_mysql
from text2sql.datasource.catalog import Catalog, Table
from text2sql.datasource.policy.access import Access
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.questions import GoldQuestion
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.validation.rules import RULES
from text2sql.validation.statement import Statement

RESULTS = Path(__file__).resolve().parents[1] / "evals" / "results" / "schema.json"
SEED = 5
SMALL = 10
"""The tables that a small database has at most."""
LARGE = (
    (200, 3_000, None),
    (200, 6_000, 97),
    (200, 60_000, 97),
    (sys.maxsize, 6_000, None),
    (sys.maxsize, 60_000, None),
)
"""The tables that a warehouse has at most, the room for its schema, and the bar."""
CHARACTERS_PER_TOKEN = 3.5
SAID_EVERY = 20
_TABLE = re.compile(r"CREATE TABLE (`[^`]+`|\w+) \(")
_COLUMN = re.compile(r"  (`[^`]+`|\w+)[ ,]")

Needs = frozenset[tuple[str, str]]
"""Tables and their columns, in lower case; a table itself has the column ""."""


@dataclass(frozen=True)
class Asked:
    """A question to a catalog, and what its gold needs of it."""

    question: str
    catalog: Catalog
    needs: Needs


@dataclass(frozen=True)
class Recall:
    """How much of what the gold needs was told."""

    catalogs: str
    room: int
    """In characters."""
    bar: float | None
    """The lowest share of questions, in percent, that all tables and columns are told for."""
    questions: int
    tables: float
    """The share of the questions, in percent, that all tables are told for."""
    tables_and_columns: float
    interval: tuple[float, float]
    """Of `tables_and_columns`, at 95 %, in percent."""
    of_all_tables: float
    """The share of the tables, in percent, over all questions."""
    of_all_columns: float
    tokens: int
    """The median's estimate."""
    milliseconds: float
    """The median of the whole step, without glossary and values."""

    @property
    def is_met(self) -> bool:
        """Whether the bar is."""
        return self.bar is None or self.tables_and_columns >= self.bar


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="check", help="Tune on one, report the other."
)
def bench_schema(half: Half) -> int:
    """Measure on the databases of one half."""
    try:
        questions = read_bench_questions()
    except CasesAbsent as reason:
        click.echo(f"Not measured: {reason}", err=True)
        return 0
    names = sorted(split({each.database for each in questions})[half])
    with ExitStack() as stack:
        try:
            server = stack.enter_context(_start_server())
        except pytest.skip.Exception as reason:
            click.echo(f"Not measured: {reason}", err=True)
            return 0
        catalogs = _read_catalogs(server, names)
    recalls = measure(catalogs, [each for each in questions if each.database in catalogs])
    click.echo(_table(recalls))
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept[half] = {
        "command": f"bench_schema.py --half {half}",
        "server": server.product,
        "machine": machine_lines(),
        "recall": [asdict(each) for each in recalls],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
    return 0 if all(each.is_met for each in recalls) else 1


def measure(catalogs: Mapping[str, Catalog], questions: Iterable[GoldQuestion]) -> list[Recall]:
    """Ask the questions of their own databases where these are small, and of the warehouses."""
    needs = [(each, read_needs(each.sql, catalogs[each.database])) for each in questions]
    small = [
        Asked(each.question, catalogs[each.database], needed)
        for each, needed in needs
        if len(catalogs[each.database].tables) <= SMALL
    ]
    recalls = [_measure(small, f"each of at most {SMALL} tables", 6_000, 99)]
    for most, room, bar in LARGE:
        warehouse, renamed = merge(catalogs, most)
        asked = [
            Asked(each.question, warehouse, frozenset((renamed[each.database][t], c) for t, c in needed))
            for each, needed in needs
            if each.database in renamed
        ]
        recalls.append(_measure(asked, f"one of {len(warehouse.tables)} tables", room, bar))
    return recalls


def merge(catalogs: Mapping[str, Catalog], most: int) -> tuple[Catalog, dict[str, dict[str, str]]]:
    """Return one catalog of at most `most` tables, and by database what its tables are called there.

    A name that is taken gets the database's name before it.
    """
    tables: list[Table] = []
    renamed: dict[str, dict[str, str]] = {}
    for name in sorted(catalogs, key=lambda name: hashlib.sha256(f"{SEED}:{name}".encode()).digest()):
        catalog = catalogs[name]
        if len(tables) + len(catalog.tables) > most:
            continue
        taken = {table.name.lower() for table in tables}
        names = {t.name: f"{name}_{t.name}" if t.name.lower() in taken else t.name for t in catalog.tables}
        for table in catalog.tables:
            keys = (key.model_copy(update={"table": names[key.table]}) for key in table.foreign_keys)
            tables.append(table.model_copy(update={"name": names[table.name], "foreign_keys": tuple(keys)}))
        renamed[name] = {old.lower(): new.lower() for old, new in names.items()}
    any_catalog = next(iter(catalogs.values()))
    return any_catalog.model_copy(update={"name": "warehouse", "tables": tuple(tables)}), renamed


def read_needs(sql: str, catalog: Catalog) -> Needs:
    """Return the tables and columns that a statement names, as the validator resolves them."""
    statement = Statement(sql, Access(catalog=catalog), row_limit=1)
    for rule in RULES:
        if refusal := rule(statement):
            raise click.ClickException(f"A gold statement of {catalog.name} is refused: {refusal.reason}")
    names = {id(node): table.name.lower() for node, table in statement.tables}
    columns = (
        (names[id(owner)], node.name.lower())
        for node in statement.tree.find_all(exp.Column)
        if (owner := statement.owners.get(id(node)))
    )
    return frozenset([*((name, "") for name in names.values()), *columns])


def read_told(schema: str) -> Needs:
    """Return what a schema text holds."""
    told = set()
    table = ""
    for line in schema.splitlines():
        if found := _TABLE.match(line):
            table = found[1].strip("`").lower()
            told.add((table, ""))
        elif found := _COLUMN.match(line):
            told.add((table, found[1].strip("`").lower()))
    return frozenset(told)


def _measure(asked: Sequence[Asked], catalogs: str, room: int, bar: float | None) -> Recall:
    milliseconds, characters, missing = [], [], []
    for each in asked:
        started = perf_counter()
        context = retrieve_context(
            each.question, LocalKnowledgeBase(()), Access(catalog=each.catalog), date(2026, 1, 1), room
        )
        milliseconds.append((perf_counter() - started) * 1000)
        characters.append(len(context.schema_text))
        missing.append(each.needs - read_told(context.schema_text))
    whole = sum(not each for each in missing)
    low, high = wilson(whole, len(asked))
    return Recall(
        catalogs=catalogs,
        room=room,
        bar=bar,
        questions=len(asked),
        tables=_percent(sum(not _tables(each) for each in missing), len(asked)),
        tables_and_columns=_percent(whole, len(asked)),
        interval=(round(100 * low, 2), round(100 * high, 2)),
        of_all_tables=_found([_tables(each.needs) for each in asked], map(_tables, missing)),
        of_all_columns=_found([_columns(each.needs) for each in asked], map(_columns, missing)),
        tokens=round(statistics.median(characters) / CHARACTERS_PER_TOKEN),
        milliseconds=round(statistics.median(milliseconds), 1),
    )


def _tables(needs: Needs) -> Needs:
    return frozenset(each for each in needs if not each[1])


def _columns(needs: Needs) -> Needs:
    return needs - _tables(needs)


def _found(needed: Iterable[Needs], missing: Iterable[Needs]) -> float:
    total = sum(map(len, needed))
    return _percent(total - sum(map(len, missing)), total)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2)


def _table(recalls: Sequence[Recall]) -> str:
    """Return a Markdown table."""
    heads = (
        *("Catalogs", "Room", "Questions", "All tables", "All tables and columns", "Bar"),
        *("Of all tables", "Of all columns", "Tokens", "ms"),
    )
    rows = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for each in recalls:
        bar = "" if each.bar is None else f"{each.bar} %" if each.is_met else f"**{each.bar} %**"
        rows.append(
            f"| {each.catalogs} | {each.room:,} | {each.questions:,} | {each.tables} % |"
            f" {each.tables_and_columns} % | {bar} | {each.of_all_tables} % | {each.of_all_columns} % |"
            f" {each.tokens:,} | {each.milliseconds} |"
        )
    return "\n".join(rows)


def _start_server() -> Server:
    try:
        return start_mysql(server_folder("schema-mysql"))
    except pytest.skip.Exception:
        return start_mariadb(server_folder("schema-mariadb"))


def _read_catalogs(server: Server, names: Sequence[str]) -> dict[str, Catalog]:
    """Load the databases, one after the other, and return what the product reads of them."""
    catalogs = {}
    for number, name in enumerate(names, 1):
        load_database(server, name)
        url = MysqlUrl(
            host=server.host,
            port=server.port,
            user=server.user,
            password=SecretStr(server.password),
            database=name,
        )
        catalogs[name] = MysqlDatabase(url).read_catalog()
        server.execute(f"DROP DATABASE `{name}`")
        if number % SAID_EVERY == 0:
            click.echo(f"read {number} of {len(names)} databases", err=True)
    return catalogs


if __name__ == "__main__":
    try:
        sys.exit(bench_schema.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
