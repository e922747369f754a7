"""Tables out of queries, and the transformations that our boards use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sloforge.preview.asking import Results
from sloforge.preview.series import Series

Json = dict[str, Any]
Cell = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column: its name in the query's answer, its title, its cells from top to bottom."""

    name: str
    title: str
    kind: str
    ref: str
    cells: tuple[Cell, ...]

    def sorted(self, rows: Sequence[int], *, descending: bool) -> list[int]:
        """These rows in the order of the column; those without a value last."""
        there = [at for at in rows if _is_there(self.cells[at])]
        there.sort(key=lambda at: _key(self.cells[at]), reverse=descending)
        return there + [at for at in rows if not _is_there(self.cells[at])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A table; all of its fields have as many cells."""

    fields: tuple[Field, ...]

    @property
    def rows(self) -> int:
        return len(self.fields[0].cells) if self.fields else 0


def _is_there(cell: Cell) -> bool:
    return cell is not None and not (isinstance(cell, float) and math.isnan(cell))


def _key(cell: Cell) -> tuple[int, float, str]:
    return (0, cell, "") if isinstance(cell, (int, float)) else (1, 0.0, str(cell))


def frames(found: Results) -> tuple[Frame, ...]:
    """A table for each query with an answer: its labels by name, then the value."""
    several = len(found.refs) > 1
    tables = [
        _frame(found.of(ref), f"Value #{ref}" if several else "Value", ref) for ref in found.refs
    ]
    return tuple(frame for frame in tables if frame.rows)


def _frame(series: Sequence[Series], value: str, ref: str) -> Frame:
    names = sorted({name for one in series for name in one.labels})
    labels = [
        Field(
            name=name,
            title=name,
            kind="string",
            ref=ref,
            cells=tuple(one.labels.get(name, "") for one in series),
        )
        for name in names
    ]
    last = tuple(one.values[-1] if one.values else None for one in series)
    return Frame(
        fields=(*labels, Field(name=value, title=value, kind="number", ref=ref, cells=last))
    )


def transformed(tables: tuple[Frame, ...], steps: Iterable[Json]) -> tuple[Frame, tuple[str, ...]]:
    """The first table that is left, and what could not be done, in words."""
    notes: list[str] = []
    for step in steps:
        options = step.get("options") or {}
        kind = str(step.get("id"))
        if step.get("disabled"):
            continue
        match kind:
            case "joinByField":
                tables = (_joined(tables, str(options.get("byField") or "")),) if tables else ()
            case "merge":
                tables = (_merged(tables),) if tables else ()
            case "filterFieldsByName":
                tables = tuple(_kept(frame, options) for frame in tables)
            case "organize":
                tables = tuple(_organized(frame, options) for frame in tables)
            case "sortBy":
                tables = tuple(_ordered(frame, options) for frame in tables)
            case _:
                notes.append(f"the transformation `{kind}` is not previewed")
    if len(tables) > 1:
        notes.append(f"Grafana shows one of {len(tables)} tables, and this is the first")
    return (tables[0] if tables else Frame(fields=())), tuple(notes)


def _joined(tables: Sequence[Frame], by: str) -> Frame:
    """An outer join: a row for each value of the field, in the order in which they appear."""
    with_key = [(frame, key) for frame in tables if (key := _field(frame, by)) is not None]
    if not with_key:
        return tables[0]
    values = list(dict.fromkeys(cell for _, key in with_key for cell in key.cells))
    fields: list[Field] = [replace(with_key[0][1], cells=tuple(values))]
    for frame, key in with_key:
        places: Mapping[Cell, int] = {cell: at for at, cell in reversed(list(enumerate(key.cells)))}
        for field in frame.fields:
            if field is not key:
                cells = [field.cells[places[v]] if v in places else None for v in values]
                fields.append(replace(field, cells=tuple(cells)))
    return Frame(fields=tuple(fields))


def _merged(tables: Sequence[Frame]) -> Frame:
    """All rows under one another; those with the same labels are one."""
    labels = sorted({f.name for frame in tables for f in frame.fields if f.kind == "string"})
    rows: dict[tuple[Cell, ...], dict[str, Cell]] = {}
    kinds: dict[str, Field] = {}
    for frame in tables:
        kinds |= {field.name: field for field in frame.fields}
        for at in range(frame.rows):
            found = {field.name: field.cells[at] for field in frame.fields}
            key = tuple(found.get(name) for name in labels)
            rows.setdefault(key, {}).update(found)
    fields = [
        replace(kinds[name], cells=tuple(row.get(name) for row in rows.values())) for name in kinds
    ]
    return Frame(fields=tuple(sorted(fields, key=lambda f: f.kind != "string")))


def _kept(frame: Frame, options: Json) -> Frame:
    names = (options.get("include") or {}).get("names")
    out = set((options.get("exclude") or {}).get("names") or ())
    if names is None:
        return Frame(fields=tuple(f for f in frame.fields if f.title not in out))
    return Frame(fields=tuple(f for f in frame.fields if f.title in names))


def _organized(frame: Frame, options: Json) -> Frame:
    out = {name for name, gone in (options.get("excludeByName") or {}).items() if gone}
    order = options.get("indexByName") or {}
    titles = options.get("renameByName") or {}
    left = [field for field in frame.fields if field.name not in out]
    left.sort(key=lambda field: order.get(field.name, len(order)))
    return Frame(fields=tuple(replace(f, title=titles.get(f.name) or f.title) for f in left))


def _ordered(frame: Frame, options: Json) -> Frame:
    rows = list(range(frame.rows))
    for one in reversed(options.get("sort") or []):
        field = _field(frame, str(one.get("field")))
        if field is not None:
            rows = field.sorted(rows, descending=bool(one.get("desc")))
    return Frame(
        fields=tuple(replace(f, cells=tuple(f.cells[at] for at in rows)) for f in frame.fields)
    )


def _field(frame: Frame, title: str) -> Field | None:
    return next((field for field in frame.fields if title in (field.title, field.name)), None)
