"""Looks at the two servers and tells what has changed since it last did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sloforge import naming
from sloforge.demo.servers import Alertmanager, Json, Prometheus

Kind = Literal["pending", "firing", "inhibited", "released", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """As both servers have it; `held_by` are the alerts that inhibit it."""

    name: str
    service: str
    slo: str
    severity: str
    state: str
    windows: str = ""
    held_by: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return f"{self.service}/{self.slo}" if self.slo else self.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to an alert."""

    kind: Kind
    alert: Alert


Alerts = Mapping[tuple[str, str], Alert]


def look(prometheus: Prometheus, alertmanager: Alertmanager) -> Alerts:
    """Every alert but the one that always fires, by its name and its SLO."""
    held = _held(alertmanager.alerts())
    found = {}
    for one in prometheus.alerts():
        labels = one["labels"]
        if labels["alertname"] == naming.WATCHDOG:
            continue
        alert = Alert(
            name=labels["alertname"],
            service=labels.get("slo_service", ""),
            slo=labels.get("slo_name", ""),
            severity=labels.get("severity", ""),
            windows=f"{labels['long']} and {labels['short']}" if "burn" in labels else "",
            state=one["state"],
            held_by=held.get(labels["alertname"], ()),
        )
        key = (alert.name, alert.subject)
        # With several label sets the one that is furthest stands for all.
        if key not in found or alert.state == "firing":
            found[key] = alert
    return found


def changes(before: Alerts, after: Alerts) -> Iterator[Event]:
    """In the order in which they matter: what is over, what begins, what is held back."""
    for key in sorted(before.keys() - after.keys()):
        yield Event(kind="ended", alert=before[key])
    for key, alert in sorted(after.items()):
        old = before.get(key)
        if old is None or old.state != alert.state:
            yield Event(kind="firing" if alert.state == "firing" else "pending", alert=alert)
        if alert.held_by and not (old and old.held_by):
            yield Event(kind="inhibited", alert=alert)
        if old and old.held_by and not alert.held_by:
            yield Event(kind="released", alert=alert)


def _held(alerts: Iterable[Json]) -> dict[str, tuple[str, ...]]:
    """Alert -> those that inhibit it."""
    alerts = tuple(alerts)
    names = {one["fingerprint"]: one["labels"]["alertname"] for one in alerts}
    return {
        one["labels"]["alertname"]: tuple(
            sorted({names.get(sign, "another alert") for sign in one["status"]["inhibitedBy"]})
        )
        for one in alerts
    }
