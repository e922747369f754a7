"""YAML text -> located nodes, one for each document.

Numbers with a point become `Decimal` from their text; only `true` and `false` are booleans. Depth
and the number of nodes (aliases expanded) are bounded, so that no file can hang a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import yaml

from sloforge.errors import Location
from sloforge.libyaml import SafeLoader
from sloforge.located.tree import Malformed, Node, frozen, kind, measured, place

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,28})")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
# YAML 1.1, section 5.1: what a stream may not contain.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What a text may hold: `nodes` in a document, that many more by aliases, `file` in all.

    `braces` is the remedy for braces that YAML takes for its own; `tags`: they are passed over.
    """

    depth: int
    nodes: int
    file: int
    braces: str
    tags: bool = False


SPECS = Manner(
    depth=50, nodes=100_000, file=2_000_000, braces="quote a text that begins with a brace"
)


def parse(text: str, path: str) -> Node:
    """The one document of a file, a mapping. Raises Malformed."""
    found = mappings(text, path)
    if len(found) > 1:
        raise Malformed(found[1].where, *several(len(found)))
    return found[0]


def several(count: int) -> tuple[str, str]:
    """What is wrong with more than one document in a file, and the remedy."""
    return f"expected one document, got {count}", "split it: one spec per file"


def mappings(text: str, path: str) -> list[Node]:
    """Every document of a file, each a mapping, and at least one. Raises Malformed."""
    found = documents(text, path)
    if not found:
        what = "expected a spec, got an empty file"
        raise Malformed(Location(path), what, "write it, or delete the file")
    # A file of several often ends with the mark of one more.
    found = [one for one in found if one.value is not None] or found
    for one in found:
        if not isinstance(one.value, dict):
            raise Malformed(one.where, f"expected a mapping, got {kind(one.value)}")
    return found


def documents(text: str, path: str, manner: Manner = SPECS) -> list[Node]:
    """Every document of a file, empty ones too. Raises Malformed."""
    if (control := _CONTROL.search(text)) is not None:
        what = f"not valid YAML: control character {ascii(control[0])[1:-1]}"
        raise Malformed(place(path, text, control.start()), what, "remove it")
    try:
        return _Builder(path, manner).documents(yaml.parse(text, Loader=SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        what = f"not valid YAML: {error.problem or error.context}"
        raise Malformed(where, what, _remedy(text, where, manner)) from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise Malformed(Location(path), f"not valid YAML: {first}") from None


def _remedy(text: str, where: Location, manner: Manner) -> str:
    lines = text.splitlines()
    line = lines[where.line - 1] if 0 < where.line <= len(lines) else ""
    if line[where.column - 1 : where.column] == "\t" or line.startswith("\t"):
        return "indent with spaces, not with tabs"
    return manner.braces if "{{" in line else ""


# The place of the key that a value stands behind, and its offset.
_Key = tuple[Location | None, int]
_NO_KEY: _Key = (None, 0)


class _Builder:
    """Builds trees from parser events, counting as it goes."""

    def __init__(self, path: str, manner: Manner) -> None:
        self._path, self._manner = path, manner
        self._anchors: dict[str, Node | None] = {}
        self._nodes = self._expanded = self._file = 0

    def documents(self, events: Iterator[Any]) -> list[Node]:
        found = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._nodes = {}, 0
                found.append(self._node(next(events), events, 0))
        return found

    def _at(self, event: Any) -> Location:
        return Location(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, events: Iterator[Any], depth: int, key: _Key = _NO_KEY) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth, key)
        if depth > self._manner.depth:
            raise self._too_deep(self._at(event))
        if event.tag is not None and not self._manner.tags:
            raise Malformed(self._at(event), f"expected no tag, got `{event.tag}`", "remove it")
        if event.anchor:
            self._anchors[event.anchor] = None
        node = self._value(event, events, depth, key)
        self._count(1, node.where)
        if event.anchor:
            node = replace(node, shared=True)
            self._anchors[event.anchor] = node
        return node

    def _count(self, nodes: int, where: Location) -> None:
        """Values are counted by document, those that aliases add over the whole file."""
        self._nodes += nodes
        self._expanded += nodes - 1
        self._file += nodes
        manner = self._manner
        if max(self._nodes, self._expanded) > manner.nodes or self._file > manner.file:
            most = manner.file if self._file > manner.file else manner.nodes
            what = f"expected at most {most:,} values with all aliases expanded, got more"
            raise Malformed(where, what, "aliases of aliases grow without bound: write fewer")

    def _too_deep(self, where: Location) -> Malformed:
        what = f"expected at most {self._manner.depth} levels of nesting, got more"
        return Malformed(where, what)

    def _alias(self, event: Any, depth: int, key: _Key) -> Node:
        where = self._at(event)
        if event.anchor not in self._anchors:
            raise Malformed(where, f"unknown anchor `*{event.anchor}`", "define it with & before")
        node = self._anchors[event.anchor]
        if node is None:
            what = f"anchor `*{event.anchor}` contains itself"
            raise Malformed(where, what, "write out what is meant")
        self._count(node.size, where)
        if depth + node.height > self._manner.depth:
            raise self._too_deep(where)
        return replace(frozen(node), where=where, key=key[0], key_start=key[1])

    def _value(self, event: Any, events: Iterator[Any], depth: int, key: _Key) -> Node:
        mark = event.start_mark
        where = Location(self._path, mark.line + 1, mark.column + 1)
        start, end = mark.index, event.end_mark.index
        at, key_start = key
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
            return Node(value, where, 1, 0, value is None, at, "", start, end, key_start)
        flow = bool(event.flow_style)
        every: dict[str, Node] | list[Node]
        if isinstance(event, yaml.MappingStartEvent):
            every = self._pairs(events, depth)
            counted = measured(every.values())
        else:
            every = self._items(events, depth)
            counted = measured(every)
        return Node(every, where, *counted, at, "", start, start, key_start, flow)

    def _items(self, events: Iterator[Any], depth: int) -> list[Node]:
        found = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._node(event, events, depth + 1))
        return found

    def _pairs(self, events: Iterator[Any], depth: int) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at, start = self._at(event), event.start_mark.index
            if not isinstance(event, yaml.ScalarEvent):
                what = "expected text as a key, got a list, a mapping or an alias"
                raise Malformed(at, what, self._manner.braces)
            value = self._node(next(events), events, depth + 1, (at, start))
            if event.value == "<<" and event.implicit[0]:
                merged = _merge(value) | merged
                continue
            if event.value in own:
                first = own[event.value].key
                raise Malformed(at, f"duplicate key `{event.value}`", f"it is already at {first}")
            own[event.value] = value
        return merged | own if merged else own


def _merge(value: Node) -> dict[str, Node]:
    sources = value.value if isinstance(value.value, list) else [value]
    found: dict[str, Node] = {}
    for source in reversed(sources):
        if not isinstance(source.value, dict):
            raise Malformed(value.where, "expected a mapping behind `<<`")
        found |= {key: frozen(one) for key, one in source.value.items()}
    return found


def _scalar(event: Any) -> object:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text
