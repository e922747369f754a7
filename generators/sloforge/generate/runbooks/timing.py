"""The block `timing` of a runbook: how long until each alert fires, and until it is quiet again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sloforge.alerts import Alert, half_budget_factor
from sloforge.generate.runbooks.page import Page
from sloforge.generate.runbooks.spelling import code, percent, span, table
from sloforge.model import Slo
from sloforge.promql import duration
from sloforge.sli import Freshness, Quantile, Threshold, Up
from sloforge.windows import BASE, DAY, HOUR, Burn

FULL, TENTH, SLIGHTLY = Decimal(1), Decimal("0.1"), Decimal("1.1")


def timing(page: Page) -> str:
    """Alerts on a share of bad events by that share; the others by what they wait for."""
    parts = [_by_share(page), _by_state(page), _notes(page)]
    return "\n\n".join(part for part in parts if part)


def _by_share(page: Page) -> str:
    rows = [_share_row(one, *found) for one in page.alerts if (found := _as_burn(one)) is not None]
    head = (
        "Alert",
        "All bad",
        "10 % bad",
        "Just above",
        "Quiet after all bad",
        "Quiet after 10 % bad",
    )
    return table(head, rows) if rows else ""


def _as_burn(one: Alert) -> tuple[Burn, Slo, Decimal] | None:
    """The burn, or the one that a quantile is: its share of events above the threshold."""
    slo = one.slo
    if slo is None:
        return None
    if one.kind == "burn" and one.burn is not None and slo.budget is not None:
        return one.burn, slo, slo.budget
    if isinstance(slo.sli, Quantile) and one.kind == "quantile":
        return _windows(one, max(slo.sli.windows), min(slo.sli.windows)), slo, 1 - slo.sli.quantile
    return None


def _windows(one: Alert, long: timedelta, short: timedelta) -> Burn:
    return Burn(name=one.name, severity=one.severity, long=long, short=short, fixed=Decimal(1))


def _share_row(one: Alert, burn: Burn, slo: Slo, budget: Decimal) -> tuple[str, ...]:
    threshold = burn.threshold(slo.window, budget)
    slightly = threshold * SLIGHTLY
    just_above = f"{_detected(one, burn, slo, slightly)} at {percent(slightly)}"
    return (
        code(one.name),
        _detected(one, burn, slo, FULL),
        _detected(one, burn, slo, TENTH),
        just_above if slightly <= 1 else "–",
        _quiet(one, burn, slo, FULL),
        _quiet(one, burn, slo, TENTH),
    )


def _detected(one: Alert, burn: Burn, slo: Slo, ratio: Decimal) -> str:
    found = burn.detection(slo.window, _budget(slo), ratio)
    least = _least(slo, ratio)
    if found is None or least > burn.long:
        return "never"
    return span(max(found, least) + one.wait)


def _quiet(one: Alert, burn: Burn, slo: Slo, ratio: Decimal) -> str:
    if _detected(one, burn, slo, ratio) == "never":
        return "–"
    return span(burn.reset(slo.window, _budget(slo), ratio) + one.keep_firing_for)


def _budget(slo: Slo) -> Decimal:
    if isinstance(slo.sli, Quantile):
        return 1 - slo.sli.quantile
    assert slo.budget is not None
    return slo.budget


def _least(slo: Slo, ratio: Decimal) -> timedelta:
    """Slices of time come at a known pace, so the guard of `min_errors` is a time as well."""
    if isinstance(slo.sli, Freshness | Up | Threshold):
        return slo.sli.step * (slo.alerting.min_errors / float(ratio))
    return timedelta(0)


def _by_state(page: Page) -> str:
    rows = [row for one in page.alerts if _as_burn(one) is None and (row := _state_row(one))]
    return table(("Alert", "Fires after", "Quiet again"), rows) if rows else ""


def _state_row(one: Alert) -> tuple[str, str, str] | None:
    slo, name = one.slo, code(one.name)
    if slo is None or slo.budget is None:
        return name, span(one.wait), "as soon as it is over"
    period = duration(slo.window)
    match one.kind:
        case "budget-exhausted":
            spent = span(slo.window * float(slo.budget))
            return (
                name,
                f"{spent} of all bad, from a full budget",
                f"as bad {slo.sli.unit} leave the {period}",
            )
        case "half-budget-in-a-day":
            half = Burn(
                name=one.name, severity="page", long=DAY, short=DAY, fixed=half_budget_factor(slo)
            )
            full, tenth = (_detected(one, half, slo, ratio) for ratio in (FULL, TENTH))
            times = f"{full} of all bad, {tenth} of 10 % bad"
            return name, times, f"as bad {slo.sli.unit} leave the day"
        case _:
            return name, span(one.wait), "as soon as it is over"


def _notes(page: Page) -> str:
    """What the tables leave out, each said once."""
    return " ".join(dict.fromkeys(_each_note(page)))


def _each_note(page: Page) -> Iterator[str]:
    interval = span(page.project.settings.interval)
    scrape = span(max((one.scrape_interval for one in page.services), default=timedelta(0)))
    yield (
        "Counted from the first bad moment after a clean and equally busy past; "
        f"add up to one scrape ({scrape}) and one evaluation ({interval})."
    )
    limit = duration(HOUR if page.project.settings.mode == "hybrid" else BASE)
    burns = [one.burn for one in page.alerts if one.burn is not None]
    if any(_is_summed(page, burn.long) for burn in burns):
        lag = span(BASE / 2)
        yield f"Windows of more than {limit} add up {duration(BASE)} rates and lag by {lag} more."
    for slo in page.slos:
        if isinstance(slo.sli, Freshness):
            age = span(slo.sli.max_age)
            yield f"For {code(slo.name)} the first bad moment is {age} after the last success."
    guarded = (one.slo for one in page.alerts if one.kind in ("burn", "quantile") and one.slo)
    if any(slo.alerting.min_errors and slo.sli.unit == "events" for slo in guarded):
        yield "A trickle of traffic needs longer, until the least number of events is there."
    if any(one.keep_firing_for for one in page.alerts):
        yield "The times until it is quiet again hold the alert's own `keep_firing_for`."


def _is_summed(page: Page, window: timedelta) -> bool:
    """Whether a window is added up from what was recorded over five minutes."""
    match page.project.settings.mode:
        case "exact":
            return False
        case "derived":
            return window > BASE
        case "hybrid":
            return window > HOUR
