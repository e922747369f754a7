"""A service as it stands in its file: the source of its JSON Schema too."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from sloforge.model import Grounding, PanelKind
from sloforge.sli.slices import Comparator
from sloforge.specs.fields import (
    Address,
    Bound,
    Days,
    Duration,
    JobName,
    LabelName,
    Name,
    Number,
    Objective,
    Percentile,
    QuantileValue,
    SelectorText,
    SlothName,
    Source,
    ThresholdValue,
    ValueSource,
    Word,
)
from sloforge.windows import AlertSeverity

VERSION = "sloforge/v1"
Texts = dict[LabelName, str]


def _one_of(*keys: str) -> dict[str, Any]:
    """For the schema: exactly one of these keys."""
    return {"oneOf": [{"required": [key]} for key in keys]}


class Form(BaseModel):
    """A mapping of the spec; keys that are not named here are mistakes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
    )


class RatioForm(Form):
    """Bad, or good, events over all events."""

    model_config = ConfigDict(json_schema_extra=_one_of("bad", "good"))

    total: Source = Field(description="Counts all events.")
    bad: Source | None = Field(None, description="Counts the bad ones; give this or `good`.")
    good: Source | None = Field(None, description="Counts the good ones; give this or `bad`.")


class LatencyForm(Form):
    """Events that took longer than a threshold are bad."""

    histogram: SelectorText = Field(
        description="The histogram's own name with matchers: without _bucket, _count or _sum."
    )
    threshold: ThresholdValue = Field(
        description="A bound of one of its buckets: a time such as 500ms, or a number in its unit."
    )
    native: bool = Field(default=False, description="Whether it is a native histogram.")


class QuantileForm(Form):
    """A percentile that must stay below a threshold: an alert and a panel, no budget."""

    histogram: SelectorText = Field(
        description="The histogram's own name with matchers: without _bucket, _count or _sum."
    )
    quantile: QuantileValue = Field(description="Above 0 and below 1; P95 is 0.95.")
    threshold: ThresholdValue = Field(
        description="A time such as 500ms, or a number in the histogram's unit."
    )
    windows: list[Duration] = Field(
        default_factory=lambda: [timedelta(hours=1), timedelta(minutes=5)],
        min_length=1,
        max_length=4,
        description="Over each of them the percentile must exceed the threshold; at most 1h.",
        json_schema_extra={"default": ["1h", "5m"]},
    )
    native: bool = Field(default=False, description="Whether it is a native histogram.")


class FreshnessForm(Form):
    """The Unix time of the last success, in seconds, and how old it may be."""

    timestamp: SelectorText = Field(description="A gauge with a Unix time in seconds.")
    max_age: Duration = Field(description="Older than this is bad.")


class UpForm(Form):
    """A gauge that is 1 while all is well."""

    gauge: SelectorText = Field(description="Every value but 1 is bad.")


class ThresholdForm(Form):
    """Time is good while `expression comparator bound` holds."""

    expression: ValueSource = Field(description="What is compared, once per scrape interval.")
    comparator: Comparator = Field(description="How it compares where all is well.")
    bound: Bound = Field(description="A number, or a time, which is compared in seconds.")


class SliForm(Form):
    """What is measured: exactly one kind."""

    model_config = ConfigDict(
        json_schema_extra={
            **_one_of("ratio", "latency", "quantile", "freshness", "up", "threshold", "use"),
            "dependentRequired": {"with": ["use"]},
        }
    )

    ratio: RatioForm | None = Field(None, description="Bad or good events over all events.")
    latency: LatencyForm | None = Field(None, description="Events slower than a threshold.")
    quantile: QuantileForm | None = Field(
        None, description="A percentile over a threshold: an alert and a panel, no budget."
    )
    freshness: FreshnessForm | None = Field(None, description="The age of a last success.")
    up: UpForm | None = Field(None, description="A gauge that is 1 while all is well.")
    threshold: ThresholdForm | None = Field(None, description="Time while a comparison holds.")
    use: str | None = Field(
        None, description="An SLI template: `sloforge library` lists what there is."
    )
    with_: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="The template's parameters."
    )


class BurnForm(Form):
    """One pair of windows; give `factor` or `spend`."""

    model_config = ConfigDict(json_schema_extra=_one_of("factor", "spend"))

    name: Name = Field(description="Part of the alert's name and of its runbook's.")
    severity: AlertSeverity = Field(description="Who is told: page wakes somebody.")
    long: Duration = Field(description="The window that has to burn.")
    short: Duration = Field(description="The window that has to burn still; a twelfth of `long`.")
    factor: Number | None = Field(None, description="Burn rate above which it fires.")
    spend: Number | None = Field(
        None, description="Share of the period's budget, at most 1, that is gone within `long`."
    )
    for_: Duration | None = Field(
        None, alias="for", description="How long it must last; only adds to the detection time."
    )
    keep_firing_for: Duration | None = Field(
        None, description="How long it fires on; the short window, at most 10m, by default."
    )
    labels: Texts = Field(default_factory=dict, description="More labels on its alert.")
    annotations: Texts = Field(default_factory=dict, description="More annotations on its alert.")


# The two shapes of `burns`, spelled so that no key of a file can be mistaken for one.
POLICY_BRANCH, BURNS_BRANCH = "<policy>", "<burns>"


def _shape(value: Any) -> str:
    return BURNS_BRANCH if isinstance(value, list) else POLICY_BRANCH


Burns = Annotated[
    Annotated[str, Tag(POLICY_BRANCH)]
    | Annotated[list[BurnForm], Field(min_length=1), Tag(BURNS_BRANCH)],
    Discriminator(_shape),
]


class MoreForm(Form):
    """What alerts of one severity say in addition."""

    labels: Texts = Field(default_factory=dict, description="More labels on each of them.")
    annotations: Texts = Field(
        default_factory=dict, description="More annotations, in Prometheus' template language."
    )


class AlertingForm(Form):
    """How the SLO alerts."""

    burns: Burns | None = Field(
        None, description="A policy by name, or a list of burns; the project's default otherwise."
    )
    min_errors: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="Bad events that the long window must hold; the project's default otherwise.",
    )
    severity: AlertSeverity | None = Field(
        None, description="Of a quantile's alert only; page by default."
    )
    for_: Duration | None = Field(
        None, alias="for", description="Of a quantile's alert only; how long it must last."
    )
    keep_firing_for: Duration | None = Field(
        None, description="Of a quantile's alert only; how long it fires on, 5m by default."
    )
    names: dict[str, str] = Field(
        default_factory=dict, description="Other names for alerts: burn or alert -> CamelCase name."
    )
    labels: Texts = Field(default_factory=dict, description="More labels on each alert.")
    annotations: Texts = Field(
        default_factory=dict, description="More annotations, in Prometheus' template language."
    )
    page: MoreForm = Field(default_factory=MoreForm, description="On its pages only.")
    ticket: MoreForm = Field(default_factory=MoreForm, description="On its tickets only.")
    disable: list[str] = Field(
        default_factory=list, description="Burns, or alerts on the budget, that are left out."
    )
    runbook: Word | None = Field(
        None,
        description="File under runbooks/<service>/ without .md; {burn} and {slo} are replaced.",
    )


class SlothForm(Form):
    """What Sloth called it; with `compat: sloth` only."""

    service: SlothName | None = Field(None, description="The service; ours where it is the same.")
    slo: SlothName | None = Field(None, description="The SLO; ours where it is the same.")
    labels: Texts = Field(default_factory=dict, description="On each series of Sloth's.")


class SloForm(Form):
    """One promise."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"sli": {"required": ["quantile"]}}},
            "then": {"properties": {"objective": {"const": "tbd"}}},
            "else": {"required": ["objective"]},
        }
    )

    name: Name = Field(description="Unique within the service.")
    description: str = Field("", description="What is promised, in words.")
    rationale: str = Field("", description="Why this number.")
    grounding: Grounding | None = Field(None, description="What the number rests on.")
    measured: dict[Percentile, ThresholdValue] = Field(
        default_factory=dict, description="What was measured: p50, p95, p99.9 -> a time or number."
    )
    objective: Objective = Field(
        None, description="Percent, or tbd: recorded and shown, never alerts. None for a quantile."
    )
    window: Days | None = Field(
        None, description="The period, 1d to 400d; the project's default otherwise."
    )
    by: list[LabelName] = Field(
        default_factory=list, description="One SLO per value of these labels."
    )
    sli: SliForm = Field(description="What is measured: exactly one kind.")
    alerting: AlertingForm = Field(default_factory=AlertingForm, description="How it alerts.")
    sloth: SlothForm | None = Field(
        None, description="What Sloth called it; with `compat: sloth` only."
    )


class LinksForm(Form):
    """Where a responder goes next."""

    repository: Address = Field("", description="The code.")
    logs: Address = Field("", description="The logs.")
    traces: Address = Field("", description="The traces.")


class QueryForm(Form):
    """One line of a panel."""

    expr: str = Field(description="PromQL; Grafana's variables are known.")
    legend: str = Field("", description="Grafana's legend, {{label}} is replaced.")


class StepForm(Form):
    """This colour from this value on; the first has no value."""

    color: str = Field(min_length=1, description="A colour that Grafana knows.")
    value: Bound | None = Field(None, description="From this value on.")


class PanelForm(Form):
    """A panel of the team's own."""

    title: str = Field(min_length=1, description="A question or a noun.")
    type: PanelKind = Field(description="How it looks.")
    description: str = Field("", description="What it shows, with the formula.")
    unit: str = Field("short", min_length=1, description="Grafana's name of the unit.")
    queries: list[QueryForm] = Field(default_factory=list, description="For all but text.")
    thresholds: list[StepForm] = Field(default_factory=list, description="Colours by value.")
    content: str = Field("", description="Markdown, for text.")
    decimals: int | None = Field(None, ge=0, le=10, description="Digits behind the point.")
    logarithmic: bool = Field(default=False, description="Whether the axis is logarithmic.")
    stacked: bool = Field(default=False, description="Whether lines are stacked.")


class RowForm(Form):
    """A row of the team's own."""

    title: str = Field(min_length=1, description="What its panels have in common.")
    panels: list[PanelForm] = Field(min_length=1, description="From left to right.")
    collapsed: bool = Field(default=False, description="Whether it starts folded.")


class DashboardForm(Form):
    """What is added below the generated rows."""

    rows: list[RowForm] = Field(default_factory=list, description="Rows of the team's own.")
    variables: dict[LabelName, str] = Field(
        default_factory=dict, description="Variable -> label_values(...) query."
    )


class HttpForm(Form):
    """What the HTTP rows read, and its label names."""

    requests: SelectorText | None = Field(None, description="The counter of requests.")
    duration: SelectorText | None = Field(
        None, description="The histogram of durations: without _bucket, _count or _sum."
    )
    route: LabelName = Field("route", description="The label with the route.")
    method: LabelName = Field("method", description="The label with the method.")
    status: LabelName = Field("status", description="The label with the status.")
    errors: str = Field("5..", description="A regular expression for the status of an error.")


class ServiceForm(Form):
    """One service: a file under slos/."""

    version: Literal["sloforge/v1"] = Field(description="The format.")
    service: Name = Field(description="Unique in the project.")
    owner: str = Field(description="A team of slos/project.yaml.")
    tier: int = Field(3, ge=1, le=5, description="1 matters most.")
    description: str = Field("", description="What the service does.")
    job: JobName | None = Field(
        None, description="The scrape job; without it nothing tells down from idle."
    )
    scrape_interval: Duration | None = Field(
        None, description="1s to 75s; the project's default otherwise."
    )
    links: LinksForm = Field(default_factory=LinksForm, description="Where a responder goes next.")
    disable: list[Literal["down", "instrumentation-gone"]] = Field(
        default_factory=list, description="Alerts of the service that are left out."
    )
    http: HttpForm | None = Field(
        None, description="What the HTTP rows of the dashboard read; found in the SLIs otherwise."
    )
    slos: list[SloForm] = Field(min_length=1, description="What is promised.")
    dashboard: DashboardForm = Field(
        default_factory=DashboardForm, description="What is added below the generated rows."
    )
