"""Control groups, read from made-up /proc and /sys/fs/cgroup trees of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.target.control_group import ControlGroup

ID = "c0ffee" * 10


def place(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def find(root: Path) -> ControlGroup | None:
    return ControlGroup.of(ID, 7, mount=root / "sys", proc=root / "proc")


@pytest.mark.parametrize("mounted", ["cpuacct", "cpu,cpuacct"])
def test_version_one_counts_nanoseconds(tmp_path: Path, mounted: str) -> None:
    place(
        tmp_path,
        {
            "proc/7/cgroup": f"5:memory:/elsewhere\n2:{mounted}:/docker/{ID}\n0::/docker/{ID}\n",
            f"sys/{mounted}/docker/{ID}/cpuacct.usage": "2500000000\n",
        },
    )
    group = find(tmp_path)
    assert group is not None
    assert group.cpu_s() == 2.5


def test_version_two_counts_microseconds(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "proc/7/cgroup": f"0::/system.slice/docker-{ID}.scope\n",
            f"sys/system.slice/docker-{ID}.scope/cpu.stat": "usage_usec 1500000\nuser_usec 9\n",
        },
    )
    group = find(tmp_path)
    assert group is not None
    assert group.cpu_s() == 1.5


def test_a_stranger_with_the_same_number_is_not_taken_for_the_container(tmp_path: Path) -> None:
    place(
        tmp_path, {"proc/7/cgroup": "0::/user.slice\n", "sys/user.slice/cpu.stat": "usage_usec 1"}
    )
    assert find(tmp_path) is None


def test_a_process_or_group_that_is_not_shown_gives_none(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    place(tmp_path, {"proc/7/cgroup": f"0::/docker/{ID}\n"})
    assert find(tmp_path) is None
    # The unified tree of a machine on version 1 has no count of CPU time.
    place(tmp_path, {f"sys/docker/{ID}/cpu.stat": "nr_periods 0\n"})
    assert find(tmp_path) is None


def test_peak_memory_is_the_sum_of_the_living_processes_peaks(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "group/cgroup.procs": "7\n8\n9\n",
            "proc/7/status": "Name:\tbeam\nVmHWM:\t    2048 kB\n",
            "proc/8/status": "Name:\tepmd\nVmHWM:\t    1024 kB\n",
        },
    )
    group = ControlGroup(tmp_path / "group")
    assert group.peak_rss_bytes(tmp_path / "proc") == 3072 * 1024
