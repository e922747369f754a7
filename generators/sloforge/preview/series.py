"""What Prometheus answers -> series on one grid of times, and their names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sloforge.errors import Problem
from sloforge.preview.fields import Number
from sloforge.preview.source import MAX_SERIES, Found, labels_of

Json = dict[str, Any]
_LABEL = re.compile(r"\{\{\s*(.+?)\s*\}\}")
AUTO = "__auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Points at `start`, `start + step` and so on, in Unix seconds; an instant has one."""

    start: float
    step: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: None where there is no sample. `ref` names the query that it is from."""

    labels: Mapping[str, str]
    name: str
    values: tuple[Number, ...]
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The series of one query, and what else is to be said of them."""

    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()


def answered(found: Found, grid: Grid, ref: str) -> Answered:
    """Raises Problem where this is no answer to a query."""
    notes = [f"Prometheus warns: {note}" for note in found.warnings]
    listed = _listed(found.data)
    if len(listed) > MAX_SERIES:
        notes.append(f"only the first {MAX_SERIES} of {len(listed)} series are shown")
    try:
        series = [_series(one, grid, ref) for one in listed[:MAX_SERIES]]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
        raise Problem("the server's answer cannot be read as series; is it a Prometheus") from None
    return Answered(series=tuple(series), notes=tuple(notes))


def _listed(data: object) -> list[Json]:
    if not isinstance(data, dict) or "result" not in data:
        raise Problem("the server's answer holds no result; is it a Prometheus")
    kind, result = data.get("resultType"), data["result"]
    if kind in ("scalar", "string"):
        return [{"metric": {}, "value": result}]
    if not isinstance(result, list):
        raise Problem("the server's answer holds no list of series; is it a Prometheus")
    return result


def _series(one: Json, grid: Grid, ref: str) -> Series:
    labels = labels_of(one.get("metric") or {})
    values: list[Number] = [None] * grid.count
    if "histogram" in one or "histograms" in one:
        raise Problem("native histograms are not previewed; ask for a quantile or a rate of them")
    for stamp, value in one["values"] if "values" in one else [one["value"]]:
        at = round((float(stamp) - grid.start) / grid.step) if grid.count > 1 else 0
        if 0 <= at < grid.count:
            values[at] = float(value)
    return Series(labels=labels, name="", values=tuple(values), ref=ref)


def named(found: Answered, legend: str, expr: str) -> tuple[Series, ...]:
    """The series with the names that a legend shows."""
    if legend and legend != AUTO:
        names = [worded(legend, one.labels) for one in found.series]
    else:
        names = _automatic(found.series, expr)
    return tuple(
        Series(labels=one.labels, name=name, values=one.values, ref=one.ref)
        for one, name in zip(found.series, names, strict=True)
    )


def worded(template: str, labels: Mapping[str, str]) -> str:
    """`{{label}}` filled in; a label that is not there leaves nothing."""
    return _LABEL.sub(lambda found: labels.get(found[1], ""), template).strip()


def _automatic(series: Iterable[Series], expr: str) -> list[str]:
    """The value of the one label that tells them apart, else all labels, else the query."""
    listed = list(series)
    keys = {key for one in listed for key in one.labels}
    telling = sorted(key for key in keys if len({one.labels.get(key) for one in listed}) > 1)
    if len(telling) == 1:
        return [one.labels.get(telling[0], "") for one in listed]
    return [_metric(one.labels) or expr for one in listed]


def _metric(labels: Mapping[str, str]) -> str:
    inside = ", ".join(f'{k}="{v}"' for k, v in labels.items() if k != "__name__")
    return labels.get("__name__", "") + (f"{{{inside}}}" if inside else "")


def reduced(values: Iterable[Number], how: str) -> Number:
    """One number for a series, by the name of Grafana's calculation; None where there is none."""
    listed = list(values)
    there = [value for value in listed if value is not None and not math.isnan(value)]
    match how:
        case "last":
            return listed[-1] if listed else None
        case "first":
            return listed[0] if listed else None
        case "count":
            return float(len(listed))
    return _of_numbers(there, how) if there else None


def _of_numbers(there: list[float], how: str) -> Number:
    match how:
        case "lastNotNull":
            return there[-1]
        case "firstNotNull":
            return there[0]
        case "min":
            return min(there)
        case "max":
            return max(there)
        case "mean":
            return sum(there) / len(there)
        case "sum":
            return math.fsum(there)
        case "range":
            return max(there) - min(there)
        case "diff":
            return there[-1] - there[0]
        case "median":
            return sorted(there)[len(there) // 2]
        case _:
            raise Problem(f"the calculation `{how}` is not previewed")


CALCULATIONS: Mapping[str, str] = {
    "lastNotNull": "Last",
    "last": "Last",
    "firstNotNull": "First",
    "first": "First",
    "min": "Min",
    "max": "Max",
    "mean": "Mean",
    "sum": "Total",
    "count": "Count",
    "range": "Range",
    "diff": "Difference",
    "median": "Median",
}
