"""The blocks `alert`, `meaning`, `alerts` and `budget` of a runbook: what fires it, in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sloforge import planestates
from sloforge.alerts import Alert, half_budget_factor, inputs, service_alerts, unbounded
from sloforge.generate.runbooks.page import Page
from sloforge.generate.runbooks.spelling import (
    code,
    listed,
    percent,
    quantity,
    rounded,
    span,
    table,
)
from sloforge.model import Slo
from sloforge.promql import duration, seconds
from sloforge.sli import Quantile
from sloforge.windows import DAY


def alert(page: Page) -> str:
    """The head of a runbook: which alerts lead here, and whom they reach."""
    lines = [
        f"- Alert: {code(one.name)} · Severity: {one.severity} · Of: {code(one.subject)}"
        f" · Owner: {one.service.owner}"
        for one in page.alerts
    ]
    return "\n".join(lines) or "No alert leads here: this is a procedure."


def meaning(page: Page) -> str:
    """What is promised, and the numbers at which each alert fires."""
    parts = [_promise(slo) for slo in page.slos]
    rows = [(code(one.name), one.severity, condition(one), _spent(one)) for one in page.alerts]
    head = ("Alert", "Severity", "Fires when", "What that costs")
    return "\n\n".join(["\n".join(parts), table(head, rows)]).strip()


def alert_table(page: Page) -> str:
    """Every alert of the services, for a procedure that speaks of all of them."""
    rows = [
        (
            code(one.name),
            code(one.subject),
            one.severity,
            f"[{_title(one)}]({page.link(one.runbook)})",
        )
        for alerts in _alerts_of(page)
        for one in alerts
    ]
    return table(("Alert", "Of", "Severity", "Runbook"), rows)


def budget(page: Page) -> str:
    """What each budget allows, and what half of it in a day is."""
    slos = [slo for service in page.services for slo in service.slos if slo.budget is not None]
    rows = [_budget_row(slo, slo.budget) for slo in slos if slo.budget is not None]
    head = (
        "SLO",
        "Objective",
        "Period",
        "Budget",
        "As time in which all is bad",
        "Half of it in a day",
    )
    return table(head, rows)


def condition(one: Alert) -> str:
    """When it fires, in words and numbers."""
    slo = one.slo
    match one.kind:
        case "burn" if slo is not None:
            return _burn(one, slo)
        case "quantile" if slo is not None:
            return _quantile(slo)
        case "half-budget-in-a-day" if slo is not None:
            assert slo.budget is not None
            ratio = percent(half_budget_factor(slo) * slo.budget)
            bad = f"more than {ratio} of the {slo.sli.unit} of the last day are bad"
            return bad + _guard(slo, "1d")
        case "budget-exhausted" if slo is not None:
            return f"nothing is left of the budget of the last {duration(slo.window)}"
        case "state":
            return planestates.condition(one.name) + _lasting(one)
        case "rules-stale":
            gone = "its series are there, but what is recorded from them is missing or old"
            return gone + _lasting(one)
        case "down":
            job = code(one.service.job or "")
            return f"no target of the job {job} answers, or none is known" + _lasting(one)
        case _:
            families = listed(code(found) for found in inputs(one.service))
            some = " (or, a bucket, on some targets)" if unbounded(one.service) else ""
            missing = f"one of these is missing{some}{_lasting(one)}"
            return f"the job is scraped, but {missing}: {families}"


def _promise(slo: Slo) -> str:
    name = code(f"{slo.service}/{slo.name}")
    period = duration(slo.window)
    if slo.budget is None or slo.objective is None:
        return f"- {name} watches {slo.sli.describe()}. A percentile burns no budget."
    outage = f"{span(slo.window * float(slo.budget))} in which all are"
    return (
        f"- {name} promises {percent(slo.objective)} good {slo.sli.unit} over {period}: "
        f"{percent(slo.budget)} may be bad, which is as much as {outage}. "
        f"Bad is {slo.sli.describe()}."
    )


def _burn(one: Alert, slo: Slo) -> str:
    burn = one.burn
    assert burn is not None
    assert slo.budget is not None
    ratio = percent(burn.threshold(slo.window, slo.budget))
    factor = rounded(burn.factor(slo.window))
    long, short = duration(burn.long), duration(burn.short)
    return (
        f"more than {ratio} of the {slo.sli.unit} are bad ({factor} x budget), "
        f"over {long} and still over {short}{_guard(slo, long)}{_lasting(one)}"
    )


def _quantile(slo: Slo) -> str:
    sli = slo.sli
    assert isinstance(sli, Quantile)
    windows = [duration(window) for window in sorted(sli.windows, reverse=True)]
    guard = ""
    if slo.alerting.min_errors:
        least = rounded(slo.alerting.min_errors / (1 - sli.quantile))
        guard = f", with at least {least} {sli.unit} in {windows[0]}"
    over = " and still over ".join(windows)
    bound = quantity(sli.threshold, "s")
    return f"P{rounded(sli.quantile * 100)} is above {bound} over {over}{guard}"


def _guard(slo: Slo, window: str) -> str:
    least = slo.alerting.min_errors
    return f", with at least {least} bad {slo.sli.unit} in {window}" if least else ""


def _lasting(one: Alert) -> str:
    return f", for {span(one.wait)}" if one.wait else ""


def _spent(one: Alert) -> str:
    """The share of the budget that is gone by then, and how long a whole one would last."""
    slo, burn = one.slo, one.burn
    if one.kind == "half-budget-in-a-day":
        return "50 % of the budget, in one day"
    if one.kind == "budget-exhausted":
        return "all of the budget"
    if slo is None or burn is None:
        return (
            "no budget, as nothing is counted" if one.kind != "quantile" else "no budget of its own"
        )
    whole = span(slo.window / float(burn.factor(slo.window)))
    share = percent(burn.spent(slo.window))
    return f"{share} of the budget in {duration(burn.long)}; a full one lasts {whole}"


def _title(one: Alert) -> str:
    return one.runbook.rsplit("/", 1)[-1].removesuffix(".md")


def _alerts_of(page: Page) -> Iterator[tuple[Alert, ...]]:
    for service in page.services:
        yield service_alerts(page.project, service)


def _budget_row(slo: Slo, share: Decimal) -> tuple[str, ...]:
    whole = slo.window * float(share)
    daily = whole / float(seconds(slo.window) / seconds(DAY))
    day_ratio = half_budget_factor(slo) * share
    half = f"{percent(day_ratio)} bad ({span(whole / 2)})" if day_ratio < 1 else "cannot happen"
    return (
        code(f"{slo.service}/{slo.name}"),
        percent(1 - share),
        duration(slo.window),
        f"{percent(share)} of the {slo.sli.unit}",
        f"{span(whole)}, {span(daily)} a day",
        half,
    )
