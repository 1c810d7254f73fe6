import pytest

from spikes.serverless.java.options import jvm_options


@pytest.mark.parametrize(
    ("memory_mb", "heap"),
    [
        (256, "222823k"),
        (384, "334233k"),
        (512, "445645k"),
        (1536, "1336935k"),
        (3008, "2834432k"),
    ],
)
def test_heap_is_what_functions_have_seen_on_lambda(memory_mb: int, heap: str) -> None:
    assert jvm_options(17, "baseline", memory_mb) == [f"-XX:MaxHeapSize={heap}"]


def test_bounds_of_java_11_are_those_seen_on_lambda() -> None:
    options = jvm_options(11, "lambda-flags", 3008)
    assert "-XX:MaxMetaspaceSize=163840k" in options
    assert "-XX:ReservedCodeCacheSize=81920k" in options
    assert "-XX:TieredStopAtLevel=1" not in options


@pytest.mark.parametrize("major", [17, 21, 25])
def test_from_java_17_on_lambda_stops_at_the_first_compiler(major: int) -> None:
    options = jvm_options(major, "lambda-flags", 512)
    assert "-XX:TieredStopAtLevel=1" in options
    assert "-XX:+UseSerialGC" in options
    assert not [option for option in options if "MetaspaceSize" in option]


@pytest.mark.parametrize("lever", ["appcds", "aot-cache"])
def test_a_combined_lever_adds_one_option_to_the_single_one(lever: str) -> None:
    alone, combined = jvm_options(25, lever, 512), jvm_options(25, f"{lever}+c1", 512)
    assert alone == jvm_options(25, "baseline", 512)
    assert [option for option in combined if option not in alone] == ["-XX:TieredStopAtLevel=1"]
