"""A native tree -> the YAML that a person would write, with the comments of where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import yaml

from sloforge.artifacts import NUMBER
from sloforge.formats.comments import Placed, placed
from sloforge.located.tree import Node
from sloforge.promql import number

_WIDTH = 10_000
# The order of the documentation.
_ORDER = (
    *("version", "service", "owner", "tier", "name", "description", "job", "scrape_interval"),
    *("objective", "window", "by", "sli", "alerting", "sloth", "slos"),
)


def text(service: Node, texts: Mapping[str, str]) -> str:
    """The service's file; `texts` are the files that it comes from, by name."""
    notes = placed(service, texts)
    lines = [*_mapping(service, notes, ""), *notes.rest]
    return "\n".join(lines) + "\n"


def _mapping(node: Node, notes: Placed, indent: str) -> Iterator[str]:
    for key, child in sorted(node.value.items(), key=_rank):
        yield from _above(child, notes, indent)
        yield from _entry(f"{indent}{_scalar(key)}:", child, notes, indent)


def _rank(item: tuple[str, Node]) -> int:
    return _ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER)


def _entry(head: str, child: Node, notes: Placed, indent: str) -> Iterator[str]:
    behind = "".join(f" {one}" for one in notes.behind.get(id(child), ()))
    if isinstance(child.value, dict) and child.value:
        yield head + behind
        yield from _mapping(child, notes, indent + "  ")
    elif isinstance(child.value, list) and any(isinstance(c.value, dict) for c in child.value):
        yield head + behind
        for item in child.value:
            yield from _item(item, notes, indent)
    elif isinstance(child.value, list):
        yield f"{head} [{', '.join(_scalar(c.value) for c in child.value)}]{behind}"
    else:
        yield f"{head} {_scalar(child.value)}{behind}"


def _item(item: Node, notes: Placed, indent: str) -> Iterator[str]:
    yield from _above(item, notes, indent)
    inner = f"{indent}  "
    lines = list(_mapping(item, notes, inner))
    # What stands above its first key stands above the item.
    first = next(at for at, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (f"{indent}{line.strip()}" for line in lines[:first])
    behind = "".join(f" {one}" for one in notes.behind.get(id(item), ()))
    yield f"{indent}- {lines[first][len(inner) :]}{behind}"
    yield from lines[first + 1 :]


def _above(node: Node, notes: Placed, indent: str) -> Iterator[str]:
    for one in notes.above.get(id(node), ()):
        yield indent + one


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if NUMBER.fullmatch(str(value)):
        return f"'{value}'"
    spelled = yaml.safe_dump(str(value), width=_WIDTH, allow_unicode=True)
    return spelled.removesuffix("...\n").strip()
