"""The model's file from a stand-in for Hugging Face."""

from pathlib import Path
from typing import Any

import pytest

from model_sources import CONTENT, WHOLE, Hub, hub, make_file, names, no_progress, packages, part_of
from text2sql.errors import ModelDownloadFailed
from text2sql.generation import model_download
from text2sql.generation.model_file import Progress, is_installed, model_path
from text2sql.generation.model_pull import pull

__all__ = ["hub", "packages"]  # fixtures, which tests name as arguments


def test_file_comes_from_the_publisher_with_growing_progress(tmp_path: Path, hub: Hub) -> None:
    told: list[Progress] = []
    path = pull(tmp_path, told.append, file=hub.file)
    assert path == model_path(tmp_path, hub.file)
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == WHOLE
    downloading = [one.done for one in told if one.doing == "downloading"]
    assert downloading == sorted(downloading)
    assert downloading[-1] == told[-1].done == told[-1].total == len(CONTENT)
    assert told[-1].doing == "checking"


def test_file_that_is_there_is_neither_fetched_nor_read_again(tmp_path: Path, hub: Hub) -> None:
    pull(tmp_path, no_progress, file=hub.file)
    told: list[Progress] = []
    pull(tmp_path, told.append, file=hub.file)
    assert told == []
    assert len(hub.ranges) == 1


def test_right_file_without_a_note_is_checked_and_kept(tmp_path: Path, hub: Hub) -> None:
    path = pull(tmp_path, no_progress, file=hub.file)
    path.with_name("small.gguf.verified").unlink()
    pull(tmp_path, no_progress, file=hub.file)
    assert len(hub.ranges) == 1
    assert is_installed(tmp_path, hub.file)


def test_damaged_file_is_fetched_again(tmp_path: Path, hub: Hub) -> None:
    path = pull(tmp_path, no_progress, file=hub.file)
    path.write_bytes(bytes(len(CONTENT)))
    pull(tmp_path, no_progress, file=hub.file)
    assert path.read_bytes() == CONTENT


def test_broken_transfers_go_on_where_they_ended(tmp_path: Path, hub: Hub) -> None:
    hub.break_after = [700_000, 600_000]
    assert pull(tmp_path, no_progress, file=hub.file).read_bytes() == CONTENT
    assert hub.ranges == [None, "bytes=700000-", "bytes=1300000-"]


def test_what_arrived_in_an_earlier_run_is_not_fetched_again(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, CONTENT[:900_000])
    pull(tmp_path, no_progress, file=hub.file)
    assert hub.ranges == ["bytes=900000-"]


def test_whole_part_is_only_checked(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, CONTENT)
    pull(tmp_path, no_progress, file=hub.file)
    assert hub.ranges == []


def test_server_without_ranges_sends_all_again(tmp_path: Path, hub: Hub) -> None:
    hub.no_ranges = True
    part_of(tmp_path, b"x" * 900_000)
    assert pull(tmp_path, no_progress, file=hub.file).read_bytes() == CONTENT


def test_part_longer_than_the_file_begins_anew(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, CONTENT + b"x")
    assert pull(tmp_path, no_progress, file=hub.file).read_bytes() == CONTENT
    assert hub.ranges == [None]


def test_wrong_content_is_removed(tmp_path: Path, hub: Hub) -> None:
    hub.content = bytes(len(CONTENT))
    with pytest.raises(ModelDownloadFailed, match="not the embedded model's file") as caught:
        pull(tmp_path, no_progress, file=hub.file)
    assert "--from FILE" in caught.value.remedy
    assert names(tmp_path) == {"small.gguf.lock"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 404}, "HTTP 404"),
        ({"content": CONTENT + b"x"}, "another file"),
        ({"headers": {"X-Linked-Etag": '"0123"'}}, "another file"),
        ({"content": CONTENT + b"x", "headers": {"Content-Length": ""}}, "longer file"),
        ({"break_after": [0] * 9}, "broke off"),
    ],
)
@pytest.mark.usefixtures("packages")
def test_publisher_s_failure_is_told_when_no_package_helps(
    tmp_path: Path, hub: Hub, change: dict[str, Any], reason: str
) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    with pytest.raises(ModelDownloadFailed, match=f"Hugging Face:.*{reason}.*Python packages:") as caught:
        pull(tmp_path, no_progress, file=hub.file)
    assert "--from FILE" in caught.value.remedy
    assert "TEXT2SQL_MODEL_PROVIDER" in caught.value.remedy


@pytest.mark.usefixtures("packages")
def test_changed_file_behind_a_range_is_noticed_before_it_comes(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, CONTENT[:900_000])
    hub.content = CONTENT + b"x"
    with pytest.raises(ModelDownloadFailed, match="another file"):
        pull(tmp_path, no_progress, file=hub.file)


@pytest.mark.usefixtures("packages")
def test_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_download, "READ_SECONDS", 0.1)  # a constant, too long for a test
    with socket_that_never_answers() as url, pytest.raises(ModelDownloadFailed, match="no answer in time"):
        pull(tmp_path, no_progress, file=make_file(url))


class socket_that_never_answers:  # noqa: N801 — reads like the context manager that it is
    def __enter__(self) -> str:
        import socket

        self.socket = socket.create_server(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/x"

    def __exit__(self, *_: object) -> None:
        self.socket.close()
