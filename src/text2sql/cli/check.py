"""`text2sql check`: what the validator says of statements; nothing is run."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from text2sql.cli.options import CallerOptions, caller_options, database_option, load_settings

if TYPE_CHECKING:
    from text2sql.datasource.policy.access import Access
    from text2sql.validation.contexts import Contexts

REJECTED = 10
ROW_LIMIT = 1000
LINE_BYTES = 50_000_000
"""A longer line is refused unread, so that an endless one does not fill the memory."""


@click.command()
@click.argument("sql", required=False)
@database_option
@caller_options
@click.option("--dialect", type=click.Choice(("mysql", "mariadb", "sqlite")), help="Of the JSON lines.")
@click.option(
    "--contexts",
    type=click.Path(path_type=Path),
    help='Catalogs for the JSON lines: {"ctx": {"schema.table": {"column": "type"}}}.',
)
def check(
    sql: str | None, database: str | None, dialect: Any, contexts: Path | None, *, caller: CallerOptions
) -> int:
    """Say whether the validator lets SQL run on a database, and show what would run instead.

    For many statements give --dialect and write JSON lines {"id", "sql", "db", "ctx"} to standard input;
    each is answered, in order, by a line {"id", "verdict", "code", "reason", "sql"}. For example:

      text2sql check --database sqlite:///shop.sqlite "SELECT * FROM orders"

      text2sql check --policy policy.yaml --group sales --attribute region=eu "SELECT * FROM orders"

      text2sql check --dialect mysql --contexts contexts.json < statements.jsonl
    """
    if dialect:
        from text2sql.validation.contexts import load_contexts

        return _check_lines(load_contexts(contexts, dialect))
    if sql is None:
        message = "Give a statement, or --dialect for JSON lines on standard input."
        raise click.UsageError(message)
    from text2sql.services import open_access

    settings = load_settings(database_url=database, policy_file=caller.policy)
    return _check_one(sql, open_access(settings, caller.read(settings)))


def _check_one(sql: str, access: "Access") -> int:
    from text2sql.errors import SqlRejected
    from text2sql.messages import SqlDraft
    from text2sql.validation.step import validate_sql

    try:
        valid = validate_sql(SqlDraft(sql=sql), access, ROW_LIMIT)
    except SqlRejected as refused:
        click.echo(f"rejected: {refused.message} [{refused.reason}]", err=True)
        return REJECTED
    click.echo("accepted", err=True)
    for change in valid.changes:
        click.echo(change, err=True)
    click.echo(valid.sql)
    return 0


def _check_lines(contexts: "Contexts") -> int:
    import json

    for line in _lines():
        print(json.dumps(_verdict(line, contexts), ensure_ascii=False), flush=True)  # noqa: T201
    return 0


def _lines() -> Iterator[bytes]:
    while line := sys.stdin.buffer.readline(LINE_BYTES):
        if not line.isspace():
            yield line


def _verdict(line: bytes, contexts: "Contexts") -> dict[str, object]:
    """Return the answer to one line; a line that is no such object is rejected like a statement."""
    from text2sql.datasource.policy.access import Access
    from text2sql.errors import SqlRejected
    from text2sql.messages import SqlDraft
    from text2sql.validation.contexts import read_case
    from text2sql.validation.step import validate_sql

    case = read_case(line)
    if case.sql is None:
        return _rejected(case.id, "INVALID_LINE", "The line is no object with a statement in sql.")
    try:
        catalog = contexts.catalog(case.ctx, case.db or "")
        valid = validate_sql(SqlDraft(sql=case.sql), Access(catalog=catalog), ROW_LIMIT)
    except SqlRejected as refused:
        return _rejected(case.id, refused.reason, refused.message)
    except KeyError:
        return _rejected(case.id, "INVALID_LINE", "There is no such context.")
    return {"id": case.id, "verdict": "accepted", "code": None, "reason": None, "sql": valid.sql}


def _rejected(case_id: object, code: str, reason: str) -> dict[str, object]:
    return {"id": case_id, "verdict": "rejected", "code": code, "reason": reason, "sql": None}
