"""The parts of `make up` that need no cloud."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pymysql
import pytest

import platform_folder
import sample_database
from platform_folder import PlatformState, hold, read_state, write_state
from processes import child_process
from sample_database import open_sample_database
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl, parse_database_url

STATE = PlatformState(pid=7, url="http://127.0.0.1:9")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platform_folder, "FOLDER", tmp_path)
    monkeypatch.setattr(platform_folder, "_STATE", tmp_path / "state.json")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_one_local_cloud_at_a_time_and_others_know_of_it() -> None:
    assert read_state() is None
    with hold() as free:
        assert free
        assert read_state() is None
        with write_state(STATE), hold() as free_too:
            assert not free_too
            assert read_state() == STATE
        assert read_state() is None


def test_state_of_one_that_was_killed_is_nothing(folder: Path) -> None:
    with hold(), write_state(STATE):
        left = (folder / "state.json").read_bytes()
    (folder / "state.json").write_bytes(left)
    assert read_state() is None


def test_child_is_told_to_end_and_its_output_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import os, time; print(os.environ['MARK'], flush=True); time.sleep(60)"
    with child_process([sys.executable, "-c", script], log, {"MARK": "here"}) as child:
        until(lambda: log.read_text() == "here\n")
        assert child.poll() is None
    assert child.returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from processes import child_process\n"
        "with child_process(['sleep', '60'], Path('log')) as child:\n"
        "    print(child.pid, flush=True); time.sleep(60)"
    )
    localcloud = Path(platform_folder.__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(localcloud)},
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not lives(child))


def test_shop_without_mariadb_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_database, "_find", lambda _: None)
    with open_sample_database(tmp_path, Path("/shop.sqlite"), print) as shop:
        assert (shop.product, shop.url, shop.password) == ("SQLite", "sqlite:////shop.sqlite", "")


def test_shop_on_mariadb_is_kept_and_only_read(tmp_path: Path) -> None:
    if sample_database._find("mariadbd") is None:
        pytest.skip("no mariadbd; run scripts/install_test_servers.sh")
    said: list[str] = []
    passwords = set()
    for _ in range(2):
        with open_sample_database(tmp_path, Path("unused"), said.append) as shop:
            url = parse_database_url(shop.url, shop.password)
            assert isinstance(url, MysqlUrl)
            database = MysqlDatabase(url)
            database.check_account()
            assert len(database.read_catalog().tables) == 14
            passwords.add(shop.password)
            with pytest.raises(pymysql.OperationalError, match="Access denied"):
                pymysql.connect(host=url.host, port=url.port, user="root")
    assert len(said) == 1
    assert len(passwords) == 2
    for path in tmp_path.rglob("*"):
        assert path.suffix != ".sql", "the file with the password stays"


def until(holds: object, seconds: float = 10.0) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
