import os
import tempfile
from pathlib import Path

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
