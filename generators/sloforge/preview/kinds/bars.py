"""One bar for each series."""

from __future__ import annotations

import math
from typing import Any

from sloforge.preview.asking import Results
from sloforge.preview.context import Context
from sloforge.preview.fields import Look, Number
from sloforge.preview.kinds.stat import linked, nothing, numbers
from sloforge.preview.series import Series

Json = dict[str, Any]


def bars(panel: Json, found: Results, context: Context) -> Json:
    """The bars between the panel's minimum and maximum, or those of the numbers."""
    listed = list(numbers(panel, found))
    there = [value for _, value, _ in listed if value is not None and not math.isnan(value)]
    low, high = min([0.0, *there]), max(there, default=1.0)
    items = [_item(one, value, seen, (low, high)) for one, value, seen in listed]
    for item, (_, value, seen) in zip(items, listed, strict=True):
        item["links"] = linked(seen, seen.of(value), context)
    mode = str((panel.get("options") or {}).get("displayMode") or "gradient")
    return {
        "kind": "bars",
        "empty": not items,
        "items": items or [nothing(panel)],
        "gradient": mode == "gradient",
    }


def gauge(panel: Json, found: Results, context: Context) -> Json:
    """The same numbers around a half circle."""
    return bars(panel, found, context) | {"kind": "gauges"}


def _item(one: Series, value: Number, seen: Look, ends: tuple[float, float]) -> Json:
    low = ends[0] if seen.minimum is None else float(seen.minimum)
    high = ends[1] if seen.maximum is None else float(seen.maximum)
    said = seen.of(value)
    share = 0.0
    if value is not None and not math.isnan(value) and high > low:
        share = min(max((value - low) / (high - low), 0.0), 1.0)
    return {
        "name": seen.title or one.name,
        "text": said.text,
        "color": said.color or "text",
        "share": round(share, 4),
        "stops": _stops(seen, low, high, share),
    }


def _stops(seen: Look, low: float, high: float, share: float) -> list[tuple[float, str]]:
    """The colours of the thresholds that a bar runs through, at their places in the bar."""
    if high <= low or share <= 0:
        return []
    found = [(0.0, seen.step(low))]
    for bound, name in seen.steps:
        place = (bound - low) / (high - low) / share
        if 0 < place < 1:
            found.append((round(place, 4), name))
    return found
