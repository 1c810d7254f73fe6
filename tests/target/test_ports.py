import socket

from spikebench.target.ports import answers, free_ports, is_taken


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not any(is_taken(port) for port in ports)


def test_a_listening_port_is_taken_and_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_taken(port)
        assert answers("127.0.0.1", port)
    assert not answers("127.0.0.1", port)
