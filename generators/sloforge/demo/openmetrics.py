"""OpenMetrics: what a target answers to a scrape, and samples of the past for the importer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sloforge.demo.services import Counter, Instance, Series, series
from sloforge.demo.story import Chunk, Condition, Moment

END = "# EOF\n"


def scraped(instance: Instance, seen: Mapping[Condition, float], moment: Moment) -> str:
    """The text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    family = ""
    for one in series(instance):
        if (own := _family(one)) != family:
            family = own
            lines.append(f"# TYPE {family} {_type(one)}\n")
        lines.append(f"{one.name}{braced(one.labels)} {_value(one, seen, moment)}\n")
    return "".join(lines)


def past(instance: Instance, one: Series, chunks: Iterable[Chunk]) -> Iterator[str]:
    """A series of a target, with the target's labels, at the moments of the chunks."""
    target = {"job": instance.job, **instance.labels}
    start = f"{one.name}{braced({**target, **one.labels})} "
    for chunk in chunks:
        points = zip(_values(one, chunk), chunk.moments, strict=True)
        yield "".join([f"{start}{value} {moment.at}\n" for value, moment in points])


def braced(labels: Mapping[str, str]) -> str:
    """Labels as both formats write them; none of ours holds what would have to be escaped."""
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _value(one: Series, seen: Mapping[Condition, float], moment: Moment) -> float:
    if isinstance(one, Counter):
        counted = sum(share * seen[condition] for condition, share in one.shares.items())
        return int(counted) if one.whole else round(counted, 3)
    return one.value(moment)


def _values(one: Series, chunk: Chunk) -> Sequence[float]:
    if not isinstance(one, Counter):
        return [one.value(moment) for moment in chunk.moments]
    before = sum(one.shares[condition] * seen for condition, seen in chunk.others.items())
    brisk, busy = one.shares[chunk.state, "brisk"], one.shares[chunk.state, "busy"]
    both = zip(chunk.brisk, chunk.busy, strict=True)
    if one.whole:
        return [int(before + brisk * x + busy * y) for x, y in both]
    return [round(before + brisk * x + busy * y, 3) for x, y in both]


def _family(one: Series) -> str:
    """What a `# TYPE` line names: a histogram without its suffix, a counter with it."""
    histogram = one.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
    return histogram if isinstance(one, Counter) else one.name


def _type(one: Series) -> str:
    if not isinstance(one, Counter):
        return "gauge"
    return "counter" if one.name.endswith("_total") else "histogram"
