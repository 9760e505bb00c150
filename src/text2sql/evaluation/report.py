"""The misses of an evaluation as one HTML page: it needs no network and runs no script."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from text2sql.errors import OutputNotWritten
from text2sql.evaluation.results import Excerpt, FailureClass, Result
from text2sql.evaluation.summary import FAILURES, Summary, figures, summarise
from text2sql.messages import StepRecord

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_report(path: Path, results: Sequence[Result], title: str) -> None:
    """Write the page.

    Raises:
        OutputNotWritten: it could not be written.
    """
    try:
        path.write_text(render_report(results, title), "utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputNotWritten(
            f"{path} could not be written.", remedy="Choose another place, or free some room."
        ) from error


def render_report(results: Sequence[Result], title: str) -> str:
    """Return the page: the figures, then each miss with the gold beside what came, by class."""
    style = files("text2sql.evaluation").joinpath("report.css").read_text("utf-8")
    missed = {name: [result for result in results if result.failure == name] for name in FAILURES}
    sections = [_section(name, members) for name, members in missed.items() if members]
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *_overview(summarise(results)),
            *sections,
            "</body>\n</html>\n",
        )
    )


def _overview(summary: Summary) -> Iterator[str]:
    yield _table(("Figure", "Value"), figures(summary))
    yield "<h2>By difficulty</h2>"
    levels = [(level, str(share.of), str(share)) for level, share in summary.by_difficulty.items()]
    yield _table(("Difficulty", "Questions", "Execution accuracy (95 % Wilson)"), levels)
    yield "<h2>Not right</h2>"
    links = (
        f'<li><a href="#{name}">{escape(FAILURES[name])}</a>: {count:,}</li>'
        for name, count in summary.failures.items()
    )
    yield f"<ul>{''.join(links)}</ul>"


def _section(name: FailureClass, results: Iterable[Result]) -> str:
    return f'<h2 id="{name}">{escape(FAILURES[name].capitalize())}</h2>\n' + "\n".join(map(_miss, results))


def _miss(result: Result) -> str:
    took = (
        f"{result.database} · {result.difficulty} · {result.outcome} · {result.seconds:.2f} s · "
        f"{result.prompt_tokens:,} + {result.completion_tokens:,} tokens"
    )
    errors = "".join(
        f'<p class="error">{label}{escape(text)}</p>'
        for label, text in (("", result.error), ("Gold: ", result.gold_error))
        if text
    )
    return (
        f'<article>\n<h3>{escape(result.question)}</h3>\n<p class="note">{escape(took)}</p>\n{errors}'
        f'<div class="pair">{_side("gold", "Gold", result.gold, result.gold_result)}'
        f"{_side('own', 'Ours', result.sql or '(no statement)', result.own_result)}</div>\n"
        f'<p class="note">{escape(" → ".join(map(_step, result.steps)))}</p>\n</article>'
    )


def _side(kind: str, label: str, sql: str, excerpt: Excerpt | None) -> str:
    return f'<div class="{kind}"><h4>{label}</h4><pre>{escape(sql)}</pre>{_rows(excerpt)}</div>'


def _rows(excerpt: Excerpt | None) -> str:
    if excerpt is None:
        return ""
    shown = f"{len(excerpt.rows):,} of {excerpt.count:,} rows" if excerpt.rows else "no rows"
    return f'{_table(excerpt.columns, excerpt.rows)}<p class="note">{shown}</p>'


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _step(record: StepRecord) -> str:
    again = f" {record.attempt}" if record.attempt > 1 else ""
    return f"{record.step}{again}{f' ({record.code})' if record.code else ''} {record.seconds:.2f} s"
