"""What may be there only once in a project: services, and alerts by name and labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sloforge.alerts import Alert, service_alerts
from sloforge.errors import Finding
from sloforge.model import Project, Service, Slo

_IDENTITY = ("slo_service", "slo_name", "burn")


def services(found: Iterable[Service]) -> Iterator[Finding]:
    """Two files for one service would write the same outputs."""
    first: dict[str, Service] = {}
    for service in found:
        other = first.setdefault(service.name, service)
        if other is not service:
            what = f"service: duplicate service `{service.name}`"
            remedy = f"it is already at {other.source}"
            yield Finding(id="S004", where=service.source, what=what, remedy=remedy)


def ids(found: Iterable[Service]) -> Iterator[Finding]:
    """`shop` with `cart-answers` and `shop-cart` with `answers`: rule groups go by the id alone."""
    first: dict[str, Slo] = {}
    for slo in (slo for service in found for slo in service.slos):
        other = first.setdefault(slo.id, slo)
        if other.service != slo.service:
            what = f"{slo.service}/{slo.name} has the id `{slo.id}` of {other.service}/{other.name}"
            remedy = f"rename one of them; the other one is at {other.source}"
            yield Finding(id="S004", where=slo.source, what=what, remedy=remedy)


def alert_names(project: Project) -> Iterator[Finding]:
    """Two alerts that nobody can tell apart: Prometheus refuses them, Alertmanager merges them.

    Names that are made of the SLO's and the burn's differ; only those that are written can meet.
    """
    named = {slo.service for slo in project.slos if slo.alerting.names}
    for service in project.services:
        if service.name in named:
            yield from _twice(service_alerts(project, service))


def _twice(alerts: Iterable[Alert]) -> Iterator[Finding]:
    first: dict[tuple[str, ...], Alert] = {}
    for alert in alerts:
        labels = dict(alert.labels)
        key = (alert.name, *(labels.get(label, "") for label in _IDENTITY))
        other = first.setdefault(key, alert)
        if other is not alert:
            slo = alert.slo
            where = slo.source if slo else alert.service.source
            what = f"two alerts are called `{alert.name}`: `{_key(other)}` and `{_key(alert)}`"
            remedy = "give one of them another name under `alerting.names`"
            yield Finding(id="S004", where=where, what=what, remedy=remedy)


def _key(alert: Alert) -> str:
    return alert.burn.name if alert.burn else alert.kind
