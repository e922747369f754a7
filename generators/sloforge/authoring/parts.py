"""What a spec is made of, as Python objects: the keys and values of docs/spec.md.

A key that is not given is left out. Durations are texts such as `5m` or a timedelta, numbers are
taken by their digits: 99.9 is 99.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from sloforge.authoring.origin import Origin, here
from sloforge.errors import Location

Number = int | float | Decimal
Duration = str | timedelta
# A time such as `500ms`, or a number in the unit of the metric.
Value = str | Number
Severity = Literal["page", "ticket"]
Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something with a place: mistakes in it are shown at `at`, else where it was made."""

    at: Location | None = None
    origin: Origin = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", here())


@dataclass(frozen=True, kw_only=True)
class Sli(Part):
    """What is measured; made by `ratio`, `latency` and the others."""

    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Burn(Part):
    """One pair of windows; give `factor` or `spend`."""

    name: str
    severity: Severity
    long: Duration
    short: Duration
    factor: Number | None = None
    spend: Number | None = None
    for_: Duration | None = None
    keep_firing_for: Duration | None = None
    labels: Texts | None = None
    annotations: Texts | None = None


@dataclass(frozen=True, kw_only=True)
class More(Part):
    """What alerts of one severity say in addition."""

    labels: Texts | None = None
    annotations: Texts | None = None


@dataclass(frozen=True, kw_only=True)
class Alerting(Part):
    """How an SLO alerts."""

    burns: str | Iterable[Burn] | None = None
    min_errors: int | None = None
    severity: Severity | None = None
    for_: Duration | None = None
    keep_firing_for: Duration | None = None
    names: Texts | None = None
    labels: Texts | None = None
    annotations: Texts | None = None
    page: More | None = None
    ticket: More | None = None
    disable: Iterable[str] | None = None
    runbook: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sloth(Part):
    """What Sloth called it; with `compat: sloth` only."""

    service: str | None = None
    slo: str | None = None
    labels: Texts | None = None


@dataclass(frozen=True, kw_only=True)
class Slo(Part):
    """One promise."""

    name: str
    sli: Sli
    objective: Number | Literal["tbd"] | None = None
    description: str | None = None
    rationale: str | None = None
    grounding: Literal["measured", "modeled", "guess"] | None = None
    measured: Mapping[str, Value] | None = None
    window: Duration | None = None
    by: Iterable[str] | None = None
    alerting: Alerting | None = None
    sloth: Sloth | None = None


@dataclass(frozen=True, kw_only=True)
class Links(Part):
    """Where a responder goes next."""

    repository: str | None = None
    logs: str | None = None
    traces: str | None = None


@dataclass(frozen=True, kw_only=True)
class Http(Part):
    """What the HTTP rows of the dashboard read."""

    requests: str | None = None
    duration: str | None = None
    route: str | None = None
    method: str | None = None
    status: str | None = None
    errors: str | None = None


@dataclass(frozen=True, kw_only=True)
class Query(Part):
    """One line of a panel."""

    expr: str
    legend: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step(Part):
    """This colour from this value on; the first has no value."""

    color: str
    value: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Panel(Part):
    """A panel of the team's own."""

    title: str
    type: Literal["timeseries", "stat", "bargauge", "table", "state-timeline", "text"]
    description: str | None = None
    unit: str | None = None
    queries: Iterable[Query] | None = None
    thresholds: Iterable[Step] | None = None
    content: str | None = None
    decimals: int | None = None
    logarithmic: bool | None = None
    stacked: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Row(Part):
    """A row of the team's own."""

    title: str
    panels: Iterable[Panel]
    collapsed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Dashboard(Part):
    """What is added below the generated rows."""

    rows: Iterable[Row] | None = None
    variables: Texts | None = None


@dataclass(frozen=True, kw_only=True)
class Service(Part):
    """One service, as a file of its own would have it."""

    service: str
    owner: str
    slos: Iterable[Slo]
    tier: int | None = None
    description: str | None = None
    job: str | None = None
    scrape_interval: Duration | None = None
    links: Links | None = None
    disable: Iterable[Literal["down", "instrumentation-gone"]] | None = None
    http: Http | None = None
    dashboard: Dashboard | None = None


def ratio(*, total: str, bad: str | None = None, good: str | None = None) -> Sli:
    """Bad, or good, events over all events: selectors, or PromQL with `[$window]`."""
    return Sli(kind="ratio", values={"total": total, "bad": bad, "good": good})


def latency(*, histogram: str, threshold: Value, native: bool | None = None) -> Sli:
    """Events that took longer than a bound of the histogram are bad."""
    values = {"histogram": histogram, "threshold": threshold, "native": native}
    return Sli(kind="latency", values=values)


def quantile(  # noqa: PLR0913 - a key of the spec each
    *,
    histogram: str,
    quantile: Number,
    threshold: Value,
    windows: Iterable[Duration] | None = None,
    native: bool | None = None,
) -> Sli:
    """A percentile that must stay below a threshold: an alert and a panel, no budget."""
    values = {"histogram": histogram, "quantile": quantile, "threshold": threshold}
    return Sli(kind="quantile", values={**values, "windows": windows, "native": native})


def freshness(*, timestamp: str, max_age: Duration) -> Sli:
    """The Unix time of the last success, in seconds, and how old it may be."""
    return Sli(kind="freshness", values={"timestamp": timestamp, "max_age": max_age})


def up(*, gauge: str) -> Sli:
    """A gauge that is 1 while all is well."""
    return Sli(kind="up", values={"gauge": gauge})


def threshold(
    *, expression: str, comparator: Literal["<", "<=", ">", ">=", "==", "!="], bound: Value
) -> Sli:
    """Time is good while `expression comparator bound` holds."""
    values = {"expression": expression, "comparator": comparator, "bound": bound}
    return Sli(kind="threshold", values=values)


def use(template: str, /, **parameters: Value | bool | Texts) -> Sli:
    """An SLI template of the library, with its parameters."""
    return Sli(kind="use", values={"use": template, "with": parameters or None})
