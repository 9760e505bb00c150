"""How many threads this process can keep busy."""

import math
import os
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cpus: Path = CPUS, cgroup: Path = CGROUP) -> int:
    """Return the number of physical cores that this process may use, at least 1.

    A container may run on all cores of its host and still get the time of two: more threads than that only
    wait for each other. Two threads on one core do too.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    allowed: set[int] = affinity(0) if affinity else set(range(os.cpu_count() or 1))
    cores = {_siblings(cpus, number) for number in allowed}
    quota = _quota(cgroup)
    return len(cores) if quota is None else max(1, min(len(cores), math.ceil(quota)))


def _siblings(cpus: Path, number: int) -> str:
    """Return the list of the hardware threads that share a core with this one; equal for all of them."""
    try:
        return (cpus / f"cpu{number}" / "topology" / "thread_siblings_list").read_text("ascii").strip()
    except OSError:
        return str(number)


def _quota(cgroup: Path) -> float | None:
    """Return how many processors' time the container gets; None where nothing limits it."""
    try:
        quota, period = (cgroup / "cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text("ascii")
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text("ascii")
        except OSError:
            return None
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None
