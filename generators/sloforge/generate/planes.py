"""recording/_planes.yml and rules/_planes.yml: what planes are, and whom that wakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge.alerts import Alert, state_alerts
from sloforge.artifacts import Artifact, yaml_artifact
from sloforge.planes import (
    DASHBOARD_UID,
    FILE,
    GROUP,
    RECORDING_FILE,
    RULES_FILE,
    STATUS,
    STATUSES,
    UNKNOWN,
)
from sloforge.planestates import StateRule, state_rules, window
from sloforge.promql import Matcher, Selector, duration, selector
from sloforge.windows import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service
    from sloforge.planes import Planes

CODE = "workload_plane:state:code"
UNKNOWN_RATIO = f"workload_plane:unknown:ratio{duration(BASE)}"


def service_of(project: Project, planes: Planes) -> Service:
    """The service that stands for the prober; that there is one was checked with the specs."""
    return next(one for one in project.services if one.name == planes.service)


def plane_recording(project: Project) -> Iterator[Artifact]:
    """One number per plane for a timeline, and the share of time in which nothing was known."""
    if (planes := project.planes) is None:
        return
    over = duration(window(planes, service_of(project, planes)))
    coded = [
        f"last_over_time({selector(STATUS, {'status': status})}[{over}]) * {at}"
        for at, status in enumerate(STATUSES)
    ]
    unknown = Selector(STATUS, (Matcher("status", "=~", "|".join(UNKNOWN)),))
    either = "\n  or\n  ".join(coded)
    share = f"sum by (plane) (avg_over_time({unknown}[{duration(BASE)}]))"
    rules: list[dict[str, object]] = [
        {"record": CODE, "expr": f"max by (plane) (\n  {either}\n)"},
        {"record": UNKNOWN_RATIO, "expr": share},
    ]
    yield yaml_artifact(RECORDING_FILE, FILE, {"groups": [_group(project, GROUP, rules)]})


def plane_rules(project: Project) -> Iterator[Artifact]:
    """The alerts on states; those on the budget are the service's own."""
    if (planes := project.planes) is None:
        return
    known = {rule.name: rule for rule in state_rules(planes, service_of(project, planes))}
    rules = [_rule(project, alert, known[alert.name]) for alert in state_alerts(project)]
    group = _group(project, f"{GROUP}-alerts", rules)
    yield yaml_artifact(RULES_FILE, FILE, {"groups": [group]})


def _group(project: Project, name: str, rules: list[dict[str, object]]) -> dict[str, object]:
    return {"name": name, "interval": duration(project.settings.interval), "rules": rules}


def _rule(project: Project, alert: Alert, rule: StateRule) -> dict[str, object]:
    settings = project.settings
    annotations = {"summary": rule.summary, "description": rule.description}
    annotations["runbook_url"] = settings.runbook_base_url + rule.runbook.removeprefix("runbooks/")
    if settings.dashboard_base_url:
        annotations["dashboard_url"] = f"{settings.dashboard_base_url}/d/{DASHBOARD_UID}"
    return {
        "alert": rule.name,
        "expr": rule.expr,
        "for": duration(rule.wait),
        "labels": dict(alert.labels),
        "annotations": annotations,
    }
