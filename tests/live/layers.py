"""Recording rules evaluated over a backfilled history, and the live copy of all rules.

A rule sees what other rules record only once that is in a block, so rules are evaluated in layers:
those that read raw series only, then those that read the first, and so on.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from tests.live.prometheus import Prometheus, Span, prometheus

from promtool import backfill_openmetrics

Rule = Mapping[str, Any]
MOST_POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Rules that do not read one another, and when they are evaluated."""

    name: str
    rules: tuple[Rule, ...]
    span: Span


def backfill(data: Path, layers: Iterable[Layer]) -> None:
    """Each layer into the data folder, read from a Prometheus that has all layers below it.

    A layer is one file and thereby one block, where promtool's own import of rules writes a block
    for each rule and two hours.
    """
    for layer in layers:
        file = data.parent / f"{layer.name}.om"
        with prometheus(data) as server, file.open("w", encoding="utf-8") as out:
            for rule in layer.rules:
                out.writelines(_samples(server, rule, layer.span))
            out.write("# EOF\n")
        backfill_openmetrics(file, data)


def _samples(server: Prometheus, rule: Rule, span: Span) -> Iterator[str]:
    for one in _series(server, rule["expr"], span):
        labels = {k: v for k, v in one["metric"].items() if k != "__name__"} | rule["labels"]
        series = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
        for stamp, value in one["values"]:
            yield f"{rule['record']}{{{series}}} {value} {stamp}\n"


def _series(server: Prometheus, expr: str, span: Span) -> Iterator[dict[str, Any]]:
    """In parts: Prometheus gives no more than 11,000 points at once."""
    part = MOST_POINTS * span.step
    start = span.start
    while start <= span.end:
        end = min(span.end, start + part - span.step)
        yield from server.over(expr, Span(start=start, end=end, step=span.step)).series
        start += part


def recorded(files: Iterable[Path]) -> tuple[Rule, ...]:
    """Every recording rule of some rule files."""
    groups = [group for file in files for group in _groups(file)]
    return tuple(rule for group in groups for rule in group["rules"] if "record" in rule)


def depths(rules: Iterable[Rule]) -> dict[str, int]:
    """For each recorded metric, how many others it stands on."""
    reads: dict[str, set[str]] = {}
    for rule in rules:
        reads.setdefault(rule["record"], set()).update(metrics(rule["expr"]))
    found: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in found:
            found[name] = max((depth(one) + 1 for one in reads[name] if one in reads), default=0)
        return found[name]

    for name in reads:
        depth(name)
    return found


def metrics(expr: str) -> set[str]:
    """The names of the metrics that an expression reads."""
    found: set[str] = set()

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


def hastened(files: Iterable[Path], folder: Path, interval: str) -> list[str]:
    """Copies of rule files in which every group is evaluated at this interval; their paths."""
    return [str(_hastened(file, folder, interval)) for file in files]


def _hastened(file: Path, folder: Path, interval: str) -> Path:
    copy = folder / f"{file.parent.name}-{file.name}"
    groups = [group | {"interval": interval} for group in _groups(file)]
    copy.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    return copy


def _groups(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    return found
