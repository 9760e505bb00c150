"""Figures of the installed `text2sql` command, each run a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench_figures import Figure, MeasurementFailed
from bench_model_server import one_reply_server

HELP_RUNS = 15
ASK_RUNS = 7
COMMAND_SECONDS = 600
TOLD_CHARACTERS = 600
"""How much of a failed command's output is shown."""
QUESTION = "Which five products earned the most last year, and how much?"
SQL = """SELECT p.product_name, SUM(i.line_total) AS revenue
FROM order_items i JOIN orders o ON o.order_id = i.order_id JOIN products p ON p.product_id = i.product_id
WHERE o.order_date >= '2025-01-01' AND o.order_date < '2026-01-01'
GROUP BY p.product_name ORDER BY revenue DESC LIMIT 5"""

# A process counts what its parent held when it was started, so a small one starts what is measured.
_PEAK_MEMORY = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
# Runs `text2sql ask` as it is, and ends where the pipeline would be entered.
_UNTIL_PIPELINE = """
import os, sys
from text2sql.cli.main import run
import text2sql.pipeline
text2sql.pipeline.answer = lambda *_: os._exit(0)
run(sys.argv[1:])
os._exit(1)
"""


class Command:
    """The installed command with a cache folder and settings of its own."""

    def __init__(self, cache: Path, **settings: str) -> None:
        self._program = str(Path(sys.executable).with_name("text2sql"))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEXT2SQL_")}
        # Without compiled files each start would compile the package again, which no installation does.
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        self._environment = {**inherited, "TEXT2SQL_CACHE_DIR": str(cache), **settings}

    def run(self, *arguments: str) -> tuple[str, float]:
        """Return what the command prints and how many seconds it took; see `run_program`."""
        return self.run_program(self._program, *arguments)

    def run_python(self, code: str, *arguments: str) -> tuple[str, float]:
        """The same for a few lines of Python."""
        return self.run_program(sys.executable, "-c", code, *arguments)

    def run_peak_memory(self, *arguments: str) -> float:
        """Return the most memory that the command held, in MB."""
        printed, _ = self.run_python(_PEAK_MEMORY, self._program, *arguments)
        unit = 1 if sys.platform == "darwin" else 1024
        return int(printed.split()[-1]) * unit / 1e6

    def run_program(self, *words: str) -> tuple[str, float]:
        """Run it to its end.

        Raises:
            MeasurementFailed: it ends with an error, or does not end.
        """
        started = time.perf_counter()
        try:
            done = subprocess.run(  # noqa: S603 — our own command
                words,
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                env=self._environment,
            )
        except subprocess.CalledProcessError as error:
            told = " ".join((error.stderr or error.stdout).split())[:TOLD_CHARACTERS]
            shown = " ".join(word for word in words if "\n" not in word)
            raise MeasurementFailed(f"`{shown}` ended with {error.returncode}: {told}") from error
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed(f"`{words[0]}` did not end in {COMMAND_SECONDS} s.") from error
        return done.stdout, time.perf_counter() - started


def measure_help(folder: Path) -> list[Figure]:
    """Start the command that does the least."""
    command = Command(folder)
    command.run("--help")
    runs = tuple(command.run("--help")[1] for _ in range(HELP_RUNS))
    return [Figure("`text2sql --help`", "s", runs, bar=0.3)]


def measure_ask(shop: Path, knowledge: Path, folder: Path) -> list[Figure]:
    """Ask with a model that answers at once: what the command itself takes, in time and memory."""
    ask = ("ask", "--database", f"sqlite:///{shop.resolve()}", "--knowledge", str(knowledge), QUESTION)
    with one_reply_server(SQL) as url:
        command = Command(folder, TEXT2SQL_MODEL_PROVIDER="openai", TEXT2SQL_MODEL_BASE_URL=url)
        command.run(*ask)
        starts = tuple(command.run_python(_UNTIL_PIPELINE, *ask)[1] for _ in range(ASK_RUNS))
        wholes = tuple(command.run(*ask)[1] for _ in range(ASK_RUNS))
        memory = tuple(command.run_peak_memory(*ask) for _ in range(ASK_RUNS))
    return [
        Figure("`text2sql ask` until the first step", "s", starts),
        Figure("`text2sql ask`, whole, with a model that answers at once", "s", wholes),
        Figure("Peak memory of `text2sql ask` without the model", "MB", memory, bar=200),
    ]
