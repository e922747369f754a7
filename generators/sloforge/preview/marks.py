"""Annotations: the times at which a query has a value, as bands over the graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sloforge.errors import Problem
from sloforge.preview import source
from sloforge.preview.choosing import built_in
from sloforge.preview.colors import color
from sloforge.preview.context import Context
from sloforge.preview.filling import filled, in_query
from sloforge.preview.moments import MOST_POINTS, duration
from sloforge.preview.series import Grid, Series, answered, worded

Json = dict[str, Any]
MOST = 200


def marks(annotations: Iterable[Json], context: Context) -> Json:
    """The bands, the kinds of them for a legend, and what cannot be shown in words."""
    bands: list[Json] = []
    kinds: list[Json] = []
    notes: list[str] = []
    for one in annotations:
        if not isinstance(one, dict) or not one.get("enable", True) or one.get("builtIn"):
            continue
        name, hue = str(one.get("name") or ""), color(one.get("iconColor"))
        if not one.get("expr"):
            notes.append(f"{name}: kept by Grafana itself, not by Prometheus, and not shown here")
            continue
        try:
            found = list(_bands(one, context))
        except Problem as problem:
            notes.append(f"{name}: {problem}")
            continue
        if len(found) > MOST:
            notes.append(f"{name}: only the last {MOST} of {len(found)} are shown")
        kinds.append({"name": name, "color": hue, "count": len(found)})
        bands += [band | {"kind": name, "color": hue} for band in found[-MOST:]]
    return {"bands": bands, "fills": list(_fills(bands)), "kinds": kinds, "notes": notes}


def _fills(bands: Iterable[Json]) -> Iterator[Json]:
    """The times that any band of a kind covers: many alerts at once are not many layers."""
    last: Json = {}
    for band in sorted(bands, key=lambda one: (one["kind"], one["from"])):
        if last and last["kind"] == band["kind"] and band["from"] <= last["to"]:
            last["to"] = max(last["to"], band["to"])
            continue
        if last:
            yield last
        last = {name: band[name] for name in ("kind", "from", "to", "color")}
    if last:
        yield last


def _bands(one: Json, context: Context) -> Iterator[Json]:
    least = duration(str(one.get("step") or "")) or 60.0
    size = max(least, -(-context.over.seconds // (MOST_POINTS - 1)))
    start = context.over.start // size * size
    count = max(int((context.over.end // size * size - start) // size) + 1, 1)
    grid = Grid(start=start, step=size, count=count)
    known = built_in(context.over, size, size * 4)
    expr = filled(str(one["expr"]), {**context.scope, **known}, in_query)
    end = start + (count - 1) * size
    found = answered(context.numbers.ask(source.over(expr, start, end, size)), grid, "")
    listed = [band for series in found.series for band in _stretches(series, grid, one)]
    yield from sorted(listed, key=lambda band: (band["from"], band["title"]))


def _stretches(series: Series, grid: Grid, one: Json) -> Iterator[Json]:
    """From each first sample to the last one before a gap."""
    title = worded(str(one.get("titleFormat") or "{{__name__}}"), series.labels)
    text = worded(str(one.get("textFormat") or ""), series.labels)
    begin: int | None = None
    for at, value in enumerate((*series.values, None)):
        if value and begin is None:
            begin = at
        if not value and begin is not None:
            first, last = (round((grid.start + n * grid.step) * 1000) for n in (begin, at - 1))
            yield {"from": first, "to": last, "title": title, "text": text}
            begin = None
