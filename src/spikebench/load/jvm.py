"""Java drivers: compiled at set-up, and run by a Java loop inside a worker's own process.

The loop (rate, header, timestamps, account of every message) is Java, in ``load/java/spikebench``,
so that no call crosses from Python to Java for a message.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikebench.errors import DriverError
from spikebench.load.driver import Wiring
from spikebench.load.generator import Cargo, Harvest, Order, Progress, Roles
from spikebench.measure.column import Column, Joined, column, parts
from spikebench.measure.observation import Delivery
from spikebench.target import ecj, maven
from spikebench.target.cache import Cache
from spikebench.target.software import Say

SOURCES = Path(__file__).parent / "java"
RELEASE = 17
"""The oldest Java that compiled drivers run on."""

JVM_OPTIONS = (
    "-Xms224m",
    "-Xmx224m",
    "-Xmn96m",
    "-XX:+AlwaysPreTouch",  # memory that is flat from the first trial on
    "-XX:+UseSerialGC",  # the load often has one core: no collector threads that would share it
    "-XX:+DisableExplicitGC",  # JPype asks for a full collection now and then: 20 to 100 ms each
    "-XX:MaxDirectMemorySize=64m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:-UsePerfData",
    "-Xrs",  # the process's signals stay Python's
)

_PR_SET_TIMERSLACK = 29

T = TypeVar("T", bound=np.generic)


def compile_sources(
    folders: Sequence[Path], class_path: Sequence[Path], cache: Cache, java_home: Path, say: Say
) -> Path:
    """Compile the harness's Java sources and those in ``folders``; return the folder of classes.

    Done once: the folder's name is a hash of sources, class path and compiler. Raise DriverError
    with the compiler's words where a source is wrong.
    """
    sources = _java_files((SOURCES, *folders))
    compiler = maven.class_path(ecj.LOCK, cache, say)
    classes = cache.folder("java-classes") / _digest(sources, class_path)
    if classes.exists():
        return classes
    say(f"compiling {len(sources)} Java sources")
    with tempfile.TemporaryDirectory(dir=classes.parent) as scratch:
        out = Path(scratch) / "classes"
        _compile(sources, class_path, compiler, java_home, out)
        _publish(out, classes)
    return classes


def start_jvm(class_path: Sequence[Path], java_home: Path) -> None:
    """Start a Java virtual machine in this process, for good; raise DriverError where it will not.

    ``class_path`` is what ``compile_sources`` returned and the drivers' libraries.
    """
    import jpype

    if jpype.isJVMStarted():
        return
    _wake_punctually()
    try:
        jpype.startJVM(
            str(_libjvm(java_home)),
            *JVM_OPTIONS,
            classpath=[str(path) for path in class_path],
            convertStrings=True,
        )
    except (OSError, RuntimeError, jpype.JVMNotSupportedException) as error:
        raise DriverError(
            f"no Java virtual machine could be started from {java_home}: {error}. Set JAVA_HOME "
            "to a Java runtime of version 17 or later, or SPIKEBENCH_JAVA=bundled."
        ) from error


class JavaGenerator:
    """A generator whose loop and driver are Java; the verbs of ``load.generator.Generator``.

    ``driver`` is the Java class name of a ``spikebench.Driver``.
    """

    def __init__(self, driver: str, wiring: Wiring, cargo: Cargo, roles: Roles) -> None:
        self._driver = driver
        self._sends = roles.sends
        self._foreign: dict[tuple[int, int], int] = {}
        templates = cargo.templates if roles.sends else []
        wired = _wiring(wiring, cargo.confirm_window)
        with _clear_errors(driver):
            self._java = _class("spikebench.Generator")(
                driver,
                wired,
                np.array([cargo.tag], np.uint32).view(np.int32)[0].item(),
                _byte_arrays(templates),
                _byte_arrays(cargo.keys),
                _pairs(roles.receives),
            )

    def open(self) -> str:
        """Connect, receivers first so that nothing is missed; return the client's version."""
        self.open_receivers()
        with _clear_errors(self._driver):
            self._java.openSender()
            return str(self._java.version())

    def open_receivers(self) -> None:
        """Connect those receivers that are not; each is subscribed when this returns."""
        with _clear_errors(self._driver):
            self._java.openReceivers()

    def close_receivers(self) -> None:
        """Acknowledge what was delivered and disconnect; ``open_receivers`` connects anew."""
        with _clear_errors(self._driver):
            self._java.closeReceivers()

    def begin(self, order: Order) -> None:
        """Start sending a segment in the background; nothing where this generator only receives."""
        if not self._sends:
            return
        with _clear_errors(self._driver):
            self._java.forget(order.first_seq)
            self._java.begin(
                order.first_seq,
                order.t0_ns,
                order.deadline_ns,
                int(order.confirm_timeout_s * 1e9),
                _java_array(column(order, "offsets_ns"), "JLong"),
                _java_array(column(order, "template"), "JInt"),
                _java_array(column(order, "key"), "JInt"),
            )

    def wait(self, timeout_s: float) -> bool:
        """Wait at most ``timeout_s`` for the segment to end; return whether it has."""
        with _clear_errors(self._driver):
            return bool(self._java.ended(int(timeout_s * 1000)))

    def ended(self) -> bool:
        """Return whether no segment is being sent; one call to Java."""
        return bool(self._java.ended(0))

    def progress(self) -> Progress:
        """Return running totals of the segment, and the first error of any thread."""
        java = self._java
        failure = java.failure()
        return Progress(
            sent=int(java.sent()),
            confirmed=int(java.confirmed()),
            failed=int(java.refused()),
            received=sum(java.received()),
            done=bool(java.ended(0)),
            error=_told(self._driver, str(failure)) if failure else "",
        )

    def harvest(self) -> Harvest:
        """Return the segment's times, and what the receivers got since the last call.

        Raise nothing for what went wrong in a thread: ``progress`` tells it.
        """
        java = self._java
        return Harvest(
            sent_ns=JavaColumn(java.sentNs(), np.int64),
            confirmed_ns=JavaColumn(java.settledNs(), np.int64, least=0),
            held_until_ns=JavaColumn(java.heldUntilNs(), np.int64),
            deliveries=tuple(self._delivery(consumer) for consumer in java.consumers()),
            refusals={str(reason): int(count) for reason, count in java.reasons().items()},
            calls={str(name): int(count) for name, count in java.callsAnswered().items()},
        )

    def close(self) -> None:
        """End a running segment, disconnect everything and join the threads, within seconds."""
        with _clear_errors(self._driver):
            self._java.close()

    def _delivery(self, consumer: Any) -> Delivery:
        blocks = consumer.arrivals.take()
        key = (int(consumer.subscriber), int(consumer.member))
        foreign = int(consumer.arrivals.foreign())
        since, self._foreign[key] = foreign - self._foreign.get(key, 0), foreign
        return Delivery(
            subscriber=key[0],
            member=key[1],
            seq=_joined([block.seq for block in blocks], np.int32),
            received_ns=_joined([block.receivedNs for block in blocks], np.int64),
            foreign=since,
        )


class JavaColumn(Generic[T]):
    """A Java array of primitives, of which a part at a time comes over; none is below ``least``."""

    def __init__(self, array: Any, dtype: type[T], least: int | None = None) -> None:
        self._array = array
        self._dtype = dtype
        self._least = least

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, part: slice, /) -> NDArray[T]:
        got: NDArray[T] = np.array(self._array[part], dtype=self._dtype)
        return got if self._least is None else np.maximum(got, self._least, dtype=self._dtype)


def _java_files(folders: Sequence[Path]) -> list[Path]:
    return sorted(file for folder in dict.fromkeys(folders) for file in folder.rglob("*.java"))


def _digest(sources: Sequence[Path], class_path: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(RELEASE).encode() + ecj.LOCK.read_bytes())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for jar in class_path:
        digest.update(jar.name.encode() + b"\0")
    return digest.hexdigest()[:20]


def _compile(
    sources: Sequence[Path],
    class_path: Sequence[Path],
    compiler: Sequence[Path],
    java_home: Path,
    out: Path,
) -> None:
    try:
        wrong = ecj.compile_java(sources, class_path, RELEASE, out, compiler, java_home)
    except OSError as error:
        raise DriverError(
            f"{java_home}/bin/java cannot be run: {error.strerror}. Set JAVA_HOME to a Java "
            "runtime of version 17 or later, or SPIKEBENCH_JAVA=bundled."
        ) from error
    if wrong:
        raise DriverError(
            f"the Java drivers do not compile:\n{wrong}\n"
            "Mend the source, or write the lock file of its libraries again."
        )


def _publish(out: Path, classes: Path) -> None:
    for path in (out, *out.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    try:
        out.rename(classes)
    except OSError:
        if not classes.exists():  # else another run has just compiled the same
            raise


def _libjvm(java_home: Path) -> Path:
    name = "libjvm.dylib" if sys.platform == "darwin" else "libjvm.so"
    return java_home / "lib" / "server" / name


def _wake_punctually() -> None:
    """Let this thread, and so all Java threads that come of it, wake when asked to.

    Linux lets a sleeper oversleep by 50 µs to save power, which the sender's lateness would show.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(1))


@contextmanager
def _clear_errors(driver: str) -> Iterator[None]:
    """Turn a Java exception into one DriverError, without its stack."""
    import jpype

    try:
        yield
    except jpype.JException as error:
        text = str(_class("spikebench.Failure").describe(error))
        raise DriverError(_told(driver, text)) from None


def _told(driver: str, text: str) -> str:
    return f"{driver}: {text}; look at the server's log, and at what the scenario asks for"


def _class(name: str) -> Any:
    import jpype

    return jpype.JClass(name)


def _wiring(wiring: Wiring, confirm_window: int) -> Any:
    return _class("spikebench.Wiring")(
        wiring.name,
        _map(wiring.connection),
        _map(wiring.options),
        wiring.subscribers,
        wiring.consumers,
        wiring.ordering,
        wiring.durable,
        wiring.confirmed,
        confirm_window,
        wiring.batch_messages,
        wiring.batch_bytes,
        float(wiring.linger_ms),
        wiring.prefetch,
        wiring.ack_batch,
        wiring.largest_body_bytes,
        wiring.reconnects,
        wiring.journal,
    )


def _map(values: Mapping[str, str]) -> Any:
    made = _class("java.util.HashMap")()
    for key, value in values.items():
        made.put(key, value)
    return made


def _byte_arrays(values: Sequence[bytes]) -> Any:
    import jpype

    return jpype.JArray(jpype.JByte, 2)([jpype.JArray(jpype.JByte)(value) for value in values])


def _pairs(values: Sequence[tuple[int, int]]) -> Any:
    import jpype

    return jpype.JArray(jpype.JInt, 2)([jpype.JArray(jpype.JInt)(value) for value in values])


def _java_array(values: Column[Any], primitive: str) -> Any:
    """Copy a column into a new Java array, a part at a time."""
    import jpype

    array = jpype.JArray(getattr(jpype, primitive))
    made, copy = array(len(values)), _class("java.lang.System").arraycopy
    for part in parts(len(values)):  # a slice of a Java array is set by way of a copy of all of it
        copy(array(values[part]), 0, made, part.start, part.stop - part.start)
    return made


def _joined(arrays: Sequence[Any], dtype: type[T]) -> Joined[T]:
    return Joined([JavaColumn(array, dtype) for array in arrays], dtype)
