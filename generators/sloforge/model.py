"""What a project promises: frozen values that every generator reads and none may change."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from sloforge.windows import BASE, DAY, HOUR, AlertSeverity, Burn

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloforge.errors import Finding, Location
    from sloforge.planes import Planes
    from sloforge.promql import Selector
    from sloforge.sli import Sli

Mode = Literal["hybrid", "derived", "exact"]
Grounding = Literal["measured", "modeled", "guess"]
PanelKind = Literal["timeseries", "stat", "bargauge", "table", "state-timeline", "text"]
Compat = Literal["sloth"]
Pairs = tuple[tuple[str, str], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """Labels and annotations that a team adds."""

    labels: Pairs = ()
    annotations: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """How an SLO alerts; `burns` are those that are left once the disabled ones are taken out.

    `labels` and `annotations` stand on all of its alerts, `page` and `ticket` on those of the
    severity, a burn's own on that burn's.
    """

    burns: tuple[Burn, ...]
    min_errors: int
    severity: AlertSeverity = "page"
    wait: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    names: Pairs = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    page: More = More()
    ticket: More = More()
    disable: tuple[str, ...] = ()
    runbook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sloth:
    """What Sloth called an SLO, the labels it put on each series, and the windows it recorded."""

    service: str
    slo: str
    labels: Pairs
    windows: tuple[timedelta, ...]

    @property
    def ids(self) -> dict[str, str]:
        """The labels by which Sloth itself finds the series."""
        id_ = f"{self.service}-{self.slo}"
        return {"sloth_id": id_, "sloth_service": self.service, "sloth_slo": self.slo}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One promise; `objective` is a ratio (0.995), None for a quantile and while not `decided`.

    `measured` pairs a quantile (0.5) with the value that was seen for it, in the histogram's unit.
    """

    service: str
    name: str
    description: str
    rationale: str
    grounding: Grounding | None
    measured: tuple[tuple[Decimal, Decimal], ...]
    objective: Decimal | None
    decided: bool
    window: timedelta
    by: tuple[str, ...]
    sli: Sli
    alerting: Alerting
    source: Location
    sloth: Sloth | None = None

    @property
    def id(self) -> str:
        return f"{self.service}-{self.name}"

    @property
    def budget(self) -> Decimal | None:
        """The share of events that may be bad; None where nothing burns a budget."""
        if self.objective is None or not self.sli.has_budget:
            return None
        return 1 - self.objective

    @property
    def labels(self) -> dict[str, str]:
        """What identifies its series: nothing that an edit of the spec could change."""
        return {"slo_service": self.service, "slo_name": self.name}

    @property
    def identity(self) -> tuple[str, ...]:
        """The labels that tell one of its series from another."""
        return ("slo_service", "slo_name", *self.by)

    @property
    def ratio_windows(self) -> tuple[timedelta, ...]:
        """The windows over which its error ratio is recorded, the period's own excepted."""
        if not self.sli.has_budget:
            return ()
        burning = {window for burn in self.alerting.burns for window in (burn.long, burn.short)}
        wanted = {BASE, HOUR, DAY, *burning, *(self.sloth.windows if self.sloth else ())}
        return tuple(sorted(window for window in wanted if window <= self.window))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One line of a panel."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A threshold of a panel: this colour from this value on."""

    color: str
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPanel:
    """A panel that the team wrote; `content` is the Markdown of a text panel."""

    title: str
    kind: PanelKind
    description: str
    unit: str
    queries: tuple[Query, ...]
    thresholds: tuple[Step, ...]
    content: str
    decimals: int | None
    logarithmic: bool
    stacked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of team panels."""

    title: str
    panels: tuple[TeamPanel, ...]
    collapsed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """The counter and the duration histogram that the HTTP rows of a dashboard read."""

    requests: Selector | None
    duration: Selector | None
    route: str = "route"
    method: str = "method"
    status: str = "status"
    errors: str = "5.."


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a responder goes next; empty where there is nothing."""

    repository: str = ""
    logs: str = ""
    traces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One file under slos/."""

    name: str
    owner: str
    tier: int
    description: str
    job: str | None
    scrape_interval: timedelta
    links: Links
    disable: tuple[str, ...]
    slos: tuple[Slo, ...]
    http: Http
    rows: tuple[Row, ...]
    variables: Pairs
    source: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A team and the Alertmanager receivers that reach it."""

    name: str
    page: str
    ticket: str
    description: str = ""
    links: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A finding that is right and yet not wanted, in the files that match `path`."""

    id: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """slos/project.yaml."""

    owners: tuple[Owner, ...]
    interval: timedelta
    mode: Mode
    fallback_receiver: str
    watchdog_receiver: str
    datasource: str
    runbook_base_url: str
    dashboard_base_url: str
    labels: Pairs
    compat: Compat | None = None
    suppressions: tuple[Suppression, ...] = ()

    def owner(self, name: str) -> Owner:
        return next(owner for owner in self.owners if owner.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixin:
    """Rules and dashboards that somebody else wrote: `foreign`, and kept as they are.

    `alerts` and `recordings` are lists of rule groups and `dashboards` boards by file name, each as
    JSON.
    """

    name: str
    source: Location
    owner: str = ""
    alerts: str = "[]"
    recordings: str = "[]"
    dashboards: Pairs = ()

    @property
    def alert_names(self) -> tuple[str, ...]:
        """Each once, in order of appearance."""
        rules = (rule for group in json.loads(self.alerts) for rule in group["rules"])
        return tuple(dict.fromkeys(rule["alert"] for rule in rules if "alert" in rule))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything under slos/ and mixins/, and the text of the files that generators complete."""

    settings: Settings
    services: tuple[Service, ...]
    authored: Pairs = field(default=())
    planes: Planes | None = None
    mixins: tuple[Mixin, ...] = ()
    # What reading found that is no mistake; `sloforge check` shows it.
    warnings: tuple[Finding, ...] = ()
    # No part of its value: not compared, not shown, and empty after `replace`.
    _derived: dict[object, object] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def slos(self) -> tuple[Slo, ...]:
        return tuple(slo for service in self.services for slo in service.slos)

    def text(self, path: str) -> str | None:
        """The text of an authored file by its path in the repository; None where it is missing.

        `authored` is sorted: a project of a thousand services asks ten thousand times.
        """
        at = bisect_left(self.authored, (path,))
        found = self.authored[at : at + 1]
        return found[0][1] if found and found[0][0] == path else None

    def derived(self, of: Callable[[Project], T]) -> T:
        """What a pure function makes of the project: worked out once, for all who ask for it."""
        if of not in self._derived:
            self._derived[of] = of(self)
        return cast("T", self._derived[of])
