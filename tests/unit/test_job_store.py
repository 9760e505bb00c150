"""The job store in a file: the contract, and what a file has beside it."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from job_store_contract import MANY, JobStoreContract, answered, job
from text2sql.errors import InvalidSettings, JobStoreUnavailable
from text2sql.jobs.sqlite import SqliteJobStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "jobs.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteJobStore]:
    with closing(SqliteJobStore(path)) as opened:
        yield opened


class TestSqlite(JobStoreContract):
    pass


def test_jobs_outlive_the_store(store: SqliteJobStore, path: Path) -> None:
    kept = store.submit(job(), MANY)
    with closing(SqliteJobStore(path)) as other:
        assert other.find(kept.id) == kept


def test_only_this_user_can_read_the_file(store: SqliteJobStore, path: Path) -> None:
    store.submit(job(), MANY)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    before = path.read_bytes()
    with pytest.raises(InvalidSettings):
        SqliteJobStore(path)
    assert path.read_bytes() == before


def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite"
    path.write_text("no database at all, but long enough to look like one" * 50)
    with pytest.raises(JobStoreUnavailable):
        SqliteJobStore(path)


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JobStoreUnavailable):
        SqliteJobStore(tmp_path / "file" / "jobs.sqlite")


def test_store_that_broke_says_so_without_its_inner_text(store: SqliteJobStore) -> None:
    store.close()
    for call in (
        lambda: store.find("x"),
        lambda: store.submit(job(), MANY),
        lambda: store.end("x", answered()),
    ):
        with pytest.raises(JobStoreUnavailable) as caught:
            call()
        assert "closed" not in caught.value.message


def test_write_that_broke_off_does_not_stop_the_next(store: SqliteJobStore) -> None:
    kept = store.submit(job(1), MANY)

    def rows() -> Iterator[str]:
        yield "[1]"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put_rows(kept.id, rows())
    assert store.submit(job(2), MANY) == store.find(job(2).id)
