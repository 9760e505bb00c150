"""`make up` and `make smoke-cloud` as a person runs them, with the embedded model and the sample shop."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform_folder import FOLDER, read_state
from text2sql.generation.model_file import is_installed
from text2sql.services import embedded_server
from text2sql.settings import Settings
from up import SHOP

LOCALCLOUD = Path(__file__).resolve().parents[2] / "localcloud"
STOP_SECONDS = 20.0
MODEL = "text2sql.generation.embedded_server"
"""Shared with the command line, it stays until it is idle if nobody stops it."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lend a cache folder that holds the embedded model's file and nothing else."""
    installed = Settings().cache_dir.expanduser()
    if not is_installed(installed):
        pytest.skip("the embedded model's file is not here; `text2sql model pull` brings it")
    if not SHOP.exists():
        pytest.skip("the sample shop is not built; `make test` builds it")
    folder = tmp_path_factory.mktemp("cache")
    (folder / "models").symlink_to(installed / "models")
    yield folder
    embedded_server(Settings(cache_dir=folder)).stop()


@pytest.fixture
def environment(cache: Path) -> dict[str, str]:
    """Return an environment whose processes can be told from others."""
    if read_state():
        pytest.skip("a local cloud runs here already; stop it with `make down`")
    return {**os.environ, "TEXT2SQL_CACHE_DIR": str(cache), "LOCAL_CLOUD_MARK": uuid.uuid4().hex}


def processes(mark: str) -> list[str]:
    """Return the command lines of the processes that bear the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def wait_until_gone(mark: str, but: str | None = None) -> None:
    end = time.monotonic() + STOP_SECONDS
    while found := [command for command in processes(mark) if but is None or but not in command]:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_question_is_answered_and_nothing_runs_on(environment: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, LOCALCLOUD / "smoke.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "smoke-cloud: started, asked, answered and stopped" in ended.stdout
    assert '"status": "ended"' in ended.stdout
    wait_until_gone(environment["LOCAL_CLOUD_MARK"])
    assert not list(FOLDER.glob("*.header"))
    assert not (FOLDER / "state.json").exists()


@pytest.mark.parametrize("moment", ["Starting the local AWS", "Deploying", "Starting the API"])
def test_ctrl_c_while_it_starts_leaves_nothing_behind(environment: dict[str, str], moment: str) -> None:
    with start(environment) as up:
        read_until(up, moment)
        up.send_signal(signal.SIGINT)
        assert up.wait(STOP_SECONDS) == 0
    wait_until_gone(environment["LOCAL_CLOUD_MARK"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_one_that_is_killed_takes_its_parts_along_and_make_down_stops_another(
    environment: dict[str, str],
) -> None:
    with start(environment) as up:
        read_until(up, "Up in")
        up.kill()
    wait_until_gone(environment["LOCAL_CLOUD_MARK"], but=MODEL)
    assert read_state() is None
    with start(environment) as up:
        read_until(up, "Up in")
        second = subprocess.run([sys.executable, LOCALCLOUD / "up.py"], check=False, capture_output=True)
        assert second.returncode == 1
        assert b"runs already" in second.stderr
        down = subprocess.run([sys.executable, LOCALCLOUD / "down.py"], check=False, capture_output=True)
        assert (down.returncode, up.wait(STOP_SECONDS)) == (0, 0)
    wait_until_gone(environment["LOCAL_CLOUD_MARK"], but=MODEL)


@contextmanager
def start(environment: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, LOCALCLOUD / "up.py"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as up:
        try:
            yield up
        finally:
            up.kill()


def read_until(up: "subprocess.Popen[str]", text: str) -> None:
    assert up.stdout
    for line in up.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended before it said {text!r}")
