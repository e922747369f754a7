"""Labels and annotations that would break a rule: reserved, templated, or the same twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sloforge.errors import Finding
from sloforge.located.words import shown
from sloforge.specs.forms import AlertingForm, BurnForm, MoreForm
from sloforge.specs.mistakes import Place

# What an alert says about itself.
OF_ALERTS = ("alertname", "severity", "slo_service", "slo_name", "burn", "long", "short", "owner")
# What rules say about a series beside that.
OF_RULES = ("le", "missing", "__name__")

_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def mistakes(
    form: MoreForm | AlertingForm | BurnForm, place: Place, by: Iterable[str] = ()
) -> Iterator[Finding]:
    """Of both."""
    yield from label_mistakes(form.labels, by, place.at("labels"))
    yield from annotation_mistakes(form.annotations, place.at("annotations"))


def label_mistakes(labels: Mapping[str, str], by: Iterable[str], place: Place) -> Iterator[Finding]:
    """Of the labels that a team puts on its alerts."""
    taken = tuple(by)
    for key, value in labels.items():
        here = place.at(key)
        if key in OF_ALERTS or key.startswith("__"):
            yield here.misnamed("is set by sloforge", "take another name", id_="S010")
        if key in taken:
            what = "is a label of `by`: all its series would become one"
            yield here.misnamed(what, "take another name", id_="S010")
        if "{{" in value or "}}" in value:
            remedy = "a label that changes makes a new alert: use an annotation"
            yield here.wrong(f"expected fixed text, got {shown(value)}", remedy, id_="S010")
        if not value:
            yield here.wrong("expected text, got none", "remove it", id_="S010")


def annotation_mistakes(annotations: Mapping[str, str], place: Place) -> Iterator[Finding]:
    """Of the annotations that a team puts on its alerts."""
    for key, value in annotations.items():
        rest = _TEMPLATE.sub("", value)
        if "{{" in rest or "}}" in rest:
            what = f"expected as many {{{{ as }}}}, got {shown(value)}"
            yield place.at(key).wrong(what, id_="S010")


def by_mistakes(by: list[str], place: Place) -> Iterator[Finding]:
    """Of the labels that an SLO is split by."""
    for at, label in enumerate(by):
        if label in (*OF_ALERTS, *OF_RULES) or label.startswith("__"):
            yield place.at(at).wrong(f"`{label}` is set by sloforge", "relabel it", id_="S010")
        if label in by[:at]:
            yield place.at(at).wrong(f"duplicate label `{label}`", "remove it", id_="S010")
