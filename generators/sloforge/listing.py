"""The SLOs and alerts of a project as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sloforge import report
from sloforge.alerts import alerts
from sloforge.promql import duration, number, seconds

if TYPE_CHECKING:
    from sloforge.model import Project, Slo
    from sloforge.report import Format

Rows = tuple[tuple[str, ...], ...]


def slo_rows(project: Project) -> Rows:
    """A header, then an SLO a row; the budget is in minutes of full outage within the window."""
    header = ("service", "slo", "sli", "objective", "window", "budget", "owner")
    found = [
        (
            s.name,
            slo.name,
            slo.sli.kind,
            _objective(slo),
            duration(slo.window),
            _budget(slo),
            s.owner,
        )
        for s in project.services
        for slo in s.slos
    ]
    return (header, *found)


def _objective(slo: Slo) -> str:
    if slo.objective is None:
        return "-" if slo.decided else "tbd"
    return f"{number(slo.objective * 100)} %"


def _budget(slo: Slo) -> str:
    if slo.budget is None:
        return "-"
    minutes = slo.budget * seconds(slo.window) / 60
    return f"{number(round(minutes, 1))} min"


def alert_rows(project: Project) -> Rows:
    """A header, then an alert a row."""
    header = ("alert", "severity", "subject", "owner", "runbook")
    found = [(a.name, a.severity, a.subject, a.service.owner, a.runbook) for a in alerts(project)]
    return (header, *found)


def shown(rows: Rows, form: Format) -> str:
    """A table, or a list of objects."""
    if form == "json":
        return json.dumps([dict(zip(rows[0], row, strict=True)) for row in rows[1:]], indent=2)
    return report.table(rows[0], rows[1:])
