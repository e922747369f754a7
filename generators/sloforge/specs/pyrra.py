"""Pyrra's `pyrra.dev/v1alpha1` -> native services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sloforge.located.tree import Node
from sloforge.promql import Selector, duration, number, seconds, sum_by
from sloforge.specs import foreign, reduce
from sloforge.specs.burns import MIN_SCRAPES
from sloforge.specs.foreign import Promise, Told, made, moved
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.project import Context
from sloforge.specs.pyrra_forms import LatencyForm, ObjectiveForm, RatioForm, SpecForm
from sloforge.windows import BASE

VERSION = "pyrra.dev/v1alpha1"
PREFIX = "pyrra.dev/"
# Labels that say which service an objective is about; else it is one by itself.
_SERVICE = (f"{PREFIX}service", "service", "app.kubernetes.io/name", f"{PREFIX}job")
_OWNER = (f"{PREFIX}owner", f"{PREFIX}team", *foreign.OWNERS)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One of Pyrra's four alerts: the parts of its window, and who sets its severity.

    Source: the table of windows in Pyrra's slo/rules.go, scaled from four weeks.
    """

    name: str
    factor: int
    long: int
    short: int
    wait: int
    severity: str


TIERS = (
    Tier(name="fast-burn", factor=14, long=672, short=8064, wait=20160, severity="fastBurn"),
    Tier(name="medium-burn", factor=7, long=112, short=1344, wait=2688, severity="mediumBurn"),
    Tier(name="slow-burn", factor=2, long=28, short=336, wait=672, severity="slowBurn"),
    Tier(name="long-term-burn", factor=1, long=7, short=112, wait=224, severity="longTermBurn"),
)
_SEVERITIES = {"critical": "page", "page": "page", "warning": "ticket", "ticket": "ticket"}


def services(documents: Sequence[Node], context: Context, told: Told) -> list[Node]:
    """One service per label that names one, else one per objective."""
    promises = [promise for one in documents for promise in _promise(one, context, told)]
    return foreign.gather(promises, context, told)


def _promise(document: Node, context: Context, told: Told) -> Iterator[Promise]:
    form = validated(ObjectiveForm, document, told.wrong)
    if isinstance(form, tuple):
        return
    place = Place(document)
    spec, labels = place.at("spec"), place.at("metadata", "labels")
    name = place.at("metadata", "name")
    of = foreign.owner(labels, _SERVICE) or name
    service = foreign.named(of, str(of.node.value if of.node is not None else ""), told)
    told.seen[place.where] = f"{service.value}/{foreign.slug(form.metadata.name)}"
    sli = _sli(form.spec, spec.at("indicator"), told)
    if sli is None:
        return
    _lose(form.spec, spec, told)
    told.ratios[str(service.value), foreign.slug(form.metadata.name)] = _error_ratio(form.spec)
    found: dict[str, Any] = {"name": foreign.named(name, form.metadata.name, told)}
    if form.spec.description:
        found["description"] = moved(spec.at("description"))
    found["objective"] = made(_percent(form.spec.target), spec.at("target"))
    found["window"] = made(duration(form.spec.window), spec.at("window"))
    found |= sli
    found["alerting"] = _alerting(form, place, context, told)
    whose = foreign.owner(labels, _OWNER)
    yield Promise(service=service, slo=made(found, place), owner=whose)


def _error_ratio(form: SpecForm) -> str:
    """The ratio that Pyrra records for a window. Source: its slo/rules.go."""
    indicator = form.indicator
    if (ratio := indicator.ratio) is not None:
        by, total = ratio.grouping, f"rate({ratio.total.metric}[$window])"
        return f"{sum_by(by, f'rate({ratio.errors.metric}[$window])')} / {sum_by(by, total)}"
    if (latency := indicator.latency) is not None:
        total = sum_by(latency.grouping, f"rate({latency.total.metric}[$window])")
        quick = sum_by(latency.grouping, f"rate({latency.success.metric}[$window])")
        return f"({total} - {quick}) / {total}"
    if (native := indicator.latencyNative) is not None:
        rates = sum_by(native.grouping, f"rate({native.total.metric}[$window])")
        return f"1 - histogram_fraction(0, {number(seconds(native.latency))}, {rates})"
    gauge = indicator.bool_gauge
    assert gauge is not None
    total = sum_by(gauge.grouping, f"count_over_time({gauge.metric}[$window])")
    good = sum_by(gauge.grouping, f"sum_over_time({gauge.metric}[$window])")
    return f"({total} - {good}) / {total}"


def _percent(target: Decimal) -> Any:
    whole = target == target.to_integral_value() if target.is_finite() else False
    return int(target) if whole else target


def _sli(form: SpecForm, place: Place, told: Told) -> dict[str, Any] | None:
    indicator = form.indicator
    kinds = ("ratio", "latency", "latencyNative", "bool_gauge")
    given = [kind for kind in kinds if getattr(indicator, kind) is not None]
    if len(given) != 1:
        got = " and ".join(f"`{kind}`" for kind in given) or "none"
        what = f"expected exactly one of {', '.join(kinds)}, got {got}"
        told.wrong.append(place.wrong(what, id_="S006"))
        return None
    here = place.at(given[0])
    found: dict[str, Any] = {}
    grouping = getattr(indicator, given[0]).grouping
    if grouping:
        found["by"] = moved(here.at("grouping"))
    if indicator.ratio is not None:
        return found | {"sli": _ratio(indicator.ratio, here)}
    if indicator.latency is not None:
        return found | {"sli": _latency(indicator.latency, here)}
    if indicator.latencyNative is not None:
        native = indicator.latencyNative
        histogram = made(str(native.total.metric), here.at("total", "metric"))
        threshold = made(_time(native.latency), here.at("latency"))
        latency = {"histogram": histogram, "threshold": threshold, "native": True}
        return found | {"sli": made({"latency": latency}, here)}
    assert indicator.bool_gauge is not None
    gauge = made(str(indicator.bool_gauge.metric), here.at("metric"))
    return found | {"sli": made({"up": {"gauge": gauge}}, here)}


def _time(value: timedelta) -> Decimal:
    """In seconds, the unit of a histogram of durations."""
    return seconds(value)


def _ratio(form: RatioForm, place: Place) -> Node:
    total = made(str(form.total.metric), place.at("total", "metric"))
    bad = made(str(form.errors.metric), place.at("errors", "metric"))
    return made({"ratio": {"total": total, "bad": bad}}, place)


def _latency(form: LatencyForm, place: Place) -> Node:
    good, total = form.success.metric, form.total.metric
    found = reduce.latency(reduce.Share(good, total, part_is_bad=False))
    if found is not None:
        histogram, threshold = found
        name = made(histogram, place.at("total", "metric"))
        bound = made(threshold, place.at("success", "metric"))
        return made({"latency": {"histogram": name, "threshold": bound}}, place)
    whole = made(str(total), place.at("total", "metric"))
    return made({"ratio": {"total": whole, "good": _good(good, place)}}, place)


def _good(selector: Selector, place: Place) -> Node:
    return made(str(selector), place.at("success", "metric"))


def _lose(form: SpecForm, place: Place, told: Told) -> None:
    if form.partial_response_strategy == "warn":
        what = "is a setting of Thanos' ruler, not of rules"
        told.lose(place.at("partial_response_strategy"), what, "remove it")
    if form.performanceOverAccuracy:
        what = "long windows are added up from what is recorded every five minutes, always"
        told.change(place.at("performanceOverAccuracy"), what)
    output = form.ruleOutput
    for key in ("shortRulesLabels", "longRulesLabels", "enableDescriptionAsLabel"):
        if getattr(output, key):
            what = "labels of Kubernetes objects are not written"
            told.lose(place.at("ruleOutput", key), what, "remove it")


def _alerting(form: ObjectiveForm, place: Place, context: Context, told: Told) -> Node:
    alerting, here = form.spec.alerting, place.at("spec", "alerting")
    found: dict[str, Any] = {"burns": _burns(form, place, context, told)}
    if alerting.disabled or not alerting.burnrates:
        off = here.at("disabled" if alerting.disabled else "burnrates")
        found["disable"] = made([tier.name for tier in TIERS], off)
    elif alerting.name:
        burns = [tier.name for tier in TIERS]
        found["names"] = foreign.names(alerting.name, burns, here.at("name"), told)
    if alerting.absentName or alerting.severities.absent != "critical":
        key = "absentName" if alerting.absentName else "severities"
        what = "what is absent is an alert of the service, with a name of its own"
        told.change(here.at(key), what)
    found["labels"] = _propagated(place.at("metadata", "labels"))
    found["annotations"] = _propagated(place.at("metadata", "annotations"))
    found["runbook"] = "{slo}"
    return made({key: one for key, one in found.items() if one}, here)


def _propagated(place: Place) -> dict[str, Node]:
    """What Pyrra hands on to rules and alerts: all that carries its prefix."""
    taken = {*_SERVICE, *_OWNER}
    keys = [] if place.node is None else list(place.node.value)
    return {
        key.removeprefix(PREFIX): moved(place.at(key))
        for key in keys
        if key.startswith(PREFIX) and key not in taken
    }


def _burns(form: ObjectiveForm, place: Place, context: Context, told: Told) -> Node:
    """Pyrra's four pairs, in parts of the SLO's own window and rounded to minutes as it does."""
    window, here = form.spec.window, place.at("spec", "window")
    least = in_minutes(max(context.defaults.scrape_interval * MIN_SCRAPES, _MINUTE), 1)
    burns = []
    for tier in TIERS:
        burn: dict[str, Any] = {"name": tier.name, "severity": _severity(form, place, tier, told)}
        pyrras = [in_minutes(window, parts) for parts in (tier.long, tier.short)]
        long, short = (max(in_slices(one), least) for one in pyrras)
        burn |= {"long": duration(long), "short": duration(short)}
        burn["factor"] = tier.factor
        if (wait := _part(window, tier.wait)) != "0m":
            burn["for"] = wait
        if [long, short] != pyrras:
            theirs, ours = (" and ".join(map(duration, pair)) for pair in (pyrras, (long, short)))
            told.change(here, f"`{tier.name}` looks back {ours}, not {theirs}")
        burns.append(made(burn, here))
    return made(burns, here)


def _part(window: timedelta, parts: int) -> str:
    found = in_minutes(window, parts)
    return duration(found) if found else "0m"


def in_slices(window: timedelta) -> timedelta:
    """What is added up is recorded every five minutes."""
    return round(window / BASE) * BASE if window > BASE else window


def in_minutes(window: timedelta, parts: int) -> timedelta:
    minutes = (seconds(window) / parts / 60).to_integral_value(ROUND_HALF_UP)
    return int(minutes) * _MINUTE


def _severity(form: ObjectiveForm, place: Place, tier: Tier, told: Told) -> Node:
    word = getattr(form.spec.alerting.severities, tier.severity)
    here = place.at("spec", "alerting", "severities", tier.severity)
    known = _SEVERITIES.get(word)
    if known is None:
        what = f"expected `critical` or `warning`, got `{word}`"
        told.lose(here, what, "write critical to wake somebody, else warning")
    elif word != known and here.node is not None:
        told.change(here, f"the severity `{word}` is called `{known}`")
    return made(known or "ticket", here)
