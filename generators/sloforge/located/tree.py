"""Plain data that remembers where each key and value stands, whatever syntax it came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sloforge.errors import Finding, Location
from sloforge.located.words import Unresolved, printable

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place of itself and, in a mapping, of its key.

    `value` is a dict of nodes, a list of nodes, or text, int, Decimal, bool, None, Unresolved.
    `size` and `height` are those of the tree below with aliases expanded; `hollow` is whether
    anything in it has no value. `said` is what a mistake here is called where the tree was made
    from another format: the path in the file that somebody wrote.

    An edit replaces the characters from `start` to `end`, or comes before `key_start`; `flow` is
    whether the value stands in braces. `shared`: it is written once and used at several places,
    so that no edit may touch it.
    """

    value: Any
    where: Location
    size: int = 1
    height: int = 0
    hollow: bool = False
    key: Location | None = None
    said: str = ""
    start: int = 0
    end: int = 0
    key_start: int = 0
    flow: bool = False
    shared: bool = False

    def get(self, *path: str) -> Node | None:
        """The node below these keys; None where there is none, or where it is null."""
        found: Node | None = self
        for name in path:
            if found is None or not isinstance(found.value, dict):
                return None
            found = found.value.get(name)
        return found if found is not None and found.value is not None else None

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def items(self) -> Iterator[tuple[str, Node]]:
        if isinstance(self.value, dict):
            yield from self.value.items()

    def list(self, *path: str) -> list[Node]:
        """The nodes of a list below these keys; a single mapping counts as a list of one."""
        found = self.get(*path)
        if found is None:
            return []
        if isinstance(found.value, list):
            return [one for one in found.value if one.value is not None]
        return [found] if isinstance(found.value, dict) else []

    def text(self, *path: str) -> str:
        """A scalar as text; empty where there is none."""
        found = self.get(*path)
        if found is None or isinstance(found.value, dict | list | Unresolved):
            return ""
        return str(found.value)


class Malformed(Exception):
    """The text cannot be read as its syntax demands; there is exactly one thing to say."""

    def __init__(self, where: Location, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.finding = Finding(id="S001", where=where, what=printable(what, "\n"), remedy=remedy)


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


def every(node: Node) -> Iterator[Node]:
    """The node and every one below it, from the top."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one.value, dict):
            waiting += reversed(one.value.values())
        elif isinstance(one.value, list):
            waiting += reversed(one.value)


def kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else "a single value"


def holding(value: object, children: Iterable[Node], where: Location) -> Node:
    """A mapping or list, counted with what is in it."""
    return Node(value, where, *measured(children))


def measured(children: Iterable[Node]) -> tuple[int, int, bool]:
    """Size and height of what holds these, and whether it is hollow."""
    size, height, hollow = 1, 0, False
    for child in children:
        size += child.size
        hollow = hollow or child.hollow
        height = max(height, child.height + 1)
    return size, height, hollow


def frozen(node: Node, where: Location | None = None) -> Node:
    """The same tree, which no edit may touch; `where`: all of it at one place."""
    value = node.value
    if node.shared and where is None and not isinstance(value, dict | list):
        return node
    if isinstance(value, dict):
        value = {key: frozen(one, where) for key, one in value.items()}
    elif isinstance(value, list):
        value = [frozen(one, where) for one in value]
    if where is None:
        return replace(node, value=value, shared=True)
    return replace(node, value=value, shared=True, where=where, key=None)


def place(path: str, text: str, at: int) -> Location:
    """Line and column of an offset."""
    starts = _line_starts(text)
    line = bisect_right(starts, at)
    return Location(path, line, at - starts[line - 1] + 1)


@lru_cache(maxsize=2)
def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer("\n", text))]
