"""Burn policies of a spec -> burns, and what makes a burn useless or a lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloforge.alerts import SERVICE_KINDS, SLO_KINDS
from sloforge.errors import Finding
from sloforge.model import Settings
from sloforge.promql import duration, number
from sloforge.specs import labels
from sloforge.specs.forms import BurnForm
from sloforge.specs.mistakes import Place
from sloforge.windows import BASE, BUILT_IN, Burn, Policy

# A rate over fewer scrapes is lost with the first scrape that fails.
MIN_SCRAPES = 4
MIN_SCRAPE_INTERVAL = timedelta(seconds=1)
MAX_SCRAPE_INTERVAL = BASE / MIN_SCRAPES
LONGEST_KEEP = timedelta(minutes=10)
# Names that already stand for something else in `disable` and `names`.
RESERVED = (*SLO_KINDS, *SERVICE_KINDS, "quantile")


def burn(form: BurnForm) -> Burn:
    """One burn as written; by default it fires on for its short window, at most 10m."""
    keep = form.keep_firing_for
    return Burn(
        name=form.name,
        severity=form.severity,
        long=form.long,
        short=form.short,
        fixed=form.factor,
        spend=form.spend,
        wait=form.for_ or timedelta(0),
        keep_firing_for=keep if keep is not None else min(form.short, LONGEST_KEEP),
        labels=tuple(form.labels.items()),
        annotations=tuple(form.annotations.items()),
    )


def mistakes(forms: Iterable[BurnForm], place: Place) -> Iterator[Finding]:
    """What is wrong with a list of burns whatever the SLO."""
    seen: dict[str, int] = {}
    for at, form in enumerate(forms):
        here = place.at(at)
        yield from _alone(form, here)
        if form.name in RESERVED:
            what = f"`{form.name}` is the name of another alert"
            yield here.at("name").wrong(what, "take another name", id_="S004")
        if (first := seen.setdefault(form.name, at)) != at:
            remedy = f"it is already at {place.at(first, 'name').where}"
            yield here.at("name").wrong(f"duplicate burn `{form.name}`", remedy, id_="S004")


def _alone(form: BurnForm, here: Place) -> Iterator[Finding]:
    yield from labels.mistakes(form, here)
    if (form.factor is None) == (form.spend is None):
        got = "neither" if form.factor is None else "both"
        yield here.wrong(f"expected `factor` or `spend`, got {got}", id_="S007")
    if form.factor is not None and form.factor < 1:
        what = f"must be at least 1, got {number(form.factor)}"
        remedy = "below 1 it fires while the SLO is met"
        yield here.at("factor").wrong(what, remedy, id_="S007")
    if form.spend is not None and not 0 < form.spend <= 1:
        what = f"must be above 0 and at most 1, got {number(form.spend)}"
        yield here.at("spend").wrong(what, "it is a share of the budget", id_="S007")
    if form.short >= form.long:
        what = f"must be shorter than `long` ({duration(form.long)}), got {duration(form.short)}"
        yield here.at("short").wrong(what, "the workbook takes a twelfth", id_="S007")


def scrape_mistakes(interval: timedelta, place: Place) -> Iterator[Finding]:
    """A scrape interval that rates over the base window cannot bear."""
    if interval > MAX_SCRAPE_INTERVAL:
        what = f"expected at most {duration(MAX_SCRAPE_INTERVAL)}, got {duration(interval)}"
        remedy = f"rates over {duration(BASE)} need {MIN_SCRAPES} scrapes"
        yield place.wrong(what, remedy, id_="S007")
    if interval < MIN_SCRAPE_INTERVAL:
        what = f"expected at least {duration(MIN_SCRAPE_INTERVAL)}, got {duration(interval)}"
        yield place.wrong(what, id_="S007")


def thin(window: timedelta, scrape: timedelta, evaluation: timedelta) -> Iterator[tuple[str, str]]:
    """What and remedy: a window too short for the scrapes, or for the evaluation of rules."""
    if window < scrape * MIN_SCRAPES:
        what = f"{duration(window)}, under {MIN_SCRAPES} scrapes of {duration(scrape)}"
        yield what, f"make it at least {duration(scrape * MIN_SCRAPES)}"
    if window < evaluation:
        what = f"{duration(window)}, under the evaluation interval of {duration(evaluation)}"
        yield what, "make it longer, or evaluate more often"


def _short(window: timedelta, target: Target) -> Iterator[tuple[str, str]]:
    yield from thin(window, target.scrape, target.settings.interval)
    if window < BASE and target.settings.mode == "derived":
        what = f"{duration(window)}, under the {duration(BASE)} that mode `derived` records"
        yield what, f"make it at least {duration(BASE)}, or take mode `hybrid`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The SLO that burns are judged for."""

    window: timedelta
    budget: Decimal | None
    scrape: timedelta
    settings: Settings


def unfit(burns: Iterable[Burn], target: Target, place: Place) -> Iterator[Finding]:
    """Burns that do not suit an SLO's window, budget or scrape interval."""
    for one in burns:
        for what, remedy in _unfit(one, target):
            yield place.wrong(f"burn `{one.name}` {what}", remedy, id_="S007")


def _unfit(one: Burn, target: Target) -> Iterator[tuple[str, str]]:
    over = duration(target.window)
    if one.long > target.window:
        what = f"looks back {duration(one.long)}, longer than the window of {over}"
        yield what, f"take the policy `short-period`, or disable `{one.name}`"
        return
    for what, remedy in _short(one.short, target):
        yield f"has a short window of {what}", remedy
    factor = one.factor(target.window)
    if factor < 1 and one.fixed is None:
        what = f"has a factor of {_rounded(factor)}, below 1: it fires while the SLO is met"
        yield what, "spend more of the budget, or take a shorter long window"
    if target.budget is not None and factor * target.budget >= 1:
        budget = number(target.budget)
        product = f"{_rounded(factor)} x a budget of {budget}"
        what = f"can never fire: {product} is an error ratio of 1 or more"
        remedy = f"disable `{one.name}`"
        if (most := 1 / target.budget) > 1:
            remedy = f"take a factor below {_rounded(most)}, or {remedy}"
        yield what, remedy


def _rounded(value: Decimal) -> str:
    return number(value.quantize(Decimal("0.01")))


def policies(own: Iterable[Policy]) -> tuple[Policy, ...]:
    """Built-in and own policies; an own one may replace a built-in."""
    return tuple({policy.name: policy for policy in (*BUILT_IN, *own)}.values())
