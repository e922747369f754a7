"""`compat: sloth`: what Sloth called an SLO, and what must not stand there."""

from __future__ import annotations

from collections.abc import Iterator

from sloforge.errors import Finding
from sloforge.located.words import shown
from sloforge.model import Sloth
from sloforge.specs.forms import SloForm, SlothForm
from sloforge.specs.mistakes import Place
from sloforge.specs.project import Context
from sloforge.windows import Policy

# What the copies of our series lose, and what Sloth itself sets.
_OURS = ("slo_service", "slo_name")
_SLOTHS = "sloth_"


def sloth(service: str, form: SloForm, context: Context, policy: Policy | None) -> Sloth | None:
    """Nothing without `compat: sloth`, nor where Sloth could not have recorded the SLO.

    Sloth records the windows of all alerts, those that are switched off too.
    """
    if context.settings.compat != "sloth" or form.objective is None or policy is None:
        return None
    said = form.sloth or SlothForm()
    burns = policy.burns
    return Sloth(
        service=said.service or service,
        slo=said.slo or form.name,
        labels=tuple(sorted(said.labels.items())),
        windows=tuple(sorted({w for burn in burns for w in (burn.long, burn.short)})),
    )


def mistakes(form: SloForm, context: Context, place: Place) -> Iterator[Finding]:
    """What is said of Sloth to nobody, and labels that would say two things."""
    if context.settings.compat != "sloth":
        if form.sloth is not None and context.complete:
            what = "is read with `compat: sloth` in slos/project.yaml only"
            yield place.at("sloth").misnamed(what, "write that, or remove this", id_="S006")
        return
    alerting = form.alerting
    for at, labels in (
        (("alerting", "labels"), alerting.labels),
        (("alerting", "page", "labels"), alerting.page.labels),
        (("alerting", "ticket", "labels"), alerting.ticket.labels),
    ):
        for key in labels:
            if key.startswith(_SLOTHS):
                what = "is set by `compat: sloth`"
                yield place.at(*at, key).misnamed(what, "take another name", id_="S010")
    if form.sloth is not None:
        yield from _label_mistakes(form.sloth, form.by, place.at("sloth", "labels"))


def _label_mistakes(form: SlothForm, by: list[str], place: Place) -> Iterator[Finding]:
    for key, value in form.labels.items():
        here = place.at(key)
        if key.startswith((_SLOTHS, "__")) or key in _OURS:
            yield here.misnamed("is set by sloforge", "remove it", id_="S010")
        if key in by:
            what = "is a label of `by`: all its series would become one"
            yield here.misnamed(what, "remove it", id_="S010")
        if not value or "{{" in value:
            yield here.wrong(f"expected fixed text, got {shown(value)}", "remove it", id_="S010")
