import hashlib
import os
from pathlib import Path

import pytest

from spikebench.target import seal
from spikebench.target.seal import find_damage, is_intact, seal_tree


def test_a_file_is_intact_only_with_the_expected_checksum(tmp_path: Path) -> None:
    file = tmp_path / "x.jar"
    file.write_bytes(b"good")
    assert is_intact(file, hashlib.sha256(b"good").hexdigest())
    assert not is_intact(file, hashlib.sha256(b"other").hexdigest())
    assert not is_intact(tmp_path / "none.jar", hashlib.sha256(b"good").hexdigest())


def test_an_unchanged_file_is_not_hashed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.jar"
    file.write_bytes(b"good")
    expected = hashlib.sha256(b"good").hexdigest()
    assert is_intact(file, expected)

    def refuse(_: Path) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr(seal, "sha256", refuse)
    assert is_intact(file, expected)


def test_a_change_of_the_same_length_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "x.jar"
    file.write_bytes(b"good")
    expected = hashlib.sha256(b"good").hexdigest()
    assert is_intact(file, expected)
    file.write_bytes(b"evil")
    os.utime(file, ns=(1, 1))
    assert not is_intact(file, expected)


def test_a_touched_but_equal_file_stays_intact(tmp_path: Path) -> None:
    file = tmp_path / "x.jar"
    file.write_bytes(b"good")
    expected = hashlib.sha256(b"good").hexdigest()
    assert is_intact(file, expected)
    os.utime(file, ns=(1, 1))
    assert is_intact(file, expected)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "run").write_text("one")
    (folder / "link").symlink_to("bin/run")
    seal_tree(folder)
    return folder


def test_a_sealed_tree_has_no_damage(tree: Path) -> None:
    assert find_damage(tree) is None


def test_a_missing_file_is_damage(tree: Path) -> None:
    (tree / "bin" / "run").unlink()
    assert find_damage(tree) == f"{tree}/bin/run is missing"


def test_a_changed_file_is_damage_with_both_checksums(tree: Path) -> None:
    (tree / "bin" / "run").write_text("two")
    os.utime(tree / "bin" / "run", ns=(1, 1))
    damage = find_damage(tree) or ""
    for text in (b"one", b"two"):
        assert hashlib.sha256(text).hexdigest() in damage


def test_a_tree_without_its_manifest_is_damaged(tree: Path) -> None:
    (tree / seal.MANIFEST).write_text("{")
    assert "missing or unreadable" in (find_damage(tree) or "")
