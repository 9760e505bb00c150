"""A reply on a terminal or in a pipe; text from rows, model and database is shown, never obeyed."""

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from text2sql.answer.cell_text import flatten
from text2sql.answer.columns import view_columns
from text2sql.answer.terminal_rows import bar_lines, record_lines, table_fits, table_lines
from text2sql.messages import Reply
from text2sql.telemetry import count_repairs


def render_reply(reply: Reply, console: Console, max_rows: int = 20) -> None:
    """Print an answer with rows, chart, SQL and checks; any other outcome with what to do next."""
    screen = _Screen(console)
    if reply.read_as:
        screen.line(f"Read as: {reply.read_as}", "dim")
    screen.line(reply.sentence, "bold")
    if reply.outcome == "answered":
        _render_rows(reply, screen, max_rows)
        _render_sql(reply, screen)
        _render_checks(reply, screen)
        screen.line(_summarize(reply), "dim", gap=True)
        return
    for number, choice in enumerate(reply.choices, start=1):
        screen.line(f"  {number}. {flatten(choice)}")
    if reply.error:
        screen.line(f"Error {flatten(reply.error.code)}", "red", gap=True)
        if reply.error.message != reply.sentence:
            screen.line(reply.error.message)
        if reply.error.remedy:
            screen.line(reply.error.remedy)


class _Screen:
    """Prints `Text` only, so that no string is read as markup, and only what the encoding can hold."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ascii = console.options.ascii_only

    def line(self, text: str, style: str = "", *, gap: bool = False) -> None:
        """Print flattened text, which wraps on a terminal and stays whole in a pipe."""
        if gap:
            self.console.print()
        indent = " " * (len(text) - len(text.lstrip(" ")))
        self.print(Text(indent + flatten(text), style=style))

    def print(self, text: Text) -> None:
        """Print prepared text."""
        self.console.print(self.encodable(text), soft_wrap=not self.console.is_terminal)

    def encodable(self, text: Text) -> Text:
        """Replace characters that the console's encoding has not; lengths stay."""
        plain = text.plain.translate(_ASCII) if self.ascii else text.plain
        plain = plain.encode(self.console.encoding, "replace").decode(self.console.encoding)
        if plain == text.plain:
            return text
        return Text(plain, style=text.style, spans=text.spans, justify=text.justify, overflow=text.overflow)


_ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "…": "~", "█": "#", "▌": "#", "░": "-", "·": "|", "─": "-", "—": "-"}
)


def _render_rows(reply: Reply, screen: _Screen, max_rows: int) -> None:
    if not reply.rows or not reply.columns:
        return
    shown = view_columns(reply.columns, reply.rows[:max_rows])
    width = screen.console.width
    screen.console.print()
    for line in table_lines(shown, width) if table_fits(shown, width) else record_lines(shown, width):
        screen.print(line)
    hidden = len(reply.rows) - max_rows
    if hidden > 0:
        more = ", and the database has more" if reply.truncated else ""
        screen.line(f"… and {hidden:,} more {'row' if hidden == 1 else 'rows'}{more}", "dim")
    elif reply.truncated:
        screen.line("… and the database has more rows", "dim")
    bars = bar_lines(reply.chart, view_columns(reply.columns, reply.rows), width) if reply.chart else []
    if bars:
        screen.console.print()
    for bar in bars:
        screen.print(bar)


def _render_sql(reply: Reply, screen: _Screen) -> None:
    if not reply.sql:
        return
    code = "\n".join(_flatten_line(line) for line in reply.sql.splitlines())
    screen.line("SQL", "dim", gap=True)
    # Highlighting by hand gives text without the padding and background of a rendered block.
    highlighted = Syntax("", "sql", theme="ansi_dark", background_color="default").highlight(code)
    highlighted.rstrip()
    screen.print(highlighted)


def _flatten_line(line: str) -> str:
    """Flatten one line of SQL, except for the white space that it starts with."""
    return " " * (len(line) - len(line.lstrip())) + flatten(line)


def _render_checks(reply: Reply, screen: _Screen) -> None:
    if not reply.checks:
        return
    screen.line("Why trust it", "dim", gap=True)
    for check in reply.checks:
        mark, style = ("✓", "green") if check.passed else ("✗", "red")
        text = Text.assemble((f"{mark} ", style), flatten(check.name), (f" — {flatten(check.detail)}", "dim"))
        screen.print(text)


def _summarize(reply: Reply) -> str:
    ended = [record for record in reply.steps if record.status != "started"]
    drafts = [record for record in ended if record.step == "GenerateSql"]
    repairs = count_repairs(ended)
    tokens = reply.usage.prompt_tokens + reply.usage.completion_tokens
    parts = [
        f"{reply.seconds:.1f} s",
        f"model {sum(record.seconds for record in drafts):.1f} s",
        f"{tokens:,} tokens",
    ]
    if reply.usage.cost_usd is not None:
        parts.append(f"${reply.usage.cost_usd:.4f}")
    parts.append(f"{repairs} {'repair' if repairs == 1 else 'repairs'}")
    return " · ".join(parts)
