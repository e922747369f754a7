"""D...: rules on dashboards, the generated ones and any other Grafana JSON.

Eleven of dashboard-linter's seventeen rules are here as D001 to D011. The other six are left out:
template-job, template-instance, target-job and target-instance ask for labels that recorded series
do not have, and target-logql and target-logql-auto are on Loki, which D004 keeps out altogether.
https://github.com/grafana/dashboard-linter/tree/main/docs
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sloforge.checks.dashboards import reads, shape, words
from sloforge.checks.dashboards.foreign import foreign_findings
from sloforge.checks.dashboards.view import Json, Look, parsable
from sloforge.errors import Finding
from sloforge.naming import is_foreign
from sloforge.planes import SERIES
from sloforge.sli import Latency, Quantile
from sloforge.specs import expressions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sloforge.model import Project, Service

Rule = Callable[[Look], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    reads.datasource_variable,
    reads.variable_queries,
    reads.variable_refresh,
    reads.datasources,
    words.titles,
    words.units,
    words.no_queries,
    reads.parses,
    reads.rate_interval,
    reads.counters,
    shape.editable,
    shape.grid,
    reads.unknown_variables,
    reads.unrecorded,
    shape.ids,
    shape.uid,
    shape.leftovers,
    reads.raw_ranges,
    shape.inputs,
    shape.ref_ids,
)
# Prometheus' own, which no file of a project provides.
ALWAYS = frozenset(
    ("ALERTS", "ALERTS_FOR_STATE", "up", "prometheus_rule_evaluation_failures_total")
)
_RECORD = re.compile(r"^\s*-? ?record: (\S+)$", re.MULTILINE)


def dashboard_findings(path: str, board: Json, known: frozenset[str]) -> Iterator[Finding]:
    """Everything wrong with one board; `known` are the names of the series that exist."""
    look = Look(path=path, board=board, known=known)
    for rule in RULES:
        yield from rule(look)


def all_findings(project: Project, texts: Mapping[str, str]) -> Iterator[Finding]:
    """The same for each generated board; `texts` holds recording/ and dashboards/ by path."""
    known = known_series(project, texts)
    for path, text in sorted(texts.items()):
        if path.startswith("dashboards/") and is_foreign(path):
            yield from foreign_findings(path, json.loads(text))
        elif path.startswith("dashboards/"):
            yield from dashboard_findings(path, json.loads(text), known)


def known_series(project: Project, texts: Mapping[str, str]) -> frozenset[str]:
    """What rules record, what SLIs and the team's own panels name, and Prometheus' own series."""
    recorded = (
        name
        for path, text in texts.items()
        if path.startswith("recording/")
        for name in _RECORD.findall(text)
    )
    named = (name for service in project.services for name in _named(service))
    planes = SERIES if project.planes else ()
    return ALWAYS.union(recorded, named, planes)


def _named(service: Service) -> Iterator[str]:
    for slo in service.slos:
        for family in slo.sli.inputs():
            yield family.name
        if isinstance(slo.sli, Latency | Quantile):
            yield from (
                f"{slo.sli.histogram.name}{end}" for end in ("", "_bucket", "_count", "_sum")
            )
    for panel in (panel for row in service.rows for panel in row.panels):
        for query in panel.queries:
            try:
                yield from (s.name for s in expressions.selectors(parsable(query.expr)))
            except expressions.Unparsable:
                continue  # refused when the spec was read, and again by D008
