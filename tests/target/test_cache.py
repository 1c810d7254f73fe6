import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spikebench.errors import ArtefactError, UsageError
from spikebench.target.cache import Cache

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


def test_variable_decides_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    parents_open = all(folder.stat().st_mode & 1 for folder in tmp_path.parents)
    if os.geteuid() == 0 and not parents_open:
        tmp_path = Path("/var/tmp/spikebench-test-cache")
    assert Cache.open({"SPIKEBENCH_CACHE": str(tmp_path / "c")}).root == tmp_path / "c"


@as_root
def test_roots_default_can_be_entered_by_servers() -> None:
    assert Cache.open({}).root == Path("/var/cache/spikebench")


@as_root
def test_root_may_not_choose_a_folder_servers_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(UsageError, match=r"SPIKEBENCH_CACHE=.*cannot be entered.*chmod o\+x"):
        Cache.open({"SPIKEBENCH_CACHE": str(closed / "cache")})


def test_folders_are_readable_by_everyone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = Cache(tmp_path / "cache").folder("a/b")
    finally:
        os.umask(before)
    assert [p.stat().st_mode & 0o777 for p in (folder, folder.parent)] == [0o755, 0o755]


def test_folder_in_the_way_of_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "maven").write_text("in the way")
    with pytest.raises(ArtefactError, match=r"cannot be written: .*maven/x.*SPIKEBENCH_CACHE"):
        Cache(tmp_path).folder("maven/x")


def test_lock_keeps_another_process_out_and_says_so(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    script = (
        "import sys; from pathlib import Path; from spikebench.target.cache import Cache\n"
        f"with Cache(Path({str(tmp_path)!r})).lock('x', lambda line: print(line, flush=True)):\n"
        "    print('in', flush=True)"
    )
    with cache.lock("x"):
        other = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert other.stdout is not None
        assert "another run is installing x" in other.stdout.readline()
        assert other.poll() is None
    rest, _ = other.communicate(timeout=30)
    assert rest.strip() == "in"


def test_lock_keeps_another_thread_out(tmp_path: Path) -> None:
    cache, waiting, order = Cache(tmp_path), threading.Event(), list[str]()

    def second() -> None:
        with cache.lock("x", lambda _: waiting.set()):
            order.append("second")

    with cache.lock("x"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError), cache.lock("x"):
        raise RuntimeError
    with (tmp_path / "locks" / "x.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
