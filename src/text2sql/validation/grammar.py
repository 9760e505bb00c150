"""How each database's SQL is read and written: sqlglot's grammars, made to keep functions as they are.

sqlglot translates between products: it knows a function by its meaning and may write another one for it.
Nothing is translated here, so the grammars forget what sqlglot knows of functions. Each call keeps its own
name, which the allow-list sees and the database runs.
"""

from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.dialects.mysql import MySQL
from sqlglot.dialects.sqlite import SQLite
from sqlglot.generators.mysql import MySQLGenerator
from sqlglot.parsers.mysql import MySQLParser
from sqlglot.parsers.sqlite import SQLiteParser

from text2sql.messages import Dialect

_UNIT_FIRST = ("TIMESTAMPADD", "TIMESTAMPDIFF", "GET_FORMAT")
_SPECIAL_SYNTAX = ("CAST", "CONVERT", "CHAR", "EXTRACT", "MATCH", "POSITION", "SUBSTRING", "SUBSTR", "TRIM")
"""Calls whose arguments are not a mere list: `CAST(x AS …)`, `TRIM(BOTH … FROM …)`."""


def _unit_first(name: str) -> Any:
    """Return the builder of a call whose first argument is a word such as DAY, not a column."""

    def build(arguments: list[exp.Expr]) -> exp.Anonymous:
        if arguments and isinstance(arguments[0], exp.Column):
            arguments[0] = exp.var(arguments[0].name.upper())
        return exp.Anonymous(this=name, expressions=arguments)

    return build


class MysqlGrammar(MySQL):
    """MySQL 8 and later, and MariaDB."""

    class Generator(MySQLGenerator):
        """Writes what MariaDB understands as well."""

        TRANSFORMS = {  # noqa: RUF012
            **MySQLGenerator.TRANSFORMS,
            exp.RegexpLike: lambda self, node: self.binary(node, "REGEXP"),
        }

    class Parser(MySQLParser):
        """Takes every function by its own name."""

        LAMBDAS = {}  # noqa: RUF012  # an arrow is JSON's, also inside a call
        FUNCTIONS = {name: _unit_first(name) for name in _UNIT_FIRST}  # noqa: RUF012  # sqlglot's own form
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser
            for name, parser in MySQLParser.FUNCTION_PARSERS.items()
            if name in (*_SPECIAL_SYNTAX, "GROUP_CONCAT", "JSON_TABLE", "JSON_VALUE", "WEIGHT_STRING")
        }


class SqliteGrammar(SQLite):
    """SQLite."""

    class Parser(SQLiteParser):
        """Takes every function by its own name."""

        FUNCTIONS = {}  # noqa: RUF012
        FUNCTION_PARSERS = {"CAST": SQLiteParser.FUNCTION_PARSERS["CAST"]}  # noqa: RUF012


GRAMMARS: dict[Dialect, type[SqlglotDialect]] = {
    "sqlite": SqliteGrammar,
    "mysql": MysqlGrammar,
    "mariadb": MysqlGrammar,
}
