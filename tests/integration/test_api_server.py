"""`text2sql serve` as its own process: streams, clients that go away, a kill in the middle, and a crowd."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import api_server
from api_server import Server, until
from model_server import ScriptedModelServer
from small_shop import write_small_shop

GOOD = "```sql\nSELECT name FROM customers ORDER BY customer_id\n```"
SLOW = "```sql\nSELECT COUNT(*) FROM " + ", ".join(f"orders AS o{number}" for number in range(30)) + "\n```"


@pytest.fixture
def model() -> Iterator[ScriptedModelServer]:
    with ScriptedModelServer([GOOD]) as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_small_shop(tmp_path / "shop.db")


@contextmanager
def serving(shop: Path, model: ScriptedModelServer, **settings: str) -> Iterator[Server]:
    environment = {
        "TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}",
        "TEXT2SQL_CACHE_DIR": str(shop.parent / "cache"),
        "TEXT2SQL_MODEL_PROVIDER": "openai",
        "TEXT2SQL_MODEL_BASE_URL": model.base_url,
        "TEXT2SQL_JOIN_ROWS": str(10**18),
        "TEXT2SQL_API_REQUESTS_PER_MINUTE": "1000000",
        "TEXT2SQL_API_USER_JOBS": "1000",
        **settings,
    }
    with api_server.serving(shop.parent, environment) as server:
        yield server


def test_events_arrive_while_the_question_is_worked_on(shop: Path, model: ScriptedModelServer) -> None:
    goes_on = threading.Event()
    model.replies = [lambda _: GOOD if goes_on.wait(20) else ""]
    with serving(shop, model) as server:
        job_id = server.ask()
        with server.http.stream("GET", f"/v1/queries/{job_id}/events") as stream:
            lines = stream.iter_lines()
            for line in lines:
                if '"GenerateSql"' in line:
                    break
            goes_on.set()
            rest = list(lines)
    assert [line for line in rest if line.startswith("event:")][-1] == "event: outcome"


def test_document_is_sent_by_whoever_uses_this_machine_and_told_with_a_question(
    shop: Path, model: ScriptedModelServer
) -> None:
    content = b"- **Active customer**: one whose loyalty_tier is not none.\n"
    with serving(shop, model, TEXT2SQL_KNOWLEDGE_DIR=str(shop.parent)) as server:
        path = "/v1/datasources/shop/documents"
        upload = server.http.post(path, json={"name": "customers.md", "size": len(content)}).json()
        state = server.http.put(upload["url"], content=content, headers={"Content-Type": "text/markdown"})
        assert state.json()["state"] == "indexed"
        server.wait_for(server.ask("How many active customers do we have?"))
    assert "loyalty_tier is not none" in model.completions[-1].texts[-1]


def test_clients_that_go_away_leave_nothing_behind(shop: Path, model: ScriptedModelServer) -> None:
    goes_on = threading.Event()
    model.replies = [lambda _: GOOD if goes_on.wait(20) else ""]
    with serving(shop, model) as server:
        job_id = server.ask()
        sockets = [_open_stream(server, job_id) for _ in range(5)]
        until(lambda: server.gauge("text2sql_event_streams") == 5)
        for each in sockets:
            each.close()
        until(lambda: server.gauge("text2sql_event_streams") == 0)
        goes_on.set()
        assert server.wait_for(job_id)["answer"]["outcome"] == "answered"
        until(lambda: server.gauge("text2sql_jobs_held") == 0)


def _open_stream(server: Server, job_id: str) -> socket.socket:
    url = server.http.base_url
    connection = socket.create_connection((url.host, url.port), 5)
    head = f"GET /v1/queries/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    connection.sendall(head.encode())
    assert b"200 OK" in connection.recv(4096)
    return connection


def test_client_that_waits_and_goes_away_cancels_its_question(shop: Path, model: ScriptedModelServer) -> None:
    model.replies = [SLOW]
    with serving(shop, model) as server:
        with pytest.raises(httpx.ReadTimeout):
            server.http.post("/v1/queries:run", json={"question": "Slow?"}, timeout=1)
        job_id = server.http.get("/v1/queries").json()["queries"][0]["id"]
        job = server.wait_for(job_id, seconds=5)
        assert job["answer"]["error"]["code"] == "QUERY_CANCELLED"


def test_question_whose_process_is_killed_is_answered_by_the_next_one(
    shop: Path, model: ScriptedModelServer
) -> None:
    asked: list[str] = []
    goes_on = threading.Event()

    def reply(body: dict[str, Any]) -> str:
        asked.append(body["messages"][-1]["content"].splitlines()[-1])
        if len(asked) > 2:
            goes_on.wait(20)
        return GOOD

    model.replies = [reply]
    with serving(shop, model, TEXT2SQL_API_WORKERS="2") as server:
        done = [server.ask(f"Done q{number}?") for number in range(2)]
        for job_id in done:
            server.wait_for(job_id)
        pending = [
            server.ask(f"Pending q{number}?", **{"Idempotency-Key": f"p{number}"}) for number in range(6)
        ]
        until(lambda: len(asked) == 4)
        server.kill()
    goes_on.set()
    with serving(shop, model, TEXT2SQL_API_WORKERS="2") as server:
        jobs = [server.wait_for(job_id) for job_id in (*done, *pending)]
        again = server.ask("Pending q0?", **{"Idempotency-Key": "p0"})
        assert server.http.get(f"/v1/queries/{pending[0]}/rows").json()["row_count"] == 3
    assert again == pending[0]
    assert {job["answer"]["outcome"] for job in jobs} == {"answered"}
    assert [asked.count(f"Done q{number}?") for number in range(2)] == [1, 1]
    # Two were broken off and begun again; the four that waited were begun once.
    assert sorted(asked.count(f"Pending q{number}?") for number in range(6)) == [1, 1, 1, 1, 2, 2]


def test_stop_leaves_running_questions_to_the_next_process(shop: Path, model: ScriptedModelServer) -> None:
    model.replies = [SLOW, GOOD]
    with serving(shop, model) as server:
        job_id = server.ask()
        until(lambda: "ExecuteSql" in server.http.get(f"/v1/queries/{job_id}").text)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(15)
        assert time.monotonic() - began < 8
    with serving(shop, model) as server:
        assert server.wait_for(job_id)["answer"]["outcome"] == "answered"


def test_second_process_on_the_same_jobs_is_refused(shop: Path, model: ScriptedModelServer) -> None:
    with serving(shop, model), pytest.raises(AssertionError, match="INVALID_SETTINGS"), serving(shop, model):
        pass


def test_crowd_is_answered_none_lost_none_twice(shop: Path, model: ScriptedModelServer) -> None:
    with serving(shop, model) as server:

        def ask(number: int) -> str:
            return server.ask(f"Question q{number // 2}?", **{"Idempotency-Key": f"k{number // 2}"})

        with ThreadPoolExecutor(32) as pool:
            ids = list(pool.map(ask, range(400)))
        assert len(set(ids)) == 200
        jobs = [server.wait_for(job_id, seconds=40) for job_id in set(ids)]
    assert {job["answer"]["outcome"] for job in jobs} == {"answered"}
    assert len(model.completions) == 200
