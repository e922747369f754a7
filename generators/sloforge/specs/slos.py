"""The mistakes of one SLO that the types alone cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloforge.alerts import SLO_KINDS
from sloforge.errors import Finding
from sloforge.located.words import shown
from sloforge.naming import WATCHDOG
from sloforge.promql import number
from sloforge.specs import burns, compat, labels, slis
from sloforge.specs.forms import AlertingForm, SloForm
from sloforge.specs.mistakes import Place
from sloforge.specs.project import Context
from sloforge.specs.words import did_you_mean
from sloforge.windows import Policy

_ALERT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_BURNS = ("burns",)
_OF_QUANTILES = ("severity", "for_", "keep_firing_for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What surrounds an SLO."""

    context: Context
    scrape: slis.Scrape

    def window(self, form: SloForm) -> timedelta:
        return form.window or self.context.defaults.window

    def knows(self, form: SloForm) -> bool:
        """Whether what the SLO leaves to the project is known."""
        said = form.window is not None and form.alerting.burns is not None
        return said or self.context.complete

    def policy(self, alerting: AlertingForm) -> Policy | None:
        """The burns that an SLO names or writes; None where nobody knows the name."""
        named = self.context.defaults.burns if alerting.burns is None else alerting.burns
        if isinstance(named, str):
            return self.context.policies.get(named)
        return Policy(name="", burns=tuple(map(burns.burn, named)))


def percentile(key: str) -> Decimal:
    """`p99.9` is 0.999."""
    return Decimal(key[1:]) / 100


def mistakes(form: SloForm, setting: Setting, place: Place) -> Iterator[Finding]:
    """All of one SLO."""
    yield from slis.mistakes(form.sli, setting.scrape, place.at("sli"))
    yield from _objective_mistakes(form, place)
    yield from _by_mistakes(form, setting, place.at("by"))
    yield from _measured_mistakes(form, place.at("measured"))
    yield from _alerting_mistakes(form, setting, place.at("alerting"))
    yield from compat.mistakes(form, setting.context, place)


def _objective_mistakes(form: SloForm, place: Place) -> Iterator[Finding]:
    quantile = form.sli.quantile
    if quantile is not None and form.objective is not None:
        percent = number(quantile.quantile * 100)
        what = "a quantile burns no budget and takes no objective"
        remedy = f"remove it, or use `latency` with `objective: {percent}`"
        yield place.at("objective").wrong(what, remedy, id_="S006")
    # What a template with a mistake comes to is not known.
    if quantile is None and form.sli.use is None and "objective" not in form.model_fields_set:
        yield place.wrong("missing key `objective`", "percent, or tbd", id_="S002")


def _by_mistakes(form: SloForm, setting: Setting, place: Place) -> Iterator[Finding]:
    yield from labels.by_mistakes(form.by, place)
    extra = dict(setting.context.settings.labels)
    for at, label in enumerate(form.by):
        if label in extra:
            what = f"`{label}` is a label that slos/project.yaml puts on every alert"
            yield place.at(at).wrong(what, "take another name there", id_="S010")
        elif key := slis.unsplittable(form.sli, label):
            what = f"`{label}` is no label of `sli.{key}`"
            yield place.at(at).wrong(what, "keep it in the expression", id_="S006")


def _measured_mistakes(form: SloForm, place: Place) -> Iterator[Finding]:
    """A target that a lower quantile already misses can never be met."""
    if (target := _target(form)) is None:
        return
    goal = f"P{number(target[0] * 100)} below {number(target[1])}"
    for key, value in form.measured.items():
        if percentile(key) <= target[0] and value >= target[1]:
            what = f"the target ({goal}) is already missed by the measured {key} of {number(value)}"
            remedy = "take a threshold above what is measured, or a lower quantile"
            yield place.at(key).wrong(what, remedy, id_="S008")


def _target(form: SloForm) -> tuple[Decimal, Decimal] | None:
    """The quantile that is promised and the threshold it is promised for."""
    if (quantile := form.sli.quantile) is not None:
        return quantile.quantile, quantile.threshold
    if form.sli.latency is not None and form.objective is not None:
        return form.objective, form.sli.latency.threshold
    return None


def _alerting_mistakes(form: SloForm, setting: Setting, place: Place) -> Iterator[Finding]:
    alerting, quantile = form.alerting, form.sli.quantile is not None
    for key in _OF_BURNS if quantile else _OF_QUANTILES:
        if getattr(alerting, key) is not None:
            name = key.rstrip("_")
            what = f"is {'not ' if quantile else 'only '}for a quantile"
            remedy = "remove it" if quantile else "set it on the burns"
            yield place.at(name).misnamed(what, remedy, id_="S006")
    yield from labels.mistakes(alerting, place, form.by)
    yield from labels.mistakes(alerting.page, place.at("page"), form.by)
    yield from labels.mistakes(alerting.ticket, place.at("ticket"), form.by)
    policy = setting.policy(alerting)
    if policy is None or not setting.knows(form):
        if setting.context.complete:
            yield _unknown_policy(alerting, setting, place.at("burns"))
        return
    if isinstance(alerting.burns, list):
        found = list(burns.mistakes(alerting.burns, place.at("burns")))
        yield from found
        if found:
            return
    yield from _name_mistakes(alerting, policy, place)
    yield from _burn_label_mistakes(policy, form.by, place.at("burns"))
    if not quantile and form.objective is not None:
        kept = [burn for burn in policy.burns if burn.name not in alerting.disable]
        yield from burns.unfit(kept, _judged(form, setting), place.at("burns"))


def _burn_label_mistakes(policy: Policy, by: list[str], place: Place) -> Iterator[Finding]:
    """A policy is written without knowing which SLOs it is for."""
    for burn in policy.burns:
        for label in dict(burn.labels):
            if label in by:
                what = f"burn `{burn.name}` has the label `{label}`, which is one of `by`"
                yield place.wrong(what, "all its series would become one", id_="S010")


def _judged(form: SloForm, setting: Setting) -> burns.Target:
    assert form.objective is not None
    return burns.Target(
        window=setting.window(form),
        budget=1 - form.objective,
        scrape=setting.scrape.interval,
        settings=setting.context.settings,
    )


def _unknown_policy(alerting: AlertingForm, setting: Setting, place: Place) -> Finding:
    name = str(alerting.burns)
    remedy = did_you_mean(name, setting.context.policies)
    return place.wrong(f"unknown policy `{name}`", remedy, id_="S005")


def _name_mistakes(alerting: AlertingForm, policy: Policy, place: Place) -> Iterator[Finding]:
    known = [burn.name for burn in policy.burns] + [*SLO_KINDS, "quantile"]
    for at, name in enumerate(alerting.disable):
        if name not in known:
            what = f"unknown alert `{name}`"
            remedy = did_you_mean(name, known)
            yield place.at("disable", at).wrong(what, remedy, id_="S005")
    for key, name in alerting.names.items():
        here = place.at("names", key)
        if key not in known:
            yield here.misnamed(f"unknown alert `{key}`", did_you_mean(key, known), id_="S005")
        if not _ALERT_NAME.fullmatch(name):
            yield here.wrong(f"expected letters, digits and underscores, got {shown(name)}")
        elif name == WATCHDOG:
            what = f"`{WATCHDOG}` is the alert that always fires"
            yield here.wrong(what, "take another name", id_="S004")
