"""YAML text -> plain data that remembers where each key and value stands.

Numbers with a point become `Decimal` from their text; only `true` and `false` are booleans. Depth
and the number of nodes (aliases expanded) are bounded, so that no file can hang a build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import yaml

from sloforge.errors import Finding, Location
from sloforge.specs.words import printable

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - a PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 50
MAX_NODES = 100_000

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LONGEST_INTEGER = 30
# YAML 1.1, section 5.1: what a stream may not contain.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place of itself and, in a mapping, of its key.

    `size` and `height` are those of the tree below with aliases expanded; `hollow` is whether
    anything in it has no value. `said` is what a mistake here is called where the tree was made
    from another format: the path in the file that somebody wrote.
    """

    value: Any
    where: Location
    size: int = 1
    height: int = 0
    hollow: bool = False
    key: Location | None = None
    said: str = ""


class Malformed(Exception):
    """The text cannot be read as one tree; there is exactly one thing to say."""

    def __init__(self, where: Location, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.finding = Finding(id="S001", where=where, what=printable(what), remedy=remedy)


def parse(text: str, path: str) -> Node:
    """The one document of a file. Raises Malformed."""
    found = documents(text, path)
    if len(found) > 1:
        raise Malformed(found[1].where, *several(len(found)))
    return found[0]


def several(count: int) -> tuple[str, str]:
    """What is wrong with more than one document in a file, and the remedy."""
    return f"expected one document, got {count}", "split it: one spec per file"


def documents(text: str, path: str) -> list[Node]:
    """Every document of a file, each a mapping. Raises Malformed."""
    if (control := _CONTROL.search(text)) is not None:
        what = f"not valid YAML: control character {ascii(control[0])[1:-1]}"
        raise Malformed(_place(path, text, control.start()), what, "remove it")
    try:
        found = _Builder(path).documents(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        what = f"not valid YAML: {error.problem or error.context}"
        raise Malformed(where, what, _remedy(text, where)) from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise Malformed(Location(path), f"not valid YAML: {first}") from None
    if not found:
        what = "expected a spec, got an empty file"
        raise Malformed(Location(path), what, "write it, or delete the file")
    # A file of several often ends with the mark of one more.
    found = [one for one in found if one.value is not None] or found
    for one in found:
        if not isinstance(one.value, dict):
            raise Malformed(one.where, f"expected a mapping, got {kind(one.value)}")
    return found


def plain(node: Node) -> Any:
    """The data alone: mappings, lists, text, Decimal, int, bool, None."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(value) for value in node.value]
    return node.value


def locate(node: Node, path: Path, *, key: bool = False) -> Location:
    """Where the value at `path` stands, or its key; a segment that is not there is passed over."""
    where = node.where
    for segment in path:
        child = child_of(node, segment)
        if child is not None:
            node = child
            where = child.key if key and child.key else child.where
    return where


def child_of(node: Node, segment: str | int) -> Node | None:
    if isinstance(node.value, dict):
        return node.value.get(segment)
    if isinstance(node.value, list) and isinstance(segment, int) and segment < len(node.value):
        found: Node = node.value[segment]
        return found
    return None


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node below, with its path."""
    children: Iterable[tuple[str | int, Node]] = ()
    if isinstance(node.value, dict):
        children = node.value.items()
    elif isinstance(node.value, list):
        children = enumerate(node.value)
    for segment, child in children:
        yield (*path, segment), child
        yield from walk(child, (*path, segment))


def kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else "a single value"


def _place(path: str, text: str, at: int) -> Location:
    return Location(path, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _remedy(text: str, where: Location) -> str:
    lines = text.splitlines()
    line = lines[where.line - 1] if 0 < where.line <= len(lines) else ""
    if line[where.column - 1 : where.column] == "\t" or line.startswith("\t"):
        return "indent with spaces, not with tabs"
    return ""


class _Builder:
    """Builds trees from parser events, counting as it goes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._anchors: dict[str, Node | None] = {}
        self._nodes = self._expanded = 0

    def documents(self, events: Iterator[Any]) -> list[Node]:
        found = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._nodes = {}, 0
                found.append(self._node(next(events), events, 0))
        return found

    def _at(self, event: Any) -> Location:
        return Location(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, self._at(event), depth)
        if depth > MAX_DEPTH:
            raise _too_deep(self._at(event))
        if event.tag is not None:
            raise Malformed(self._at(event), f"expected no tag, got `{event.tag}`", "remove it")
        if event.anchor:
            self._anchors[event.anchor] = None
        node = self._collection(event, events, depth)
        self._count(1, node.where)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _count(self, nodes: int, where: Location) -> None:
        """Values are counted by document, those that aliases add over the whole file."""
        self._nodes += nodes
        self._expanded += nodes - 1
        if max(self._nodes, self._expanded) > MAX_NODES:
            what = f"expected at most {MAX_NODES:,} values with all aliases expanded, got more"
            raise Malformed(where, what, "aliases of aliases grow without bound: write fewer")

    def _alias(self, event: Any, where: Location, depth: int) -> Node:
        if event.anchor not in self._anchors:
            raise Malformed(where, f"unknown anchor `*{event.anchor}`", "define it with & before")
        node = self._anchors[event.anchor]
        if node is None:
            what = f"anchor `*{event.anchor}` contains itself"
            raise Malformed(where, what, "write out what is meant")
        self._count(node.size, where)
        if depth + node.height > MAX_DEPTH:
            raise _too_deep(where)
        return replace(node, where=where, key=None)

    def _collection(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        where = self._at(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(where, events, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._node(event, events, depth + 1))
            return holding(items, items, where)
        value = _scalar(event)
        return Node(value, where, hollow=value is None)

    def _mapping(self, where: Location, events: Iterator[Any], depth: int) -> Node:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = self._at(event)
            if not isinstance(event, yaml.ScalarEvent):
                what = "expected text as a key, got a list, a mapping or an alias"
                raise Malformed(at, what, "quote a text that begins with a brace")
            value = self._node(next(events), events, depth + 1)
            if event.value == "<<" and event.implicit[0]:
                merged = _merge(value) | merged
                continue
            if event.value in own:
                first = own[event.value].key
                raise Malformed(at, f"duplicate key `{event.value}`", f"it is already at {first}")
            own[event.value] = Node(
                value.value, value.where, value.size, value.height, value.hollow, at
            )
        every = merged | own
        return holding(every, every.values(), where)


def _too_deep(where: Location) -> Malformed:
    return Malformed(where, f"expected at most {MAX_DEPTH} levels of nesting, got more")


def holding(value: object, children: Iterable[Node], where: Location) -> Node:
    """A mapping or list, counted with what is in it."""
    size, height, hollow = 1, 0, False
    for child in children:
        size += child.size
        hollow = hollow or child.hollow
        height = max(height, child.height + 1)
    return Node(value, where, size, height, hollow)


def _merge(value: Node) -> dict[str, Node]:
    sources = value.value if isinstance(value.value, list) else [value]
    found: dict[str, Node] = {}
    for source in reversed(sources):
        if not isinstance(source.value, dict):
            raise Malformed(value.where, "expected a mapping behind `<<`")
        found |= source.value
    return found


def _scalar(event: Any) -> object:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < _LONGEST_INTEGER else Decimal(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text
