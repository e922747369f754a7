"""Sloth's specs as they stand in their files: `prometheus/v1`, and its alert windows."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sloforge.specs.fields import Duration, Number
from sloforge.specs.forms import Form


def text(value: Any) -> Any:
    """What Go reads into a text, quoted or not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else value


Texts = dict[str, Annotated[str, BeforeValidator(text)]]


class PluginsForm(Form):
    """A chain of plugins, which are programs of Sloth's."""

    overridePrevious: bool = False  # noqa: N815 - Sloth's own word
    chain: list[dict[str, Any]] = Field(default_factory=list)


class EventsForm(Form):
    """Bad events and all events."""

    error_query: str
    total_query: str


class RawForm(Form):
    """A ratio that is there already."""

    error_ratio_query: str


class PluginForm(Form):
    """An SLI by the name of a plugin."""

    id: str
    options: dict[str, Any] = Field(default_factory=dict)


class SliForm(Form):
    """Exactly one of them."""

    events: EventsForm | None = None
    raw: RawForm | None = None
    plugin: PluginForm | None = None


class TierForm(Form):
    """What pages, or what makes a ticket."""

    disable: bool = False
    labels: Texts = Field(default_factory=dict)
    annotations: Texts = Field(default_factory=dict)


class AlertingForm(Form):
    """How an SLO alerts."""

    name: str = ""
    labels: Texts = Field(default_factory=dict)
    annotations: Texts = Field(default_factory=dict)
    page_alert: TierForm = Field(default_factory=TierForm)
    ticket_alert: TierForm = Field(default_factory=TierForm)


class SloForm(Form):
    """One promise."""

    name: str = Field(min_length=1)
    description: str = ""
    objective: Number
    labels: Texts = Field(default_factory=dict)
    plugins: PluginsForm = Field(default_factory=PluginsForm)
    sli: SliForm
    alerting: AlertingForm = Field(default_factory=AlertingForm)


class ServiceForm(Form):
    """A file of Sloth's, or the `spec` of its custom resource."""

    version: Literal["prometheus/v1"]
    service: str = Field(min_length=1)
    labels: Texts = Field(default_factory=dict)
    slo_plugins: PluginsForm = Field(default_factory=PluginsForm)
    slos: list[SloForm] = Field(min_length=1)


class WindowForm(Form):
    """A pair of windows and the share of the budget, in percent, that may go within the long."""

    errorBudgetPercent: Number  # noqa: N815 - Sloth's own word
    shortWindow: Duration  # noqa: N815 - as above
    longWindow: Duration  # noqa: N815 - as above


class TierWindowsForm(Form):
    """The two pairs of a tier."""

    quick: WindowForm
    slow: WindowForm


class WindowsSpecForm(Form):
    """A catalogue for one period."""

    sloPeriod: Duration  # noqa: N815 - Sloth's own word
    page: TierWindowsForm
    ticket: TierWindowsForm


class WindowsForm(Form):
    """`kind: AlertWindows`."""

    apiVersion: str  # noqa: N815 - Kubernetes' word
    kind: Literal["AlertWindows"]
    metadata: dict[str, Any] = Field(default_factory=dict)
    spec: WindowsSpecForm
