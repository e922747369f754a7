"""The `sli` of a spec -> one of the SLI kinds, pinned to the service's scrape job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sloforge.errors import Finding
from sloforge.model import Settings
from sloforge.promql import Expression, Selector, duration
from sloforge.sli import Freshness, Latency, Quantile, Ratio, Sli, Threshold, Up
from sloforge.specs import burns, selectors, vectors
from sloforge.specs.forms import QuantileForm, RatioForm, SliForm
from sloforge.specs.mistakes import Place
from sloforge.windows import HOUR

KINDS = ("ratio", "latency", "quantile", "freshness", "up", "threshold")
# Where each kind keeps what it reads.
_SOURCES = ("total", "bad", "good", "histogram", "timestamp", "gauge", "expression")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """The job a service's series come from, and how often they do."""

    job: str | None
    interval: timedelta
    settings: Settings


def mistakes(form: SliForm, scrape: Scrape, place: Place) -> Iterator[Finding]:
    """What the types alone do not say: exactly one kind, and series that can exist."""
    given = [kind for kind in (*KINDS, "use") if getattr(form, kind) is not None]
    if len(given) != 1:
        got = " and ".join(f"`{kind}`" for kind in given) or "none"
        yield place.wrong(f"expected exactly one of {', '.join(KINDS)}, use, got {got}", id_="S006")
    if form.with_ and form.use is None:
        remedy = "write `use: <template>`, too; `sloforge library` lists what there is"
        yield place.at("with").misnamed("expected `use` beside it", remedy, id_="S006")
    given = [kind for kind in given if kind != "use"]
    for kind in given:
        for key, source in _sources(getattr(form, kind)):
            yield from _source_mistakes(source, scrape.job, place.at(kind, key))
    if form.ratio is not None:
        yield from _ratio_mistakes(form.ratio, scrape.job, place.at("ratio"))
    for kind in ("latency", "quantile"):
        if (given_form := getattr(form, kind)) is not None:
            here = place.at(kind, "histogram")
            for what, remedy in selectors.histogram(given_form.histogram, native=given_form.native):
                yield here.wrong(what, remedy, id_="S006")
    if form.quantile is not None:
        yield from _quantile_mistakes(form.quantile, scrape, place.at("quantile"))


def unsplittable(form: SliForm, by: str) -> str:
    """The key of an expression that cannot have a label; empty where all may."""
    for kind in KINDS:
        if (given := getattr(form, kind)) is not None:
            for key, source in _sources(given):
                if vectors.lacks(source, by):
                    return f"{kind}.{key}"
    return ""


def _sources(form: object) -> Iterator[tuple[str, Selector | Expression]]:
    for key in _SOURCES:
        if (source := getattr(form, key, None)) is not None:
            yield key, source


def _source_mistakes(
    source: Selector | Expression, job: str | None, place: Place
) -> Iterator[Finding]:
    if isinstance(source, Selector):
        for what, remedy in selectors.contradictions(source):
            yield place.wrong(what, remedy, id_="S006")
        for what, remedy in selectors.foreign(source, job):
            yield place.wrong(what, remedy, id_="S006")


def _ratio_mistakes(form: RatioForm, job: str | None, place: Place) -> Iterator[Finding]:
    if (form.bad is None) == (form.good is None):
        got = "neither" if form.bad is None else "both"
        yield place.wrong(f"expected `bad` or `good`, got {got}", id_="S006")
        return
    for name, source in _sources(form):
        for what, remedy in vectors.mistakes(source):
            yield place.at(name).wrong(what, remedy, id_="S006")
    key = "bad" if form.bad is not None else "good"
    part, whole = _pinned(form.bad or form.good or form.total, job), _pinned(form.total, job)
    if _same(part, whole):
        what = f"is the same as `total`: every event would be {key}"
        remedy = f"narrow it to the {key} events, for instance by status"
        yield place.at(key).wrong(what, remedy, id_="S006")
    elif isinstance(part, Selector) and isinstance(whole, Selector):
        for what, remedy in selectors.outside(part, whole):
            yield place.at(key).wrong(what, remedy, id_="S006")


def _same(part: Selector | Expression, whole: Selector | Expression) -> bool:
    if isinstance(part, Selector) and isinstance(whole, Selector):
        return selectors.same(part, whole)
    if isinstance(part, Expression) and isinstance(whole, Expression):
        return vectors.same(part, whole)
    return False


def _quantile_mistakes(form: QuantileForm, scrape: Scrape, place: Place) -> Iterator[Finding]:
    for at, window in enumerate(form.windows):
        here = place.at("windows", at)
        if window in form.windows[:at]:
            yield here.wrong(f"duplicate window {duration(window)}", id_="S007")
        if window > HOUR:
            what = f"expected at most {duration(HOUR)}, got {duration(window)}"
            remedy = "a histogram is not read over more: `latency` looks back further"
            yield here.wrong(what, remedy, id_="S007")
        # A quantile cannot be derived from rates: whatever the mode, it is read from its buckets.
        for what, remedy in burns.thin(window, scrape.interval, scrape.settings.interval):
            yield here.wrong(f"is {what}", remedy, id_="S007")


def sli(form: SliForm, scrape: Scrape) -> Sli:
    """The SLI; the form has no mistakes."""
    job, step = scrape.job, scrape.interval
    if (latency := form.latency) is not None:
        return Latency(
            histogram=latency.histogram.on_job(job),
            threshold=latency.threshold,
            native=latency.native,
        )
    if (quantile := form.quantile) is not None:
        return Quantile(
            histogram=quantile.histogram.on_job(job),
            quantile=quantile.quantile,
            threshold=quantile.threshold,
            windows=tuple(quantile.windows),
            native=quantile.native,
        )
    if (fresh := form.freshness) is not None:
        return Freshness(timestamp=fresh.timestamp.on_job(job), max_age=fresh.max_age, step=step)
    if (up := form.up) is not None:
        return Up(gauge=up.gauge.on_job(job), step=step)
    if (threshold := form.threshold) is not None:
        return Threshold(
            expression=_pinned(threshold.expression, job),
            comparator=threshold.comparator,
            bound=threshold.bound,
            step=step,
        )
    assert form.ratio is not None
    return _ratio(form.ratio, job)


def _ratio(form: RatioForm, job: str | None) -> Ratio:
    part = form.bad or form.good
    assert part is not None
    return Ratio(
        whole=_pinned(form.total, job),
        part=_pinned(part, job),
        part_is_bad=form.bad is not None,
    )


def _pinned(source: Selector | Expression, job: str | None) -> Selector | Expression:
    """An expression of the user's may join other jobs' series: it is left as it is."""
    return source.on_job(job) if isinstance(source, Selector) else source
