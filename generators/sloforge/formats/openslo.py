"""Export to OpenSLO `openslo/v1`: one file per service, with its SLOs and their alert policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sloforge.artifacts import Artifact, yaml_text
from sloforge.formats import lost, queries
from sloforge.formats.lost import Lost
from sloforge.model import Project, Service, Slo
from sloforge.promql import Expression, Selector, duration, number
from sloforge.sli import Threshold
from sloforge.specs.openslo import VERSION
from sloforge.windows import BASE, Burn

_WINDOW = "{{.window}}"
_OPERATORS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_SHORT = 12


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """Each service with its SLOs, and what is left out."""
    files, gone = [], []
    for service in project.services:
        documents = [_service(service)]
        for slo in service.slos:
            indicator = _indicator(slo)
            if indicator is None or slo.objective is None:
                gone.append(lost.of(slo, "is left out: OpenSLO has no such indicator"))
                continue
            gone += _lost(slo)
            documents.append(_slo(slo, indicator))
        gone += lost.of_service(service, "tier")
        texts = [yaml_text(one) for one in documents]
        files.append(Artifact(f"{service.name}.yaml", "---\n".join(texts)))
    return files, gone


def _service(service: Service) -> dict[str, Any]:
    found = _head("Service", service.name)
    found["metadata"]["labels"] = {"owner": service.owner}
    return found | {"spec": {"description": service.description} if service.description else {}}


def _head(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}}


def _slo(slo: Slo, indicator: dict[str, Any]) -> dict[str, Any]:
    assert slo.objective is not None
    objective: dict[str, Any] = {"target": float(number(slo.objective))}
    method = "Occurrences"
    if isinstance(slo.sli, Threshold):
        method = "Timeslices"
        objective |= {"op": _OPERATORS[slo.sli.comparator], "value": _number(number(slo.sli.bound))}
    spec: dict[str, Any] = {"service": slo.service}
    if slo.description:
        spec["description"] = slo.description
    spec |= {
        "indicator": {"metadata": {"name": slo.name}, "spec": indicator},
        "timeWindow": [{"duration": duration(slo.window), "isRolling": True}],
        "budgetingMethod": method,
        "objectives": [objective],
    }
    if slo.alerting.burns:
        spec["alertPolicies"] = [_policy(burn, slo) for burn in slo.alerting.burns]
    return _head("SLO", slo.name) | {"spec": spec}


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _indicator(slo: Slo) -> dict[str, Any] | None:
    if isinstance(slo.sli, Threshold):
        if slo.sli.comparator not in _OPERATORS:
            return None
        return {"thresholdMetric": _metric(str(slo.sli.expression).replace("$window", _WINDOW))}
    events = queries.events(slo.sli)
    if events is None:
        return None
    if (raw := events.raw) is not None:
        kind = "failure" if events.part_is_bad else "success"
        return {"ratioMetric": {"rawType": kind, "raw": _metric(raw.replace("$window", _WINDOW))}}
    key = "bad" if events.part_is_bad else "good"
    ratio: dict[str, Any] = {"counter": True, key: _metric(_query(events.part))}
    return {"ratioMetric": ratio | {"total": _metric(_query(events.total))}}


def _query(source: Selector | Expression) -> str:
    """A cumulative counter stands for its rate; an expression says its window."""
    return str(source) if isinstance(source, Selector) else queries.summed(source, _WINDOW)


def _metric(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _policy(burn: Burn, slo: Slo) -> dict[str, Any]:
    condition: dict[str, Any] = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": _number(number(burn.factor(slo.window))),
        "lookbackWindow": duration(burn.long),
    }
    if burn.wait:
        condition["alertAfter"] = duration(burn.wait)
    inner = {"kind": "AlertCondition", "metadata": {"name": burn.name}}
    inner |= {"spec": {"severity": burn.severity, "condition": condition}}
    spec = {"alertWhenBreaching": True, "conditions": [inner], "notificationTargets": []}
    name = f"{slo.name}-{burn.name}"
    return {"kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}


def _lost(slo: Slo) -> Iterator[Lost]:
    yield from lost.words(slo)
    yield from lost.single(slo)
    alerting = slo.alerting
    for key in ("names", "labels", "annotations"):
        if getattr(alerting, key):
            yield lost.of(slo, f"`{key}` of alerts have no counterpart")
    if slo.by:
        yield lost.of(slo, "`by` has no counterpart: one budget for all")
    for burn in alerting.burns:
        if burn.short != max(BASE, burn.long / _SHORT):
            what = f"the short window of `{burn.name}` becomes a twelfth of the long one"
            yield lost.of(slo, what)
    if not lost.default_keeping(slo):
        yield lost.of(slo, "`keep_firing_for` has no counterpart")
