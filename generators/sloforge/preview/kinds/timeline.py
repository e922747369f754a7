"""States over time: a band for each stretch in which nothing changed."""

from __future__ import annotations

from typing import Any

from sloforge.preview.asking import Results
from sloforge.preview.context import Context
from sloforge.preview.fields import Look, Matched, Shown, look
from sloforge.preview.kinds.graph import time_axis
from sloforge.preview.kinds.stat import nothing
from sloforge.preview.series import Grid, Series

Json = dict[str, Any]


def timeline(panel: Json, found: Results, context: Context) -> Json:
    """A row for each series; where there is no sample there is no band."""
    options = panel.get("options") or {}
    merged = options.get("mergeValues") is not False
    rows = [_row(one, panel, found.grid, merged=merged) for one in found.series]
    return {
        "kind": "timeline",
        "message": "" if rows else nothing(panel)["text"],
        "rows": rows,
        "time": time_axis(panel, context),
        "valued": options.get("showValue", "auto") != "never",
    }


def _row(one: Series, panel: Json, grid: Grid, *, merged: bool) -> Json:
    seen = look(panel.get("fieldConfig") or {}, Matched(name=one.name, ref=one.ref))
    return {"name": seen.title or one.name, "bands": _bands(one, seen, grid, merged=merged)}


def _bands(one: Series, seen: Look, grid: Grid, *, merged: bool) -> list[Json]:
    """A sample holds until the next one."""
    bands: list[Json] = []
    last: tuple[Shown, int] | None = None
    for at, value in enumerate(one.values):
        if value is None:
            last = None
            continue
        said = seen.of(value)
        start = round((grid.start + at * grid.step) * 1000)
        end = round(start + grid.step * 1000)
        if merged and last is not None and _same(last[0], said, seen):
            bands[-1]["to"] = end
        else:
            bands.append(
                {"from": start, "to": end, "text": said.text, "color": said.color or "green"}
            )
        last = (said, at)
    return bands


def _same(one: Shown, other: Shown, seen: Look) -> bool:
    """Thresholds make one band of all numbers between two of them, mappings of equal words."""
    banded = bool(seen.steps) and not seen.mappings
    return one == other or (banded and one.color == other.color)
