"""S...: services that are well formed and yet watched badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge.errors import Finding
from sloforge.sli import Quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service, Slo


def service_findings(project: Project) -> Iterator[Finding]:
    """Warnings about what a service leaves out, and what reading the specs warned of."""
    yield from project.warnings
    for service in project.services:
        yield from _job(service)
        for slo in service.slos:
            yield from _twin(service, slo)


def _job(service: Service) -> Iterator[Finding]:
    """S012: without a scrape job nothing tells a service that is down from an idle one."""
    if service.job is None:
        yield Finding(
            id="S012",
            where=service.source,
            what=f"service `{service.name}` has no `job`",
            remedy="name its scrape job, so that an outage without samples pages, too",
            severity="warning",
        )


def _twin(service: Service, slo: Slo) -> Iterator[Finding]:
    """S011: a quantile burns no budget; its latency twin says the same and does."""
    if not isinstance(slo.sli, Quantile):
        return
    if not any(other.sli == slo.sli.twin() for other in service.slos):
        yield Finding(
            id="S011",
            where=slo.source,
            what=f"quantile `{slo.name}` burns no budget and has no `latency` twin",
            remedy="add an SLO with `latency` over the same histogram and threshold",
            severity="warning",
        )
