"""Asking through the API: a job from its submission to its rows, and what a request can get wrong."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from api_world import GOOD, SLOW, Client, World, open_world
from text2sql.generation.port import Prompt
from text2sql_api import gate
from text2sql_api.identity import Person
from text2sql_api.limits import STREAMS
from text2sql_api.logs import JsonFormatter
from text2sql_api.main import create_app
from text2sql_api.metrics import Metrics
from text2sql_api.routes import events

QUESTION = "What are the customers called?"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path, requests_per_minute=100_000) as opened:
        yield opened


def refused(reply: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = reply.json()
    assert (reply.status_code, body["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:text2sql:problem:{code}"
    assert body["status"] == status
    assert body["request_id"] == reply.headers["x-request-id"]
    return body


# ── a question's way ─────────────────────────────────────────────────────────────────────────────


def test_question_is_accepted_and_answered_in_the_background(world: World) -> None:
    client = world.client()
    accepted = client.post("/v1/queries", {"question": QUESTION})
    assert accepted.status_code == 202
    job_id = accepted.json()["id"]
    assert accepted.headers["location"] == f"/v1/queries/{job_id}"
    job = client.wait_for(job_id, "ended")
    answer = job["answer"]
    assert answer["outcome"] == "answered"
    assert answer["rows"] == [["Ada"], ["Grace"], ["Linus"]]
    assert answer["row_count"] == 3
    assert answer["usage"]["prompt_tokens"] == 100
    assert [(step["step"], step["status"]) for step in job["steps"]][-1] == ("ComposeAnswer", "succeeded")
    assert job["created_at"] <= job["started_at"] <= job["ended_at"] < job["expires_at"]


def test_question_can_be_waited_for(world: World) -> None:
    assert world.client().ask()["answer"]["rows"] == [["Ada"], ["Grace"], ["Linus"]]


def test_short_path_takes_the_body_of_the_load_test(world: World) -> None:
    reply = world.client().post("/api/query", {"query": "SELECT * FROM users WHERE active = true"})
    assert reply.status_code == 200
    assert reply.json()["status"] == "ended"


def test_answer_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with open_world(tmp_path, run_seconds=0.05) as world:
        world.model.hold.clear()
        reply = world.client().post("/v1/queries:run", {"question": QUESTION})
        assert reply.status_code == 202
        world.model.hold.set()
        assert world.client().wait_for(reply.json()["id"], "ended")["answer"]["outcome"] == "answered"


def test_failure_is_an_answer_with_a_code_and_without_inner_text(world: World) -> None:
    def fail(_: object) -> str:
        raise RuntimeError("secret: hunter2")

    world.model.text = fail
    reply = world.client().post("/v1/queries:run", {"question": QUESTION})
    assert reply.json()["answer"]["error"]["code"] == "INTERNAL_ERROR"
    assert "hunter2" not in reply.text


def test_model_text_is_never_shown(world: World) -> None:
    world.model.text = "```sql\nSELECT name /* injected */ FROM customers\n```"
    reply = world.client().post("/v1/queries:run", {"question": QUESTION})
    assert reply.json()["answer"]["outcome"] == "answered"
    assert "injected" not in reply.text


def test_masked_number_is_forgotten_once_the_question_has_ended(world: World) -> None:
    job = world.client().ask("Orders of the customer with SSN 123-45-6789?")
    assert job["question"] == "Orders of the customer with SSN {US_SOCIAL_SECURITY_NUMBER}?"
    found = world.store.find(job["id"])
    assert found is not None
    assert "123-45-6789" not in found.model_dump_json()


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def test_rows_come_in_pages_and_all_of_them(world: World) -> None:
    world.model.text = (
        "SELECT a.order_id, b.item_id, a.order_date FROM orders AS a, order_items AS b, customers"
    )
    client = world.client()
    job_id = client.ask()["id"]
    rows: list[Any] = []
    cursor = ""
    while True:
        page = client.get(f"/v1/queries/{job_id}/rows?limit=10{cursor}").json()
        rows += page["rows"]
        assert len(page["rows"]) <= 10
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert page["row_count"] == len(rows) == 27
    assert rows == client.get(f"/v1/queries/{job_id}/rows").json()["rows"]


def test_rows_are_a_csv_file_that_no_spreadsheet_runs(world: World) -> None:
    world.model.text = "SELECT '=1+1' AS formula, -5 AS number, line_total FROM order_items"
    client = world.client()
    reply = client.get(f"/v1/queries/{client.ask()['id']}/rows.csv")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.text.splitlines()[:2] == ["formula,number,line_total", "'=1+1,-5,10.5"]


def test_numbers_keep_their_digits_from_the_database_to_the_page(world: World) -> None:
    world.model.text = "SELECT 12345678901234567890.5 AS a, 1e300 AS b, 9007199254740993 AS c, 0.1 AS d"
    client = world.client()
    job_id = client.ask()["id"]
    text = client.get(f"/v1/queries/{job_id}/rows").text
    assert "1e+300, 9007199254740993, 0.1]" in text
    csv = client.get(f"/v1/queries/{job_id}/rows.csv").text.splitlines()[1]
    assert csv.split(",")[1:] == ["1e+300", "9007199254740993", "0.1"]


@pytest.mark.parametrize("path", ["rows", "rows.csv"])
def test_rows_of_a_question_without_an_answer_are_refused(world: World, path: str) -> None:
    world.model.text = "DECLINE: no weather"
    client = world.client()
    refused(client.get(f"/v1/queries/{client.ask()['id']}/{path}"), 409, "NO_ROWS")
    world.model.hold.clear()
    running = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
    refused(client.get(f"/v1/queries/{running}/{path}"), 409, "NO_ROWS")


@pytest.mark.parametrize(
    "tampered",
    [
        lambda cursor: cursor[:-1] + ("0" if cursor[-1] != "0" else "1"),
        lambda cursor: "9" + cursor,
        lambda cursor: cursor.partition(".")[0],
        lambda _: "-1.0",
        lambda _: "%00",
        lambda _: "..",
        lambda _: "",
    ],
)
def test_cursor_that_was_tampered_with_is_refused(world: World, tampered: Any) -> None:
    client = world.client()
    job_id = client.ask()["id"]
    other = client.ask()["id"]
    cursor = client.get(f"/v1/queries/{job_id}/rows?limit=1").json()["next"]
    for listing, given in ((job_id, tampered(cursor)), (other, cursor)):
        refused(client.get(f"/v1/queries/{listing}/rows?cursor={given}"), 400, "INVALID_CURSOR")
    refused(client.get(f"/v1/queries?cursor={tampered(cursor)}"), 400, "INVALID_CURSOR")


def test_large_result_comes_whole_as_csv_and_in_pages(world: World) -> None:
    world.model.text = f"SELECT a.order_id FROM {', '.join(f'orders AS {name}' for name in 'abcdef')}"
    client = world.client()
    job_id = client.ask()["id"]
    assert len(client.get(f"/v1/queries/{job_id}/rows.csv").text.splitlines()) == 730
    page = client.get(f"/v1/queries/{job_id}/rows?limit=1000").json()
    assert (len(page["rows"]), page["next"]) == (729, None)


# ── the same twice ───────────────────────────────────────────────────────────────────────────────


def test_same_key_is_the_same_job_and_is_answered_once(world: World) -> None:
    client = world.client()
    headers = {"Idempotency-Key": "k-1"}
    replies = [client.post("/v1/queries", {"question": QUESTION}, headers=headers) for _ in range(3)]
    assert len({reply.json()["id"] for reply in replies}) == 1
    client.wait_for(replies[0].json()["id"], "ended")
    again = client.post("/v1/queries", {"question": QUESTION}, headers=headers)
    assert again.json()["status"] == "ended"
    assert len(world.model.prompts) == 1


def test_key_of_another_question_is_refused(world: World) -> None:
    client = world.client()
    headers = {"Idempotency-Key": "k-1"}
    client.post("/v1/queries", {"question": QUESTION}, headers=headers)
    again = client.post("/v1/queries", {"question": "How many orders?"}, headers=headers)
    refused(again, 422, "IDEMPOTENCY_KEY_REUSED")


def test_key_of_another_statement_is_refused(world: World) -> None:
    client = world.client()
    headers = {"Idempotency-Key": "k-1"}
    own = {"question": QUESTION, "sql": "SELECT name FROM customers"}
    first = client.post("/v1/queries", own, headers=headers)
    assert client.post("/v1/queries", own, headers=headers).json()["id"] == first.json()["id"]
    for sql in ("SELECT segment FROM customers", None):
        refused(
            client.post("/v1/queries", {**own, "sql": sql}, headers=headers), 422, "IDEMPOTENCY_KEY_REUSED"
        )


# ── a statement of one's own ─────────────────────────────────────────────────────────────────────


def test_own_statement_is_checked_and_run_and_no_model_is_asked(world: World) -> None:
    answer = world.client().ask(sql="select name from customers -- mine")["answer"]
    assert answer["rows"] == [["Ada"], ["Grace"], ["Linus"]]
    assert answer["sql"].startswith("SELECT")
    assert "mine" not in answer["sql"]
    assert answer["certain"] is False
    checks = {check["name"]: check for check in answer["checks"]}
    assert "You wrote the statement" in checks["your own statement"]["detail"]
    assert not {"repairs", "certain"} & set(checks)
    assert world.model.prompts == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM customers", "Only SELECT statements may run"),
        ("SELECT nickname FROM customers", "nickname"),
        ("SELECT 1; SELECT 2", "statement"),
        (";", ""),
    ],
)
def test_own_statement_that_may_not_run_says_why_and_is_not_repaired(
    world: World, sql: str, told: str
) -> None:
    answer = world.client().ask(sql=sql)["answer"]
    assert (answer["outcome"], answer["error"]["code"]) == ("failed", "SQL_REJECTED")
    assert told in answer["error"]["message"]
    assert answer["error"]["remedy"]
    assert world.model.prompts == []


@pytest.mark.parametrize("sql", ["", "x" * 20_001, 7])
def test_own_statement_that_is_none_is_refused(world: World, sql: object) -> None:
    reply = world.client().post("/v1/queries", {"question": QUESTION, "sql": sql})
    refused(reply, 422, "INVALID_FIELDS")


@pytest.mark.parametrize("key", ["", "x" * 65, "a b"])
def test_key_that_is_none_is_refused(world: World, key: str) -> None:
    reply = world.client().post("/v1/queries", {"question": QUESTION}, headers={"Idempotency-Key": key})
    refused(reply, 422, "INVALID_FIELDS")


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────


def test_cancelled_question_stops_its_query(world: World) -> None:
    world.model.text = SLOW
    client = world.client()
    job_id = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
    while not any(
        step["step"] == "ExecuteSql" for step in client.get(f"/v1/queries/{job_id}").json()["steps"]
    ):
        time.sleep(0.01)
    began = time.monotonic()
    assert client.delete(f"/v1/queries/{job_id}").status_code in {200, 202}
    job = client.wait_for(job_id, "ended")
    assert time.monotonic() - began < 6
    assert job["answer"]["error"]["code"] == "QUERY_CANCELLED"
    assert job["cancel_requested"]


def test_question_that_waits_is_cancelled_at_once_and_never_begun(tmp_path: Path) -> None:
    with open_world(tmp_path, workers=1) as world:
        world.model.hold.clear()
        client = world.client()
        first = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
        client.wait_for(first, "running")
        second = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
        reply = client.delete(f"/v1/queries/{second}")
        assert reply.status_code == 200
        assert reply.json()["answer"]["error"]["code"] == "QUERY_CANCELLED"
        world.model.hold.set()
        client.wait_for(first, "ended")
        assert client.get(f"/v1/queries/{second}").json()["started_at"] is None
        assert len(world.model.prompts) == 1


def test_cancelling_during_a_model_call_asks_neither_model_nor_database_again(world: World) -> None:
    world.model.text = "SELECT nothing FROM nowhere"
    world.model.hold.clear()
    client = world.client()
    job_id = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
    while not world.model.prompts:
        time.sleep(0.01)
    assert client.delete(f"/v1/queries/{job_id}").status_code == 202
    world.model.hold.set()
    assert client.wait_for(job_id, "ended")["answer"]["error"]["code"] == "QUERY_CANCELLED"
    assert len(world.model.prompts) == 1


def test_cancelling_what_has_ended_changes_nothing(world: World) -> None:
    client = world.client()
    job = client.ask()
    reply = client.delete(f"/v1/queries/{job['id']}")
    assert reply.status_code == 200
    assert reply.json() == job


# ── the history, and what people think ───────────────────────────────────────────────────────────


def test_history_is_paged_newest_first(world: World) -> None:
    client = world.client()
    asked = [client.ask(f"Question q{number}?")["id"] for number in range(5)]
    first = client.get("/v1/queries?limit=3").json()
    second = client.get(f"/v1/queries?limit=3&cursor={first['next']}").json()
    assert [each["id"] for each in first["queries"] + second["queries"]] == asked[::-1]
    assert second["next"] is None
    assert first["queries"][0]["outcome"] == "answered"


def test_last_verdict_is_kept(world: World) -> None:
    client = world.client()
    job_id = client.ask()["id"]
    for right in (True, False):
        path = f"/v1/queries/{job_id}/feedback"
        assert client.post(path, {"right": right, "comment": "hm"}).status_code == 204
    found = world.store.find(job_id)
    assert found is not None
    assert found.verdict is not None
    assert found.verdict.right is False


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────


def test_question_of_a_session_is_told_what_went_before(world: World) -> None:
    client = world.client()
    client.ask("Customers?", session="s1")
    client.ask("And their names?", session="s1")
    rewriting, draft = world.model.prompts[1:]
    assert "Question: Customers?\nFollow-up: And their names?" in rewriting.turns[0].text
    assert [turn.text for turn in draft.turns] == ["Customers?", GOOD, "And their names?\n"]


def test_next_question_is_told_what_a_follow_up_was_read_as(world: World) -> None:
    def write(prompt: Prompt) -> str:
        return GOOD if "CREATE TABLE" in prompt.system else f"Question q{len(world.model.prompts)} of whom?"

    world.model.text = write
    client = world.client()
    client.ask("Customers?", session="s1")
    follow_up = client.ask("And their names?", session="s1")
    assert (follow_up["question"], follow_up["answer"]["read_as"]) == (
        "And their names?",
        "Question q2 of whom?",
    )
    assert world.model.prompts[2].turns[0].text == "Question q2 of whom?\n"
    assert len(world.model.prompts[2].turns) == 1
    client.ask("And in Berlin?", session="s1")
    told = world.model.prompts[3].turns[0].text
    assert "Question: Customers?\nQuestion: Question q2 of whom?\nFollow-up: And in Berlin?" in told


@pytest.mark.parametrize("fields", [{}, {"session": "s2"}])
def test_question_of_no_session_or_another_is_told_nothing(world: World, fields: dict[str, str]) -> None:
    client = world.client()
    client.ask("Customers?", session="s1")
    client.ask("And their names?", **fields)
    assert len(world.model.prompts[1].turns) == 1


def test_session_is_over_after_its_time(tmp_path: Path) -> None:
    with open_world(tmp_path, session_seconds=0.05) as world:
        client = world.client()
        client.ask("Customers?", session="s1")
        time.sleep(0.1)
        client.ask("And their names?", session="s1")
        assert len(world.model.prompts[1].turns) == 1


def test_question_back_and_its_answer_belong_together(world: World) -> None:
    world.model.text = "CLARIFY: Which date? | the order's | the payment's"
    client = world.client()
    assert client.ask("By date?", session="s1")["answer"]["choices"] == ["the order's", "the payment's"]
    client.ask("The order's", session="s1")
    asked_back = "Which date? | the order's | the payment's"
    assert f"Asked back: {asked_back}\nFollow-up: The order's" in world.model.prompts[1].turns[0].text
    assert world.model.prompts[2].turns[1].text == f"CLARIFY: {asked_back}"


# ── bad requests ─────────────────────────────────────────────────────────────────────────────────

NESTED = "[" * 30_000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "INVALID_FIELDS"),
        (b"{", 400, "INVALID_REQUEST"),
        (b"not json", 400, "INVALID_REQUEST"),
        (b"\xff\xfe", 400, "INVALID_REQUEST"),
        (b'{"question": NaN}', 422, "INVALID_FIELDS"),
        (NESTED.encode(), 400, "INVALID_REQUEST"),
        (f'{{"question": {NESTED}'.encode(), 400, "INVALID_REQUEST"),
        (b'{"question": ' + b"[" * 500 + b"]" * 500 + b"}", 422, "INVALID_FIELDS"),
        (b"[]", 422, "INVALID_FIELDS"),
        (b"null", 422, "INVALID_FIELDS"),
        (b"{}", 422, "INVALID_FIELDS"),
        (b'{"question": 1}', 422, "INVALID_FIELDS"),
        (b'{"question": "a", "admin": true}', 422, "INVALID_FIELDS"),
        (b'{"question": "a", "session": "../x"}', 422, "INVALID_FIELDS"),
        (b'{"question": ""}', 422, "INVALID_QUESTION"),
        (b'{"question": "a\\u0000b"}', 422, "INVALID_QUESTION"),
        (b'{"question": "\\ud800"}', 422, "INVALID_QUESTION"),
        (json.dumps({"question": "a" * 4001}).encode(), 422, "INVALID_QUESTION"),
        (b'{"question": "a", "datasource": "nowhere"}', 404, "NOT_FOUND"),
        (b'{"question": "' + b"a" * 70_000 + b'"}', 413, "REQUEST_TOO_LARGE"),
        (b" " * 10_000_000, 413, "REQUEST_TOO_LARGE"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_body_that_is_wrong_is_refused_fast_and_leaves_nothing(
    world: World, body: bytes, status: int, code: str
) -> None:
    client = world.client()
    client.get("/v1/queries")
    began = time.perf_counter()
    reply = client.request("POST", "/v1/queries", content=body, headers={"Content-Type": "application/json"})
    assert time.perf_counter() - began < 4
    refused(reply, status, code)
    assert client.get("/v1/queries").json()["queries"] == []
    assert world.model.prompts == []


def test_problem_repeats_nothing_of_the_request(world: World) -> None:
    reply = world.client().post("/v1/queries", {"question": ["hunter2"], "datasource": {"x": "hunter2"}})
    body = refused(reply, 422, "INVALID_FIELDS")
    assert [error["pointer"] for error in body["errors"]] == ["body/question", "body/datasource"]
    assert "hunter2" not in reply.text


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_body_that_a_foreign_page_could_send_is_refused(world: World, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    reply = world.client().request("POST", "/v1/queries", content=b'{"question": "a"}', headers=headers)
    refused(reply, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/queries/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1/queries/%00", 404, "NOT_FOUND"),
        ("GET", "/v1/queries/" + "a" * 5000, 404, "NOT_FOUND"),
        ("DELETE", "/v1/queries/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1/queries/nothing/events", 404, "NOT_FOUND"),
        ("GET", "/v1/datasources/nowhere/schema", 404, "NOT_FOUND"),
        ("GET", "/v1/queries?limit=0", 422, "INVALID_FIELDS"),
        ("GET", "/v1/queries?limit=x", 422, "INVALID_FIELDS"),
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("PUT", "/v1/queries", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_path_that_is_wrong_is_refused(world: World, method: str, path: str, status: int, code: str) -> None:
    refused(world.client().request(method, path), status, code)


def test_body_is_refused_unread_where_its_length_says_enough(world: World) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "99999999999999999999999"}
    reply = world.client().request("POST", "/v1/queries", content=b"{}", headers=headers)
    refused(reply, 413, "REQUEST_TOO_LARGE")


class BrokenAuthenticator:
    def authenticate(self, headers: Headers) -> Person:
        raise RuntimeError(f"secret: hunter2 {headers}")


def break_authenticator(world: World, _: pytest.MonkeyPatch) -> ASGIApp:
    return create_app(replace(world.api, metrics=Metrics()), BrokenAuthenticator())


def break_store(world: World, monkeypatch: pytest.MonkeyPatch) -> ASGIApp:
    def fail(*_: object) -> None:
        raise RuntimeError("secret: hunter2")

    monkeypatch.setattr(world.store, "history", fail)  # nothing else breaks in so unexpected a way
    return world.app


@pytest.mark.parametrize("break_app", [break_store, break_authenticator])
def test_error_that_nobody_expects_is_a_problem_without_its_text(
    world: World, break_app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reply = Client(break_app(world, monkeypatch)).get("/v1/queries")
    assert "hunter2" not in refused(reply, 500, "INTERNAL_ERROR")["detail"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert "hunter2" not in JsonFormatter().format(record)


def test_store_that_does_not_answer_is_a_problem_that_passes(world: World) -> None:
    world.store.close()
    reply = world.client().get("/v1/queries")
    assert refused(reply, 503, "JOB_STORE_UNAVAILABLE")["retryable"]
    assert int(reply.headers["retry-after"]) > 0


def test_body_without_a_length_is_refused_where_it_gets_too_large(world: World) -> None:
    sent = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b" " * 5000

    headers = {"Content-Type": "application/json"}
    reply = world.client().request("POST", "/v1/queries", content=chunks(), headers=headers)
    refused(reply, 413, "REQUEST_TOO_LARGE")
    assert len(sent) < 20


def send_part(world: World, *, goes_away: bool) -> list[int]:
    """Send a part of a body that would do as it stands, and then nothing more; return the statuses."""
    statuses = []
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"question": "Names?"}', "more_body": True},
        *([{"type": "http.disconnect"}] if goes_away else []),
    ]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.sleep(5)
        return messages.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/queries", "headers": headers, "query_string": b""}
    asyncio.run(world.app(scope, receive, send))
    return statuses


@pytest.mark.parametrize("goes_away", [True, False])
def test_body_that_does_not_arrive_whole_begins_nothing(
    world: World, goes_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.05)  # else the test takes ten seconds
    assert send_part(world, goes_away=goes_away) == [408]
    assert world.client().get("/v1/queries").json()["queries"] == []


# ── how much ─────────────────────────────────────────────────────────────────────────────────────


def test_user_with_many_unfinished_questions_must_wait(tmp_path: Path) -> None:
    with open_world(tmp_path, user_jobs=2) as world:
        world.model.hold.clear()
        client = world.client()
        for _ in range(2):
            assert client.post("/v1/queries", {"question": QUESTION}).status_code == 202
        reply = client.post("/v1/queries", {"question": QUESTION})
        assert refused(reply, 429, "TOO_MANY_JOBS")["retryable"]
        assert int(reply.headers["retry-after"]) > 0


def test_user_with_too_many_requests_must_wait(tmp_path: Path) -> None:
    with open_world(tmp_path, requests_per_minute=3) as world:
        client = world.client()
        replies = [client.get("/v1/queries") for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        refused(replies[3], 429, "RATE_LIMITED")
        assert 0 < int(replies[3].headers["retry-after"]) <= 21


def test_user_with_many_event_streams_must_close_one(world: World) -> None:
    client = world.client()
    job_id = client.ask()["id"]
    with world.api.streams.stream("local"):
        assert client.get(f"/v1/queries/{job_id}/events").status_code == 200
    with ExitStack() as streams:
        for _ in range(STREAMS):
            streams.enter_context(world.api.streams.stream("local"))
        refused(client.get(f"/v1/queries/{job_id}/events"), 429, "RATE_LIMITED")


# ── events ───────────────────────────────────────────────────────────────────────────────────────


def read_events(text: str) -> list[tuple[int, str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.split("\n"))
        found.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    return found


def test_events_tell_each_step_and_last_the_outcome(world: World) -> None:
    client = world.client()
    job = client.ask()
    reply = client.get(f"/v1/queries/{job['id']}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    told = read_events(reply.text)
    assert [data for _, name, data in told if name == "step"] == job["steps"]
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][1:] == ("outcome", client.get("/v1/queries").json()["queries"][0])


def test_events_go_on_after_the_last_one_that_was_seen(world: World) -> None:
    client = world.client()
    job_id = client.ask()["id"]
    path = f"/v1/queries/{job_id}/events"
    every = read_events(client.get(path).text)
    assert read_events(client.get(path, headers={"Last-Event-ID": "9"}).text) == every[9:]
    assert client.get(path, headers={"Last-Event-ID": str(len(every))}).status_code == 204
    refused(client.get(path, headers={"Last-Event-ID": "x"}), 422, "INVALID_FIELDS")


# ── what is told beside ──────────────────────────────────────────────────────────────────────────


def test_every_reply_says_how_it_may_be_used(world: World) -> None:
    for path in ("/docs", "/v1/queries", "/nothing"):
        headers = world.client().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_request_id_is_kept_where_it_is_one(world: World) -> None:
    client = world.client()
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/healthz", headers={"X-Request-Id": "a b\n"}).headers["x-request-id"] != "a b\n"
    reply = client.post("/v1/queries", {"question": QUESTION}, headers={"X-Request-Id": "abc-2"})
    assert reply.json()["request_id"] == "abc-2"


def test_readiness_names_each_part(world: World) -> None:
    assert world.client().get("/readyz").json() == {"database": "ok", "workflow": "ok", "model": "ok"}


def test_readiness_names_the_part_that_does_not_answer(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        (tmp_path / "shop.db").unlink()
        world.workflow.close()
        reply = world.client().get("/readyz")
        assert reply.status_code == 503
        assert reply.json() == {"database": "DATABASE_NOT_FOUND", "workflow": "STOPPED", "model": "ok"}
        assert world.client().get("/healthz").status_code == 200


def test_metrics_count_and_have_no_labels_of_the_callers_making(world: World) -> None:
    client = world.client()
    client.ask()
    client.request("BREW", "/coffee/hunter2")
    text = client.get("/metrics").text
    assert 'text2sql_jobs_total{code="",outcome="answered"} 1.0' in text
    assert 'text2sql_requests_total{method="other",route="other",status="404"}' in text
    assert "hunter2" not in text
    assert "text2sql_event_streams 0.0" in text


def test_schema_and_datasources_are_listed(world: World) -> None:
    client = world.client()
    assert client.get("/v1/datasources").json() == {"datasources": [{"id": "shop", "tables": 3}]}
    schema = client.get("/v1/datasources/shop/schema").json()
    assert [table["name"] for table in schema["tables"]] == ["customers", "order_items", "orders"]


def test_stream_on_which_nothing_happens_is_kept_alive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.01)  # else the test takes fifteen seconds
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    world.model.hold.clear()
    client = world.client()
    job_id = client.post("/v1/queries", {"question": QUESTION}).json()["id"]
    threading.Timer(0.3, world.model.hold.set).start()
    text = client.get(f"/v1/queries/{job_id}/events").text
    assert ": still here\n\n" in text
    assert text.rstrip().rpartition("event: ")[2].startswith("outcome")
