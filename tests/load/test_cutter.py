import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from spikebench.load.cutter import cut

CLIENT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    print(len(connection.recv(1)), flush=True)
"""


@contextmanager
def connected() -> Iterator[tuple[subprocess.Popen[str], socket.socket, int]]:
    """A child process that has a connection to us, our end of it, and the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        command = [sys.executable, "-c", CLIENT, str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            ours, _ = server.accept()
            with ours:
                yield client, ours, port


def test_both_ends_see_a_cut_connection_closed() -> None:
    with connected() as (client, ours, port):
        assert cut([client.pid], {port}) == 1
        assert ours.recv(1) == b""
        assert client.communicate()[0] == "0\n"


def test_a_connection_to_elsewhere_is_left_alone() -> None:
    with connected() as (client, ours, port):
        assert cut([client.pid], {port + 1}) == 0
        ours.sendall(b"x")
        assert client.communicate()[0] == "1\n"


def test_a_process_that_is_gone_has_nothing_to_cut() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert cut([gone.pid], {1}) == 0
