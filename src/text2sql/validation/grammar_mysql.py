"""The grammar of MySQL 8 and later, and of MariaDB."""

from collections.abc import Collection
from typing import Any

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.generators.mysql import MySQLGenerator
from sqlglot.parsers.mysql import MySQLParser

from text2sql.validation.grammar import FrugalParser, write_not

_UNIT_FIRST = ("TIMESTAMPADD", "TIMESTAMPDIFF", "GET_FORMAT")
_JOIN_PARTS = ("on", "using", "kind", "side", "method")
_UNITS = frozenset(
    "MICROSECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DATE TIME DATETIME TIMESTAMP".split()
)
_SPECIAL_SYNTAX = ("CAST", "CONVERT", "CHAR", "EXTRACT", "MATCH", "POSITION", "SUBSTRING", "SUBSTR", "TRIM")
"""Calls whose arguments are not a mere list: `CAST(x AS …)`, `TRIM(BOTH … FROM …)`."""


def _unit_first(name: str) -> Any:
    """Return the builder of a call whose first argument is a word such as DAY, not a column."""

    def build(arguments: list[exp.Expr]) -> exp.Anonymous:
        # A word is written as it is, so only these may become one.
        if arguments and arguments[0].name.upper().removeprefix("SQL_TSI_") in _UNITS:
            arguments[0] = exp.var(arguments[0].name.upper())
        return exp.Anonymous(this=name, expressions=arguments)

    return build


def _hex_string(sql: str, token: Token) -> exp.HexString:
    """Keep 0x1F apart from x'1F', which MariaDB takes for a text where the other is a number."""
    is_number = sql[token.start : token.start + 2].lower() == "0x"
    return exp.HexString(this=token.text, is_integer=is_number or None)


def _write_hex(node: exp.Expr) -> str:
    return f"0x{node.this}" if node.args.get("is_integer") else f"x'{node.this}'"


class MysqlGrammar(MySQL):
    """MySQL 8 and later, and MariaDB."""

    class Generator(MySQLGenerator):
        """Writes what MariaDB understands as well."""

        TRANSFORMS = {  # noqa: RUF012
            **MySQLGenerator.TRANSFORMS,
            exp.HexString: lambda _, node: _write_hex(node),
            exp.Not: write_not,
            exp.RegexpLike: lambda self, node: self.binary(node, "REGEXP"),
            exp.Select: lambda self, node: self.select_sql(node),  # a FULL JOIN is not made a UNION
        }

    class Parser(FrugalParser, MySQLParser):
        """Takes every function by its own name."""

        PRIMARY_PARSERS = {  # noqa: RUF012
            **MySQLParser.PRIMARY_PARSERS,
            TokenType.HEX_STRING: lambda self, token: _hex_string(self.sql, token),
        }
        LAMBDAS = {}  # noqa: RUF012  # an arrow is JSON's, also inside a call
        FUNCTIONS = {name: _unit_first(name) for name in _UNIT_FIRST}  # noqa: RUF012  # sqlglot's own form
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser
            for name, parser in MySQLParser.FUNCTION_PARSERS.items()
            if name in (*_SPECIAL_SYNTAX, "GROUP_CONCAT", "JSON_TABLE", "JSON_VALUE", "WEIGHT_STRING")
        }

        def _parse_interval(  # type: ignore[override]  # a call stands where an interval may
            self,
            require_interval: bool = True,  # noqa: FBT001, FBT002  # as sqlglot has it
            parse_function_unit: bool = True,  # noqa: FBT001, FBT002
        ) -> exp.Expr | None:
            """Take INTERVAL(a, b, …) for a call; INTERVAL (a) DAY is none.

            Here `INTERVAL 1 DAY + 2` is no sum of two intervals, as it is elsewhere.
            """
            start = self._index
            if self._match_pair(TokenType.INTERVAL, TokenType.L_PAREN):
                arguments = self._parse_csv(self._parse_assignment)
                if len(arguments) > 1 and self._match(TokenType.R_PAREN):
                    return exp.Anonymous(this="INTERVAL", expressions=arguments)
                self._retreat(start)
            if not self._match(TokenType.INTERVAL) and require_interval:
                return None
            amount = self._parse_term()
            if amount is None:
                self._retreat(start)
                return None
            return self._parse_interval_span(amount, parse_function_unit)

        def _parse_join(
            self,
            skip_join_token: bool = False,  # noqa: FBT001, FBT002  # as sqlglot has it
            parse_bracket: bool = False,  # noqa: FBT001, FBT002
            alias_tokens: Collection[TokenType] | None = None,
        ) -> exp.Join | None:
            """Keep JOIN apart from a comma, which binds less tightly: sqlglot writes both as a comma."""
            is_word = self._curr.token_type != TokenType.COMMA
            join = super()._parse_join(skip_join_token, parse_bracket, alias_tokens)
            if is_word and join and not any(join.args.get(part) for part in _JOIN_PARTS):
                join.set("kind", "CROSS")
            return join
