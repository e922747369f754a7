"""Export to Sloth's `prometheus/v1`: one file per service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sloforge import naming
from sloforge.artifacts import Artifact, yaml_text
from sloforge.formats import lost, queries
from sloforge.formats.lost import Lost
from sloforge.model import Project, Service, Slo
from sloforge.promql import number
from sloforge.specs.sloth import VERSION
from sloforge.specs.sloth_windows import PAGE, TICKET
from sloforge.windows import FOUR_WINDOWS, Burn

_WINDOW = "{{.window}}"
_PERIOD = timedelta(days=30)


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """Each service that has an SLO for Sloth, and what is left out."""
    files: list[Artifact] = []
    gone: list[Lost] = []
    for service in project.services:
        slos: list[dict[str, Any]] = []
        for slo in service.slos:
            found = _slo(slo)
            gone += _lost(slo) if found else [lost.of(slo, "is left out: no events are counted")]
            slos += [found] if found else []
        gone += lost.of_service(service, "description")
        if slos:
            files.append(Artifact(f"{service.name}.yaml", yaml_text(_service(service, slos))))
    return files, gone


def _service(service: Service, slos: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {"owner": service.owner, "tier": str(service.tier)}
    return {"version": VERSION, "service": service.name, "labels": labels, "slos": slos}


def _slo(slo: Slo) -> dict[str, Any] | None:
    events = queries.events(slo.sli)
    if events is None or slo.objective is None:
        return None
    found: dict[str, Any] = {"name": slo.name, "objective": _number(number(slo.objective * 100))}
    if slo.description:
        found["description"] = slo.description
    return found | {"sli": _sli(events), "alerting": _alerting(slo)}


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _sli(events: queries.Events) -> dict[str, Any]:
    if (raw := events.raw) is not None:
        query = raw.replace("$window", _WINDOW)
        return {"raw": {"error_ratio_query": query if events.part_is_bad else f"1 - ({query})"}}
    total, part = (queries.summed(one, _WINDOW) for one in (events.total, events.part))
    error = part if events.part_is_bad else f"{total} - {part}"
    return {"events": {"error_query": error, "total_query": total}}


def _alerting(slo: Slo) -> dict[str, Any]:
    alerting = slo.alerting
    found: dict[str, Any] = {"name": _name(slo) or naming.camel(slo.service, slo.name)}
    for key, pairs in (("labels", alerting.labels), ("annotations", alerting.annotations)):
        if pairs:
            found[key] = dict(pairs)
    for key, names in (("page_alert", PAGE), ("ticket_alert", TICKET)):
        found[key] = _tier([burn for burn in alerting.burns if burn.name in names], slo)
    return {key: one for key, one in found.items() if one}


def _tier(burns: list[Burn], slo: Slo) -> dict[str, Any]:
    """What is said of one of Sloth's two alerts alone."""
    if not burns:
        return {"disable": True}
    more = slo.alerting.page if burns[0].severity == "page" else slo.alerting.ticket
    found = {
        "labels": dict(more.labels) | dict(burns[0].labels),
        "annotations": dict(more.annotations) | dict(burns[0].annotations),
    }
    return {key: one for key, one in found.items() if one}


def _name(slo: Slo) -> str:
    """The part that all alerts' names have in common before the burn's own."""
    parts = {name.removesuffix(naming.camel(burn)) for burn, name in slo.alerting.names}
    return parts.pop() if len(parts) == 1 and len(slo.alerting.names) > 1 else ""


def _lost(slo: Slo) -> Iterator[Lost]:
    yield from lost.words(slo)
    if slo.by:
        yield lost.of(slo, "`by` has no counterpart: one budget for all")
    if slo.window != _PERIOD:
        yield lost.of(slo, "`window` is Sloth's --default-slo-period, for all SLOs at once")
    if not _has_sloths_burns(slo):
        yield lost.of(slo, "`burns` are Sloth's catalogue, for all SLOs at once")
    if slo.alerting.names and not _name(slo):
        yield lost.of(slo, "`names` of single alerts have no counterpart")
    for tier in (PAGE, TICKET):
        mine = {(b.labels, b.annotations) for b in slo.alerting.burns if b.name in tier}
        if len(mine) > 1:
            yield lost.of(slo, f"`labels` of `{tier[0]}` alone: `{tier[1]}` gets them, too")


def _has_sloths_burns(slo: Slo) -> bool:
    """Whole tiers of the four windows: nothing else can be switched off."""
    kept = {burn.name for burn in slo.alerting.burns}
    whole = all(set(tier) <= kept or not kept & set(tier) for tier in (PAGE, TICKET))
    plain = {replace(burn, labels=(), annotations=()) for burn in slo.alerting.burns}
    return whole and plain <= set(FOUR_WINDOWS.burns)
