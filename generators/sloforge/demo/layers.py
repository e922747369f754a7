"""Recording and alerting rules of a build, in the order in which they stand on one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as parser
import yaml

from sloforge.windows import BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule; `reads` are the metrics in its expression, `layer` how many rules it stands on.

    `raw` says that it reads what is scraped, `period` that it is evaluated every five minutes.
    """

    name: str
    expr: str
    labels: Mapping[str, str]
    alerts: bool
    period: bool
    reads: frozenset[str]
    layer: int = 0
    raw: bool = False


def rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """Every rule of some rule files."""
    found = [rule for text in texts for group in _groups(text) for rule in _rules(group)]
    reads: dict[str, frozenset[str]] = {}
    for rule in found:
        if not rule.alerts:
            reads[rule.name] = reads.get(rule.name, frozenset()) | rule.reads
    return tuple(_placed(rule, reads) for rule in found)


def _placed(rule: Rule, reads: Mapping[str, frozenset[str]]) -> Rule:
    values = {name: getattr(rule, name) for name in Rule.__dataclass_fields__}
    raw = any(name not in reads for name in rule.reads)
    return Rule(**{**values, "layer": _depth(rule.reads, reads), "raw": raw})


def _depth(names: frozenset[str], reads: Mapping[str, frozenset[str]]) -> int:
    """No rule reads itself: promtool has seen to that."""
    return max((_depth(reads[name], reads) + 1 for name in names if name in reads), default=0)


def _groups(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"]
    return found


def _rules(group: Mapping[str, Any]) -> Iterable[Rule]:
    period = str(group.get("interval", "")) == f"{BASE // timedelta(minutes=1)}m"
    for rule in group["rules"]:
        yield Rule(
            name=rule.get("record") or rule["alert"],
            expr=rule["expr"],
            labels=rule.get("labels", {}),
            alerts="alert" in rule,
            period=period,
            reads=_metrics(rule["expr"]),
        )


def _metrics(expr: str) -> frozenset[str]:
    found: set[str] = set()

    def visit(node: object) -> bool:
        if isinstance(node, parser.VectorSelector) and node.name:
            found.add(node.name)
        return True

    parser.walk(parser.parse(expr), visit)
    return frozenset(found)
