"""recording/<service>.yml: what is measured once and read by every alert and dashboard.

Errors and totals are recorded over five minutes; every longer window adds those up, so that a busy
hour weighs more than a quiet one and a raw series is never read over more than an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.artifacts import Artifact, yaml_artifact
from sloforge.generate import sloth
from sloforge.promql import duration, number, seconds, sum_by
from sloforge.sli import Freshness, Quantile, Threshold, Up
from sloforge.windows import BASE, DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sloforge.model import Project, Service, Slo
    from sloforge.promql import Selector

Rule = dict[str, object]
FRESH = "15m"
# Slices are as exact when they are added up, and more of them than this are too many for a rule
# test: promtool holds 10,000 samples, and an expression may have four at each step.
MAX_SLICES = 2000


def recording(project: Project) -> Iterator[Artifact]:
    """One file per service."""
    for service in project.services:
        groups = [group for slo in service.slos for group in _groups(project, service, slo)]
        groups += _http(project, service)
        path = naming.recording_file(service.name)
        yield yaml_artifact(path, service.source.path, {"groups": groups})


def _groups(project: Project, service: Service, slo: Slo) -> Iterator[dict[str, object]]:
    interval = duration(project.settings.interval)
    rules = [*_base(slo), *_quantiles(slo), *_ratios(project, slo), *_budget(slo)]
    rules += [_info(service, slo)]
    yield {"name": naming.recording_group(slo), "interval": interval, "rules": rules}
    if slo.sli.has_budget:
        period = list(_period(slo))
        yield {"name": naming.period_group(slo), "interval": duration(BASE), "rules": period}
    if copies := list(sloth.copies(slo, FRESH)):
        yield {"name": naming.sloth_group(slo), "interval": interval, "rules": copies}


def _rule(slo: Slo, metric: str, expr: str) -> Rule:
    return {"record": metric, "expr": expr, "labels": slo.labels}


def _base(slo: Slo) -> Iterator[Rule]:
    total = slo.sli.total(BASE, slo.by)
    yield _rule(slo, naming.TOTAL, total)
    if slo.sli.has_budget:
        yield _rule(slo, naming.ERRORS, slo.sli.errors(BASE, slo.by, total))


def _quantiles(slo: Slo) -> Iterator[Rule]:
    if isinstance(slo.sli, Quantile):
        for window in sorted({BASE, *slo.sli.windows}):
            yield _rule(slo, naming.quantile(window), slo.sli.value(window, slo.by))


def _ratios(project: Project, slo: Slo) -> Iterator[Rule]:
    for window in slo.ratio_windows:
        yield _rule(slo, naming.error_ratio(window), _ratio(project, slo, window))


def _ratio(project: Project, slo: Slo, window: timedelta) -> str:
    """Errors over the total, absent rather than 0/0 where nothing happened."""
    if window == BASE:
        return f"{naming.of(slo, naming.ERRORS)} / ({naming.of(slo, naming.TOTAL)} > 0)"
    if reads_raw(project, slo, window):
        zero = sum_by(slo.by, str(naming.of(slo, naming.TOTAL)))
        errors = slo.sli.errors(window, slo.by, zero)
        return f"({errors}) / ({slo.sli.total(window, slo.by)} > 0)"
    return summed_ratio(slo, window)


def reads_raw(project: Project, slo: Slo, window: timedelta) -> bool:
    """Whether a ratio over more than the base window is taken from the scraped series."""
    if project.settings.mode == "derived":
        return False
    if isinstance(slo.sli, Freshness | Threshold | Up):
        return window <= HOUR and window / slo.sli.step <= MAX_SLICES
    return project.settings.mode == "exact" or window <= HOUR


def summed_ratio(slo: Slo, window: timedelta) -> str:
    """The event-weighted ratio from what was recorded every five minutes (or every evaluation)."""
    errors, total = (naming.ERRORS, naming.TOTAL)
    if window >= DAY:
        errors, total = (naming.ERRORS_5M, naming.TOTAL_5M)
    over = duration(window)
    return (
        f"sum_over_time({naming.of(slo, errors)}[{over}])"
        f" / (sum_over_time({naming.of(slo, total)}[{over}]) > 0)"
    )


def _budget(slo: Slo) -> Iterator[Rule]:
    yield _rule(slo, naming.PERIOD, f"vector({number(seconds(slo.window) / seconds(DAY))})")
    if slo.budget is None or slo.objective is None:
        return
    match = f"on ({', '.join(slo.labels)}) group_left ()"
    budget = naming.of(slo, naming.BUDGET)
    yield _rule(slo, naming.OBJECTIVE, f"vector({number(slo.objective)})")
    yield _rule(slo, naming.BUDGET, f"vector({number(slo.budget)})")
    current = naming.of(slo, naming.error_ratio(BASE))
    yield _rule(slo, naming.CURRENT_BURN, f"{current} / {match} {budget}")
    # The period's ratio is recorded every five minutes only; an instant read could just miss it.
    spent = f"last_over_time({naming.of(slo, naming.error_ratio(slo.window))}[{FRESH}])"
    yield _rule(slo, naming.PERIOD_BURN, f"{spent} / {match} {budget}")
    yield _rule(slo, naming.REMAINING, f"1 - {naming.of(slo, naming.PERIOD_BURN)}")


def _info(service: Service, slo: Slo) -> Rule:
    objective = number(slo.objective * 100) if slo.objective is not None else _undecided(slo)
    about = {
        "owner": service.owner,
        "tier": str(service.tier),
        "objective": objective,
        "window": duration(slo.window),
        "sli": slo.sli.kind,
    }
    return {"record": naming.INFO, "expr": "vector(1)", "labels": slo.labels | about}


def _undecided(slo: Slo) -> str:
    return "none" if slo.decided else "tbd"


def _period(slo: Slo) -> Iterator[Rule]:
    """Sampled, then added up over the whole period."""
    yield _rule(slo, naming.TOTAL_5M, str(naming.of(slo, naming.TOTAL)))
    yield _rule(slo, naming.ERRORS_5M, str(naming.of(slo, naming.ERRORS)))
    if slo.window not in slo.ratio_windows:
        counted = summed_ratio(slo, slo.window)
        yield _rule(slo, naming.error_ratio(slo.window), sloth.carried(slo, counted))


def _http(project: Project, service: Service) -> Iterator[dict[str, object]]:
    """What the HTTP rows of a dashboard read: by route, method and status, once per service."""
    http, labels = service.http, {"slo_service": service.name}
    rules: list[Rule] = []
    if http.requests is not None:
        by = (http.route, http.method, http.status)
        rules.append(_service_rule(naming.HTTP_REQUESTS, http.requests, by, service))
    if http.duration is not None:
        by = ("le", http.route, http.method)
        histogram = http.duration.with_suffix("_bucket")
        rules.append(_service_rule(naming.HTTP_DURATION, histogram, by, service))
    if rules:
        interval = duration(project.settings.interval)
        yield {
            "name": naming.http_group(service.name),
            "interval": interval,
            "rules": [rule | {"labels": labels} for rule in rules],
        }


def _service_rule(metric: str, source: Selector, by: tuple[str, ...], service: Service) -> Rule:
    return {"record": metric, "expr": sum_by(by, source.on_job(service.job).rate(BASE))}
