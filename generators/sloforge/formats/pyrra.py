"""Export to Pyrra's custom resources: one file per service, one document per SLO."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sloforge import naming
from sloforge.artifacts import Artifact, yaml_text
from sloforge.formats import lost, queries
from sloforge.formats.lost import Lost
from sloforge.model import Project, Service, Slo
from sloforge.promql import Selector, duration, number, seconds
from sloforge.sli import Latency, Ratio, Up
from sloforge.specs import pyrra
from sloforge.specs.pyrra import PREFIX, TIERS, VERSION
from sloforge.windows import Burn


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """Each service that has an SLO for Pyrra, and what is left out."""
    files, gone = [], []
    for service in project.services:
        documents = []
        for slo in service.slos:
            indicator = _indicator(slo)
            if indicator is None or slo.objective is None:
                gone.append(lost.of(slo, "is left out: Pyrra reads plain selectors only"))
                continue
            gone += _lost(slo)
            documents.append(yaml_text(_document(service, slo, indicator)))
        gone += lost.of_service(service, "description", "tier")
        if documents:
            files.append(Artifact(f"{service.name}.yaml", "---\n".join(documents)))
    return files, gone


def _document(service: Service, slo: Slo, indicator: dict[str, Any]) -> dict[str, Any]:
    assert slo.objective is not None
    own = {f"{PREFIX}{key}": value for key, value in slo.alerting.labels}
    labels = {f"{PREFIX}service": service.name, f"{PREFIX}team": service.owner, **own}
    metadata: dict[str, Any] = {"name": slo.name, "labels": labels}
    if slo.alerting.annotations:
        metadata["annotations"] = {f"{PREFIX}{key}": one for key, one in slo.alerting.annotations}
    spec: dict[str, Any] = {"target": number(slo.objective * 100), "window": duration(slo.window)}
    if slo.description:
        spec["description"] = slo.description
    spec["indicator"] = indicator
    if not slo.alerting.burns:
        spec["alerting"] = {"burnrates": False}
    elif name := _name(slo):
        spec["alerting"] = {"name": name}
    head = {"apiVersion": VERSION, "kind": "ServiceLevelObjective"}
    return {**head, "metadata": metadata, "spec": spec}


def _indicator(slo: Slo) -> dict[str, Any] | None:
    grouping = {"grouping": list(slo.by)} if slo.by else {}
    match slo.sli:
        case Ratio(whole=Selector(), part=Selector(), part_is_bad=True) as ratio:
            both = {"errors": {"metric": str(ratio.part)}, "total": {"metric": str(ratio.whole)}}
            return {"ratio": both | grouping}
        case Latency(native=True) as native:
            latency = f"{number(seconds(timedelta(seconds=1)) * native.threshold * 1000)}ms"
            total = {"metric": str(native.histogram)}
            return {"latencyNative": {"total": total, "latency": latency} | grouping}
        case Latency() | Ratio(whole=Selector(), part=Selector()):
            return _latency(slo, grouping)
        case Up() as up:
            return {"bool_gauge": {"metric": str(up.gauge)} | grouping}
        case _:
            return None


def _latency(slo: Slo, grouping: dict[str, Any]) -> dict[str, Any] | None:
    """The bucket by its plain bound: Pyrra itself reads `1` and `1.0`."""
    sli = slo.sli
    if isinstance(sli, Latency):
        inner = [*map(str, sli.histogram.matchers), f'le="{number(sli.threshold)}"']
        good = f"{sli.histogram.name}_bucket{{{','.join(inner)}}}"
        total = str(sli.histogram.with_suffix("_count"))
        return {"latency": {"success": {"metric": good}, "total": {"metric": total}} | grouping}
    events = queries.events(sli)
    if events is None:
        return None
    both = {"success": {"metric": str(events.part)}, "total": {"metric": str(events.total)}}
    return {"latency": both | grouping}


def _name(slo: Slo) -> str:
    parts = {name.removesuffix(naming.camel(burn)) for burn, name in slo.alerting.names}
    return parts.pop() if len(parts) == 1 and len(slo.alerting.names) > 1 else ""


def _lost(slo: Slo) -> Iterator[Lost]:
    yield from lost.words(slo)
    yield from lost.single(slo)
    if slo.alerting.burns and not all(_is_pyrras(one, slo) for one in slo.alerting.burns):
        yield lost.of(slo, "`burns` are Pyrra's own, in parts of the window")
    if slo.alerting.names and not _name(slo):
        yield lost.of(slo, "`names` of single alerts have no counterpart")


def _is_pyrras(burn: Burn, slo: Slo) -> bool:
    """As the reader makes it of this window."""
    tier = next((one for one in TIERS if one.name == burn.name), None)
    if tier is None or burn.fixed != tier.factor:
        return False
    long = pyrra.in_minutes(slo.window, tier.long)
    return burn.long == pyrra.in_slices(long) and burn.wait == pyrra.in_minutes(
        slo.window, tier.wait
    )
