"""Comments of a YAML file, and where they belong in a tree that was made from it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from sloforge.libyaml import SafeLoader
from sloforge.located.tree import Node

# A line for an editor says nothing of the new file.
_EDITOR = re.compile(r"#\s*(yaml-language-server|vim?|-\*-)")
_BULKY = (yaml.ScalarToken,)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its line; `alone` is whether nothing else stands there."""

    line: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Comments by the node they belong to, which is told by its identity, and those left over."""

    above: dict[int, list[str]] = field(default_factory=dict)
    behind: dict[int, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def comments(text: str) -> list[Comment]:
    """Every comment; what looks like one within a text over several lines is none."""
    ends: dict[int, int] = {}
    inside: set[int] = set()
    for token in yaml.scan(text, Loader=SafeLoader):
        start, end = token.start_mark, token.end_mark
        ends[end.line] = max(ends.get(end.line, 0), end.column)
        if isinstance(token, _BULKY) and end.line > start.line:
            inside |= set(range(start.line + (token.style in ("|", ">")), end.line))
    found = []
    for at, line in enumerate(text.splitlines()):
        rest = line[ends.get(at, 0) :].strip()
        if at not in inside and rest.startswith("#") and not _EDITOR.match(rest):
            found.append(Comment(at + 1, rest, alone=line.strip() == rest))
    return found


def placed(tree: Node, texts: Mapping[str, str]) -> Placed:
    """Each comment above the next thing that was written below it, or behind its own line's."""
    found = Placed()
    nodes = list(_nodes(tree))
    files = {node.where.path for node in nodes}
    for path in sorted(files & texts.keys()):
        lines = sorted({n.where.line for n in nodes if n.where.path == path})
        first = {n.where.line: n for n in reversed(nodes) if n.where.path == path}
        last = {n.where.line: n for n in nodes if n.where.path == path}
        for comment in comments(texts[path]):
            _put(comment, lines, (first, last), found)
    return found


def _put(
    comment: Comment,
    lines: list[int],
    by_line: tuple[Mapping[int, Node], Mapping[int, Node]],
    found: Placed,
) -> None:
    first, last = by_line
    above, below = bisect_right(lines, comment.line), bisect_left(lines, comment.line)
    if not comment.alone and above:
        found.behind.setdefault(id(last[lines[above - 1]]), []).append(comment.text)
    elif below < len(lines):
        found.above.setdefault(id(first[lines[below]]), []).append(comment.text)
    else:
        found.rest.append(comment.text)


def _nodes(tree: Node) -> Iterable[Node]:
    """In the order in which they are written; the whole document is no place for a comment."""
    children: Iterable[Node] = ()
    if isinstance(tree.value, dict):
        children = tree.value.values()
    elif isinstance(tree.value, list):
        children = tree.value
    for child in children:
        yield child
        yield from _nodes(child)
