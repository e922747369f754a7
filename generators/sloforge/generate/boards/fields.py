"""The `fieldConfig` of a panel: units, thresholds, words for numbers, lines, columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sloforge.generate.boards.board import Column, Graph, Look, Read, Words
    from sloforge.model import Step

Json = dict[str, Any]


def defaults(look: Look) -> Json:
    """Everything but the thresholds, which the panel's base class carries."""
    return {
        "color": {"mode": "thresholds"},
        "decimals": look.decimals,
        "mappings": [_mapping(at, words) for at, words in enumerate(look.words)] or None,
        "max": look.maximum,
        "min": look.minimum,
        "noValue": look.empty,
        "unit": look.unit,
    }


def steps(found: Iterable[Step]) -> list[Json]:
    """In the order of the values; the first has none, which Grafana reads as minus infinity."""
    first, *rest = found
    ordered = sorted(rest, key=lambda step: step.value or 0)
    return [{"color": step.color, "value": step.value} for step in (first, *ordered)]


def graph(look: Graph) -> Json:
    """How a time series is drawn."""
    bars, area = look.draw == "bars", look.draw == "area" or look.stacked
    scale = {"type": "log", "log": look.log} if look.log else {"type": "linear"}
    return {
        "color": {"mode": "palette-classic"},
        "custom": {
            "drawStyle": "bars" if bars else "line",
            "fillOpacity": 60 if bars else 20 if area else 0,
            "lineWidth": 1,
            "scaleDistribution": scale,
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if look.stacked else "none"},
            "thresholdsStyle": {"mode": look.thresholds},
        },
    }


def dashed(read: Read) -> Json:
    """A line that is a yardstick and no measurement: dashed, in the colour that the query names."""
    return {
        "matcher": {"id": "byName", "options": read.legend},
        "properties": [
            {"id": "custom.lineStyle", "value": {"dash": [10, 10], "fill": "dash"}},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "color", "value": {"fixedColor": read.dashed, "mode": "fixed"}},
        ],
    }


def column(found: Column) -> Json:
    """One column's own unit, colours, words and links, by its title."""
    return {
        "matcher": {"id": "byName", "options": found.title},
        "properties": list(_properties(found)),
    }


def _properties(found: Column) -> Iterable[Json]:
    if (look := found.look) is not None:
        yield {"id": "unit", "value": look.unit}
        yield {"id": "noValue", "value": look.empty}
        if look.decimals is not None:
            yield {"id": "decimals", "value": look.decimals}
        if look.words:
            mappings = [_mapping(at, words) for at, words in enumerate(look.words)]
            yield {"id": "mappings", "value": mappings}
        if found.cell != "auto":
            yield {"id": "thresholds", "value": {"mode": "absolute", "steps": steps(look.steps)}}
    if found.cell != "auto":
        yield {"id": "custom.cellOptions", "value": {"type": found.cell}}
    if found.width is not None:
        yield {"id": "custom.width", "value": found.width}
    if found.hidden:
        yield {"id": "custom.hidden", "value": True}
    if found.links:
        links = [{"title": link.title, "url": link.url} for link in found.links]
        yield {"id": "links", "value": links}


def _mapping(at: int, words: Words) -> Json:
    result: Json = {"index": at, "text": words.text}
    if words.color:
        result["color"] = words.color
    if words.value is not None:
        return {"type": "value", "options": {str(words.value): result}}
    if words.between is not None:
        low, high = words.between
        return {"type": "range", "options": {"from": low, "to": high, "result": result}}
    return {"type": "special", "options": {"match": "null+nan", "result": result}}
