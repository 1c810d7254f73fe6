import stat
import subprocess
from pathlib import Path

import pytest

from spikebench.errors import ArtefactError
from spikebench.target import debian
from spikebench.target.cache import Cache
from spikebench.target.debian import DebianTree, missing_libraries

TREE = DebianTree("example", r"example-.*", "Instead, do as you like.")

APT_GET = """#!/bin/sh
echo "$@" >> {log}
case "$3" in
download) shift 3; for name; do touch "${{name}}_1%3a2.0-1_all.deb"; done ;;
esac
"""
APT_CACHE = """#!/bin/sh
echo example
for name in example-lib other libq1 '<virtual>'; do echo "  Depends: $name"; done
"""
DPKG_DEB = """#!/bin/sh
mkdir -p "$3/usr/lib"; echo "of $2" | sed 's/.*\\///' > "$3/usr/$(basename "$2" | cut -d_ -f1)"
case "$2" in *libq1*) touch "$3/usr/lib/libq.so.1" "$3/usr/libq.so.1-gdb.py" ;; esac
"""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def _tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for apt and dpkg, so that behaviour is tested without packages or network."""
    folder = tmp_path / "tools"
    _tool(folder, "apt-get", APT_GET.format(log=tmp_path / "asked"))
    _tool(folder, "apt-cache", APT_CACHE)
    _tool(folder, "dpkg-deb", DPKG_DEB)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return tmp_path / "asked"


def test_only_what_is_wanted_is_unpacked_and_kept(cache: Cache, tools: Path) -> None:
    root = TREE.unpack(cache, print)
    assert sorted(path.name for path in (root / "usr").iterdir()) == [
        "example",
        "example-lib",
        "lib",
    ]
    assert TREE.versions(root) == {"example": "1:2.0-1", "example-lib": "1:2.0-1"}
    assert TREE.library_path(root) == ""
    before = tools.read_text()
    assert TREE.unpack(cache, print) == root
    assert tools.read_text() == before


@pytest.mark.usefixtures("tools")
def test_libraries_the_machine_lacks_are_unpacked_beside(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Path, library_path: str) -> list[str]:
        return [] if library_path else ["libq.so.1"]

    monkeypatch.setattr(debian, "missing_libraries", missing)
    said = list[str]()
    root = TREE.unpack(cache, said.append)
    assert TREE.library_path(root) == str(root / "missing-libraries" / "usr" / "lib")
    assert TREE.versions(root)["libq1"] == "1:2.0-1"
    assert said[-1] == "fetching shared libraries this machine lacks: libq.so.1"


@pytest.mark.usefixtures("tools")
def test_a_damaged_tree_is_unpacked_again(cache: Cache) -> None:
    root, said = TREE.unpack(cache, print), list[str]()
    (root / "usr" / "example").unlink()
    assert TREE.find(cache) is None
    assert (TREE.unpack(cache, said.append) / "usr" / "example").exists()
    assert "usr/example is missing" in said[0]


@pytest.mark.usefixtures("tools")
def test_the_tree_can_be_made_to_run_where_it_lies(cache: Cache) -> None:
    tree = DebianTree("example", "", "", lambda root: (root / "usr" / "example").chmod(0o700))
    assert stat.S_IMODE((tree.unpack(cache, print) / "usr" / "example").stat().st_mode) == 0o700


def test_without_apt_the_error_says_what_else_would_do(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not TREE.obtainable()
    with pytest.raises(ArtefactError, match=r"no apt-get and dpkg-deb.*Instead, do as you like\."):
        TREE.unpack(cache, print)


@pytest.mark.usefixtures("tools")
def test_a_failing_apt_is_quoted_without_credentials(cache: Cache, tmp_path: Path) -> None:
    complaint = "E: Failed to fetch http://me:s3cret@mirror/x  Could not connect"
    _tool(tmp_path / "tools", "apt-get", f"#!/bin/sh\necho '{complaint}' >&2; exit 100\n")
    with pytest.raises(ArtefactError, match=r"apt-get update` failed: E: Failed.*//\*\*\*@mirror"):
        TREE.unpack(cache, print)
    assert TREE.find(cache) is None


@pytest.mark.skipif(not Path("/usr/bin/dpkg-deb").exists(), reason="needs Debian or Ubuntu")
def test_a_missing_library_is_found_by_name(tmp_path: Path) -> None:
    program = tmp_path / "program"
    original = Path("/usr/bin/dpkg-deb").read_bytes()
    assert b"libc.so.6\0" in original
    program.write_bytes(original.replace(b"libc.so.6\0", b"libq.so.6\0"))
    program.chmod(0o755)
    assert missing_libraries(tmp_path, "") == ["libq.so.6"]
    program.write_bytes(original)
    assert missing_libraries(tmp_path, "") == []


def _other_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirrors: str) -> DebianTree:
    """A tree from the suite ``next``, which only the mirror ``good`` has."""
    release = {"ID": "debian", "VERSION_CODENAME": "past"}
    monkeypatch.setattr(debian, "_release", lambda: release)
    keyring = tmp_path / "keyring"
    keyring.touch()
    monkeypatch.setattr(debian, "_KEYRING", str(keyring))
    script = f"""
case "$3" in
indextargets) printf '{mirrors}' ;;
update)
  sources=$(sed -n 's/^Dir::Etc::sourcelist "\\(.*\\)";/\\1/p' "$2")
  cat "$sources" >> {tmp_path}/sources
  grep -q good "$sources" || {{ echo 'E: no Release file' >&2; exit 100; }} ;;
esac
"""
    _tool(tmp_path / "tools", "apt-get", APT_GET.format(log=tmp_path / "asked") + script)
    return DebianTree("example", r".*", "Instead, do as you like.", suite="next")


@pytest.mark.usefixtures("tools")
def test_another_suite_comes_whole_from_the_machines_own_mirror(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors = "main past http://bad/\\ncontrib past http://good/c/\\nmain past-x http://good/x/\\n"
    mirrors += "main past http://good/debian/\\nmain past http://good/debian/\\n"
    tree = _other_suite(tmp_path, monkeypatch, mirrors)
    assert tree.obtainable()
    root = tree.unpack(cache, print)
    names = ["example", "example-lib", "libq1", "other"]
    assert sorted(tree.versions(root)) == names
    assert (tmp_path / "sources").read_text().splitlines() == [
        f"deb [signed-by={tmp_path}/keyring] {mirror} next main"
        for mirror in ("http://bad/", "http://good/debian/")
    ]
    assert tree.find(cache) == root
    assert TREE.find(cache) is None


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("mirrors", "complaint"),
    [("main past http://bad/\\n", "no Release file"), ("", "name no mirror of Debian")],
)
def test_a_suite_that_no_mirror_has_is_an_error(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirrors: str, complaint: str
) -> None:
    tree = _other_suite(tmp_path, monkeypatch, mirrors)
    with pytest.raises(ArtefactError, match=complaint):
        tree.unpack(cache, print)
    assert tree.find(cache) is None


@pytest.mark.usefixtures("tools")
def test_another_suite_is_not_to_be_had_on_another_system(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = _other_suite(tmp_path, monkeypatch, "")
    monkeypatch.setattr(debian, "_release", lambda: {"ID": "ubuntu"})
    assert not tree.obtainable()
    with pytest.raises(ArtefactError, match=r"or it is no Debian .*Instead, do as you like"):
        tree.unpack(cache, print)


@pytest.mark.slow
@pytest.mark.skipif(not TREE.obtainable(), reason="needs Debian or Ubuntu")
def test_a_real_package_is_unpacked_without_touching_the_system(cache: Cache) -> None:
    lists = Path("/var/lib/apt/lists")
    before = sorted(lists.iterdir()) if lists.is_dir() else []
    tree = DebianTree("hello", "", "")
    root = tree.unpack(cache, print)
    done = subprocess.run([root / "usr" / "bin" / "hello"], capture_output=True, text=True)
    assert done.stdout == "Hello, world!\n"
    assert (sorted(lists.iterdir()) if lists.is_dir() else []) == before
