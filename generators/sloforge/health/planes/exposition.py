"""Metric families -> Prometheus' text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Kind = Literal["gauge", "counter", "histogram"]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line; `suffix` is `_bucket`, `_sum` or `_count` in a histogram."""

    labels: Labels
    value: float
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The samples of one metric, whose name is the one in the text."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """One block per family, also for one without samples: a reader sees that it is known."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: Family) -> Iterable[str]:
    yield f"# HELP {family.name} {_help(family.help)}\n"
    yield f"# TYPE {family.name} {family.kind}\n"
    for one in family.samples:
        inner = ",".join(f'{key}="{_escaped(value)}"' for key, value in one.labels)
        labels = f"{{{inner}}}" if inner else ""
        yield f"{family.name}{one.suffix}{labels} {_number(one.value)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    """Whole numbers without a point, all others in the shortest form that reads back the same."""
    return str(int(value)) if value.is_integer() else repr(value)
