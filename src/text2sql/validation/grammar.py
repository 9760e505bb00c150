"""How each database's SQL is read and written: sqlglot's grammars, made to keep functions as they are.

sqlglot translates between products: it knows a function by its meaning and may write another one for it.
Nothing is translated here, so the grammars forget what sqlglot knows of functions. Each call keeps its own
name, which the allow-list sees and the database runs.
"""

from sqlglot import Generator, Parser, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect

from text2sql.messages import Dialect

MAX_STEPS = 30_000
"""Honest statements take about one for each of their tokens, of which 20 kB hold 10,000 at most."""


def write_not(writer: Generator, node: exp.Not) -> str:
    """Write `x NOT IN (…)`, as people do, where sqlglot writes `NOT x IN (…)`."""
    predicate = node.this
    if not isinstance(predicate, exp.In | exp.Between | exp.Is):
        return writer.not_sql(node)
    whole, subject = writer.sql(predicate), writer.sql(predicate, "this")
    if not whole.startswith(f"{subject} "):
        return writer.not_sql(node)
    rest = whole[len(subject) :]
    return f"{subject} IS NOT{rest[3:]}" if isinstance(predicate, exp.Is) else f"{subject} NOT{rest}"


class ParserExhausted(Exception):
    """The text sends the parser back and forth without end."""


class FrugalParser(Parser):
    """A parser that gives up: where it tries two readings at each level, the levels multiply."""

    _steps = 0

    def _advance(self, times: int = 1) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ParserExhausted
        super()._advance(times)


class _Grammars(dict[Dialect, type[SqlglotDialect]]):
    """The grammars by dialect; each is imported when it is first asked for."""

    def __missing__(self, dialect: Dialect) -> type[SqlglotDialect]:
        if dialect == "sqlite":
            from text2sql.validation.grammar_sqlite import SqliteGrammar

            self[dialect] = SqliteGrammar
        else:
            from text2sql.validation.grammar_mysql import MysqlGrammar

            self[dialect] = MysqlGrammar
        return self[dialect]


GRAMMARS = _Grammars()
