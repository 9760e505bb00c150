"""`make bench`: measures the figures that docs/performance.md shows, and prints them with the machine.

Ends with 0 also when a bar is missed, for a busy machine misses them; with 1 when a measurement fails.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from bench_commands import measure_ask, measure_help
from bench_embedded import measure_embedded, measure_unwarmed
from bench_figures import Figure, MeasurementFailed, figures_table, load_average, machine_lines
from bench_pipeline import measure_catalog, measure_pipeline

ROOT = Path(__file__).resolve().parents[1]
KNOWLEDGE = ROOT / "examples" / "shop"
PARTS = ("pipeline", "help", "ask", "catalog", "embedded", "unwarmed")
INTERRUPTED = 130

Measure = Callable[[], list[Figure]]


@click.command()
@click.option(
    "--shop",
    type=click.Path(path_type=Path),
    default=ROOT / ".cache" / "shop.sqlite",
    help="The sample shop as SQLite; built where it is missing.",
)
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure this part; can be repeated.")
def bench(shop: Path, only: tuple[str, ...]) -> int:
    """Measure, and print the machine and a table of figures."""
    for line in machine_lines():
        click.echo(f"- {line}")
    with tempfile.TemporaryDirectory(prefix="text2sql-bench-") as name:
        folder = Path(name)
        measures = _measures(shop if shop.is_file() else _build_shop(folder), folder)
        figures, failures = _measure({part: measures[part] for part in only or PARTS})
    click.echo(f"- Load average at the end: {load_average()}\n")
    click.echo(figures_table(figures))
    for failure in failures:
        click.echo(f"Not measured: {failure}", err=True)
    return 1 if failures else 0


def _measures(shop: Path, folder: Path) -> dict[str, Measure]:
    """Return what measures each part, each in a folder of its own."""
    folders = {part: folder / part for part in PARTS}
    for path in folders.values():
        path.mkdir()
    return {
        "pipeline": lambda: measure_pipeline(shop, KNOWLEDGE, folders["pipeline"]),
        "help": lambda: measure_help(folders["help"]),
        "ask": lambda: measure_ask(shop, KNOWLEDGE, folders["ask"]),
        "catalog": lambda: measure_catalog(folders["catalog"]),
        "embedded": lambda: measure_embedded(shop, KNOWLEDGE, folders["embedded"], _say),
        "unwarmed": lambda: measure_unwarmed(shop, KNOWLEDGE, folders["unwarmed"], _say),
    }


def _measure(measures: dict[str, Measure]) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    failures: list[str] = []
    for part, measure in measures.items():
        _say(part)
        try:
            figures += measure()
        except MeasurementFailed as error:
            failures.append(f"{part}: {error}")
    return figures, failures


def _build_shop(folder: Path) -> Path:
    _say("building the sample shop")
    shop = folder / "shop.sqlite"
    command = (sys.executable, str(KNOWLEDGE / "build.py"), "--sqlite", str(shop))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 — our own script
    return shop


def _say(what: str) -> None:
    click.echo(f"bench: {what}", err=True)


if __name__ == "__main__":
    try:
        sys.exit(bench.main(standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
