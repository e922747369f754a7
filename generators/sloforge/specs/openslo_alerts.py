"""OpenSLO's alert policies, conditions and notification targets -> burns and owners."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.promql import duration, number, parse_duration
from sloforge.specs import foreign
from sloforge.specs.foreign import made, moved
from sloforge.specs.mistakes import Place
from sloforge.specs.openslo_forms import BurnForm, ConditionForm, PolicyForm
from sloforge.specs.openslo_objects import Found, Objects
from sloforge.windows import BASE

SEVERITIES = {"page": "page", "ticket": "ticket"}
# Words that many use for one of both.
_LIKE = {"critical": "page", "high": "page", "sev1": "page", "warning": "ticket", "low": "ticket"}
_CALENDAR = ("M", "Q", "Y")
# The workbook's share of the short window in the long one.
_SHORT = 12


def alerting(one: Found, objects: Objects) -> Node:
    """The burns of all policies; the project's own where there is none."""
    place = one.place.at("spec", "alertPolicies")
    found: dict[str, Any] = {"runbook": "{slo}"}
    burns: list[Node] = []
    for policy in _policies(one, objects):
        _lose_moments(policy, objects)
        burns += _burns(policy, objects)
    if burns:
        found["burns"] = made(burns, place)
    return made(found, place)


def owner(one: Found, objects: Objects) -> Place | None:
    """The first notification target that is called like an owner."""
    owners = {each.name for each in objects.context.settings.owners}
    for policy in _policies(one, objects):
        for at, target in enumerate(policy.form.spec.notificationTargets):
            here = policy.place.at("spec", "notificationTargets", at)
            key = ("metadata", "name") if target.targetRef is None else ("targetRef",)
            node = here.at(*key).node
            if node is not None and node.value in owners:
                return here.at(*key)
    return None


def _policies(one: Found, objects: Objects) -> Iterator[Found]:
    for at, policy in enumerate(one.form.spec.alertPolicies):
        here = one.place.at("spec", "alertPolicies", at)
        if policy.spec is not None:
            yield Found(policy, here)
        elif policy.alertPolicyRef is not None:
            by_name = here.node is not None and isinstance(here.node.value, str)
            at_name = here if by_name else here.at("alertPolicyRef")
            if (found := objects.find("AlertPolicy", at_name)) is not None:
                yield found
        else:
            what = "expected an AlertPolicy or `alertPolicyRef`, got neither"
            objects.told.wrong.append(here.wrong(what, id_="S006"))


def _lose_moments(policy: Found, objects: Objects) -> None:
    form: PolicyForm = policy.form
    assert form.spec is not None
    place = policy.place.at("spec")
    if form.spec.alertWhenBreaching is False:
        what = "an alert that is silent while its condition holds cannot be expressed"
        objects.told.lose(place.at("alertWhenBreaching"), what, "write true, or remove the policy")
    if form.spec.alertWhenResolved:
        what = "receivers decide whether they tell of the end: `send_resolved`"
        objects.told.change(place.at("alertWhenResolved"), what)
    if form.spec.alertWhenNoData:
        what = "a service that is gone has an alert of its own, where its job is known"
        objects.told.change(place.at("alertWhenNoData"), what)
    for at, target in enumerate(form.spec.notificationTargets):
        here = place.at("notificationTargets", at)
        if target.targetRef is not None:
            objects.find("AlertNotificationTarget", here.at("targetRef"))
        what = "the receivers are those of the owner in slos/project.yaml"
        objects.told.change(here, what)


def _burns(policy: Found, objects: Objects) -> Iterator[Node]:
    form: PolicyForm = policy.form
    assert form.spec is not None
    for at, condition in enumerate(form.spec.conditions):
        here = policy.place.at("spec", "conditions", at)
        named: ConditionForm = condition
        if condition.conditionRef is not None:
            found = objects.find("AlertCondition", here.at("conditionRef"))
            if found is None:
                continue
            named, here = found.form, found.place
        if named.spec is None:
            what = "expected an AlertCondition or `conditionRef`, got neither"
            objects.told.wrong.append(here.wrong(what, id_="S006"))
            continue
        burn = _burn(named, here, policy, objects)
        if burn is not None:
            yield burn


def _burn(form: ConditionForm, place: Place, policy: Found, objects: Objects) -> Node | None:
    assert form.spec is not None
    told, condition = objects.told, form.spec.condition
    here = place.at("spec", "condition")
    if condition.op not in ("gt", "gte"):
        what = f"expected `gt` or `gte`, got `{condition.op}`"
        told.wrong.append(here.at("op").wrong(what, "low burn is no reason to alert"))
        return None
    severity = _severity(form, place, objects)
    long = _long(condition, here, objects)
    if severity is None or long is None:
        return None
    short = max(BASE, long / _SHORT)
    told.change(here.at("lookbackWindow"), f"it must burn over {duration(short)} still")
    burn = {
        "name": _name(form, place, policy, objects),
        "severity": severity,
        "long": made(duration(long), here.at("lookbackWindow")),
        "short": made(duration(short), here.at("lookbackWindow")),
        "factor": moved(here.at("threshold")),
    }
    if condition.alertAfter is not None and condition.alertAfter[:-1].strip("0"):
        burn["for"] = moved(here.at("alertAfter"))
    return made(burn, here)


def _name(form: ConditionForm, place: Place, policy: Found, objects: Objects) -> Node:
    if form.metadata is not None:
        return foreign.named(place.at("metadata", "name"), form.metadata.name, objects.told)
    return made(f"burn-{number(form.spec.condition.threshold) if form.spec else 1}", policy.place)


def _severity(form: ConditionForm, place: Place, objects: Objects) -> Node | None:
    assert form.spec is not None
    word, here = form.spec.severity, place.at("spec", "severity")
    if word in SEVERITIES:
        return made(word, here)
    like = _LIKE.get(word.lower(), "page")
    what = f"expected `page` or `ticket`, got {shown(word)}"
    objects.told.lose(here, what, f"write {like}")
    return made(like, here)


def _long(form: BurnForm, place: Place, objects: Objects) -> timedelta | None:
    text = form.lookbackWindow
    if text[-1] in _CALENDAR:
        here = place.at("lookbackWindow")
        objects.told.lose(here, f"expected minutes to weeks, got {shown(text)}", "write days")
        return None
    return parse_duration(text)
