"""The project's settings as they stand in their file: the source of their JSON Schema too."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sloforge.model import Compat, Mode
from sloforge.specs.fields import (
    PROGRAM_PATTERN,
    Address,
    Base,
    Days,
    Duration,
    FindingId,
    LabelName,
    Name,
)
from sloforge.specs.forms import BurnForm, Form, Texts

PROJECT_VERSION = "sloforge-project/v1"


class OwnerForm(Form):
    """A team and the receivers in alertmanager/base.yml that reach it."""

    page: str = Field(min_length=1, description="The receiver that wakes somebody.")
    ticket: str = Field(min_length=1, description="The receiver that can wait.")
    description: str = Field("", description="Who they are.")
    links: dict[str, Address] = Field(default_factory=dict, description="Title -> address.")


class PolicyForm(Form):
    """A named list of burns."""

    burns: list[BurnForm] = Field(min_length=1, description="From the fastest to the slowest.")


class DefaultsForm(Form):
    """What a service or an SLO need not say."""

    window: Days = Field(timedelta(days=30), description="The period of an SLO.")
    scrape_interval: Duration = Field(timedelta(seconds=30), description="1s to 75s.")
    min_errors: int = Field(
        5, ge=0, le=1_000_000, description="Bad events that an alert's long window must hold."
    )
    burns: str = Field("workbook", description="A policy by name.")
    owner: Name | None = Field(
        None, description="Whose a service of another format is that names no owner."
    )


class EvaluationForm(Form):
    """How rules are evaluated."""

    interval: Duration = Field(timedelta(minutes=1), description="1s to 5m.")
    mode: Mode = Field(
        "hybrid",
        description="Windows up to 1h from raw series (hybrid), all (exact), or none (derived).",
    )


class GrafanaForm(Form):
    """What dashboards read; where they go is for deploy.yaml to say."""

    datasource: str = Field("default", min_length=1, description="The Prometheus data source.")


class AlertmanagerForm(Form):
    """The receivers that no owner names."""

    fallback: str = Field("fallback", min_length=1, description="For what no route takes.")
    watchdog: str = Field("watchdog", min_length=1, description="For the dead man's switch.")


class SuppressionForm(Form):
    """A finding that is right and yet not wanted."""

    id: FindingId = Field(description="The finding, such as D004.")
    path: str = Field("*", description="The files it is suppressed in, with * for any text.")
    reason: str = Field(min_length=10, description="Why; a suppression without one is refused.")


Program = Annotated[str, StringConstraints(pattern=PROGRAM_PATTERN)]


class JsonnetForm(Form):
    """What jsonnet files are given."""

    ext: dict[str, Any] = Field(
        default_factory=dict, description="Name -> value, for std.extVar in every file."
    )
    ext_code: dict[str, str] = Field(
        default_factory=dict, description="Name -> jsonnet, for std.extVar in every file."
    )
    tla: dict[Program, dict[LabelName, Any]] = Field(
        default_factory=dict, description="File -> argument -> value, where it is a function."
    )
    tla_code: dict[Program, dict[LabelName, str]] = Field(
        default_factory=dict, description="File -> argument -> jsonnet, where it is a function."
    )


class MixinForm(Form):
    """What a file or folder below mixins/ does not say of itself."""

    owner: str = Field("", description="Who is told of its alerts: a key of `owners`.")


class ProjectForm(Form):
    """What all services share: slos/project.yaml."""

    version: Literal["sloforge-project/v1"] = Field(description="The format.")
    owners: dict[Name, OwnerForm] = Field(min_length=1, description="Team -> who is told.")
    policies: dict[Name, PolicyForm] = Field(
        default_factory=dict,
        description="Name -> burns; workbook, four-windows and short-period are built in.",
    )
    defaults: DefaultsForm = Field(
        default_factory=DefaultsForm, description="What need not be said elsewhere."
    )
    evaluation: EvaluationForm = Field(
        default_factory=EvaluationForm, description="How rules are evaluated."
    )
    grafana: GrafanaForm = Field(default_factory=GrafanaForm, description="Where dashboards go.")
    alertmanager: AlertmanagerForm = Field(
        default_factory=AlertmanagerForm, description="The receivers that no owner names."
    )
    compat: Compat | None = Field(
        None, description="sloth: every series of Sloth's is recorded, too, and its history kept."
    )
    runbook_base_url: Base = Field("runbooks/", description="Where runbooks/ is served.")
    dashboard_base_url: Base = Field("", description="Grafana's address.")
    labels: Texts = Field(default_factory=dict, description="More labels on every alert.")
    python: bool = Field(
        default=False, description="Whether slos/*.py is run; it is code, so nobody else's may be."
    )
    jsonnet: JsonnetForm = Field(
        default_factory=JsonnetForm, description="What jsonnet files are given."
    )
    mixins: dict[Name, MixinForm] = Field(
        default_factory=dict, description="Name of a file or folder below mixins/ -> whose it is."
    )
    suppress: list[SuppressionForm] = Field(
        default_factory=list, description="Findings of `sloforge check` that are not wanted."
    )
