"""`fieldConfig` -> how a number is shown: unit, decimals, words, colour."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sloforge.preview.colors import CLASSIC, TEXT, color
from sloforge.preview.units import shown

Json = dict[str, Any]
Number = float | None
NO_DATA = "no data"


# What Grafana takes where a panel names no threshold.
_USUAL: tuple[Json, ...] = ({"color": "green", "value": None}, {"color": "red", "value": 80})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A value for people. `color` is a name of the palette, or empty where nothing says one."""

    text: str
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one field is shown; `custom` is what the panel's own type reads."""

    unit: str = ""
    decimals: int | None = None
    minimum: Number = None
    maximum: Number = None
    empty: str = NO_DATA
    title: str = ""
    mode: str = "thresholds"
    fixed: str = ""
    steps: tuple[tuple[float, str], ...] = ()
    percentage: bool = False
    mappings: tuple[Json, ...] = ()
    links: tuple[Json, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)

    def of(self, value: Number) -> Shown:
        """Words before numbers: a mapping, then the text for no value, then the unit."""
        mapped = next((result for one in self.mappings if (result := _mapped(one, value))), None)
        missing = value is None or math.isnan(value)
        text = self.empty if missing else shown(value or 0.0, self.unit, self.decimals)
        hue = TEXT if missing else self.hue(value or 0.0)
        if mapped is not None:
            text = str(mapped.get("text") or text)
            hue = color(mapped["color"]) if mapped.get("color") else hue
        return Shown(text=text, color=hue)

    def words(self, text: str) -> Shown:
        """A label's value: a mapping may have another word for it."""
        for one in self.mappings:
            found = one.get("options", {}).get(text) if one.get("type") == "value" else None
            if isinstance(found, dict):
                return Shown(text=str(found.get("text") or text), color=color(found.get("color")))
        return Shown(text=text)

    def hue(self, value: float) -> str:
        """The colour of a number; empty where each series has its own."""
        if self.mode == "fixed":
            return color(self.fixed)
        if not self.mode.startswith("thresholds"):
            return ""
        return self.step(value)

    def step(self, value: float) -> str:
        """The colour of the highest threshold at or below the value."""
        at = self._percent(value) if self.percentage else value
        below = [name for bound, name in self.steps if at >= bound]
        return below[-1] if below else TEXT

    def _percent(self, value: float) -> float:
        low, high = self.minimum or 0.0, 100.0 if self.maximum is None else self.maximum
        return (value - low) / (high - low) * 100 if high != low else 0.0

    def own_color(self, at: int) -> str:
        """The colour of the series of this number, counted from 0."""
        return color(self.fixed) if self.mode == "fixed" else CLASSIC[at % len(CLASSIC)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What an override looks for: a field's name, kind and query."""

    name: str
    ref: str = ""
    kind: str = "number"


def look(config: Json, what: Matched) -> Look:
    """The defaults with every override that is meant for the field."""
    defaults = copy.deepcopy(config.get("defaults") or {})
    for override in config.get("overrides") or ():
        if _meant(override.get("matcher") or {}, what):
            for one in override.get("properties") or ():
                _set(defaults, str(one.get("id", "")), one.get("value"))
    return _look(defaults)


def _meant(matcher: Json, what: Matched) -> bool:
    options = matcher.get("options")
    match matcher.get("id"):
        case "byName":
            return bool(options == what.name)
        case "byNames":
            return isinstance(options, dict) and what.name in options.get("names", ())
        case "byRegexp":
            pattern = str(options).removeprefix("/").removesuffix("/")
            return bool(re.search(pattern, what.name))
        case "byType":
            return bool(options == what.kind)
        case "byFrameRefID":
            return bool(options == what.ref)
        case _:
            return False


def _set(config: Json, path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        config = config.setdefault(parent, {})
    config[last] = value


def _look(config: Json) -> Look:
    hue = config.get("color") or {}
    thresholds = config.get("thresholds") or {}
    return Look(
        unit=str(config.get("unit") or ""),
        decimals=config.get("decimals"),
        minimum=config.get("min"),
        maximum=config.get("max"),
        empty=str(config.get("noValue") or NO_DATA),
        title=str(config.get("displayName") or ""),
        mode=str(hue.get("mode") or "thresholds"),
        fixed=str(hue.get("fixedColor") or ""),
        steps=tuple(_steps(thresholds.get("steps") or _USUAL)),
        percentage=thresholds.get("mode") == "percentage",
        mappings=tuple(sorted(config.get("mappings") or (), key=_index)),
        links=tuple(config.get("links") or ()),
        custom=config.get("custom") or {},
    )


def _steps(found: Sequence[Json]) -> Iterator[tuple[float, str]]:
    """The lowest step has no value, and holds for whatever is below the others."""
    pairs = [
        (-math.inf if one.get("value") is None else float(one["value"]), color(one.get("color")))
        for one in found
    ]
    yield from sorted(pairs, key=lambda pair: pair[0])


def _index(mapping: Json) -> int:
    options = mapping.get("options") or {}
    results = [options.get("result"), *options.values()]
    return min((int(one.get("index", 0)) for one in results if isinstance(one, dict)), default=0)


def _mapped(mapping: Json, value: Number) -> Json | None:
    options = mapping.get("options") or {}
    missing = value is None or math.isnan(value)
    match mapping.get("type"):
        case "value":
            return _by_value(options, value)
        case "range":
            inside = not missing and _between(options, value or 0.0)
            return _result(options) if inside else None
        case "special":
            return _result(options) if _special(str(options.get("match")), value) else None
        case _:
            return None


def _by_value(options: Json, value: Number) -> Json | None:
    if value is None or math.isnan(value):
        return None
    for key, result in options.items():
        try:
            same = float(key) == value
        except ValueError:
            same = False
        if same and isinstance(result, dict):
            return result
    return None


def _between(options: Json, value: float) -> bool:
    low, high = options.get("from"), options.get("to")
    return (low is None or value >= low) and (high is None or value <= high)


def _special(match: str, value: Number) -> bool:
    null, nan = value is None, value is not None and math.isnan(value)
    return {"null": null, "nan": nan, "null+nan": null or nan, "empty": null}.get(match, False)


def _result(options: Json) -> Json | None:
    found = options.get("result")
    return found if isinstance(found, dict) else None
