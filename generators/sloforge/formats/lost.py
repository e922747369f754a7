"""What an SLO says that another format cannot carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sloforge.errors import Location
from sloforge.model import Links, More, Service, Slo
from sloforge.specs.settings import DefaultsForm

_KEPT = timedelta(minutes=10)
_TIER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """One key of one SLO, or of a service, and why it is left out."""

    where: Location
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.subject}: {self.what}"


def of(slo: Slo, what: str) -> Lost:
    return Lost(where=slo.source, subject=f"{slo.service}/{slo.name}", what=what)


def words(slo: Slo) -> Iterator[Lost]:
    """What only our format has a key for."""
    for key in ("rationale", "grounding", "measured"):
        if getattr(slo, key):
            yield of(slo, f"`{key}` has no counterpart")
    alerting = slo.alerting
    if alerting.min_errors != DefaultsForm().min_errors:
        yield of(slo, "`min_errors` has no counterpart")
    if alerting.runbook != "{slo}":
        yield of(slo, "`runbook` has no counterpart")


def of_service(service: Service, *keys: str) -> Iterator[Lost]:
    """Keys of the service, by name, that stand there and cannot be carried."""
    said = {"links": service.links != Links(), "tier": service.tier != _TIER}
    for key in (*keys, "disable", "links", "rows", "variables"):
        if said.get(key, bool(getattr(service, key))):
            what = f"`{key}` has no counterpart"
            yield Lost(where=service.source, subject=service.name, what=what)


def single(slo: Slo) -> Iterator[Lost]:
    """What some of its alerts say and others do not."""
    alerting = slo.alerting
    for key in ("page", "ticket"):
        if getattr(alerting, key) != More():
            yield of(slo, f"labels and annotations under `{key}` have no counterpart")
    for burn in alerting.burns:
        if burn.labels or burn.annotations:
            yield of(slo, f"labels and annotations of `{burn.name}` have no counterpart")


def default_keeping(slo: Slo) -> bool:
    """Whether every burn fires on for as long as it would unsaid."""
    return all(one.keep_firing_for == min(one.short, _KEPT) for one in slo.alerting.burns)
