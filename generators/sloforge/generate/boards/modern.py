"""What grafanalib emits -> what Grafana 10.4 and later read: no nulls, no keys of old versions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_LEGACY = {
    "__inputs",
    "cacheTimeout",
    "editable",
    "error",
    "gnetId",
    "height",
    "hideControls",
    "hideTimeOverride",
    "intervalFactor",
    "metric",
    "minSpan",
    "query",
    "rows",
    "sharedCrosshair",
    "span",
    "step",
    "style",
    "target",
    "time_options",
    "version",
}
_VARIABLE_LEGACY = {"auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags"}
_OPTIONAL = ("links", "transformations", "transparent")
_ROW_KEYS = {"collapsed", "gridPos", "id", "panels", "title", "type"}


def modern(made: Any) -> Json:
    """The JSON of a grafanalib dashboard without nulls, legacy keys and empty values."""
    found: Json = _plain(made)
    variables = found["templating"]["list"]
    found = {key: value for key, value in found.items() if key not in _LEGACY}
    found["templating"] = {"list": [_without(v, _VARIABLE_LEGACY) for v in variables]}
    found["timepicker"] = _without(found["timepicker"], _LEGACY)
    found["panels"] = [_modern_panel(panel) for panel in found["panels"]]
    return found | {"editable": False, "fiscalYearStartMonth": 0, "id": None, "preload": False}


def _plain(value: Any) -> Any:
    """What JSON knows: grafanalib's objects asked, decimals as numbers, keys with null left out."""
    if hasattr(value, "to_json_data"):
        return _plain(value.to_json_data())
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _without(value: Json, keys: set[str]) -> Json:
    return {key: inner for key, inner in value.items() if key not in keys}


def _modern_panel(panel: Json) -> Json:
    if panel["type"] == "row":
        row = {key: panel[key] for key in _ROW_KEYS}
        return row | {"panels": [_modern_panel(one) for one in panel["panels"]]}
    found = _without(panel, _LEGACY | {key for key in _OPTIONAL if not panel[key]})
    found["targets"] = [_without(target, _LEGACY) for target in found["targets"]]
    if found["type"] == "text":
        found["fieldConfig"] = {"defaults": {}, "overrides": []}
        return _without(found, {"targets", "transformations"})
    for thresholds in _thresholds(found["fieldConfig"]):
        thresholds["steps"][0]["value"] = None
    return found


def _thresholds(config: Json) -> Iterator[Json]:
    """Everywhere the lowest step stands, whose null is the only one that a panel needs."""
    yield config["defaults"]["thresholds"]
    for override in config["overrides"]:
        yield from (p["value"] for p in override["properties"] if p["id"] == "thresholds")
