from pathlib import Path

import numpy as np

from spikebench.load.journal import ENTRY, read_journals


def written(path: Path, *entries: tuple[int, int, int], room: int = 8) -> None:
    file = np.zeros(room, ENTRY)
    file[: len(entries)] = list(entries)
    file.tofile(path)


def test_what_was_not_wholly_written_is_left_out(tmp_path: Path) -> None:
    written(tmp_path / "0.1.77", (10, 4, 1), (20, 2, 1), (30, 3, 0))
    (delivery,) = read_journals(tmp_path, 77)
    assert (delivery.subscriber, delivery.member) == (0, 1)
    assert (delivery.seq.tolist(), delivery.received_ns.tolist()) == ([4, 2], [10, 20])


def test_another_process_has_journals_of_its_own(tmp_path: Path) -> None:
    written(tmp_path / "0.0.77", (10, 1, 1))
    written(tmp_path / "0.0.7", (10, 2, 1))
    assert [delivery.seq.tolist() for delivery in read_journals(tmp_path, 7)] == [[2]]
    assert list(read_journals(tmp_path, 8)) == []


def test_a_full_journal_is_read_to_its_end(tmp_path: Path) -> None:
    written(tmp_path / "0.0.7", (10, 1, 1), (20, 2, 1), room=2)
    (delivery,) = read_journals(tmp_path, 7)
    assert delivery.seq.tolist() == [1, 2]
