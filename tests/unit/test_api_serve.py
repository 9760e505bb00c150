"""`text2sql serve` before it serves, and what a server writes to its log."""

import json
import logging
import socket
from pathlib import Path

import pytest

from small_shop import write_small_shop
from text2sql.cli.main import run
from text2sql.execution.url import datasource_name
from text2sql_api import logs
from text2sql_api.logs import JsonFormatter
from text2sql_api.serving import listen

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:answer"
CLOUD = {"STATE_MACHINE": MACHINE, "JOBS_TABLE": "jobs", "RESULTS_BUCKET": "results"}
POLICY = "groups: {sales: {tables: {customers: {}}}}"


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{write_small_shop(tmp_path / 'shop.db')}"


@pytest.mark.parametrize(
    ("options", "variables", "says"),
    [
        (["--host", "0.0.0.0"], {}, "nobody would be asked who they are"),
        (["--host", "0.0.0.0"], {"ISSUER": "https://issuer.example"}, "TEXT2SQL_API_CLIENT_IDS"),
        (["--port", "70000"], {}, "TEXT2SQL_API_PORT"),
        ([], {"WORKERS": "0"}, "TEXT2SQL_API_WORKERS"),
        ([], {"TOKEN_USE": "refresh"}, "TEXT2SQL_API_TOKEN_USE"),
        (["--group", "sales"], {}, "no access policy"),
        ([], {"STATE_MACHINE": MACHINE}, "TEXT2SQL_API_JOBS_TABLE, TEXT2SQL_API_RESULTS_BUCKET"),
        ([], {"STATE_MACHINE_NOW": MACHINE}, "TEXT2SQL_API_STATE_MACHINE,"),
        ([], {"JOBS_TABLE": "jobs", "RESULTS_BUCKET": "results"}, "Set TEXT2SQL_API_STATE_MACHINE as well"),
        ([], {**CLOUD, "STATE_MACHINE": "answer"}, "no ARN of a state machine"),
        ([], {"IAM_GROUPS": "arn:aws:iam::123456789012:role/etl=sales"}, "TEXT2SQL_API_GATEWAY_SECRET"),
    ],
)
def test_server_that_would_be_wrong_is_not_begun(
    database: str,
    options: list[str],
    variables: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"TEXT2SQL_API_{name}", value)
    assert run(["serve", "--database", database, *options]) == 2
    assert says in capsys.readouterr().err


def test_groups_of_the_command_line_do_not_go_with_tokens(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    monkeypatch.setenv("TEXT2SQL_API_ISSUER", "https://issuer.example")
    monkeypatch.setenv("TEXT2SQL_API_CLIENT_IDS", "client-1")
    options = ["--policy", str(tmp_path / "policy.yaml"), "--group", "sales"]
    assert run(["serve", "--database", database, *options]) == 2
    assert "issuer's tokens" in capsys.readouterr().err


def test_policy_that_does_not_fit_the_database_is_refused_before_it_serves(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yaml").write_text("groups: {sales: {tables: {nothing: {}}}}")
    options = ["--policy", str(tmp_path / "policy.yaml"), "--group", "sales", "--port", "0"]
    assert run(["serve", "--database", database, *options]) == 2
    assert "no table nothing" in capsys.readouterr().err


def test_address_that_is_taken_is_said_to_be(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["serve", "--database", database, "--port", port]) == 2
    assert port in capsys.readouterr().err


def test_replies_of_two_parts_do_not_wait_for_a_receipt() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///folder/my shop.sqlite", "my-shop"),
        ("mysql://reader@db.example/sales", "sales"),
        ("sqlite:///ü", "-"),
    ],
)
def test_datasource_is_called_as_its_database(url: str, name: str) -> None:
    assert datasource_name(url) == name


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


def logged(
    logger: str, message: str, *arguments: object, error: Exception | None = None
) -> dict[str, object]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(logger, logging.ERROR, "f.py", 1, message, arguments, info)
    line: dict[str, object] = json.loads(JsonFormatter().format(record))
    return line


def test_log_names_an_errors_class_and_place_and_not_its_text() -> None:
    try:
        int("hunter2")
    except ValueError as error:
        line = logged("text2sql.pipeline", "a step broke", error=error)
    assert line["error"] == "ValueError"
    assert "test_api_serve.py" in str(line["at"])
    assert "hunter2" not in json.dumps(line)


def test_log_leaves_out_what_other_libraries_put_into_their_lines() -> None:
    assert logged("pymysql", "cannot run %s", "hunter2")["event"] == "cannot run %s"


def test_log_lines_name_their_request_and_job() -> None:
    tokens = logs.request_id.set("r-1"), logs.job_id.set("j-1")
    line = logged("text2sql_api.gate", "request answered")
    logs.request_id.reset(tokens[0])
    logs.job_id.reset(tokens[1])
    assert (line["request_id"], line["job_id"]) == ("r-1", "j-1")
