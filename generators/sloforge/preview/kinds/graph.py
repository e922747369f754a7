"""Lines, areas and bars over time, with their axes, thresholds and legend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from sloforge.preview import axes
from sloforge.preview.asking import MARGIN, Results
from sloforge.preview.context import COLUMNS, Context
from sloforge.preview.fields import Look, Matched, Number, look
from sloforge.preview.kinds.stat import nothing
from sloforge.preview.moments import ticks
from sloforge.preview.series import CALCULATIONS, Grid, Series, reduced

Json = dict[str, Any]
# A label of the time axis takes so many pixels, a line of the grid so many of the height.
TICK, LINE = 92, 46
ROW = 38
# The head, the time axis and the rows of a legend, in pixels.
HEAD, LEGEND_ROW, LEGEND_HEAD = 62, 21, 24
MOST_LEGEND_ROWS = 6


def graph(panel: Json, found: Results, context: Context) -> Json:
    """Every series with its colour, its texts and its line of the legend."""
    config = panel.get("fieldConfig") or {}
    looks = [look(config, Matched(name=one.name, ref=one.ref)) for one in found.series]
    common = look(config, Matched(name=""))
    visible = [
        (at, one, seen)
        for at, (one, seen) in enumerate(zip(found.series, looks, strict=True))
        if any(value is not None and not math.isnan(value) for value in one.values)
    ]
    legend = (panel.get("options") or {}).get("legend") or {}
    calcs = [str(name) for name in legend.get("calcs") or ()]
    drawn = [_series(one, seen, at, calcs) for at, one, seen in visible]
    stacked = _is_stacked(common)
    values = (
        _stacked([one for _, one, _ in visible])
        if stacked
        else [one.values for _, one, _ in visible]
    )
    y = _y_axis(common, values, _lines(panel, len(drawn) if legend.get("showLegend", True) else 0))
    return {
        "kind": "graph",
        "message": "" if drawn else nothing(panel)["text"],
        "x": _grid(found.grid),
        "time": time_axis(panel, context),
        "y": y,
        "series": drawn,
        "stacked": stacked,
        "thresholds": _thresholds(common, y),
        "columns": [CALCULATIONS.get(name, name) for name in calcs],
        "legend": bool(legend.get("showLegend", True)),
    }


def time_axis(panel: Json, context: Context) -> Json:
    """The dashboard's range, and as many ticks as there is room for."""
    width = context.width * int((panel.get("gridPos") or {}).get("w", COLUMNS)) // COLUMNS - MARGIN
    found = ticks(context.over, max(2, width // TICK), context.zone)
    start, end = round(context.over.start * 1000), round(context.over.end * 1000)
    return {"from": start, "to": end, "ticks": found}


def _grid(grid: Grid) -> Json:
    return {
        "start": round(grid.start * 1000),
        "step": round(grid.step * 1000),
        "count": grid.count,
    }


def _series(one: Series, seen: Look, at: int, calcs: Iterable[str]) -> Json:
    custom = seen.custom
    style = custom.get("lineStyle") or {}
    return {
        "name": seen.title or one.name,
        "color": seen.own_color(at),
        "values": [None if _is_gap(value) else _rounded(value) for value in one.values],
        "texts": ["" if _is_gap(value) else seen.of(value).text for value in one.values],
        "legend": [seen.of(reduced(one.values, name)).text for name in calcs],
        "dash": style.get("fill") == "dash",
        "bars": custom.get("drawStyle") == "bars",
        "points": custom.get("drawStyle") == "points" or custom.get("showPoints") == "always",
        "fill": int(custom.get("fillOpacity") or 0) / 100,
        "width": custom.get("lineWidth", 1),
        "connect": custom.get("spanNulls") is True,
    }


def _is_gap(value: Number) -> bool:
    return value is None or not math.isfinite(value)


def _rounded(value: Number) -> Number:
    """Six digits are more than a screen shows, and a third of the bytes."""
    return float(f"{value:.7g}") if value is not None else None


def _is_stacked(seen: Look) -> bool:
    mode = (seen.custom.get("stacking") or {}).get("mode", "none")
    return mode not in ("none", "")


def _stacked(series: list[Series]) -> list[tuple[Number, ...]]:
    """The upper edges of a stack, for the range of its axis."""
    total: list[float] = []
    for one in series:
        total = total or [0.0] * len(one.values)
        total = [
            below + (0.0 if _is_gap(value) else value or 0.0)
            for below, value in zip(total, one.values, strict=True)
        ]
    edges: list[Number] = [*total, 0.0] if total else []
    return [tuple(edges)]


def _lines(panel: Json, series: int) -> int:
    """How many lines of the grid a panel of this height has room for."""
    rows = min(series, MOST_LEGEND_ROWS)
    height = int((panel.get("gridPos") or {}).get("h", 8)) * ROW - HEAD
    height -= rows * LEGEND_ROW + (LEGEND_HEAD if rows else 0)
    return max(2, min(height // LINE, 7))


def _y_axis(seen: Look, values: Iterable[Iterable[Number]], most: int) -> Json:
    there = [v for one in values for v in one if v is not None and math.isfinite(v)]
    scale = seen.custom.get("scaleDistribution") or {}
    if scale.get("type") == "log":
        return _log_axis(seen, there, int(scale.get("log") or 2))
    low = min(there, default=0.0) if seen.minimum is None else float(seen.minimum)
    high = max(there, default=1.0) if seen.maximum is None else float(seen.maximum)
    if low >= high:
        high = low + (abs(low) or 1.0)
        low = low if seen.minimum is not None or low == 0 else low - (high - low)
    (start, end), marks = axes.linear(low, high, seen.unit, most)
    start = start if seen.minimum is None else float(seen.minimum)
    end = end if seen.maximum is None else float(seen.maximum)
    return {
        "range": [start, end],
        "log": False,
        "ticks": [m for m in marks if start <= m[0] <= end],
    }


def _log_axis(seen: Look, there: list[float], base: int) -> Json:
    above = [value for value in there if value > 0] or [1.0]
    (start, end), marks = axes.logarithmic(min(above), max(above), base, seen.unit)
    return {"range": [start, end], "log": True, "ticks": marks}


def _thresholds(seen: Look, y: Json) -> list[Json]:
    """Lines where a threshold is in sight, and the areas above them."""
    style = str((seen.custom.get("thresholdsStyle") or {}).get("mode") or "off")
    if style == "off":
        return []
    low, high = y["range"]
    bounds = [*seen.steps, (math.inf, "")]
    found = []
    for (start, name), (end, _) in pairwise(bounds):
        if name != "transparent" and start < high and end > low:
            found.append(
                {
                    "from": max(start, low),
                    "to": min(end, high),
                    "color": name,
                    "line": start > low and math.isfinite(start) and style != "area",
                    "area": "area" in style,
                    "dash": "dashed" in style,
                }
            )
    return found
