"""A freshness gauge a second within and a second beyond each of its bounds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Group,
    between,
    group,
    holds,
    labels_of,
    members,
    mine,
    nothing,
    scrapes,
    step_of,
)
from sloforge.generate.recording import reads_raw
from sloforge.promql import number, seconds
from sloforge.sli import Freshness, Series
from sloforge.sli.fixtures import labels_for, spelled
from sloforge.sli.slices import MAX_SKEW
from sloforge.windows import BASE, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service, Slo

# Three half hours of five-minute slots: one of five with a value is too old, two are too far ahead.
SLOTS = ("young", "old", "gone", "ahead", "future", "future") * 3
END = BASE * len(SLOTS)
EVERY = BASE
LONG_AGO = "-1000000"


def limits(project: Project, service: Service, slo: Slo, sli: Freshness) -> Iterator[Group]:
    """While an older copy of the gauge and a foreign job's say otherwise."""
    step, labels = step_of(service, slo), labels_for(sli.timestamp)
    if labels is None or BASE % step:
        return
    own = labels | members(slo)[0] | ({"job": service.job} if service.job else {})
    name, ahead = sli.timestamp.name, f"1000+{number(seconds(step))}x{int(END / step)}"
    series = [
        Series(series=spelled(name, own | {"instance": "new"}), values=_values(sli, step)),
        Series(series=spelled(name, own | {"instance": "old"}), values=_values(None, step)),
    ]
    if service.job:
        series.append(Series(series=spelled(name, own | {"job": "foreign"}), values=ahead))
    windows = [w for w in slo.ratio_windows if w in (HOUR, HOUR / 2) and reads_raw(project, slo, w)]
    checks = [_ratio(slo, window, (END, Decimal("0.6")), step) for window in windows]
    said = {"young": 0, "old": 1, "ahead": 0, "future": 1}
    checks += [
        _ratio(slo, BASE, (BASE * at, Decimal(said[slot])), step)
        for at, slot in enumerate(SLOTS[-6:], len(SLOTS) - 5)
        if slot in said
    ]
    # A slice at the left edge is in the window up to Prometheus 2.
    gone = f"{naming.TOTAL}{mine(slo, 0)} > {number(Decimal('1.1') / seconds(BASE))}"
    checks.append(nothing(gone, END - 3 * BASE))
    yield group("just within and just beyond the bounds", step, series, promql_expr_test=checks)


def _ratio(
    slo: Slo, window: timedelta, expected: tuple[timedelta, Decimal], step: timedelta
) -> dict[str, object]:
    at, share = expected
    slack = 2 * seconds(step) / seconds(window)
    expr = between(naming.error_ratio(window) + mine(slo, 0), share - slack, share + slack)
    return holds(expr, at, labels_of(slo))


def _values(sli: Freshness | None, step: timedelta) -> str:
    """The gauge slot by slot; None is one that stopped long ago."""
    per = scrapes(step, BASE)
    parts = ["_"]
    for at, slot in enumerate(SLOTS):
        if slot == "gone":
            parts.append(f"stale _x{per - 1}")
        elif sli is None:
            parts.append(f"{LONG_AGO}x{per - 1}")
        else:
            start = (at * per + 1) * seconds(step) - _age(sli, slot)
            parts.append(f"{number(start)}+{number(seconds(step))}x{per - 1}")
    return " ".join(parts)


def _age(sli: Freshness, slot: str) -> Decimal:
    match slot:
        case "young":
            return seconds(sli.max_age) - 1
        case "old":
            return seconds(sli.max_age) + 1
        case "ahead":
            return Decimal(1 - MAX_SKEW)
        case _:
            return Decimal(-1 - MAX_SKEW)
