"""Counting cores, with folders in place of the kernel's."""

import os
from pathlib import Path

import pytest

from text2sql.generation.cpu_cores import usable_cores


@pytest.fixture(autouse=True)
def four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    # What this machine has must not matter.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_the_kernel_s_files_each_cpu_is_a_core(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path) == 4


def test_without_affinity_all_cpus_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores(tmp_path, tmp_path) == 3


def test_two_hardware_threads_are_one_core(tmp_path: Path) -> None:
    for number in range(4):
        write(
            tmp_path / f"cpu{number}/topology/thread_siblings_list", "0,2\n" if number % 2 == 0 else "1,3\n"
        )
    assert usable_cores(tmp_path, tmp_path) == 2


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 4),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("800000 100000", 4),
    ],
)
def test_container_s_limit_counts(tmp_path: Path, limit: str, cores: int) -> None:
    write(tmp_path / "cpu.max", f"{limit}\n")
    assert usable_cores(tmp_path, tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 4), ("100000", 1), ("", 4)])
def test_limit_of_an_older_kernel_counts(tmp_path: Path, quota: str, cores: int) -> None:
    write(tmp_path / "cpu/cpu.cfs_quota_us", quota)
    write(tmp_path / "cpu/cpu.cfs_period_us", "100000")
    assert usable_cores(tmp_path, tmp_path) == cores
