from __future__ import annotations

import pytest

from benchmarks.perftest import after, read_seconds
from benchmarks.producer_performance import read_steady_rate
from benchmarks.tool import ToolError

PERFTEST = """\
id: test-201315-207, starting consumer #0
id: test-201315-207, starting producer #0, channel #0
id: test-201315-207, time 1.001 s, sent: 5271 msg/s, confirmed: 5171 msg/s, nacked: 0 msg/s, \
received: 5270 msg/s, min/median/75th/95th/99th consumer latency: 1417/9162/12309/19890/26085 µs, \
confirm latency: 1151/11597/16201/24357/34268 µs
id: test-201315-207, time 2.000 s, sent: 11059 msg/s, confirmed: 11059 msg/s, nacked: 0 msg/s, \
received: 10971 msg/s, min/median/75th/95th/99th consumer latency: 629/5130/6405/10877/15141 µs, \
confirm latency: 2293/6191/7356/18772/19965 µs
id: test-201315-207, time 3.000 s, sent: 11227 msg/s, confirmed: 11227 msg/s, nacked: 0 msg/s, \
received: 11222 msg/s, min/median/75th/95th/99th consumer latency: 318/4809/6080/10111/15209 µs, \
confirm latency: 1155/7046/9457/13438/22926 µs
test stopped (Reached time limit)
id: test-201315-207, sending rate avg: 9696 msg/s
id: test-201315-207, receiving rate avg: 9696 msg/s
id: test-201315-207, confirm latency min/median/75th/95th/99th 2327/7826/10171/18728/24055 µs
"""

PRODUCER_PERFORMANCE = """\
Reading payloads from: bodies.txt
Number of records read: 256
Warmup first 300000 records. Steady state results will print after the complete test summary.
5418 records sent, 5412.6 records/sec (5.29 MB/sec), 777.8 ms avg latency, 1231.0 ms max latency.
In steady state.
600000 records sent, 20006.001801 records/sec (19.54 MB/sec), 1480.43 ms avg latency, \
3978.00 ms max latency, 1171 ms 50th, 2809 ms 95th, 3833 ms 99th, 3947 ms 99.9th.
300000 steady state records sent, 25735.609505 records/sec (25.13 MB/sec), 1093.11 ms avg \
latency, 1661.00 ms max latency, 1001 ms 50th, 1533 ms 95th, 1640 ms 99th, 1657 ms 99.9th.
"""


def test_every_second_of_perftest_is_read_and_its_summary_left_out() -> None:
    lines = read_seconds(PERFTEST)
    assert [line.at_s for line in lines] == [1.001, 2.000, 3.000]
    assert [line.received_per_s for line in lines] == [5270, 10971, 11222]
    assert (lines[0].confirm_p50_us, lines[0].confirm_p99_us) == (11597, 34268)


def test_seconds_of_the_warm_up_are_left_out() -> None:
    kept = after(1.0, read_seconds(PERFTEST))
    assert [line.received_per_s for line in kept] == [10971, 11222]


def test_a_perftest_that_never_got_past_its_warm_up_is_an_error() -> None:
    with pytest.raises(ToolError, match="none after a warm-up of 3"):
        after(3.0, read_seconds(PERFTEST))


def test_the_steady_rate_is_not_that_of_the_whole() -> None:
    assert read_steady_rate(PRODUCER_PERFORMANCE) == 25735.609505


@pytest.mark.parametrize("printed", ["", "Exception in thread main", PRODUCER_PERFORMANCE[:400]])
def test_output_without_a_result_is_an_error_that_shows_its_end(printed: str) -> None:
    last = printed.strip().splitlines()[-1] if printed else "(nothing)"
    for read in (read_steady_rate, read_seconds):
        with pytest.raises(ToolError) as raised:
            read(printed)
        assert last in str(raised.value)
