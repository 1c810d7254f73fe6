"""What a JVM is told, by Java version, lever and memory.

What Lambda's managed runtimes tell theirs, and where that is known from:

- The largest heap is what is left of the memory after a tenth of it for classes (at most 160 MB)
  and a twentieth for compiled code (at most 80 MB). Inferred: this gives to the kilobyte every
  command line that people have printed from inside a function, with 256, 384, 512, 1,536 and
  3,008 MB (222823k, 334233k, 445645k, 1336935k, 2834432k).
- Compilation stops at level 1 in Java 17 and 21, and in 25 unless there is SnapStart or provisioned
  concurrency; in Java 11 it is the JVM's default. Documented: Lambda Developer Guide, "Customize
  Java runtime startup behavior for Lambda functions".
- Java 17 and 21: ``-XX:+UseSerialGC``, ``--add-opens=java.base/java.io=ALL-UNNAMED`` and
  ``-XX:+ErrorFileToStderr``. Observed: command lines printed by wrapper scripts, 2023 to 2025. They
  are taken to hold for 25, whose runtime interface client still needs the second.
- Java 11: the serial collector and both bounds given as flags. Observed in AWS SAM CLI,
  ``samcli/local/docker/lambda_debug_settings.py``, which also says ``-XX:-TieredCompilation``,
  against the documentation; the documentation is followed.
- What can't be had outside Lambda: its own class archive (``runtime.jsa``, from 25 on an AOT
  cache), which holds the runtime interface client's classes besides the JDK's. The JDK's own
  stands in.
"""

from __future__ import annotations

_LARGEST_CLASS_SPACE_MB = 160
_LARGEST_CODE_CACHE_MB = 80
ARCHIVE_LEVERS = ("appcds", "aot-cache")
LAMBDA_LEVERS = ("lambda-flags", "lambda-runtime")


def jvm_options(major: int, lever: str, memory_mb: int) -> list[str]:
    """Return the options of a lever, but for the place of its archive."""
    class_space, code_cache, heap = _shares_kb(memory_mb)
    options = [f"-XX:MaxHeapSize={heap}k"]
    if "c1" in lever.split("+"):
        options.append("-XX:TieredStopAtLevel=1")
    if lever not in LAMBDA_LEVERS:
        return options
    options += ["-XX:+UseSerialGC", "-XX:+ErrorFileToStderr"]
    if major < 17:
        bounds = [
            f"-XX:MaxMetaspaceSize={class_space}k",
            f"-XX:ReservedCodeCacheSize={code_cache}k",
        ]
        return [*options, *bounds]
    opened = "--add-opens=java.base/java.io=ALL-UNNAMED"
    return [*options, "-XX:+TieredCompilation", "-XX:TieredStopAtLevel=1", opened]


def _shares_kb(memory_mb: int) -> tuple[int, int, int]:
    """Return how the memory is divided among classes, compiled code and heap, in KB."""
    class_space = round(min(memory_mb * 1024 / 10, _LARGEST_CLASS_SPACE_MB * 1024))
    code_cache = round(min(memory_mb * 1024 / 20, _LARGEST_CODE_CACHE_MB * 1024))
    return class_space, code_cache, memory_mb * 1024 - class_space - code_cache
