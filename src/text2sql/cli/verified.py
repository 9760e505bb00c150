"""`text2sql verified`: the statements that people approved, and whether they still hold."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from text2sql.cli.options import database_option, knowledge_option, load_settings, read_settings

if TYPE_CHECKING:
    from text2sql.jobs.port import Job
    from text2sql.settings import Settings

_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object for each query, one to a line."
)


@click.group()
def verified() -> None:
    """Look after the questions whose SQL a person has approved; see docs/knowledge.md."""


@verified.command("list")
@database_option
@knowledge_option
@_json_option
def show(database: str | None, knowledge: Path | None, *, as_json: bool) -> None:
    """Print the verified queries."""
    from text2sql.answer.cell_text import flatten
    from text2sql.services import open_verified

    for query in open_verified(load_settings(database_url=database, knowledge_dir=knowledge)):
        told = f"{query.approved_on} {query.approved_by}: {query.question}"
        click.echo(query.model_dump_json() if as_json else flatten(told))


@verified.command()
@database_option
@knowledge_option
@click.option("--model", "ask_model", is_flag=True, help="Also ask the model, which is not told the query.")
@_json_option
def check(database: str | None, knowledge: Path | None, *, ask_model: bool, as_json: bool) -> int:
    """Run every verified query on the database as it is, and exit with 1 where one does not hold.

    With --model each question is asked as well while its own query is hidden, and the rows must be the same.
    """
    import json

    from text2sql.answer.cell_text import flatten
    from text2sql.evaluation.verified import check_all
    from text2sql.services import open_services

    services = open_services(load_settings(database_url=database, knowledge_dir=knowledge))
    failed = total = 0
    for checked in check_all(services, ask_model=ask_model):
        total += 1
        failed += checked.standing != "holds"
        question, standing, detail = checked.query.question, checked.standing, checked.detail
        if as_json:
            told = {"question": question, "standing": standing, "detail": detail, "sql": checked.query.sql}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{standing.replace('_', ' '):<12}  {flatten(question)}")
            click.echo(f"{'':<12}  {flatten(detail)}")
    click.echo(f"{total - failed:,} of {total:,} verified queries hold.", err=True)
    return 1 if failed else 0


@verified.command()
@click.argument("question")
@click.argument("sql")
@click.option("--by", required=True, metavar="NAME", help="Who approves it.")
@database_option
@knowledge_option
def propose(question: str, sql: str, by: str, database: str | None, knowledge: Path | None) -> int:
    """Run SQL, and where it runs print the entry for verified.yaml that makes it the answer to QUESTION."""
    from datetime import date

    import yaml

    from text2sql.evaluation.verified import check_one
    from text2sql.messages import VerifiedQuery
    from text2sql.services import open_services

    if not all(text.strip() for text in (question, sql, by)):
        message = "Give a question, a statement and a name."
        raise click.UsageError(message)
    services = open_services(load_settings(database_url=database, knowledge_dir=knowledge))
    today = date.today()  # noqa: DTZ011 — the approver's day
    query = VerifiedQuery(question=question, sql=sql, approved_by=by, approved_on=today)
    checked = check_one(query, services)
    click.echo(checked.detail, err=True)
    if checked.standing != "holds":
        return 1
    click.echo(yaml.safe_dump([query.model_dump(exclude={"note"})], sort_keys=False, allow_unicode=True))
    return 0


@verified.command()
@database_option
@knowledge_option
def proposed(database: str | None, knowledge: Path | None) -> None:
    """Print the answers that people called right through the API, as entries that lack an approval.

    The newest of each question, without those that are verified already. They are read where `serve` keeps
    its jobs: TEXT2SQL_API_JOBS_TABLE, TEXT2SQL_API_JOBS_FILE or the cache folder.
    """
    import yaml

    from text2sql.datasource.verified import normal_form
    from text2sql.execution.url import datasource_name
    from text2sql.services import open_verified

    settings = load_settings(database_url=database, knowledge_dir=knowledge)
    known = {normal_form(query.question) for query in open_verified(settings)}
    for job in _judged_right(settings):
        asked = job.submission
        question = (job.reply and job.reply.read_as) or asked.question
        form = normal_form(question)
        if job.draft and form not in known and asked.datasource == datasource_name(settings.database_url):
            known.add(form)
            entry = {"question": question, "sql": job.draft}
            click.echo(yaml.safe_dump([entry], sort_keys=False, allow_unicode=True), nl=False)


def _judged_right(settings: "Settings") -> "tuple[Job, ...]":
    from contextlib import closing

    from text2sql.jobs.cloud import open_cloud_store
    from text2sql.jobs.sqlite import SqliteJobStore
    from text2sql_api.serving import jobs_file
    from text2sql_api.settings import ApiSettings

    api_settings = read_settings(ApiSettings)
    if api_settings.jobs_table:
        return open_cloud_store(api_settings.jobs_table, api_settings.results_bucket).judged_right()
    with closing(SqliteJobStore(jobs_file(settings, api_settings))) as store:
        return store.judged_right()
