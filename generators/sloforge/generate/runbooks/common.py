"""First questions for the alerts that every service has."""

from __future__ import annotations

from collections.abc import Iterator

from sloforge import naming
from sloforge.alerts import AlertKind, half_budget_factor, inputs
from sloforge.generate.runbooks.asked import Asked, asked
from sloforge.generate.runbooks.page import Page
from sloforge.generate.runbooks.planes import questions
from sloforge.generate.runbooks.spelling import code, rounded
from sloforge.promql import quote
from sloforge.windows import DAY

# Sloth's series have the same names.
_OURS = '{slo_service!=""}'
_BURNING = f"sort_desc({naming.CURRENT_BURN}{_OURS} > 1)"


def common(page: Page, kind: AlertKind) -> Iterator[Asked]:
    """Nothing for burns and quantiles, which ask of their own SLO."""
    match kind:
        case "down":
            yield from _down(page)
        case "instrumentation-gone":
            yield from _gone(page)
        case "budget-exhausted":
            yield from _exhausted()
        case "half-budget-in-a-day":
            yield from _half(page)
        case "rules-stale":
            yield from _stale()
        case "state":
            yield from questions()
        case _:
            return


def _down(page: Page) -> Iterator[Asked]:
    jobs = sorted({service.job for service in page.services if service.job})
    series = f"up{{job=~{quote('|'.join(jobs))}}}"
    yield asked(
        "Which targets answer?",
        series,
        "1: it answers its scrapes",
        "0: it is known, but its scrapes fail",
        "a job that is not listed: it has no target; discovery lost it, or nothing runs",
    )
    yield asked(
        "When did they stop?",
        f"changes({series}[1h])",
        "1: it stopped once within the hour",
        "2 and more: it comes and goes; look for the reason of its exits",
        "0 while `up` is 0: it has been down for more than an hour",
    )


def _gone(page: Page) -> Iterator[Asked]:
    for service in page.services:
        families = " or ".join(f"count by (__name__) ({one})" for one in inputs(service))
        yield asked(
            f"What does {code(service.name)} still export?",
            families,
            "a number: the family is there, with so many series",
            "a family that is not listed: it was renamed, or dropped on the way, or never born",
        )


def _exhausted() -> Iterator[Asked]:
    yield asked(
        "Which budgets are spent, and by how much?",
        f"sort({naming.REMAINING}{_OURS} <= 0)",
        "0: just spent",
        "-1: twice the budget was used",
        "not listed: there is budget left",
    )
    yield asked(
        "Does it go on?",
        _BURNING,
        "listed: it burns faster than allowed; treat it as an incident",
        "not listed: the damage lies in the past, and leaves with the period",
    )


def _half(page: Page) -> Iterator[Asked]:
    found = [one.slo for one in page.alerts if one.kind == "half-budget-in-a-day" and one.slo]
    limits = " or ".join(rounded(factor) for factor in sorted(set(map(half_budget_factor, found))))
    on = "on (slo_service, slo_name) group_left ()"
    yield asked(
        "How fast did budgets burn over the last day?",
        f"sort_desc({naming.error_ratio(DAY)}{_OURS} / {on} {naming.BUDGET}{_OURS})",
        f"above {limits} (half the days of the period): this day alone took half of the budget",
        "above 1: more than a day's share",
    )
    yield asked(
        "Does it go on?",
        _BURNING,
        "listed: it does; stop that first",
        "not listed: it is over, and the alert leaves as the bad events leave the day",
    )


def _stale() -> Iterator[Asked]:
    yield asked(
        "Which SLOs are not recorded any more?",
        f"sort_desc(time() - timestamp({naming.TOTAL}))",
        "up to two evaluations, in seconds: fresh",
        "more: its rules have stopped",
        "an SLO that is not listed: it has no record at all",
    )
    yield asked(
        "Do rules fail?",
        "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[1h])) > 0",
        "listed: the group has errors; the rules page of Prometheus shows them",
        "not listed: the group is not loaded, or too slow",
    )
    yield asked(
        "Are rules too slow?",
        "prometheus_rule_group_last_duration_seconds > prometheus_rule_group_interval_seconds",
        "listed: the group takes longer than its interval, and leaves evaluations out",
    )
