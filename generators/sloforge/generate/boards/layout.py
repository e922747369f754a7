"""The grid of a dashboard: 24 columns, panels from left to right, none on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from sloforge.generate.boards.board import Panel, Section

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = 24
_MAX_ID = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place on the grid, in its units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel, or a row with the panels under it, with its id and its place."""

    id: int
    box: Box
    what: Panel | Section
    under: tuple[Placed, ...] = ()


def placed(sections: Iterable[Section]) -> tuple[Placed, ...]:
    """Every row, each followed by its panels; a collapsed row holds its panels inside."""
    ids, found, y = _Ids(), list[Placed](), 0
    for section in sections:
        head = Box(x=0, y=y, width=COLUMNS, height=1)
        row_id = ids.of(f"row:{section.slug}")
        panels, below = _flow(section.panels, y + 1, ids)
        if section.collapsed:
            found.append(Placed(id=row_id, box=head, what=section, under=panels))
            y += 1
        else:
            found += [Placed(id=row_id, box=head, what=section), *panels]
            y = below
    return tuple(found)


def _flow(panels: Iterable[Panel], top: int, ids: _Ids) -> tuple[tuple[Placed, ...], int]:
    """Left to right, a new line where a panel does not fit; and where the next row begins."""
    found, x, y, tallest = list[Placed](), 0, top, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        box = Box(x=x, y=y, width=panel.width, height=panel.height)
        found.append(Placed(id=ids.of(panel.slug), box=box, what=panel))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return tuple(found), y + tallest


class _Ids:
    """An id from the slug alone, so that links to a panel outlive what is inserted before it."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def of(self, slug: str) -> int:
        found = crc32(slug.encode()) % _MAX_ID + 1
        while found in self._taken:
            slug += "+"
            found = crc32(slug.encode()) % _MAX_ID + 1
        self._taken.add(found)
        return found
