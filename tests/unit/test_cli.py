"""The commands in process, with a scripted model; tests/e2e runs them as a person does."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripted_model import ScriptedReply, SetModel
from small_shop import write_small_shop
from text2sql import __version__, services
from text2sql.cli.main import run
from text2sql.cli.progress import show_progress
from text2sql.errors import ModelDownloadFailed, ModelUnavailable
from text2sql.generation import model_pull
from text2sql.generation.model_file import MODEL, Progress, model_path, note_verified
from text2sql.messages import StepRecord
from text2sql.settings import Settings

QUESTION = "What are the customers called?"
GOOD = "```sql\nSELECT name FROM customers\n```"


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_small_shop(tmp_path / "shop.db")
    monkeypatch.setenv("TEXT2SQL_DATABASE_URL", f"sqlite:///{path}")
    return path


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> FakeTerminal:
    """Make standard error a terminal; pytest takes it back after a fixture, so the test itself must ask."""
    fake = FakeTerminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", fake)
    return fake


def model_folder() -> Path:
    return services.cache_folder(Settings())


def install_model() -> Path:
    """Put a file where the model belongs, and note it as whole; nothing reads it."""
    path = model_path(model_folder())
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    note_verified(path, MODEL)
    return path


# ── ask ──────────────────────────────────────────────────────────────────────────────────────────


def test_answer_is_printed_as_text(set_model: SetModel, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(GOOD)
    assert run(["ask", QUESTION]) == 0
    out, err = capsys.readouterr()
    assert "Ada" in out
    assert "FROM customers" in out
    assert err == ""


def test_answer_is_printed_as_json(set_model: SetModel, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(GOOD)
    assert run(["ask", "--json", "--limit", "2", QUESTION]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert (reply["outcome"], reply["rows"], reply["truncated"]) == ("answered", [["Ada"], ["Grace"]], True)


def test_option_wins_over_its_variable(
    set_model: SetModel, monkeypatch: pytest.MonkeyPatch, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(GOOD)
    monkeypatch.setenv("TEXT2SQL_DATABASE_URL", "sqlite:///nowhere.db")
    monkeypatch.setenv("TEXT2SQL_ROW_LIMIT", "1")
    assert run(["ask", "--json", "--limit", "3", "--database", f"sqlite:///{shop}", QUESTION]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 3


def test_dash_reads_the_question_from_standard_input(
    set_model: SetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = set_model(GOOD)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(QUESTION.encode())))  # pytest closes it
    assert run(["ask", "-"]) == 0
    assert QUESTION in model.prompts[0].turns[0].text


class Endless(io.RawIOBase):
    """Gives as many bytes as are asked for, and never an end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"a" * len(buffer)
        return len(buffer)


def test_standard_input_that_never_ends_is_refused(
    set_model: SetModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))  # pytest closes it
    assert run(["ask", "-"]) == 6
    assert "at most 4,000 are allowed" in capsys.readouterr().out


def test_csv_file_is_written_beside_the_answer(
    set_model: SetModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(GOOD)
    assert run(["ask", "--csv", str(tmp_path / "a.csv"), QUESTION]) == 0
    assert (tmp_path / "a.csv").read_bytes() == b"name\r\nAda\r\nGrace\r\nLinus\r\n"
    assert "Ada" in capsys.readouterr().out


def test_answer_is_shown_though_its_csv_file_cannot_be_written(
    set_model: SetModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(GOOD)
    assert run(["ask", "--csv", str(tmp_path), QUESTION]) == 14
    out, err = capsys.readouterr()
    assert "Ada" in out
    assert "[OUTPUT_NOT_WRITTEN]" in err
    assert "answer.csv" in err


@pytest.mark.parametrize(
    ("replies", "question", "code"),
    [
        (("CLARIFY: Which? | a | b",), QUESTION, 3),
        (("DECLINE: no such data",), QUESTION, 4),
        ((), "drop the customers table", 5),
        ((), "", 6),
        (("prose",) * 3, QUESTION, 10),
        ((ModelUnavailable("gone"),), QUESTION, 11),
    ],
)
def test_exit_code_says_how_the_question_ended(
    set_model: SetModel, replies: tuple[ScriptedReply, ...], question: str, code: int
) -> None:
    set_model(*replies)
    assert run(["ask", question]) == code


def test_ctrl_c_is_told_in_a_word(set_model: SetModel, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(KeyboardInterrupt())
    assert run(["ask", QUESTION]) == 130
    out, err = capsys.readouterr()
    assert (out, err.strip()) == ("", "Stopped.")


# ── the other commands ───────────────────────────────────────────────────────────────────────────


def test_schema_is_shown_as_the_model_is_given_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["datasource", "show"]) == 0
    by_variable = capsys.readouterr().out
    assert "CREATE TABLE customers (" in by_variable
    assert run(["datasource", "show", "--database", f"sqlite:///{shop}", "orders"]) == 0
    assert capsys.readouterr().out == by_variable


def test_status_of_a_machine_without_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "status"]) == 0
    assert capsys.readouterr().out == f"{model_path(model_folder())}: not installed\nserver: stopped\n"


def test_status_of_a_machine_with_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    path = install_model()
    assert run(["model", "status"]) == 0
    assert capsys.readouterr().out == f"{path}: installed\nserver: stopped\n"


def test_status_of_a_loaded_model_names_its_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from text2sql.generation.embedded_process import EmbeddedServer, ServerStatus

    loaded = ServerStatus(state="ready", pid=7, memory_bytes=300 * 2**20, log=Path("log"))
    # A real one needs a gigabyte of model; tests/unit/test_embedded_process.py starts a fake one.
    monkeypatch.setattr(EmbeddedServer, "status", lambda _: loaded)
    assert run(["model", "status"]) == 0
    assert capsys.readouterr().out.endswith("server: ready, process 7, 300 MiB\n")


def test_stop_without_a_server_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "stop"]) == 0
    assert capsys.readouterr().out == "not loaded\n"


def test_pull_of_an_installed_model_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    path = install_model()
    assert run(["model", "pull"]) == 0
    assert capsys.readouterr() == ("", "")
    assert path.read_bytes() == b"GGUF"


def test_pull_of_a_file_that_is_not_there_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "pull", "--from", str(tmp_path / "nowhere.gguf")]) == ModelDownloadFailed.exit_code
    assert "[MODEL_DOWNLOAD_FAILED]" in capsys.readouterr().err


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let `pull` tell of a download that is none, and give the path that it returns."""
    path = tmp_path / "model.gguf"

    def tell(_: Path, on_progress: Callable[[Progress], None], *, source_file: Path | None) -> Path:
        assert source_file is None
        for done in range(0, 1001, 10):
            on_progress(Progress(doing="downloading", done=done, total=1000, source="a shelf"))
        on_progress(Progress(doing="checking", done=1000, total=1000))
        return path

    # The real one fetches a gigabyte; tests/unit/test_model_file.py runs it on a small file.
    monkeypatch.setattr(model_pull, "pull", tell)
    return path


def test_pull_says_every_tenth_part_where_there_is_no_terminal(
    pulled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "pull"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Embedded model: downloading, 0 % of 1,000 bytes"
    assert lines[-1] == f"The embedded model is at {pulled}."
    assert len(lines) == 11 + 1 + 1


def test_pull_shows_a_bar_on_a_terminal(pulled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    assert run(["model", "pull"]) == 0
    assert "Checking the embedded model" in terminal.getvalue()
    assert f"The embedded model is at {pulled}." in terminal.getvalue()


def test_warm_needs_the_model(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "warm", "--database", f"sqlite:///{shop}"]) == 11
    assert "text2sql model pull" in capsys.readouterr().err


def test_warm_does_nothing_for_a_model_elsewhere(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2SQL_MODEL_PROVIDER", "openai")
    assert run(["model", "warm", "--database", f"sqlite:///{shop}"]) == 0


def test_version_and_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    for command in ([], ["ask"], ["datasource"], ["datasource", "show"], ["model"], ["model", "pull"]):
        assert run([*command, "--help"]) == 0
        assert "Usage:" in capsys.readouterr().out


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_PROVIDER", "abacus"),
        ("MODEL_TIMEOUT", "0"),
        ("MODEL_THREADS", "-1"),
        ("MODEL_PRICE_INPUT", "cheap"),
        ("GUARDRAIL_PROVIDER", "dog"),
        ("ROW_LIMIT", "0"),
        ("ROW_LIMIT", "1000000"),
        ("QUERY_TIMEOUT", "soon"),
        ("REPAIRS", "3"),
        ("QUESTION_CHARACTERS", "0"),
    ],
)
def test_unusable_setting_is_named_by_its_variable(
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> None:
    assert shop.exists()
    monkeypatch.setenv(f"TEXT2SQL_{name}", value)
    assert run(["ask", QUESTION]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"TEXT2SQL_{name}" in err
    assert "[INVALID_SETTINGS]" in err


@pytest.mark.parametrize("command", [["ask", QUESTION], ["datasource", "show"], ["model", "warm"]])
def test_command_without_a_database_says_how_to_name_one(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command) == 2
    err = capsys.readouterr().err
    assert "--database sqlite:///" in err
    assert "TEXT2SQL_DATABASE_URL" in err


@pytest.mark.parametrize("arguments", [["--nonsense"], ["ask"], ["nonsense"], ["ask", "--limit", "x", "q"]])
def test_wrong_use_is_told_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "Usage:" in capsys.readouterr().err


def test_unexpected_error_is_told_without_its_text_and_logged_with_it(
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret: hunter2")

    assert shop.exists()
    monkeypatch.setattr(services, "open_services", fail)  # no input is known that breaks it
    assert run(["ask", QUESTION]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "[INTERNAL_ERROR]" in err
    assert "TEXT2SQL_LOG=debug" in err
    assert "hunter2" not in err
    assert "RuntimeError: secret: hunter2" in caplog.text


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger, and set its level back as a logger's cache of levels needs it."""
    logger = logging.getLogger()
    level = logger.level
    yield logger
    logger.setLevel(level)


def test_nothing_is_logged_unless_asked_for(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(root, "handlers", [])  # as in a new process; pytest adds its own
    assert run(["model", "status"]) == 0
    logging.getLogger("any").error("not for people")
    assert capsys.readouterr().err == ""
    assert run(["model", "status"]) == 0
    assert len(root.handlers) == 1


def test_log_variable_turns_the_log_on(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(root, "handlers", [])  # as in a new process; pytest adds its own
    monkeypatch.setenv("TEXT2SQL_LOG", "debug")
    assert run(["model", "status"]) == 0
    assert root.getEffectiveLevel() == logging.DEBUG
    logging.getLogger("any").debug("for whoever looks")
    assert "DEBUG any: for whoever looks" in capsys.readouterr().err


# ── progress ─────────────────────────────────────────────────────────────────────────────────────


def started(step: str, attempt: int = 1) -> StepRecord:
    return StepRecord.model_validate({"step": step, "attempt": attempt, "status": "started"})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (started("CheckQuestion"), "Checking the question …"),
        (started("RetrieveContext"), "Reading the database's catalog …"),
        (started("GenerateSql", 2), "Writing SQL again (2) …"),
        (started("ExecuteSql"), "Running the query …"),
        (started("ComposeAnswer"), "Composing the answer …"),
    ],
)
def test_terminal_is_told_what_is_going_on(
    monkeypatch: pytest.MonkeyPatch, record: StepRecord, said: str
) -> None:
    terminal = open_terminal(monkeypatch)
    with show_progress() as progress:
        progress.on_step(record)
    assert said in terminal.getvalue()


def test_step_that_ends_changes_nothing_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with show_progress() as progress:
        progress.on_step(started("GenerateSql"))
        progress.on_step(
            started("GenerateSql").model_copy(update={"step": "ExecuteSql", "status": "succeeded"})
        )
    assert "Running the query" not in terminal.getvalue()


def test_every_step_has_words_for_the_terminal(set_model: SetModel, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    set_model("prose", GOOD)
    assert run(["ask", QUESTION]) == 0
    assert "Composing the answer …" in terminal.getvalue()


def test_nothing_is_said_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress() as progress:
        progress.on_step(started("GenerateSql"))
    assert capsys.readouterr() == ("", "")
