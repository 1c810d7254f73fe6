"""Control groups: found in made-up trees of both versions, and made where they can be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spikes.serverless.group import Group, NoGroupError, vcpus

QUOTA = str(round(512 / 1769 * 20_000))


def place(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def create(root: Path, memory_mb: int = 256) -> Group:
    return Group.create("sb", memory_mb, mount=root / "sys", memberships=root / "cgroup")


def test_the_share_is_that_of_the_developer_guide() -> None:
    assert vcpus(1769) == 1
    assert vcpus(3008) == pytest.approx(1.7, abs=0.001)


def test_version_two_lies_below_the_nearest_group_that_hands_on(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "cgroup": "0::/user.slice/session-1.scope\n",
            "sys/cgroup.controllers": "cpu memory pids\n",
            "sys/cgroup.subtree_control": "cpu memory pids\n",
            "sys/user.slice/cgroup.subtree_control": "cpu memory\n",
            "sys/user.slice/session-1.scope/cgroup.subtree_control": "\n",
        },
    )
    group = create(tmp_path)
    folder = tmp_path / "sys/user.slice/sb"
    assert group.distinct == (folder,)
    assert (folder / "cpu.max").read_text() == "2894 20000"
    assert (folder / "memory.max").read_text() == str(256 * 2**20)
    assert group.joins == (str(folder / "cgroup.procs"),)


def test_version_two_without_a_group_that_hands_on_says_so(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "cgroup": "0::/\n",
            "sys/cgroup.controllers": "cpu memory\n",
            "sys/cgroup.subtree_control": "memory\n",
        },
    )
    with pytest.raises(NoGroupError, match="hands cpu and memory on"):
        create(tmp_path)


def version_one(root: Path) -> None:
    place(
        root,
        {
            "cgroup": "4:memory:/box/7\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n",
            "sys/memory/box/7/cgroup.procs": "1\n",
            "sys/cpu,cpuacct/cgroup.procs": "1\n",
        },
    )


def test_version_one_has_a_folder_a_hierarchy_below_our_own(tmp_path: Path) -> None:
    version_one(tmp_path)
    group = create(tmp_path, 1769)
    cpu, memory = tmp_path / "sys/cpu,cpuacct/sb", tmp_path / "sys/memory/box/7/sb"
    assert group.distinct == (memory, cpu)
    assert (cpu / "cpu.cfs_period_us").read_text() == "20000"
    assert (cpu / "cpu.cfs_quota_us").read_text() == "20000"
    assert (memory / "memory.limit_in_bytes").read_text() == str(1769 * 2**20)


def test_a_group_that_may_not_be_made_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    version_one(tmp_path)
    (tmp_path / "sys/cpu,cpuacct/sb").write_text("in the way")
    with pytest.raises(NoGroupError, match="sb: File exists"):
        create(tmp_path)
    assert not (tmp_path / "sys/memory/box/7/sb").exists()


def test_a_kernel_without_groups_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoGroupError, match="No such file"):
        create(tmp_path)
    place(tmp_path, {"cgroup": "1:name=systemd:/\n"})
    with pytest.raises(NoGroupError, match="no controller memory"):
        create(tmp_path)


def test_what_the_kernel_counts_is_read(tmp_path: Path) -> None:
    two = Group(2, dict.fromkeys(("memory", "cpuacct", "cpu"), tmp_path))
    place(
        tmp_path,
        {
            "cpu.stat": "usage_usec 1500000\nnr_throttled 3\nthrottled_usec 250000\n",
            "memory.events": "low 0\noom 2\noom_kill 1\n",
            "memory.peak": "1048576\n",
            "cgroup.procs": "12\n13\n",
        },
    )
    assert two.cpu_s() == 1.5
    assert (two.throttling().periods, two.throttling().waited_s) == (3, 0.25)
    assert two.killed_for_memory() == 1
    assert two.peak_bytes() == 2**20
    assert two.pids() == [12, 13]
    (tmp_path / "memory.peak").unlink()
    assert two.peak_bytes() is None
    one = Group(1, two.folders)
    place(
        tmp_path,
        {
            "cpu.stat": "nr_periods 5\nnr_throttled 3\nthrottled_time 250000000\n",
            "cpuacct.usage": "1500000000\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            "memory.max_usage_in_bytes": "1048576\n",
        },
    )
    assert one.cpu_s() == 1.5
    assert (one.throttling().periods, one.throttling().waited_s) == (3, 0.25)
    assert one.killed_for_memory() == 1
    assert one.peak_bytes() == 2**20


@pytest.fixture
def real() -> Iterator[Group]:
    try:
        group = Group.create(f"spikebench-{os.getpid()}-real", 512)
    except NoGroupError as error:
        pytest.skip(str(error))
    yield group
    group.remove()
    assert not any(folder.exists() for folder in group.distinct)


def test_a_process_that_joins_is_in_it_with_share_and_limit(real: Group) -> None:
    script = 'for file in "$@"; do echo 0 > "$file"; done; echo in; exec cat'
    process = subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", *real.joins], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        assert real.pids() == [process.pid]
        memberships = Path(f"/proc/{process.pid}/cgroup").read_text()
        assert memberships.count(real.distinct[0].name) >= 1
        assert real.cpu_s() >= 0
        assert real.killed_for_memory() == 0
    cpu, memory = real.folders["cpu"], real.folders["memory"]
    if real.version == 2:
        assert (cpu / "cpu.max").read_text().split() == [QUOTA, "20000"]
        assert int((memory / "memory.max").read_text()) == 512 * 2**20
    else:
        assert int((cpu / "cpu.cfs_period_us").read_text()) == 20_000
        assert int((cpu / "cpu.cfs_quota_us").read_text()) == int(QUOTA)
        assert int((memory / "memory.limit_in_bytes").read_text()) == 512 * 2**20
