"""OpenSLO `openslo/v1` as it stands in its files: one form per kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from sloforge.located.words import shown
from sloforge.promql import parse_duration
from sloforge.specs.fields import Number
from sloforge.specs.forms import Form
from sloforge.specs.words import Wrong

# ruff: noqa: N815 - the names are OpenSLO's.

Operator = Literal["lte", "gte", "lt", "gt"]
_CALENDAR = ("M", "Q", "Y")


def _shorthand(value: Any) -> str:
    """A duration in OpenSLO's units; months, quarters and years have no length of their own."""
    if not isinstance(value, str) or not value[:-1].isdigit() or value[-1] not in "smhdwMQY":
        raise Wrong(f"expected a duration such as 5m, 4w or 1M, got {shown(value)}")
    if value[-1] not in _CALENDAR:
        parse_duration(value)
    return value


def _slice(value: Any) -> str:
    """A number alone is minutes."""
    return _shorthand(f"{value}m" if isinstance(value, int) else value)


Shorthand = Annotated[str, PlainValidator(_shorthand)]
Slice = Annotated[str, PlainValidator(_slice)]


class MetadataForm(Form):
    """What every object has."""

    name: str = Field(min_length=1)
    displayName: str = ""
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class SourceForm(Form):
    """Where a metric is read, and the query; `spec` differs from source to source."""

    metricSourceRef: str | None = None
    type: str | None = None
    spec: dict[str, Any]


class MetricForm(Form):
    """One query."""

    metricSource: SourceForm


class RatioForm(Form):
    """Good or bad events over all, or a ratio that is there already."""

    counter: bool | None = None
    good: MetricForm | None = None
    bad: MetricForm | None = None
    total: MetricForm | None = None
    rawType: Literal["success", "failure"] | None = None
    raw: MetricForm | None = None


class IndicatorSpec(Form):
    """One of both."""

    description: str = ""
    thresholdMetric: MetricForm | None = None
    ratioMetric: RatioForm | None = None


class IndicatorForm(Form):
    """An SLI within an SLO, or an object of its own."""

    apiVersion: str = ""
    kind: Literal["SLI"] | None = None
    metadata: MetadataForm | None = None
    spec: IndicatorSpec


class CalendarForm(Form):
    """From when on."""

    startTime: str
    timeZone: str


class WindowForm(Form):
    """The period."""

    duration: Shorthand
    isRolling: bool | None = None
    calendar: CalendarForm | None = None


class ObjectiveForm(Form):
    """One target."""

    displayName: str = ""
    op: Operator | None = None
    value: Number | None = None
    target: Number | None = None
    targetPercent: Number | None = None
    timeSliceTarget: Number | None = None
    timeSliceWindow: Slice | None = None
    indicator: IndicatorForm | None = None
    indicatorRef: str | None = None
    compositeWeight: Number | None = None


class BurnForm(Form):
    """When to alert."""

    kind: Literal["burnrate"] = "burnrate"
    op: Operator = "gt"
    threshold: Number
    lookbackWindow: Shorthand
    alertAfter: Shorthand | None = None


class ConditionSpec(Form):
    """A condition and how bad it is."""

    description: str = ""
    severity: str
    condition: BurnForm


class ConditionForm(Form):
    """A condition in place, an object of its own, or a reference."""

    apiVersion: str = ""
    kind: Literal["AlertCondition"] | None = None
    metadata: MetadataForm | None = None
    spec: ConditionSpec | None = None
    conditionRef: str | None = None


class TargetSpec(Form):
    """Who is told."""

    target: str
    description: str = ""


class TargetForm(Form):
    """A notification target in place, an object of its own, or a reference."""

    apiVersion: str = ""
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: MetadataForm | None = None
    spec: TargetSpec | None = None
    targetRef: str | None = None


class PolicySpec(Form):
    """What is notified of, when, and who."""

    description: str = ""
    alertWhenNoData: bool | None = None
    alertWhenResolved: bool | None = None
    alertWhenBreaching: bool | None = None
    conditions: list[ConditionForm] = Field(min_length=1, max_length=1)
    notificationTargets: list[TargetForm] = Field(default_factory=list)


def _by_name(value: Any) -> Any:
    """The name alone, as the reference implementation has it, or the key that the text asks for."""
    return {"alertPolicyRef": value} if isinstance(value, str) else value


class PolicyForm(Form):
    """An alert policy in place, an object of its own, or a reference."""

    apiVersion: str = ""
    kind: Literal["AlertPolicy"] | None = None
    metadata: MetadataForm | None = None
    spec: PolicySpec | None = None
    alertPolicyRef: str | None = None


Policy = Annotated[PolicyForm, BeforeValidator(_by_name)]


class SloSpec(Form):
    """One promise, with one target or several."""

    description: str = ""
    service: str = Field(min_length=1)
    indicator: IndicatorForm | None = None
    indicatorRef: str | None = None
    timeWindow: list[WindowForm] = Field(default_factory=list, max_length=1)
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"] = "Occurrences"
    objectives: list[ObjectiveForm] = Field(min_length=1)
    alertPolicies: list[Policy] = Field(default_factory=list)


class SloForm(Form):
    """`kind: SLO`."""

    apiVersion: str
    kind: Literal["SLO"]
    metadata: MetadataForm
    spec: SloSpec


class ServiceSpec(Form):
    """Words only."""

    description: str = ""


class ServiceForm(Form):
    """`kind: Service`."""

    apiVersion: str
    kind: Literal["Service"]
    metadata: MetadataForm
    spec: ServiceSpec = Field(default_factory=ServiceSpec)


class DataSourceSpec(Form):
    """Where metrics are read; how it is reached is nothing to the rules."""

    description: str = ""
    type: str
    connectionDetails: Any = None


class DataSourceForm(Form):
    """`kind: DataSource`."""

    apiVersion: str
    kind: Literal["DataSource"]
    metadata: MetadataForm
    spec: DataSourceSpec


FORMS: dict[str, type[Form]] = {
    "SLO": SloForm,
    "SLI": IndicatorForm,
    "Service": ServiceForm,
    "DataSource": DataSourceForm,
    "AlertPolicy": PolicyForm,
    "AlertCondition": ConditionForm,
    "AlertNotificationTarget": TargetForm,
}
