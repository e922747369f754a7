"""OpenSLO `openslo/v1` -> native services: an SLO for each objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.specs import foreign, openslo_alerts, openslo_metrics
from sloforge.specs.foreign import Promise, Told, made, moved
from sloforge.specs.mistakes import Place
from sloforge.specs.openslo_forms import ObjectiveForm, SloForm
from sloforge.specs.openslo_objects import Found, Objects
from sloforge.specs.openslo_ratios import error_ratio
from sloforge.specs.project import Context

VERSION = "openslo/v1"
_PERCENT = Decimal(100)


def services(documents: Sequence[Node], context: Context, told: Told) -> list[Node]:
    """Every service that an SLO names."""
    objects = Objects(told=told, context=context)
    for document in documents:
        objects.read(document)
    slos = [one for (kind, _), one in objects.named.items() if kind == "SLO"]
    promises = [promise for one in slos for promise in _promises(one, objects)]
    return foreign.gather(promises, context, told)


def _promises(one: Found, objects: Objects) -> Iterator[Promise]:
    form: SloForm = one.form
    place, told = one.place, objects.told
    service = foreign.named(place.at("spec", "service"), form.spec.service, told)
    told.seen[place.where] = f"{service.value}/{foreign.slug(form.metadata.name)}"
    about: dict[str, Node] = {}
    labels = [place.at("metadata", "labels")]
    if (known := objects.named.get(("Service", form.spec.service))) is not None:
        labels.append(known.place.at("metadata", "labels"))
        if known.form.spec.description:
            about["description"] = moved(known.place.at("spec", "description"))
    owners = [owner for where in labels if (owner := foreign.owner(where)) is not None]
    alerting = openslo_alerts.alerting(one, objects)
    head = _head(one, objects)
    for at, objective in enumerate(form.spec.objectives):
        here = place.at("spec", "objectives", at)
        sli, ratio = _sli(one, objects, here, objective)
        target = _target(objective, here, told)
        if sli is None or target is None:
            continue
        slo = {"name": _name(form, at, place, told), **head, "objective": target, "sli": sli}
        whose = owners[0] if owners else openslo_alerts.owner(one, objects)
        if ratio is not None:
            told.ratios[str(service.value), str(slo["name"].value)] = ratio
        native = made({**slo, "alerting": alerting}, place)
        yield Promise(service=service, slo=native, owner=whose, about=about)


def _head(one: Found, objects: Objects) -> dict[str, Node]:
    """What all objectives of an SLO share: its words and its window."""
    form: SloForm = one.form
    found: dict[str, Node] = {}
    if form.spec.description:
        found["description"] = moved(one.place.at("spec", "description"))
    elif form.metadata.displayName:
        found["description"] = moved(one.place.at("metadata", "displayName"))
    for at, window in enumerate(form.spec.timeWindow):
        here = one.place.at("spec", "timeWindow", at)
        if window.calendar is not None or window.isRolling is False:
            key = "calendar" if window.calendar is not None else "isRolling"
            what = "a window that begins with a month, quarter or year cannot be expressed"
            objects.told.lose(here.at(key), what, "write a rolling one: `isRolling: true`")
        found["window"] = made(_days(window.duration, here.at("duration"), objects.told), here)
    return found


_LENGTHS = {"M": 30, "Q": 90, "Y": 365}


def _days(text: str, place: Place, told: Told) -> Node:
    if text[-1] not in _LENGTHS:
        return made(text, place)
    days = f"{int(text[:-1]) * _LENGTHS[text[-1]]}d"
    told.lose(place, f"expected days or weeks, got {shown(text)}", f"write {days}")
    return made(days, place)


def _name(form: SloForm, at: int, place: Place, told: Told) -> Node:
    """The SLO's name; of several objectives each adds its own, or its place."""
    name, objectives = form.metadata.name, form.spec.objectives
    if len(objectives) == 1:
        return foreign.named(place.at("metadata", "name"), name, told)
    own = [foreign.slug(one.displayName) if one.displayName else "" for one in objectives]
    word = own[at] if own[at] and own.count(own[at]) == 1 else str(at + 1)
    whole = foreign.named(place.at("metadata", "name"), name, told).value
    return foreign.named(place.at("spec", "objectives", at), f"{whole}-{word}", told)


def _target(objective: ObjectiveForm, place: Place, told: Told) -> Node | None:
    given = [key for key in ("target", "targetPercent") if getattr(objective, key) is not None]
    if len(given) != 1:
        got = "both" if given else "neither"
        what = f"expected `target` or `targetPercent`, got {got}"
        told.wrong.append(place.wrong(what, id_="S006"))
        return None
    if objective.targetPercent is not None:
        return made(objective.targetPercent, place.at("targetPercent"))
    assert objective.target is not None
    if not 0 < objective.target < 1:
        what = f"must be above 0 and below 1, got {shown(objective.target)}"
        perfect = "a perfect objective leaves no budget to burn"
        remedy = "it is a share: percent stands in `targetPercent`"
        remedy = perfect if objective.target == 1 else remedy
        told.wrong.append(place.at("target").wrong(what, remedy))
        return None
    return made(objective.target * _PERCENT, place.at("target"))


def _sli(
    one: Found, objects: Objects, place: Place, objective: ObjectiveForm
) -> tuple[Node | None, str | None]:
    """The indicator of the objective, else that of its SLO; and OpenSLO's own ratio."""
    spec, told = one.form.spec, objects.told
    own = objective.indicator is not None or objective.indicatorRef is not None
    if own and len(spec.objectives) > 1 and not objective_is_alpha(one):
        what = "objectives that make up one composite SLO cannot be expressed"
        told.lose(place, what, "write an SLO for each: each becomes one with a budget of its own")
    if objective.compositeWeight is not None:
        told.lose(place.at("compositeWeight"), "a weight in a composite cannot be expressed")
    form, holder = (objective, place) if own else (spec, one.place.at("spec"))
    if (form.indicator is None) == (form.indicatorRef is None):
        got = "neither" if form.indicator is None else "both"
        what = f"expected `indicator` or `indicatorRef`, got {got}"
        told.wrong.append(holder.wrong(what, id_="S006"))
        return None, None
    if form.indicator is not None:
        indicator = Found(form.indicator, holder.at("indicator"))
    else:
        found = objects.find("SLI", holder.at("indicatorRef"))
        if found is None:
            return None, None
        indicator = found
    method = openslo_metrics.Method(
        name=spec.budgetingMethod,
        place=one.place.at("spec", "budgetingMethod"),
        objective=objective,
        at=place,
    )
    ratio = error_ratio(indicator.form, method.name, objective)
    return openslo_metrics.sli(indicator, method, objects), ratio


def objective_is_alpha(one: Found) -> bool:
    """In v1alpha every objective has queries of its own, and no composite is meant."""
    return str(one.form.apiVersion) != VERSION
