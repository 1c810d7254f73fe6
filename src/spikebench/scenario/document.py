"""A YAML file as plain values and the line of each, whatever the file holds.

Scenario files need mappings, lists and scalars only. Anchors, aliases, merge keys and tags are
refused before anything is built from them, so a hostile file cannot make the reader loop, exhaust
memory or construct objects.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from spikebench.errors import ScenarioError

Key = tuple[str | int, ...]
"""Where a value is: names of mappings and places in lists, from the top."""

_LARGEST_BYTES = 65_536
_DEEPEST = 8
_LONGEST_WORD = 60
_PLAIN = "tag:yaml.org,2002:"
_MERGE = _PLAIN + "merge"
_TEXT = frozenset(_PLAIN + kind for kind in ("str", "timestamp", "value", "merge"))
_TAGS = _TEXT | {_PLAIN + kind for kind in ("int", "float", "bool", "null", "map", "seq")}


@dataclass(frozen=True)
class Document:
    """A mapping read from ``path``: its plain values, and the line (from 1) of each key."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[Key, int]

    @classmethod
    def read(cls, path: Path, begins: str = "scenario: <name>") -> Self:
        """Read ``path``; raise ScenarioError where it is not one plain YAML mapping in UTF-8.

        ``begins`` is the line that such a file starts with, for advice.
        """
        node = _compose(path, _text(path))
        if not isinstance(node, MappingNode):
            raise _error(path, 1, f"the file is not a mapping; start it with '{begins}'")
        builder = _Builder(path)
        return cls(path, builder.value(node, ()), builder.lines)

    def line(self, key: Key) -> int:
        """Return the line of ``key``, or of the nearest part of it that the file has."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return self.lines[key[:length]]
        return 1

    def problem(self, key: Key, what: str) -> str:
        """Return ``path:line: key: what``."""
        return f"{self.path}:{self.line(key)}: {dotted(key)}: {what}"


def dotted(key: Key) -> str:
    """Return a key as it is written in messages: ``sweep.consumers.competing``."""
    return ".".join(part if _is_word(part) else shown(part) for part in map(str, key))


def shown(value: object) -> str:
    """Return a value as it is shown in messages: on one line, and short."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a number too long to show"


def _is_word(text: str) -> bool:
    return text.isprintable() and ":" not in text and 0 < len(text) <= _LONGEST_WORD


def _error(path: Path, line: int, what: str) -> ScenarioError:
    return ScenarioError(f"{path}:{line}: {what}")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise _error(path, 1, "no such file; check the name, or see 'spikebench list'") from None
    except (OSError, ValueError) as error:
        raise _error(path, 1, f"cannot be read ({error}); check the path and its rights") from None
    if len(raw) > _LARGEST_BYTES:
        raise _error(path, 1, f"over {_LARGEST_BYTES} bytes long; a scenario is a page: shorten it")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "not UTF-8 text; save the file as UTF-8") from None


def _compose(path: Path, text: str) -> Node | None:
    try:
        _refuse_what_could_grow(path, text)
        return _yaml().compose(text)  # type: ignore[no-any-return]
    except YAMLError as error:
        what = _summary(error)
        raise _error(path, _line_of(error, text), f"not YAML: {what}; mend the syntax") from None
    except (ValueError, RecursionError) as error:
        raise _error(path, 1, f"not YAML: {error}; mend the syntax") from None


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def _refuse_what_could_grow(path: Path, text: str) -> None:
    depth = 0
    for event in _yaml().parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        line = event.start_mark.line + 1
        if depth > _DEEPEST:
            raise _error(path, line, f"nested deeper than {_DEEPEST} levels; flatten it")
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            what = "anchors and aliases are not read; write the value out"
            raise _error(path, line, f"{shown(event.anchor)}: {what}")


def _summary(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError):
        return str(error).splitlines()[0]
    what = str(error.problem or error.context)
    start = error.context_mark
    return f"{what} ({error.context} from line {start.line + 1})" if start else what


def _line_of(error: YAMLError, text: str) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", 0)
    return text.count("\n", 0, position) + 1


@dataclass(frozen=True)
class _Builder:
    """Makes plain values of YAML nodes, and notes where each key stands."""

    path: Path
    lines: dict[Key, int] = field(default_factory=dict)

    def value(self, node: Node, key: Key) -> Any:
        if node.tag not in _TAGS:
            raise self._error(node, key, f"tag {node.tag} is not read; write a plain value")
        if isinstance(node, MappingNode):
            return dict(self._members(node, key))
        if isinstance(node, SequenceNode):
            return [self._item(item, (*key, at)) for at, item in enumerate(node.value)]
        return self._scalar(node, key)

    def _members(self, node: MappingNode, key: Key) -> Iterator[tuple[str, Any]]:
        for name_node, value_node in node.value:
            if not isinstance(name_node, ScalarNode) or name_node.tag == _MERGE:
                raise self._error(name_node, key, "a key must be a word; write 'name: value'")
            name = (*key, name_node.value)
            if name in self.lines:
                what = f"given twice, first on line {self.lines[name]}; keep one"
                raise self._error(name_node, name, what)
            self.lines[name] = name_node.start_mark.line + 1
            yield name_node.value, self.value(value_node, name)

    def _item(self, node: Node, key: Key) -> Any:
        self.lines[key] = node.start_mark.line + 1
        return self.value(node, key)

    def _scalar(self, node: Node, key: Key) -> Any:
        if node.tag in _TEXT:
            return node.value
        try:
            return _yaml().constructor.construct_object(node)
        except (LookupError, ArithmeticError, ValueError, YAMLError):  # its readers raise them all
            what = (
                f"{shown(node.value)} cannot be read as {str(node.tag).rpartition(':')[2]}; mend it"
            )
            raise self._error(node, key, what) from None

    def _error(self, node: Node, key: Key, what: str) -> ScenarioError:
        where = f"{dotted(key)}: " if key else ""
        return _error(self.path, node.start_mark.line + 1, where + what)
