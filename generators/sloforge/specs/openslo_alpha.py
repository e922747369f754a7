"""OpenSLO `openslo/v1alpha` -> the same objects as `openslo/v1`, in the places of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from sloforge.located.tree import Node
from sloforge.specs import openslo
from sloforge.specs.fields import Number
from sloforge.specs.foreign import Told, made, moved
from sloforge.specs.forms import Form
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.openslo_forms import CalendarForm, Operator, Slice
from sloforge.specs.project import Context

# ruff: noqa: N815 - the names are OpenSLO's.

VERSION = "openslo/v1alpha"
_UNITS = {"Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}


class MetadataForm(Form):
    """What every object has; labels came with v1 and are read all the same."""

    name: str = Field(min_length=1)
    displayName: str = ""
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class QueryForm(Form):
    """Where a metric is read, and the query."""

    source: str = ""
    queryType: str = ""
    query: str
    metadata: dict[str, Any] = Field(default_factory=dict)


class RatiosForm(Form):
    """Good events over all."""

    incremental: bool | None = None
    counter: bool | None = None
    good: QueryForm
    total: QueryForm


class IndicatorForm(Form):
    """A threshold's query."""

    thresholdMetric: QueryForm


class WindowForm(Form):
    """The period: a count of a unit."""

    unit: Literal["Day", "Week", "Month", "Quarter", "Year"]
    count: int = Field(ge=1, le=400)
    isRolling: bool | None = None
    calendar: CalendarForm | None = None


class ObjectiveForm(Form):
    """One target, with queries of its own."""

    displayName: str = ""
    op: Operator | None = None
    value: Number | None = None
    target: Number
    ratioMetrics: RatiosForm | None = None
    timeSliceTarget: Number | None = None
    timeSliceWindow: Slice | None = None


class SloSpec(Form):
    """One promise."""

    description: str = ""
    service: str = Field(min_length=1)
    indicator: IndicatorForm | None = None
    timeWindows: list[WindowForm] = Field(default_factory=list, max_length=1)
    budgetingMethod: Literal["Occurrences", "Timeslices"] = "Occurrences"
    objectives: list[ObjectiveForm] = Field(min_length=1)


class SloForm(Form):
    """`kind: SLO`."""

    apiVersion: str
    kind: Literal["SLO"]
    metadata: MetadataForm
    spec: SloSpec


def services(documents: Sequence[Node], context: Context, told: Told) -> list[Node]:
    """Every service that an SLO names."""
    return openslo.services(
        [one for each in documents if (one := _as_v1(each, told)) is not None], context, told
    )


def _as_v1(document: Node, told: Told) -> Node | None:
    place = Place(document)
    kind = document.value.get("kind")
    if kind is None or kind.value != "SLO":
        return document
    form = validated(SloForm, document, told.wrong)
    if isinstance(form, tuple):
        return None
    spec = place.at("spec")
    found: dict[str, Any] = {"service": moved(spec.at("service"))}
    for key in ("description", "budgetingMethod"):
        if spec.at(key).node is not None:
            found[key] = moved(spec.at(key))
    windows = [_window(each, spec.at("timeWindows", at)) for at, each in _each(form)]
    if windows:
        found["timeWindow"] = made(windows, spec.at("timeWindows"))
    if form.spec.indicator is not None:
        query = spec.at("indicator", "thresholdMetric")
        threshold = {"thresholdMetric": _metric(form.spec.indicator.thresholdMetric, query)}
        found["indicator"] = made({"spec": threshold}, spec.at("indicator"))
    objectives = spec.at("objectives")
    found["objectives"] = made(
        [_objective(each, objectives.at(at)) for at, each in enumerate(form.spec.objectives)],
        objectives,
    )
    below = {key: moved(place.at(key)) for key in ("apiVersion", "kind", "metadata")}
    return replace(document, value={**below, "spec": made(found, spec)})


def _each(form: SloForm) -> list[tuple[int, WindowForm]]:
    return list(enumerate(form.spec.timeWindows))


def _window(form: WindowForm, place: Place) -> Node:
    found: dict[str, Any] = {"duration": made(f"{form.count}{_UNITS[form.unit]}", place)}
    for key in ("isRolling", "calendar"):
        if place.at(key).node is not None:
            found[key] = moved(place.at(key))
    return made(found, place)


def _objective(form: ObjectiveForm, place: Place) -> Node:
    keys = ("displayName", "op", "value", "target", "timeSliceTarget", "timeSliceWindow")
    found: dict[str, Any] = {k: moved(place.at(k)) for k in keys if place.at(k).node is not None}
    if form.ratioMetrics is not None:
        here = place.at("ratioMetrics")
        ratio: dict[str, Any] = {
            key: _metric(getattr(form.ratioMetrics, key), here.at(key)) for key in ("good", "total")
        }
        for key in ("incremental", "counter"):
            if here.at(key).node is not None:
                ratio["counter"] = moved(here.at(key))
        found["indicator"] = made({"spec": {"ratioMetric": ratio}}, here)
    return made(found, place)


def _metric(form: QueryForm, place: Place) -> Node:
    spec: dict[str, Any] = {"query": moved(place.at("query"))}
    if form.queryType:
        spec["queryType"] = moved(place.at("queryType"))
    source: dict[str, Any] = {"spec": made(spec, place)}
    if form.source:
        source["type"] = moved(place.at("source"))
    return made({"metricSource": made(source, place)}, place)
