"""The rule cost as a section of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from figures import Figure, Row, Section, plain
from rulecost import Measured, measured
from traffic import Size

HEAD = (
    "Source series",
    "Rules",
    "Samples a minute",
    "Time a minute",
    "Samples, ours being 1",
    "Time, ours being 1",
)
PROMISED = 200


def costs(folder: Path, sizes: tuple[Size, ...], days: int, repeats: int) -> Section:
    folder.mkdir()
    found = measured(folder, sizes, days, repeats)
    return Section(
        title="What the rules of one SLO cost Prometheus",
        about=_about(days, repeats, sizes),
        figures=tuple(figure for one in found for figure in _figures(one, days)),
        head=HEAD,
        rows=tuple(row for one in found for row in _rows(one)),
    )


def _about(days: int, repeats: int, sizes: tuple[Size, ...]) -> str:
    scrapes = ", ".join(f"{size.series} series every {size.scrape} s" for size in sizes)
    return (
        f"{days} days with 50 times more traffic by day than by night, and incidents at both; scraped: {scrapes}. "
        "Each rule is asked of a real Prometheus as an instant query with `stats=all`, all evaluated "
        f"every minute but the period rules that are defined to run more seldom; times are medians of {repeats}. "
        "Ours are all rules of the generated files, with the windows and alerts that Sloth has "
        "(`four-windows`); of the others, only the rules that measure."
    )


def _figures(one: Measured, days: int) -> Iterator[Figure]:
    ours, sloth = one.costs[0], one.costs[1]
    of = f"at {one.size.series} series"
    target = 40 if one.size.series == PROMISED else None
    ratio = sloth.samples / ours.samples
    yield Figure(
        name=f"samples of Sloth's shape to ours, {of}",
        value=ratio,
        unit="times",
        target=target,
        bound="at least",
    )
    off = abs(one.ours / one.truth - 1) * 100
    yield Figure(name=f"the period's error ratio is off by, {of}", value=off, unit="%", target=2)
    averaged = abs(one.averaged / one.truth - 1) * 100
    yield Figure(name=f"Sloth's average of ratios is off by, {of}", value=averaged, unit="%")


def _rows(one: Measured) -> Iterator[Row]:
    ours = one.costs[0]
    for cost in one.costs:
        yield (
            str(one.size.series),
            cost.shape,
            plain(cost.samples),
            f"{plain(cost.seconds * 1000)} ms",
            plain(cost.samples / ours.samples),
            plain(cost.seconds / ours.seconds),
        )
