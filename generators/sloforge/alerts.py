"""Every alert a project has, as values that rules, tests, routes, runbooks and boards read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from sloforge import naming
from sloforge.model import More
from sloforge.planestates import StateRule, state_rules
from sloforge.promql import duration, seconds
from sloforge.sli import Latency, Quantile
from sloforge.windows import DAY, AlertSeverity, Burn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Pairs, Project, Service, Slo

AlertKind = Literal[
    "burn",
    "quantile",
    "budget-exhausted",
    "half-budget-in-a-day",
    "rules-stale",
    "down",
    "instrumentation-gone",
    "state",
]
# What may stand in `disable` beside the names of burns.
SLO_KINDS: tuple[AlertKind, ...] = ("budget-exhausted", "half-budget-in-a-day", "rules-stale")
SERVICE_KINDS: tuple[AlertKind, ...] = ("down", "instrumentation-gone")
COMMON_RUNBOOKS = (*SERVICE_KINDS, *SLO_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule. `slo` is None for a service's own, `burn` for all that is no burn."""

    name: str
    kind: AlertKind
    severity: AlertSeverity
    service: Service
    slo: Slo | None
    burn: Burn | None
    wait: timedelta
    keep_firing_for: timedelta
    labels: Pairs
    annotations: Pairs
    runbook: str

    @property
    def subject(self) -> str:
        """`tensor-wasm/availability-http`, or the service alone."""
        return f"{self.service.name}/{self.slo.name}" if self.slo else self.service.name


def alerts(project: Project) -> tuple[Alert, ...]:
    """All alerts but the Watchdog, in the order of the files."""
    found = (a for of_one in project.derived(_by_service).values() for a in of_one)
    return (*found, *state_alerts(project))


def state_alerts(project: Project) -> tuple[Alert, ...]:
    """Those on what workload planes are; rules, tests and runbooks of their own say the rest."""
    return project.derived(_states)


def service_alerts(project: Project, service: Service) -> tuple[Alert, ...]:
    """The service's own alerts, then those of each SLO; `service` is one of the project's."""
    return project.derived(_by_service)[service.name]


def slo_alerts(project: Project, service: Service, slo: Slo) -> tuple[Alert, ...]:
    """Burns (or the quantile), then what watches the budget and the rules themselves."""
    return tuple(_slo(project, service, slo))


def half_budget_factor(slo: Slo) -> Decimal:
    """The burn rate that spends half of the period's budget in a day: 0.5 x period / day."""
    return Decimal("0.5") * seconds(slo.window) / seconds(DAY)


def watches_half_budget(slo: Slo) -> bool:
    """Not where the period is so short that it is no burn, nor where no ratio is high enough."""
    factor = half_budget_factor(slo)
    return slo.budget is not None and factor > 1 and factor * slo.budget < 1


def inputs(service: Service) -> tuple[str, ...]:
    """The families that a scrape of the service must hold, as selectors on its job."""
    found = {str(s.on_job(service.job)) for slo in service.slos for s in slo.sli.inputs()}
    return tuple(sorted(found))


def unbounded(service: Service) -> tuple[tuple[str, str], ...]:
    """Buckets that every histogram of an SLI must have, and what is there when some have not."""
    latencies = (slo.sli for slo in service.slos if isinstance(slo.sli, Latency))
    found = {(str(s.within()), some) for s in latencies if (some := s.unbounded()) is not None}
    return tuple(sorted(found))


def _by_service(project: Project) -> dict[str, tuple[Alert, ...]]:
    return {service.name: _all_of(project, service) for service in project.services}


def _all_of(project: Project, service: Service) -> tuple[Alert, ...]:
    own = tuple(_service(project, service))
    return own + tuple(a for slo in service.slos for a in slo_alerts(project, service, slo))


def _states(project: Project) -> tuple[Alert, ...]:
    planes = project.planes
    services = [s for s in project.services if planes and s.name == planes.service]
    return tuple(
        _state(project, service, rule)
        for service in services
        if planes is not None
        for rule in state_rules(planes, service)
    )


def _state(project: Project, service: Service, rule: StateRule) -> Alert:
    kind = _Kind(name="state", severity=rule.severity, wait=rule.wait, runbook=rule.runbook)
    return replace(_alert(project, service, None, kind), name=rule.name)


def _service(project: Project, service: Service) -> Iterator[Alert]:
    if service.job is None:
        return
    for kind in SERVICE_KINDS:
        if kind not in service.disable and (kind == "down" or inputs(service)):
            yield _alert(project, service, None, _Kind(name=kind))


def _slo(project: Project, service: Service, slo: Slo) -> Iterator[Alert]:
    for burn in slo.alerting.burns if slo.budget is not None else ():
        yield _burn(project, service, slo, burn)
    if isinstance(slo.sli, Quantile) and slo.decided:
        yield _quantile(project, service, slo, slo.sli)
    for kind in SLO_KINDS:
        if kind not in slo.alerting.disable and _applies(kind, slo):
            yield _alert(project, service, slo, _Kind(name=kind))


def _applies(kind: AlertKind, slo: Slo) -> bool:
    match kind:
        case "budget-exhausted":
            return slo.budget is not None
        case "half-budget-in-a-day":
            return watches_half_budget(slo)
        case _:
            return slo.decided


def _burn(project: Project, service: Service, slo: Slo, burn: Burn) -> Alert:
    windows = (("burn", burn.name), ("long", duration(burn.long)), ("short", duration(burn.short)))
    kind = _Kind(
        name="burn",
        severity=burn.severity,
        burn=burn,
        labels=windows,
        wait=burn.wait,
        keep_firing_for=burn.keep_firing_for,
        runbook=naming.runbook_file(service.name, _runbook_name(slo, burn.name)),
    )
    return _alert(project, service, slo, kind)


def _quantile(project: Project, service: Service, slo: Slo, sli: Quantile) -> Alert:
    windows = (("long", duration(max(sli.windows))), ("short", duration(min(sli.windows))))
    alerting = slo.alerting
    kind = _Kind(
        name="quantile",
        severity=alerting.severity,
        labels=windows,
        wait=alerting.wait,
        keep_firing_for=alerting.keep_firing_for,
        runbook=naming.runbook_file(service.name, _runbook_name(slo, "quantile")),
    )
    return _alert(project, service, slo, kind)


def _runbook_name(slo: Slo, burn: str) -> str:
    return slo.alerting.runbook.replace("{burn}", burn).replace("{slo}", slo.name)


# How long a state must last: a restart is no outage, a lost scrape no renamed metric.
_WAITS: dict[AlertKind, timedelta] = {
    "down": timedelta(minutes=2),
    "instrumentation-gone": timedelta(minutes=10),
    "rules-stale": timedelta(minutes=10),
}
_PAGES: tuple[AlertKind, ...] = ("down", "half-budget-in-a-day")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of alert, and what only it has; `wait` and `runbook` are those of the kind if None."""

    name: AlertKind
    severity: AlertSeverity | None = None
    burn: Burn | None = None
    labels: Pairs = ()
    wait: timedelta | None = None
    keep_firing_for: timedelta = timedelta(0)
    runbook: str | None = None


def _alert(project: Project, service: Service, slo: Slo | None, kind: _Kind) -> Alert:
    severity = kind.severity or ("page" if kind.name in _PAGES else "ticket")
    names = dict(slo.alerting.names) if slo else {}
    called = kind.burn.name if kind.burn else ""
    subject = slo.name if slo else service.name
    identity = slo.labels if slo else {"slo_service": service.name}
    more = _more(slo, severity, kind.burn)
    extra = dict(project.settings.labels) | _sloths(slo, kind) | dict(more.labels)
    labels = extra | {"severity": severity, **identity, "owner": service.owner}
    return Alert(
        name=names.get(called or kind.name, naming.camel(subject, called or _word(kind.name))),
        kind=kind.name,
        severity=severity,
        service=service,
        slo=slo,
        burn=kind.burn,
        wait=_WAITS.get(kind.name, timedelta(0)) if kind.wait is None else kind.wait,
        keep_firing_for=kind.keep_firing_for,
        labels=tuple((labels | dict(kind.labels)).items()),
        annotations=more.annotations,
        runbook=_common_runbook(project, service, kind.name)
        if kind.runbook is None
        else kind.runbook,
    )


def _sloths(slo: Slo | None, kind: _Kind) -> dict[str, str]:
    """The labels by which Sloth's dashboards and routes know the alert of a burn."""
    if slo is None or slo.sloth is None or kind.burn is None:
        return {}
    severity = {"sloth_severity": kind.burn.severity}
    return dict(slo.sloth.labels) | slo.sloth.ids | severity


def _more(slo: Slo | None, severity: AlertSeverity, burn: Burn | None) -> More:
    """What the team adds: to all alerts of the SLO, to those of the severity, to the one burn."""
    if slo is None:
        return More()
    alerting = slo.alerting
    tier = alerting.page if severity == "page" else alerting.ticket
    own = burn if burn is not None else More()
    return More(
        labels=_joined(alerting.labels, tier.labels, own.labels),
        annotations=_joined(alerting.annotations, tier.annotations, own.annotations),
    )


def _joined(*parts: Pairs) -> Pairs:
    """The last one says it where several do."""
    return tuple({key: value for part in parts for key, value in part}.items())


def _word(kind: AlertKind) -> str:
    return "high" if kind == "quantile" else kind


def _common_runbook(project: Project, service: Service, kind: AlertKind) -> str:
    """The service's own text where it has one, else the text that all services share."""
    own = naming.runbook_file(service.name, kind)
    return own if project.text(own) is not None else naming.runbook_file("common", kind)
