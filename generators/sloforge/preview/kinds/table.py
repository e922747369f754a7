"""Rows of instant queries: joined, chosen, named, sorted, coloured and linked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sloforge.preview.asking import Results
from sloforge.preview.context import Context
from sloforge.preview.fields import Look, Matched, Shown, look
from sloforge.preview.kinds.stat import nothing
from sloforge.preview.links import address, of_cell, title_of_cell
from sloforge.preview.transform import Cell, Field, Frame, frames, transformed

Json = dict[str, Any]
MOST_ROWS = 500
_NUMBERS = ("number", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    field: Field
    look: Look
    words: tuple[Shown, ...]

    @property
    def cell(self) -> str:
        options = self.look.custom.get("cellOptions") or {}
        return str(options.get("type") or "auto")


def table(panel: Json, found: Results, context: Context) -> Json:
    """The first frame that is left once the panel's transformations are done."""
    tables = frames(found)
    frame, notes = transformed(tables, panel.get("transformations") or ())
    notes = (*_missing(found, len(tables)), *notes)
    config = panel.get("fieldConfig") or {}
    columns = [_column(field, config) for field in frame.fields]
    shown = [column for column in columns if not column.look.custom.get("hidden")]
    order = _order(frame, (panel.get("options") or {}).get("sortBy") or ())
    if len(order) > MOST_ROWS:
        notes = (*notes, f"only the first {MOST_ROWS} of {len(order)} rows are shown")
    rows = [_row(at, columns, shown, context) for at in order[:MOST_ROWS]]
    return {
        "kind": "table",
        "message": "" if rows else nothing(panel)["text"],
        "columns": [_head(column) for column in shown],
        "rows": rows,
        "notes": [*found.notes, *notes],
    }


def _missing(found: Results, tables: int) -> tuple[str, ...]:
    """Grafana leaves the column of such a query out without a word."""
    empty = [ref for ref in found.refs if not found.of(ref)]
    if not tables or not empty or found.failures:
        return ()
    return (f"no column for {', '.join(empty)}: the query found nothing, as Grafana would show it",)


def _column(field: Field, config: Json) -> _Column:
    seen = look(config, Matched(name=field.title, ref=field.ref, kind=field.kind))
    return _Column(field=field, look=seen, words=tuple(_said(cell, seen) for cell in field.cells))


def _said(cell: Cell, seen: Look) -> Shown:
    if isinstance(cell, str):
        return seen.words(cell)
    return seen.of(cell)


def _order(frame: Frame, wanted: Any) -> list[int]:
    """The panel's own sorting; rows without a value come last, as in Grafana."""
    rows = list(range(frame.rows))
    for one in reversed(list(wanted)):
        field = next((f for f in frame.fields if f.title == one.get("displayName")), None)
        if field is not None:
            rows = field.sorted(rows, descending=bool(one.get("desc")))
    return rows


def _head(column: _Column) -> Json:
    align = str(column.look.custom.get("align") or "auto")
    if align == "auto":
        align = "right" if column.field.kind in _NUMBERS else "left"
    return {
        "title": column.look.title or column.field.title,
        "align": align if align in ("left", "right", "center") else "left",
        "width": column.look.custom.get("width"),
    }


def _row(at: int, columns: list[_Column], shown: list[_Column], context: Context) -> list[Json]:
    fields = {column.field.name: column.words[at].text for column in columns}
    fields |= {column.field.title: column.words[at].text for column in columns}
    return [_cell(column, at, fields, context) for column in shown]


def _cell(column: _Column, at: int, fields: dict[str, str], context: Context) -> Json:
    said, raw = column.words[at], column.field.cells[at]
    cell: Json = {"text": said.text, "sort": raw}
    if isinstance(raw, float) and not math.isfinite(raw):
        cell["sort"] = None
    if column.cell != "auto" and said.color:
        cell["color" if column.cell == "color-text" else "background"] = said.color
    links = [_link(one, said.text, fields, context) for one in column.look.links]
    if found := [link for link in links if link["href"]]:
        cell["links"] = found
    return cell


def _link(one: Json, text: str, fields: dict[str, str], context: Context) -> Json:
    title = title_of_cell(str(one.get("title") or text), fields, text)
    url = of_cell(str(one.get("url") or ""), fields, text)
    return {"title": context.text(title), "href": address(url, context.page)}
