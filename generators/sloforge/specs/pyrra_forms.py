"""Pyrra's `ServiceLevelObjective` as it stands in its files."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from sloforge.located.words import shown
from sloforge.specs.fields import Days, Duration, LabelName, SelectorText
from sloforge.specs.forms import Form
from sloforge.specs.words import Wrong


def _target(value: Any) -> Decimal:
    """Percent as text; a number is read too."""
    try:
        return Decimal(str(value)) if isinstance(value, str | int | Decimal) else Decimal("nan")
    except InvalidOperation:
        raise Wrong(f'expected a percentage such as "99.9", got {shown(value)}') from None


Target = Annotated[Decimal, PlainValidator(_target)]


class QueryForm(Form):
    """A plain selector."""

    metric: SelectorText


class RatioForm(Form):
    """Errors over all."""

    errors: QueryForm
    total: QueryForm
    grouping: list[LabelName] = Field(default_factory=list)


class LatencyForm(Form):
    """A bucket over the count of the same histogram."""

    success: QueryForm
    total: QueryForm
    grouping: list[LabelName] = Field(default_factory=list)


class NativeForm(Form):
    """A native histogram and what is fast."""

    total: QueryForm
    latency: Duration
    grouping: list[LabelName] = Field(default_factory=list)


class GaugeForm(Form):
    """A gauge that is 1 while all is well."""

    metric: SelectorText
    grouping: list[LabelName] = Field(default_factory=list)


class IndicatorForm(Form):
    """Exactly one of them."""

    ratio: RatioForm | None = None
    latency: LatencyForm | None = None
    latencyNative: NativeForm | None = None  # noqa: N815 - Pyrra's own word
    bool_gauge: GaugeForm | None = None


class SeveritiesForm(Form):
    """The severity label of each alert."""

    absent: str = "critical"
    fastBurn: str = "critical"  # noqa: N815 - Pyrra's own word
    mediumBurn: str = "critical"  # noqa: N815 - as above
    slowBurn: str = "warning"  # noqa: N815 - as above
    longTermBurn: str = "warning"  # noqa: N815 - as above


class AlertingForm(Form):
    """Which alerts there are and what they are called."""

    disabled: bool = False
    burnrates: bool = True
    absent: bool = True
    name: str = ""
    absentName: str = ""  # noqa: N815 - Pyrra's own word
    severities: SeveritiesForm = Field(default_factory=SeveritiesForm)


class OutputForm(Form):
    """Where rules go, in two halves."""

    shortRulesLabels: dict[str, str] = Field(default_factory=dict)  # noqa: N815 - Pyrra's own word
    longRulesLabels: dict[str, str] = Field(default_factory=dict)  # noqa: N815 - as above
    enableDescriptionAsLabel: bool = False  # noqa: N815 - as above


class SpecForm(Form):
    """One promise."""

    description: str = ""
    target: Target
    window: Days
    indicator: IndicatorForm
    alerting: AlertingForm = Field(default_factory=AlertingForm)
    partial_response_strategy: Literal["abort", "warn"] | None = None
    performanceOverAccuracy: bool = False  # noqa: N815 - Pyrra's own word
    ruleOutput: OutputForm = Field(default_factory=OutputForm)  # noqa: N815 - as above


class MetadataForm(Form):
    """What Kubernetes knows of an object; only a few of its fields say anything here."""

    name: str = Field(min_length=1)
    namespace: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ObjectiveForm(Form):
    """`kind: ServiceLevelObjective`."""

    apiVersion: str  # noqa: N815 - Kubernetes' word
    kind: Literal["ServiceLevelObjective"]
    metadata: MetadataForm
    spec: SpecForm
    status: Any = None
