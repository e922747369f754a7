"""What rules cost on a real Prometheus, and how near the period's value is to the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import median
from shapes import EVERY, SPAN, Shape, ours, shapes, sloth_period
from tests.live.layers import Layer, backfill, depths
from tests.live.prometheus import Prometheus, Span, prometheus
from traffic import DAY, Month, Size, month, write

from promtool import backfill_openmetrics

BASE = {"slo:sli_total:rate5m", "slo:sli_errors:rate5m"}
SAMPLED = {f"{name}_5m" for name in BASE}
# What Sloth's average is taken of; ours is the same ratio.
RATIO = "slo:sli_error:ratio_rate5m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Samples read and seconds taken by the rules of one SLO, for each minute."""

    shape: str
    samples: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One size of service: the costs, and the period's error ratio by three ways."""

    size: Size
    costs: tuple[Cost, ...]
    truth: float
    ours: float
    averaged: float


def measured(folder: Path, sizes: tuple[Size, ...], days: int, repeats: int) -> list[Measured]:
    end = int(time.time()) // DAY * DAY
    return [_measured(folder / size.job, month(size, end, days), repeats) for size in sizes]


def _measured(folder: Path, one: Month, repeats: int) -> Measured:
    folder.mkdir()
    write(one, folder / "raw.om")
    backfill_openmetrics(folder / "raw.om", folder / "data")
    (folder / "raw.om").unlink()
    groups = ours(folder / "repository", one.size)
    rules = [rule for group in groups for rule in group["rules"] if "record" in rule]  # type: ignore[attr-defined]
    backfill(folder / "data", _layers(rules, one))
    with prometheus(folder / "data") as server:
        return _asked(server, one, groups, repeats)


def _layers(rules: list[dict[str, str]], one: Month) -> Iterator[Layer]:
    depth = depths(rules)
    for names, every in ((BASE, EVERY), ({RATIO}, EVERY), (SAMPLED, 300)):
        mine = tuple(rule for rule in rules if rule["record"] in names)
        span = Span(start=one.times[0], end=one.times[-1], step=every)
        level = depth[mine[0]["record"]]
        yield Layer(name=f"layer-{level}-{every}", rules=mine, span=span)


def _asked(
    server: Prometheus, one: Month, groups: list[dict[str, object]], repeats: int
) -> Measured:
    end = one.times[-1]
    mine = f'{{slo_service="{one.size.job}"}}'
    (period,) = (
        rule["expr"]
        for group in groups
        for rule in group["rules"]  # type: ignore[attr-defined]
        if rule.get("record") == f"slo:sli_error:ratio_rate{SPAN}"
    )
    return Measured(
        size=one.size,
        costs=tuple(_cost(server, shape, end, repeats) for shape in shapes(one.size, groups)),
        truth=one.ratio(30 * DAY),
        ours=server.value(period, end),
        averaged=server.value(sloth_period(f"{RATIO}{mine}[{SPAN}]"), end),
    )


def _cost(server: Prometheus, shape: Shape, at: int, repeats: int) -> Cost:
    samples = seconds = 0.0
    for expr, every in shape.rules:
        answers = [server.instant(expr, at) for _ in range(repeats)]
        samples += answers[0].samples * EVERY / every
        seconds += median([answer.seconds for answer in answers]) * EVERY / every
    return Cost(shape=shape.name, samples=samples, seconds=seconds)
