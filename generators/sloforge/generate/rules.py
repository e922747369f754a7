"""rules/<service>.yml: the alerts, one rule per burn, so that each is routed and silenced alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert, half_budget_factor, inputs, service_alerts, unbounded
from sloforge.artifacts import Artifact, yaml_artifact
from sloforge.generate import text
from sloforge.generate.recording import FRESH
from sloforge.promql import duration, number, quote, seconds, selector
from sloforge.sli import Quantile
from sloforge.windows import BASE, DAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sloforge.model import Project, Slo

Rule = dict[str, object]


def rules(project: Project) -> Iterator[Artifact]:
    """One file per service."""
    for service in project.services:
        found = service_alerts(project, service)
        own = [alert for alert in found if alert.slo is None]
        groups = [_group(project, naming.service_alert_group(service.name), own)] if own else []
        for slo in service.slos:
            mine = [alert for alert in found if alert.slo is slo]
            if mine:
                groups.append(_group(project, naming.alert_group(slo), mine))
        yield yaml_artifact(
            naming.rules_file(service.name), service.source.path, {"groups": groups}
        )


def _group(project: Project, name: str, alerts: list[Alert]) -> dict[str, object]:
    interval = duration(project.settings.interval)
    return {"name": name, "interval": interval, "rules": [_rule(project, a) for a in alerts]}


def _rule(project: Project, alert: Alert) -> Rule:
    rule: Rule = {"alert": alert.name, "expr": expression(project, alert)}
    if alert.wait:
        rule["for"] = duration(alert.wait)
    if alert.keep_firing_for:
        rule["keep_firing_for"] = duration(alert.keep_firing_for)
    rule["labels"] = dict(alert.labels)
    rule["annotations"] = text.alert_annotations(project, alert)
    return rule


def expression(project: Project, alert: Alert) -> str:
    """When the alert fires."""
    slo = alert.slo
    if slo is None:
        return _down(alert) if alert.kind == "down" else _instrumentation_gone(alert)
    match alert.kind:
        case "quantile":
            return _quantile(project, slo)
        case "budget-exhausted":
            return f"last_over_time({naming.of(slo, naming.REMAINING)}[{FRESH}]) <= 0"
        case "half-budget-in-a-day":
            return _half_budget(project, slo)
        case "rules-stale":
            return _stale(slo)
        case _:
            return _burn(project, alert, slo)


def _burn(project: Project, alert: Alert, slo: Slo) -> str:
    burn = alert.burn
    assert burn is not None
    assert slo.budget is not None
    threshold = number(burn.threshold(slo.window, slo.budget))
    both = [
        f"{naming.of(slo, naming.error_ratio(w))} > {threshold}" for w in (burn.long, burn.short)
    ]
    return _all_of(slo, [*both, *_enough_errors(project, slo, burn.long)])


def _half_budget(project: Project, slo: Slo) -> str:
    assert slo.budget is not None
    threshold = number(half_budget_factor(slo) * slo.budget)
    ratio = f"{naming.of(slo, naming.error_ratio(DAY))} > {threshold}"
    return _all_of(slo, [ratio, *_enough_errors(project, slo, DAY)])


def _all_of(slo: Slo, conditions: list[str]) -> str:
    return f"\nand on ({', '.join(slo.identity)})\n".join(conditions)


def _enough_errors(project: Project, slo: Slo, window: timedelta) -> Iterator[str]:
    """At least `min_errors` bad events in the window, each rate counting for one interval."""
    if not slo.alerting.min_errors:
        return
    metric, every = naming.ERRORS, project.settings.interval
    if window >= DAY:
        metric, every = naming.ERRORS_5M, BASE
    summed = f"sum_over_time({naming.of(slo, metric)}[{duration(window)}])"
    yield f"{summed} * {number(seconds(every))} >= {slo.alerting.min_errors}"


def _quantile(project: Project, slo: Slo) -> str:
    sli = slo.sli
    assert isinstance(sli, Quantile)
    bound = number(sli.threshold)
    windows = sorted(sli.windows, reverse=True)
    conditions = [f"{naming.of(slo, naming.quantile(w))} > {bound}" for w in windows]
    if slo.alerting.min_errors:
        # So many events that `min_errors` of them lie above the quantile by its definition.
        summed = f"sum_over_time({naming.of(slo, naming.TOTAL)}[{duration(windows[0])}])"
        weight = number(seconds(project.settings.interval) * (1 - sli.quantile))
        conditions.append(f"{summed} * {weight} >= {slo.alerting.min_errors}")
    return _all_of(slo, conditions)


def _down(alert: Alert) -> str:
    up = selector("up", {"job": alert.service.job or ""})
    return f"max({up}) == 0\nor\nabsent({up})"


def _instrumentation_gone(alert: Alert) -> str:
    """The target answers, but what the SLIs read is not there; a label says what is missing."""
    up = selector("up", {"job": alert.service.job or ""})
    missing = [(f"absent({one})", one) for one in inputs(alert.service)]
    missing += [(some, within) for within, some in unbounded(alert.service)]
    gone = "\n  or\n  ".join(
        f'label_replace({expr}, "missing", {_escaped(what)}, "", "")' for expr, what in missing
    )
    return f"(\n  {gone}\n)\nand on ()\n(max({up}) == 1)"


def _escaped(replacement: str) -> str:
    """label_replace() reads `$1` in the replacement."""
    return quote(replacement.replace("$", "$$"))


def _stale(slo: Slo) -> str:
    """What the rules read is there, and what they record is not: a reader looks back for 5m."""
    total = slo.sli.total(BASE, ())
    return f"count({total})\nunless on ()\ncount({naming.of(slo, naming.TOTAL)})"


def watchdog(project: Project) -> Iterator[Artifact]:
    """The dead man's switch, once per project."""
    rule = {
        "alert": naming.WATCHDOG,
        "expr": "vector(1)",
        "labels": {"severity": "none"} | dict(project.settings.labels),
        "annotations": {
            "summary": "Alerting works.",
            "description": "Always fires. When it stops arriving, nothing else arrives either.",
        },
    }
    groups = [{"name": "watchdog", "rules": [rule]}]
    yield yaml_artifact(naming.WATCHDOG_FILE, "slos/project.yaml", {"groups": groups})
