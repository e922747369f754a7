"""Sloth's `prometheus/v1`, its custom resource, and its alert windows -> native services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sloforge.errors import Finding
from sloforge.located.tree import Node
from sloforge.promql import Selector
from sloforge.specs import expressions, foreign, reduce, sloth_plugins
from sloforge.specs.foreign import Promise, Told, made, moved
from sloforge.specs.mistakes import Place, said, validated
from sloforge.specs.project import Context
from sloforge.specs.sloth_forms import ServiceForm, SloForm, text
from sloforge.specs.sloth_windows import BURNS, KINDS, PAGE, TICKET, Windows, catalogue, is_windows
from sloforge.specs.words import Wrong

VERSION, RESOURCE = "prometheus/v1", "sloth.slok.dev/v1"
# The resource's spelling of what the file spells with underscores.
_SNAKE = {
    "sloPlugins": "slo_plugins",
    "errorQuery": "error_query",
    "totalQuery": "total_query",
    "errorRatioQuery": "error_ratio_query",
    "pageAlert": "page_alert",
    "ticketAlert": "ticket_alert",
}
# The other period that Sloth has windows for.
_MONTH = timedelta(days=28)
_FREE = ("labels", "annotations", "options", "config")
_LABEL = re.compile(r"\{\{-?\s*\$labels\.(sloth_service|sloth_slo|sloth_id)\s*-?\}\}")
_TIERS = (("page_alert", "page", PAGE), ("ticket_alert", "ticket", TICKET))


def services(documents: Sequence[Node], context: Context, told: Told) -> list[Node]:
    """Every service of Sloth's files; documents of one service are joined."""
    windows = catalogue(documents, context, told)
    promises: list[Promise] = []
    for document in documents:
        kind = Place(document).at("kind")
        if is_windows(document):
            continue
        if document.value.get("version") is not None:
            promises += _document(document, windows, context, told)
        elif kind.node is not None and kind.node.value == KINDS[0]:
            promises += _document(_spec(document, told), windows, context, told)
        else:
            got = "none" if kind.node is None else f"`{kind.node.value}`"
            told.wrong.append(kind.wrong(f"expected {' or '.join(KINDS)}, got {got}", id_="S002"))
    return foreign.gather(promises, context, told)


def _document(
    document: Node, windows: Windows | None, context: Context, told: Told
) -> Iterator[Promise]:
    form = validated(ServiceForm, document, told.wrong)
    if isinstance(form, tuple):
        return
    place = Place(document)
    _lose_plugins(place.at("slo_plugins"), form.slo_plugins.chain, told)
    if windows is None and context.defaults.window == _MONTH:
        what = "the factors are those for 30 days: 14.4, 6, 3, 1 and not 13.44, 5.6, 2.8, 0.93"
        told.change(place.at("version"), what)
    name = foreign.named if context.settings.compat is None else foreign.renamed
    service = name(place.at("service"), form.service, told)
    about = _about(place.at("labels"))
    for at, slo in enumerate(form.slos):
        here = place.at("slos", at)
        called = str(service.value)
        found = _Slo(
            service=called,
            form=slo,
            place=here,
            windows=windows,
            told=told,
            sloths=_sloths(form, slo, place, at) if context.settings.compat else None,
        )
        whose = foreign.owner(here.at("labels")) or foreign.owner(place.at("labels"))
        native = found.native(place.at("labels"))
        if native is not None:
            yield Promise(service=service, slo=native, owner=whose, about=about)


def _sloths(service: ServiceForm, slo: SloForm, place: Place, at: int) -> Node:
    """For `compat: sloth`: the names that are not ours too, and the labels of its series."""
    here = place.at("slos", at)
    found: dict[str, Any] = {}
    for key, name, where in (
        ("service", service.service, place.at("service")),
        ("slo", slo.name, here.at("name")),
    ):
        if foreign.slug(name) != name:
            found[key] = made(name, where)
    labels: dict[str, Node] = {}
    for each in (place.at("labels"), here.at("labels")):
        labels |= _texts(each)
    return made(found | ({"labels": labels} if labels else {}), here)


def _about(labels: Place) -> dict[str, Node]:
    tier = labels.at("tier")
    if tier.node is None or tier.node.value not in ("1", "2", "3", "4", "5"):
        return {}
    return {"tier": made(int(tier.node.value), tier)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slo:
    """One SLO of Sloth's, where it stands, and what is said while it is translated."""

    service: str
    form: SloForm
    place: Place
    windows: Windows | None
    told: Told
    sloths: Node | None = None

    def native(self, labels: Place) -> Node | None:
        """The SLO; `labels` are those of its service."""
        form, place = self.form, self.place
        self.told.seen[place.where] = f"{self.service}/{foreign.slug(form.name)}"
        _lose_plugins(place.at("plugins"), form.plugins.chain, self.told)
        sli = self._sli()
        if sli is None:
            return None
        name = foreign.named if self.sloths is None else foreign.renamed
        found = {"name": name(place.at("name"), form.name, self.told)}
        if form.description:
            found["description"] = moved(place.at("description"))
        found["objective"] = made(form.objective, place.at("objective"))
        if self.windows is not None:
            found["window"] = made(self.windows.period, place)
        found["sli"] = sli
        found["alerting"] = self._alerting(labels)
        if self.sloths is not None and self.sloths.value:
            found["sloth"] = self.sloths
        return made(found, place)

    def _sli(self) -> Node | None:
        sli, place = self.form.sli, self.place.at("sli")
        given = [key for key in ("events", "raw", "plugin") if getattr(sli, key) is not None]
        if len(given) != 1:
            got = " and ".join(f"`{key}`" for key in given) or "none"
            what = f"expected exactly one of events, raw, plugin, got {got}"
            self.told.wrong.append(place.wrong(what, id_="S006"))
            return None
        if sli.plugin is not None:
            what, remedy = sloth_plugins.instead(sli.plugin.id, sli.plugin.options)
            self.told.lose(place.at("plugin", "id"), what, remedy)
            events = sloth_plugins.events(sli.plugin.id, sli.plugin.options)
            if events is None:
                return None
            self._remember(f"({events[0]}) / ({events[1]})")
            return ratio(*events, place.at("plugin", "id"))
        if sli.raw is not None:
            self._remember(sli.raw.error_ratio_query)
            return raw(sli.raw.error_ratio_query, place.at("raw", "error_ratio_query"))
        assert sli.events is not None
        what = "the ratio over the window is weighted by events, not averaged over time"
        self.told.change(place, what)
        here = place.at("events")
        self._remember(f"({sli.events.error_query}) / ({sli.events.total_query})")
        return ratio(sli.events.error_query, sli.events.total_query, here)

    def _remember(self, text: str) -> None:
        key = self.service, foreign.slug(self.form.name)
        self.told.ratios[key] = reduce.windowed(text)

    def _alerting(self, labels: Place) -> Node:
        alerting, place = self.form.alerting, self.place.at("alerting")
        off = [name for _, tier, names in _TIERS for name in names if self._is_off(tier)]
        found: dict[str, Any] = {"burns": "four-windows"}
        if self.windows is not None:
            found["burns"] = self.windows.burns
        if alerting.name:
            kept = [burn for burn in BURNS if burn not in off]
            found["names"] = foreign.names(alerting.name, kept, place.at("name"), self.told)
        found["labels"] = self._labels(labels, self.place.at("labels"), place.at("labels"))
        found["annotations"] = self._annotations(place.at("annotations"))
        for where, tier, _ in _TIERS:
            if not self._is_off(tier):
                found[tier] = self._more(tier, place.at(where))
        if off:
            found["disable"] = off
        found["runbook"] = "{slo}"
        return made({key: one for key, one in found.items() if one}, place)

    def _is_off(self, tier: str) -> bool:
        alerting = self.form.alerting
        return (alerting.page_alert if tier == "page" else alerting.ticket_alert).disable

    def _labels(self, *places: Place) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for place in places:
            found |= _texts(place)
        return {name: one for name, one in found.items() if not _is_ours(name, one)}

    def _annotations(self, place: Place) -> dict[str, Node]:
        found = {name: self._filled(text) for name, text in _texts(place).items()}
        if (text := found.pop("summary", None)) is not None:
            name, text = foreign.summary(text, place.at("summary"), self.told)
            found[name] = text
        return found

    def _more(self, tier: str, place: Place) -> dict[str, dict[str, Node]]:
        """What one of both alerts says alone."""
        labels = self._labels(place.at("labels"))
        if "severity" in labels:
            here = place.at("labels", "severity")
            self.told.change(here, f"the alert's severity is `{tier}`")
            del labels["severity"]
        found = {"labels": labels, "annotations": self._annotations(place.at("annotations"))}
        return {key: one for key, one in found.items() if one}

    def _filled(self, text: Node) -> Node:
        """With the values of the labels that only Sloth's series have."""
        service, slo = self.service, foreign.slug(self.form.name)
        known = {"sloth_service": service, "sloth_slo": slo, "sloth_id": f"{service}-{slo}"}
        return replace(text, value=_LABEL.sub(lambda m: known[m[1]], str(text.value)))


def ratio(bad: str, total: str, place: Place) -> Node:
    """Bad events over all: by selectors where they are summed rates, else as PromQL."""
    whole = reduce.source(total)
    where, all_ = _at(place, "error_query"), made(whole, _at(place, "total_query"))
    selector = _selector(whole)
    found = None if selector is None else reduce.bad_of(bad, selector)
    if found is None:
        return made({"ratio": {"total": all_, "bad": made(reduce.source(bad), where)}}, place)
    return share(found, where, all_)


def share(found: reduce.Share, place: Place, total: Node | None = None) -> Node:
    """A latency where the good events are a bucket of a histogram, else a ratio."""
    if (of := reduce.latency(found)) is not None:
        histogram, threshold = of
        return made({"latency": {"histogram": histogram, "threshold": threshold}}, place)
    key = "bad" if found.part_is_bad else "good"
    whole = made(str(found.total), place) if total is None else total
    return made({"ratio": {"total": whole, key: made(str(found.part), place)}}, place)


def raw(text: str, place: Place, *, is_error: bool = True) -> Node:
    """A ratio that is there already: every second is an event, as bad as the ratio says."""
    found = reduce.share(text)
    if found is not None:
        bad = found.part_is_bad is is_error
        return share(replace(found, part_is_bad=bad), place)
    query = reduce.source(text)
    key = "bad" if is_error else "good"
    return made({"ratio": {"total": f"0 * ({query}) + 1", key: query}}, place)


def _selector(text: str) -> Selector | None:
    try:
        return expressions.selector(text)
    except Wrong:
        return None


def _at(place: Place, key: str) -> Place:
    return place.at(key) if place.at(key).node is not None else place


def _keys(place: Place) -> list[str]:
    return list(place.node.value) if place.node is not None else []


def _texts(place: Place) -> dict[str, Node]:
    """Labels or annotations; `0.2` and `true` are texts to Sloth, with or without quotes."""
    found = {name: moved(place.at(name)) for name in _keys(place)}
    return {name: replace(one, value=text(one.value)) for name, one in found.items()}


def _is_ours(name: str, value: Node) -> bool:
    """Labels that become keys of the service."""
    return name in foreign.OWNERS or (name == "tier" and value.value in ("1", "2", "3", "4", "5"))


def _lose_plugins(place: Place, chain: list[dict[str, Any]], told: Told) -> None:
    if chain:
        told.lose(place.at("chain"), "plugins of Sloth's are programs, which are not run", "")


def _spec(document: Node, told: Told) -> Node:
    """The `spec` of a custom resource as a file of `prometheus/v1`."""
    for key, node in document.value.items():
        if key not in ("apiVersion", "kind", "metadata", "spec", "status"):
            where = node.key or node.where
            what = f"unknown key `{key}`"
            told.wrong.append(Finding(id="S002", where=where, what=what))
    spec = document.value.get("spec")
    if spec is None or not isinstance(spec.value, dict):
        return made({"version": VERSION}, Place(document))
    found = _snake(spec, Place(document).at("spec"))
    version = made(VERSION, Place(document).at("apiVersion"))
    return replace(found, value={"version": version, **found.value})


def _snake(node: Node, place: Place) -> Node:
    called = said(place.tree, place.path)
    if isinstance(node.value, list):
        items = [_snake(one, place.at(at)) for at, one in enumerate(node.value)]
        return replace(node, value=items, said=called)
    if not isinstance(node.value, dict):
        return replace(node, said=called)
    below = {
        _SNAKE.get(key, key): replace(one, said=said(place.tree, (*place.path, key)))
        if key in _FREE
        else _snake(one, place.at(key))
        for key, one in node.value.items()
    }
    return replace(node, value=below, said=called)
