"""`make bench-values`: how often a question is linked to the stored texts that its gold compares with.

No model runs. It also tells how often the check of literals would refuse a gold statement. The figures go
to evals/results.
"""

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click
import pytest
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_spiderman import Half, load_database, read_bench_questions, split
from pydantic import SecretStr

from servers import Server, server_folder, start_mariadb, start_mysql
from text2sql.datasource.policy.access import Access
from text2sql.datasource.values import fold_text
from text2sql.datasource.values_index import ValuesIndex
from text2sql.errors import SqlRejected
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.questions import GoldQuestion
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl
from text2sql.messages import SqlDraft
from text2sql.retrieval.value_links import find_links
from text2sql.validation.literals import without_unstored
from text2sql.validation.step import validate_sql

RESULTS = Path(__file__).resolve().parents[1] / "evals" / "results" / "values.json"
ROW_LIMIT = 1000
SAID_EVERY = 20

Place = tuple[str, str, str]
"""A table, a column and a text, folded."""


@dataclass(frozen=True)
class Linked:
    """What became of one question."""

    needed: frozenset[Place]
    """What its gold compares, where the text has a letter."""
    stored: frozenset[Place]
    """Those of them that the index holds."""
    notes: tuple[frozenset[Place], ...]
    """By note, all the places that it names."""
    milliseconds: float
    is_refused: bool
    """Whether the check of literals refuses the gold."""

    @property
    def found(self) -> frozenset[Place]:
        """The needed texts that a note names with their column."""
        return self.needed & frozenset[Place]().union(*self.notes)

    @property
    def wrong(self) -> int:
        """How many notes name no place that the gold needs."""
        return sum(not note & self.needed for note in self.notes)


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="check", help="Tune on one, report the other."
)
def bench_values(half: Half) -> int:
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
        linked = []
        for number, name in enumerate(names, 1):
            linked += _measure(server, name, [each for each in questions if each.database == name])
            if number % SAID_EVERY == 0:
                click.echo(f"read {number} of {len(names)} databases", err=True)
    figures = figures_of(linked)
    click.echo("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in figures.items()))
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    about = {"command": f"bench_values.py --half {half}", "server": server.product}
    kept[half] = about | {"databases": len(names), "machine": machine_lines()} | figures
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
    return 0


def figures_of(linked: Sequence[Linked]) -> dict[str, object]:
    """Return shares in percent and times in milliseconds."""
    needed = sum(len(each.needed) for each in linked)
    found = sum(len(each.found) for each in linked)
    notes = sum(len(each.notes) for each in linked)
    wrong = sum(each.wrong for each in linked)
    times = [each.milliseconds for each in linked]
    return {
        "questions": len(linked),
        "texts_needed": needed,
        "of_them_in_the_index": _share(sum(len(each.stored) for each in linked), needed),
        "of_them_linked": _share(found, needed),
        "notes": notes,
        "notes_that_the_gold_needs": _share(notes - wrong, notes),
        "other_notes_per_100_questions": round(100 * wrong / len(linked), 2),
        "gold_statements_refused": sum(each.is_refused for each in linked),
        "milliseconds_median": round(statistics.median(times), 2),
        "milliseconds_99th_of_100": round(statistics.quantiles(times, n=100)[-1], 2),
    }


def _share(part: int, whole: int) -> dict[str, object]:
    low, high = wilson(part, whole)
    return {
        "count": part,
        "percent": round(100 * part / whole, 2),
        "interval": [round(100 * low, 2), round(100 * high, 2)],
    }


def _measure(server: Server, name: str, questions: Sequence[GoldQuestion]) -> Iterator[Linked]:
    load_database(server, name)
    url = MysqlUrl(
        host=server.host,
        port=server.port,
        user=server.user,
        password=SecretStr(server.password),
        database=name,
    )
    database = MysqlDatabase(url)
    access = Access(catalog=database.read_catalog())
    with TemporaryDirectory() as folder:
        values = ValuesIndex(Path(folder) / "values.sqlite", database.read_texts).open(access.catalog, None)
        if values is None:
            raise click.ClickException(f"The texts of {name} cannot be read.")
        for question in questions:
            valid = validate_sql(SqlDraft(sql=question.sql), access, ROW_LIMIT)
            needed = frozenset((each.table, each.column, fold_text(each.text)) for each in valid.compared)
            columns = {(each.table, each.column) for each in valid.compared}
            texts = [known for place in columns if (known := values.column(*place))]
            started = perf_counter()
            links = find_links(question.question, access, values)
            milliseconds = (perf_counter() - started) * 1000
            try:
                without_unstored(valid, values)
                is_refused = False
            except SqlRejected as refused:
                click.echo(f"{name}: {refused.feedback}", err=True)
                is_refused = True
            yield Linked(
                needed=needed,
                stored=needed & {(k.table, k.column, fold_text(text)) for k in texts for text in k.texts},
                notes=tuple(
                    frozenset((each.table, each.column, fold_text(link.text)) for each in link.columns)
                    for link in links
                ),
                milliseconds=milliseconds,
                is_refused=is_refused,
            )
    server.execute(f"DROP DATABASE `{name}`")


def _start_server() -> Server:
    try:
        return start_mysql(server_folder("values-mysql"))
    except pytest.skip.Exception:
        return start_mariadb(server_folder("values-mariadb"))


if __name__ == "__main__":
    try:
        sys.exit(bench_values.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
