"""YAML text -> located nodes, one for each document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import yaml

from sloforge.errors import Location
from sloforge.health.lint.located import (
    MAX_DEPTH,
    MAX_NODES,
    Malformed,
    Node,
    frozen,
    place,
)

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - a PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,28})")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
# YAML 1.1, section 5.1: what a stream may not contain.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TEMPLATE = "render it first: `helm template . | sloforge lint-health -`"


def documents(text: str, path: str) -> list[Node]:
    """Every document that holds something. Raises Malformed."""
    if (control := _CONTROL.search(text)) is not None:
        what = f"not valid YAML: control character {ascii(control[0])[1:-1]}"
        raise Malformed(place(path, text, control.start()), what, "remove it")
    try:
        found = _Builder(path).documents(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        what = f"not valid YAML: {error.problem or error.context}"
        raise Malformed(where, what, TEMPLATE if "{{" in text else "") from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise Malformed(Location(path), f"not valid YAML: {first}") from None
    return [one for one in found if one.value is not None]


class _Builder:
    """Builds trees from parser events, counting as it goes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def documents(self, events: Iterator[Any]) -> list[Node]:
        found = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                found.append(self._node(next(events), events, 0))
        return found

    def _at(self, event: Any) -> Location:
        return Location(self._path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        where = self._at(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, where, depth)
        _bounded(where, depth)
        if event.anchor:
            self._anchors[event.anchor] = None
        node = self._collection(event, events, depth)
        self._count(1, where)
        if event.anchor:
            node = replace(node, shared=True)
            self._anchors[event.anchor] = node
        return node

    def _count(self, nodes: int, where: Location) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
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
        _bounded(where, depth + node.height)
        return replace(frozen(node), where=where, key=None)

    def _collection(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        where, start = self._at(event), event.start_mark.index
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, events, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, depth + 1))
            return _holding(items, items, where, start)
        return Node(_scalar(event), where, start, event.end_mark.index)

    def _mapping(self, opened: Any, events: Iterator[Any], depth: int) -> Node:
        where, own, merged = self._at(opened), dict[str, Node](), dict[str, Node]()
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at, start = self._at(event), event.start_mark.index
            if not isinstance(event, yaml.ScalarEvent):
                what = "expected text as a key, got a list, a mapping or an alias"
                raise Malformed(at, what, TEMPLATE)
            value = self._node(next(events), events, depth + 1)
            if event.value == "<<" and event.implicit[0]:
                merged = _merge(value) | merged
                continue
            if event.value in own:
                first = own[event.value].key
                raise Malformed(at, f"duplicate key `{event.value}`", f"it is already at {first}")
            own[event.value] = replace(value, key=at, key_start=start)
        every = merged | own
        node = _holding(every, every.values(), where, opened.start_mark.index)
        return replace(node, flow=bool(opened.flow_style))


def _bounded(where: Location, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Malformed(where, f"expected at most {MAX_DEPTH} levels of nesting, got more")


def _holding(value: object, children: Iterable[Node], where: Location, start: int) -> Node:
    size, height = 1, 0
    for child in children:
        size += child.size
        height = max(height, child.height + 1)
    return Node(value, where, start, start, size, height)


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
