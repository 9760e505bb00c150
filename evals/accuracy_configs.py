"""What `make bench-accuracy` can measure: the product, the product without a part, and no product."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from string import Template
from threading import Event

from text2sql import ending
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.errors import Text2SqlError
from text2sql.evaluation.judging import Asker, ask
from text2sql.generation.port import Prompt, Turn
from text2sql.generation.reply import read_reply
from text2sql.messages import Failure, Reply, SqlDraft
from text2sql.pipeline import Services
from text2sql.telemetry import StepLog

ZERO_SHOT = Template("$tables\n\nWrite one MySQL query that answers this question: $question")


def changed(change: Callable[[Services], Services]) -> Asker:
    """Return how the product is asked with other services."""
    return lambda question, services, cancelled: ask(question, change(services), cancelled)


def ask_zero_shot(question: str, services: Services, cancelled: Event) -> Reply:
    """Give the model the plain tables and the question, and run what it writes as it stands."""
    log = StepLog()
    how: ending.Ending
    try:
        with log.step("GenerateSql"):
            tables = "\n\n".join(map(plain_table, services.catalog().tables))
            text = ZERO_SHOT.substitute(tables=tables, question=question)
            completion = services.model.complete(Prompt(system="", turns=(Turn(role="user", text=text),)))
            log.add_usage(completion.usage)
            draft = read_reply(completion)
        if not isinstance(draft, SqlDraft):
            how = ending.not_drafted(draft)
        else:
            with log.step("ExecuteSql"):
                result = services.database.query(draft.sql, services.limits, cancelled)
            how = {
                "outcome": "answered",
                "sentence": "There are rows.",
                "sql": draft.sql,
                "columns": result.columns,
                "rows": result.rows,
                "truncated": result.truncated,
            }
    except Text2SqlError as error:
        how = ending.failed(Failure(code=error.code, message=error.message))
    return Reply.model_validate(
        {"question": question, **how, "steps": log.records, "usage": log.usage, "seconds": log.seconds}
    )


def plain_table(table: Table) -> str:
    """Return the table as a plain CREATE TABLE: names, types and keys, and nothing that is stored."""
    lines = [f"  `{column.name}` {column.type}" for column in table.columns]
    if table.primary_key:
        lines.append(f"  PRIMARY KEY ({_names(table.primary_key)})")
    lines += [
        f"  FOREIGN KEY ({_names(key.columns)}) REFERENCES `{key.table}` ({_names(key.references)})"
        for key in table.foreign_keys
    ]
    return f"CREATE TABLE `{table.name}` (\n" + ",\n".join(lines) + "\n);"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _without_samples(services: Services) -> Services:
    def bare(column: Column) -> Column:
        return column.model_copy(update={"samples": (), "distinct": None, "lowest": None, "highest": None})

    def catalog() -> Catalog:
        known = services.catalog()
        tables = (
            table.model_copy(update={"columns": tuple(map(bare, table.columns))}) for table in known.tables
        )
        return Catalog(name=known.name, dialect=known.dialect, server=known.server, tables=tuple(tables))

    return replace(services, catalog=catalog)


def _votes(count: int) -> Asker:
    return changed(lambda services: replace(services, votes=count))


CONFIGS: Mapping[str, Asker] = {
    "default": ask,
    "zero-shot": ask_zero_shot,
    "no-samples": changed(_without_samples),
    "no-values": changed(lambda services: replace(services, values=lambda _: None)),
    "no-repair": changed(lambda services: replace(services, repairs=0)),
    "votes-1": _votes(1),
    "votes-3": _votes(3),
    "votes-5": _votes(5),
    "votes-8": _votes(8),
}
"""By the name of the configuration."""
