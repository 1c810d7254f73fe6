from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.consumer_performance import read_rate as read_consumer
from benchmarks.end_to_end_latency import EndToEnd, read_end_to_end
from benchmarks.kafka_python_benchmark import read_consumed, read_produced
from benchmarks.perftest import after, read_seconds
from benchmarks.producer_performance import Steady, read_steady
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

CONSUMER_PERFORMANCE = """\
2026-11-25 14:44:51:885, 0, 10.5439, 71.4489, 10797, 73163.6364, 0, 55, 71.4489, 73163.6364
2026-11-25 14:44:51:938, 0, 13.0088, 46.5065, 13321, 47622.6415, 0, 53, 46.5065, 47622.6415
2026-11-25 14:44:51:990, 0, 16.4580, 66.3311, 16853, 67923.0769, 0, 52, 66.3311, 67923.0769
2026-11-25 14:44:52:045, 0, 20.8838, 80.4688, 21385, 82400.0000, 0, 55, 80.4688, 82400.0000
2026-11-25 14:44:52:171, 0, 29.0166, 78.0610, 29713, 79934.4262, 0, 61, 78.0610, 79934.4262
"""

END_TO_END_LATENCY = """\
0\t213.74933
1000\t6.410386000000001
2000\t0.6702400000000001
3000\t0.443432
Avg latency: 4.2388 ms
Percentiles: 50th = 1, 99th = 26, 99.9th = 140
"""

PYTHON_PRODUCER = """\
---> raw metrics? False
-> OK!

Send complete...
40000 suceeded, 0 failed
Execution time: 6.115507143000286 secs
"""

PYTHON_CONSUMER = """\
-> OK!

890 records/sec (917486 B/sec), 4ms avg latency, 2 avg fetch requests/sec, 507121 avg fetch size
Consumed 60000 records
Execution time: 7.705317694999394 secs
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


def test_the_steady_state_is_not_the_whole() -> None:
    assert read_steady(PRODUCER_PERFORMANCE) == Steady(25735.609505, 1093.11, 1001, 1640)


def test_consumption_is_counted_from_the_first_report_after_the_warm_up_to_the_last() -> None:
    rate = read_consumer(CONSUMER_PERFORMANCE, warm_up=15_000)
    assert rate == pytest.approx((29_713 - 16_853) / 0.181)


def test_a_consumer_that_gave_up_or_had_no_time_after_its_warm_up_is_an_error() -> None:
    gave_up = f"{CONSUMER_PERFORMANCE}WARNING: Exiting before consuming the expected number\n"
    with pytest.raises(ToolError, match="Exiting before"):
        read_consumer(gave_up, warm_up=0)
    with pytest.raises(ToolError, match="29713"):
        read_consumer(CONSUMER_PERFORMANCE, warm_up=25_000)


def test_end_to_end_has_an_exact_mean_and_whole_milliseconds() -> None:
    assert read_end_to_end(END_TO_END_LATENCY) == EndToEnd(4.2388, 1, 26)


def test_kafka_pythons_benchmark_tells_a_count_and_a_time() -> None:
    assert read_produced(PYTHON_PRODUCER) == pytest.approx(40_000 / 6.115507143000286)
    assert read_consumed(PYTHON_CONSUMER, 60_000) == pytest.approx(60_000 / 7.705317694999394)


def test_kafka_pythons_benchmark_must_have_got_everything_through() -> None:
    with pytest.raises(ToolError, match="1 failed"):
        read_produced(PYTHON_PRODUCER.replace("0 failed", "1 failed"))
    with pytest.raises(ToolError, match="60000 records"):
        read_consumed(PYTHON_CONSUMER, 60_001)


@pytest.mark.parametrize("printed", ["", "Exception in thread main", PRODUCER_PERFORMANCE[:400]])
def test_output_without_a_result_is_an_error_that_shows_its_end(printed: str) -> None:
    last = printed.strip().splitlines()[-1] if printed else "(nothing)"
    readers: list[Callable[[str], object]] = [read_steady, read_seconds, read_end_to_end]
    readers += [
        read_produced,
        lambda text: read_consumed(text, 1),
        lambda text: read_consumer(text, 0),
    ]
    for read in readers:
        with pytest.raises(ToolError) as raised:
            read(printed)
        assert last in str(raised.value)
