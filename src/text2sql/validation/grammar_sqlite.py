"""The grammar of SQLite."""

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.parsers.sqlite import SQLiteParser

from text2sql.validation.grammar import FrugalParser, write_not


class SqliteGrammar(SQLite):
    """SQLite."""

    class Generator(SQLiteGenerator):
        """Writes negations as people do."""

        TRANSFORMS = {**SQLiteGenerator.TRANSFORMS, exp.Not: write_not}  # noqa: RUF012

    class Parser(FrugalParser, SQLiteParser):
        """Takes every function by its own name."""

        JOINS_HAVE_EQUAL_PRECEDENCE = False  # a comma stays one: CROSS JOIN would fix the order of work
        FUNCTIONS = {}  # noqa: RUF012
        FUNCTION_PARSERS = {"CAST": SQLiteParser.FUNCTION_PARSERS["CAST"]}  # noqa: RUF012
