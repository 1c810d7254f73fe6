import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from spikebench.errors import TargetError
from spikebench.target import scratch
from spikebench.target.scratch import make_scratch, ordinary_account


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_hands_servers_to_another_user(tmp_path: Path) -> None:
    account = ordinary_account()
    assert account is not None
    assert account.uid != 0
    (tmp_path / "below").mkdir()
    scratch.give(tmp_path, account)
    assert (tmp_path / "below").stat().st_uid == account.uid


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user")
def test_an_ordinary_user_runs_servers_himself() -> None:
    assert ordinary_account() is None


def test_a_scratch_folder_is_private() -> None:
    folder = make_scratch("example", None)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_memory_is_not_taken_for_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_in_memory", lambda folder: folder != Path("/var/tmp"))
    folder = make_scratch("example", None)
    assert folder.parent == Path("/var/tmp")
    folder.rmdir()


def test_no_room_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(file))
    monkeypatch.setattr(scratch, "_open_to_all", lambda _: True)
    with pytest.raises(TargetError, match=f"no folder for the data of example.*{file}.*TMPDIR"):
        make_scratch("example", None)


def test_no_temporary_folder_at_all_is_the_same_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(TargetError, match=r"No usable temporary directory.*Make room.*TMPDIR"):
        make_scratch("example", None)


@pytest.mark.parametrize(("free", "full"), [(0, True), ((1 << 20) - 1, True), (1 << 20, False)])
def test_less_than_a_mebibyte_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, full: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert scratch.is_full(tmp_path) is full
