"""Rows and panels of a dashboard in their places, repeated ones once for each value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sloforge.preview.choosing import Choice, only
from sloforge.preview.context import COLUMNS
from sloforge.preview.filling import ALL, Value

Json = dict[str, Any]
MOST_CLONES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel; `key` names it on the page, `scope` holds what its clone sees differently."""

    key: str
    json: Json = field(repr=False)
    x: int
    y: int
    width: int
    height: int
    scope: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row with the panels under it; panels above the first row have one without a title."""

    key: str
    title: str
    collapsed: bool
    panels: tuple[Placed, ...]
    scope: Mapping[str, Value] = field(default_factory=dict)


def rows(panels: Iterable[Json], choices: Iterable[Choice]) -> tuple[Row, ...]:
    """Everything in its order from top to bottom; the y of a panel counts within its row."""
    chosen = {choice.name: choice for choice in choices}
    found: list[Row] = []
    for row, under in _sections(panels):
        for suffix, scope in _clones(row.get("repeat"), chosen):
            key = f"row{row.get('id', len(found))}{suffix}"
            placed = tuple(_placed(under, chosen, suffix, scope))
            found.append(
                Row(
                    key=key,
                    title=str(row.get("title") or ""),
                    collapsed=bool(row.get("collapsed")),
                    panels=_packed(placed),
                    scope=scope,
                )
            )
    return tuple(row for row in found if row.title or row.panels)


def _sections(panels: Iterable[Json]) -> Iterator[tuple[Json, list[Json]]]:
    """A row holds its panels itself while it is collapsed; else they follow it."""
    listed = sorted((one for one in panels if isinstance(one, dict)), key=_order)
    row: Json = {"id": 0}
    under: list[Json] = []
    for one in listed:
        if one.get("type") == "row":
            yield row, under
            row, under = one, list(one.get("panels") or ())
        else:
            under.append(one)
    yield row, under


def _order(panel: Json) -> tuple[int, int]:
    place = panel.get("gridPos") or {}
    return int(place.get("y", 0)), int(place.get("x", 0))


def _clones(name: object, chosen: Mapping[str, Choice]) -> Iterator[tuple[str, dict[str, Value]]]:
    """One without a suffix where nothing is repeated; else one for each chosen value."""
    choice = chosen.get(str(name)) if name else None
    if choice is None:
        yield "", {}
        return
    values = choice.chosen
    if ALL in values:
        values = tuple(value for value, _ in choice.options if value != ALL)
    for at, value in enumerate(values[:MOST_CLONES]):
        clone = only(choice, value).value
        yield (f"~{at}" if at else ""), {choice.name: replace(clone, pattern="")}


def _placed(
    panels: Iterable[Json], chosen: Mapping[str, Choice], suffix: str, scope: dict[str, Value]
) -> Iterator[Placed]:
    for at, panel in enumerate(sorted(panels, key=_order)):
        place = panel.get("gridPos") or {}
        base = Placed(
            key=f"{panel.get('id', f'at{at}')}{suffix}",
            json=panel,
            x=min(max(int(place.get("x", 0)), 0), COLUMNS - 1),
            y=int(place.get("y", 0)),
            width=min(max(int(place.get("w", COLUMNS)), 1), COLUMNS),
            height=max(int(place.get("h", 8)), 1),
            scope=scope,
        )
        clones = list(_clones(panel.get("repeat"), chosen))
        yield from _spread(base, clones) if panel.get("repeat") else (base,)


def _spread(base: Placed, clones: list[tuple[str, dict[str, Value]]]) -> Iterator[Placed]:
    """Beside one another as far as there is room, or below one another."""
    down = base.json.get("repeatDirection") == "v"
    most = int(base.json.get("maxPerRow") or 4)
    across = 1 if down else max(1, min(len(clones), most))
    width = base.width if down else COLUMNS // across
    for at, (suffix, scope) in enumerate(clones):
        yield replace(
            base,
            key=f"{base.key}{suffix.replace('~', '+')}",
            x=base.x if down else at % across * width,
            y=base.y + at // across * base.height,
            width=width,
            scope={**base.scope, **scope},
        )


def _packed(panels: tuple[Placed, ...]) -> tuple[Placed, ...]:
    """Each panel as high as those above it let it be, in the order of the file."""
    floor = [0] * COLUMNS
    found: list[Placed] = []
    for one in sorted(panels, key=lambda panel: (panel.y, panel.x)):
        columns = range(one.x, min(one.x + one.width, COLUMNS))
        y = max((floor[column] for column in columns), default=0)
        for column in columns:
            floor[column] = y + one.height
        found.append(replace(one, y=y, width=len(columns)))
    return tuple(found)
