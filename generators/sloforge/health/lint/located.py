"""Plain data that remembers where each key and value stands, whatever syntax it came from.

Depth and the number of nodes are bounded, so that no file can hang a run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sloforge.errors import Location

MAX_DEPTH = 60
MAX_NODES = 300_000
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An expression or a template that only another program can evaluate."""

    text: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value, the characters that it takes, and the place of its key.

    `value` is a dict of nodes, a list of nodes, or text, int, Decimal, bool, None, Unresolved.
    `shared`: it is written once and used at several places, so that no edit may touch it.
    """

    value: Any
    where: Location
    start: int = 0
    end: int = 0
    size: int = 1
    height: int = 0
    key: Location | None = None
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
    """The text cannot be read as its syntax demands."""

    def __init__(self, where: Location, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.where = where
        self.what = printable(what)
        self.remedy = remedy


def walk(node: Node) -> Iterator[Node]:
    """The node and every one below it, from the top."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one.value, dict):
            waiting += reversed(one.value.values())
        elif isinstance(one.value, list):
            waiting += reversed(one.value)


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


def shown(value: object) -> str:
    """Text in backquotes, cut where it is long; numbers and words of YAML bare."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    text = printable(value.text if isinstance(value, Unresolved) else str(value))
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text if isinstance(value, int | Decimal) else f"`{text}`"


def printable(text: str) -> str:
    """What moves the cursor or cannot be seen, as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
