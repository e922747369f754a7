"""`<slo>-sli`: raw series -> what is recorded over five minutes and over the raw windows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Group,
    Suite,
    between,
    equals,
    fixture,
    group,
    holds,
    labels_of,
    members,
    mine,
    nothing,
    recording_order,
    scrapes,
    step_of,
    strangers,
)
from sloforge.generate.promtests.limits import limits
from sloforge.generate.recording import reads_raw
from sloforge.promql import seconds
from sloforge.sli import Freshness, Phase, Quantile, Series
from sloforge.windows import BASE, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# A little more than the longest raw window.
LENGTH = timedelta(minutes=65)
EVERY = timedelta(minutes=5)
BAD = Decimal("0.2")
TROUBLE = timedelta(minutes=20)
# In trouble there is half the traffic.
CALM = Decimal("0.5")
INSTANCES = ("a:1", "b:1")


def tests(project: Project, service: Service, slo: Slo) -> Iterator[Artifact]:
    """Nothing where the SLI is the user's own PromQL: no series can be made up for it."""
    if not _series(service, slo, BAD):
        return
    groups = [
        _counted(project, service, slo),
        *_clean(project, service, slo),
        *_edges(service, slo),
        *(limits(project, service, slo, slo.sli) if isinstance(slo.sli, Freshness) else ()),
    ]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-sli"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name),),
        order=recording_order(slo),
        evaluation_interval=EVERY,
        groups=tuple(groups),
    ).artifact()


def _series(service: Service, slo: Slo, bad: Decimal) -> list[Series]:
    """Every member's series; only the first member has errors."""
    found: list[Series] = []
    step = step_of(service, slo)
    for at, member in enumerate(members(slo)):
        phase = Phase(steps=scrapes(step, LENGTH), bad=bad if at == 0 else Decimal(0))
        labels = member | ({"job": service.job} if service.job else {})
        found += slo.sli.series(fixture(step, (phase,), labels))
    return found


def _share(slo: Slo) -> Decimal:
    """Slices are few: all of them are bad, where of the events only a fifth is."""
    return BAD if slo.sli.unit == "events" else Decimal(1)


def _per_second(service: Service, slo: Slo) -> Decimal:
    events = 100 if slo.sli.unit == "events" else 1
    return events / seconds(step_of(service, slo))


def _slack(slo: Slo) -> Decimal:
    """One slice more or less at the left edge; promtool's fractions are not exact."""
    return Decimal("1.1") / seconds(BASE) if slo.sli.unit == "slices" else Decimal("0.001")


def _counted(project: Project, service: Service, slo: Slo) -> Group:
    share, labels, first = _share(slo), labels_of(slo), mine(slo, 0)
    total = _per_second(service, slo) * (_copies(slo) * CALM if slo.sli.unit == "events" else 1)

    def about(metric: str, window: timedelta, value: Decimal) -> str:
        return between(metric + first, *_about(service, slo, window, value))

    checks = [holds(equals(naming.TOTAL + first, total, _slack(slo)), LENGTH, labels)]
    if slo.sli.has_budget:
        errors = equals(naming.ERRORS + first, total * share, _slack(slo))
        checks.append(holds(errors, LENGTH, labels))
        checks += [
            holds(about(naming.error_ratio(w), w, share * _part(slo, w)), LENGTH, labels)
            for w in _raw(project, slo)
        ]
        sampled = {naming.TOTAL_5M: total, naming.ERRORS_5M: total * share}
        checks += [
            holds(equals(metric + first, value, _slack(slo)), LENGTH, labels)
            for metric, value in sampled.items()
        ]
    if slo.budget is not None:
        burn = about(naming.CURRENT_BURN, BASE, share / slo.budget)
        checks.append(holds(burn, LENGTH, labels))
    if isinstance(slo.sli, Quantile):
        checks += [holds(about(*one), LENGTH, labels) for one in _quantiles(slo, slo.sli)]
    if len(members(slo)) > 1:
        checks.append(_apart(slo))
    name = f"counts {slo.sli.unit} and the bad ones among them, and no other series"
    series = [
        *_played(service, slo),
        *strangers(service, slo, _trouble(step_of(service, slo), Decimal(1))),
    ]
    return group(name, step_of(service, slo), series, promql_expr_test=checks)


def _part(slo: Slo, window: timedelta) -> Decimal:
    """The part of a window's events that happen in trouble."""
    traffic = CALM if slo.sli.unit == "events" else Decimal(1)
    late = min(seconds(window), seconds(TROUBLE))
    return traffic * late / (traffic * late + seconds(window) - late)


def _raw(project: Project, slo: Slo) -> list[timedelta]:
    """The windows that are read from the raw series, up to what the test plays."""
    windows = [w for w in slo.ratio_windows if w <= HOUR]
    return [w for w in windows if w == BASE or reads_raw(project, slo, w)]


def _about(
    service: Service, slo: Slo, window: timedelta, value: Decimal
) -> tuple[Decimal, Decimal]:
    """Within 2 %, or two slices: a window's left edge belongs to it up to Prometheus 2 only."""
    slack = value * Decimal("0.02")
    if slo.sli.unit == "slices":
        slack = 2 * seconds(step_of(service, slo)) / seconds(window)
    return value - slack, value + slack


def _copies(slo: Slo) -> int:
    """Events are counted on two instances, so that a sum is no average."""
    pinned = any(matcher.label == "instance" for matcher in slo.sli.scope())
    return len(INSTANCES) if slo.sli.unit == "events" and not pinned else 1


def _played(service: Service, slo: Slo) -> list[Series]:
    """Clean, then bad in the last minutes: each window has a ratio of its own."""
    found: list[Series] = []
    step = step_of(service, slo)
    for at, member in enumerate(members(slo)):
        labels = member | ({"job": service.job} if service.job else {})
        for instance in INSTANCES[: _copies(slo)]:
            bad = _share(slo) if at == 0 else Decimal(0)
            own = labels | ({"instance": instance} if _copies(slo) > 1 else {})
            found += slo.sli.series(fixture(step, _trouble(step, bad), own))
    return found


def _trouble(step: timedelta, bad: Decimal) -> tuple[Phase, ...]:
    return (
        Phase(steps=scrapes(step, LENGTH - TROUBLE), bad=Decimal(0)),
        Phase(steps=scrapes(step, TROUBLE), bad=bad, traffic=CALM),
    )


def _quantiles(slo: Slo, sli: Quantile) -> Iterator[tuple[str, timedelta, Decimal]]:
    """What the quantiles are.

    The slow share s lies evenly between the threshold T and 2 T: the quantile q is
    T + T (q - (1 - s)) / s, by the linear interpolation within a bucket.
    """
    for window in sorted({BASE, *sli.windows}):
        share = BAD * _part(slo, window)
        if sli.native or window > HOUR or sli.quantile <= 1 - share:
            continue
        want = sli.threshold * (1 + (sli.quantile - (1 - share)) / share)
        yield naming.quantile(window), window, want


def _apart(slo: Slo) -> dict[str, object]:
    """The member without errors has none of the other's."""
    second = members(slo)[1]
    metric = naming.ERRORS if slo.sli.has_budget else naming.TOTAL
    expr = f"{metric}{mine(slo, 1)} {'== bool 0' if slo.sli.has_budget else '> bool 0'}"
    return holds(expr, LENGTH, slo.labels | second)


def _clean(project: Project, service: Service, slo: Slo) -> Iterator[Group]:
    if not slo.sli.has_budget:
        return
    born = [one for one in _series(service, slo, Decimal(0)) if not one.lazy]
    checks = [
        holds(f"{metric}{mine(slo, at)} == bool 0", LENGTH, slo.labels | member)
        for metric in (naming.ERRORS, *(naming.error_ratio(w) for w in _raw(project, slo)))
        for at, member in enumerate(members(slo))
    ]
    name = "no error was ever seen: zero, not nothing"
    yield group(name, step_of(service, slo), born, promql_expr_test=checks)


def _edges(service: Service, slo: Slo) -> Iterator[Group]:
    step = step_of(service, slo)
    if slo.sli.unit == "events":
        flat = [_flat(one, step) for one in _series(service, slo, BAD)]
        if slo.sli.has_budget and not _native(slo):
            yield group("no traffic: no ratio, and no NaN", step, flat, promql_expr_test=_idle(slo))
            yield _reset(service, slo)


def _native(slo: Slo) -> bool:
    return bool(getattr(slo.sli, "native", False))


def _flat(one: Series, step: timedelta) -> Series:
    return Series(series=one.series, values=f"7x{scrapes(step, LENGTH)}")


def _idle(slo: Slo) -> list[dict[str, object]]:
    zero = [
        holds(f"{metric}{mine(slo, at)} == bool 0", LENGTH, slo.labels | member)
        for metric in (naming.TOTAL, naming.ERRORS)
        for at, member in enumerate(members(slo))
    ]
    return [*zero, nothing(_any_ratio(slo), LENGTH)]


def _any_ratio(slo: Slo) -> str:
    return f'{{__name__=~"slo:sli_error:ratio_rate.*",slo_name="{slo.name}"}}'


def _reset(service: Service, slo: Slo) -> Group:
    """The counters start again at zero two minutes before the end: one scrape's events are lost."""
    step = step_of(service, slo)
    before = scrapes(step, LENGTH - timedelta(minutes=2))
    after = scrapes(step, timedelta(minutes=2))
    twice = [
        Series(series=one.series, values=f"{_cut(one, before)} {_cut(one, after)}")
        for one in _series(service, slo, BAD)
    ]
    labels = labels_of(slo)
    first = mine(slo, 0)
    total = _per_second(service, slo)
    checks = [
        holds(equals(naming.error_ratio(BASE) + first, BAD, Decimal("0.001")), LENGTH, labels),
        holds(between(naming.TOTAL + first, total * Decimal("0.8"), total), LENGTH, labels),
    ]
    name = "a counter reset is neither an error nor a gap"
    return group(name, step, twice, promql_expr_test=checks)


def _cut(one: Series, steps: int) -> str:
    """The first steps of a growing counter; its notation is `start+step x count`."""
    start, rest = one.values.split("+")
    return f"{start}+{rest.split('x')[0]}x{steps}"
