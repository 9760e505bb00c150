"""The second line: what the validator lets through, run by the executor as a user who may only read."""

import re
from collections.abc import Sequence

from bench_guard_cases import Verdict
from bench_guard_share import Share
from pydantic import SecretStr

from servers import Server
from text2sql.datasource.catalog import Catalog
from text2sql.errors import Text2SqlError
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.port import QueryLimits
from text2sql.execution.url import MysqlUrl

READER = "guard_reader"
LIMITS = QueryLimits(rows=1000, seconds=2.0)
_OF_SOME_LENGTH = frozenset("varchar char varbinary binary enum set".split())


def run_as_reader(server: Server, accepted: Sequence[Verdict]) -> Share:
    """Run each accepted statement against empty tables of its own schema; none may run."""
    server.execute(
        f"CREATE USER IF NOT EXISTS {READER}@localhost IDENTIFIED BY ''",
        f"GRANT SELECT ON *.* TO {READER}@localhost",
    )
    ran = tuple(str(verdict) for verdict in accepted if _runs(server, verdict))
    return Share(f"None runs end to end, {server.product}", len(accepted), ran)


def _runs(server: Server, verdict: Verdict) -> bool:
    catalog = verdict.case.access.catalog
    create_tables(server, catalog)
    url = MysqlUrl(
        host=server.host, port=server.port, user=READER, password=SecretStr(""), database=catalog.name
    )
    try:
        MysqlDatabase(url).query(verdict.emitted, LIMITS)
    except Text2SqlError:
        return False
    return True


def create_tables(server: Server, catalog: Catalog) -> None:
    """Create what the catalog names and the server lets create, without rows."""
    server.execute(f"CREATE DATABASE IF NOT EXISTS `{catalog.name}`")
    for table in catalog.tables:
        schema = table.schema_name or catalog.name
        columns = ", ".join(f"`{column.name}` {_type(column.type)}" for column in table.columns)
        server.execute(
            f"CREATE DATABASE IF NOT EXISTS `{schema}`",
            f"DROP TABLE IF EXISTS `{schema}`.`{table.name}`",
            f"CREATE TABLE `{schema}`.`{table.name}` ({columns})",
        )


def _type(name: str) -> str:
    """Return a type that a table can be made of; the cases name types without their lengths."""
    bare = re.split(r"\W", name)[0].lower()
    return "varchar(255)" if bare in _OF_SOME_LENGTH else name
