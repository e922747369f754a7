"""What readers of other formats share: trees of ours made from theirs, and what is said meanwhile.

A tree that is made here keeps the places and the words of the file it comes from, so that each
later mistake is shown where somebody wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sloforge import naming
from sloforge.errors import Finding, Location
from sloforge.located import tree
from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.specs.fields import NAME_PATTERN
from sloforge.specs.forms import VERSION
from sloforge.specs.mistakes import Place, said
from sloforge.specs.project import Context
from sloforge.specs.words import did_you_mean

LOST = "S013"
OWNERS = ("owner", "team")
# The longest that fits into a rule group's and a file's name.
_LONGEST = 63
_JOB = re.compile(r'[{,]\s*job\s*=\s*"([^"\\]+)"')
_SELECTOR = re.compile(r"[A-Za-z_:][\w:]*\s*(\{|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a reader has to say.

    `wrong` is a mistake in any tool; `lost` is right in the other format and cannot be said in
    ours; `changed` is said in ours and means something a little different. `ratios` are the error
    ratios by service and SLO as the other tool computes them, `$window` being the range;
    `seen` are the SLOs by place, those among them that come to nothing too.
    """

    wrong: list[Finding] = field(default_factory=list)
    lost: dict[Finding, None] = field(default_factory=dict)
    changed: dict[Finding, None] = field(default_factory=dict)
    ratios: dict[tuple[str, str], str] = field(default_factory=dict)
    seen: dict[Location, str] = field(default_factory=dict)

    def lose(self, place: Place, what: str, remedy: str = "") -> None:
        """The value here has no counterpart."""
        self.lost[place.wrong(what, remedy, id_=LOST)] = None

    def change(self, place: Place, what: str) -> None:
        """The value here comes to mean something else."""
        self.changed[replace(place.wrong(what, id_=LOST), severity="warning")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One SLO on its way: the service it belongs to, its tree, and who may own it.

    `about` holds keys of the service: its description, its tier.
    """

    service: Node
    slo: Node
    owner: Place | None = None
    about: Mapping[str, Node] = field(default_factory=dict)


def made(value: Any, place: Place) -> Node:
    """A value as a tree whose mistakes are found at a place of the foreign file."""
    if isinstance(value, Node):
        return value
    called = said(place.tree, place.path)
    if isinstance(value, dict):
        below = {key: made(one, place) for key, one in value.items()}
        return replace(tree.holding(below, below.values(), place.where), said=called)
    if isinstance(value, list | tuple):
        items = [made(one, place) for one in value]
        return replace(tree.holding(items, items, place.where), said=called)
    return Node(value, place.where, hollow=value is None, said=called)


def moved(place: Place) -> Node:
    """What stands at a place, as it is."""
    node = place.node
    return made(None if node is None else tree.plain(node), place)


def slug(text: str) -> str:
    """The nearest name that we allow."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].strip("-") or "unnamed"


def named(place: Place, text: str, told: Told) -> Node:
    """A name; one that cannot be ours is told with what it becomes."""
    if re.fullmatch(NAME_PATTERN, text) and len(text) <= _LONGEST:
        return made(text, place)
    what = f"expected a name of lower-case letters, digits and inner hyphens, got {shown(text)}"
    told.lose(place, what, f"write `{slug(text)}`")
    return made(slug(text), place)


def renamed(place: Place, text: str, told: Told) -> Node:
    """The same where the other name is kept beside ours."""
    found = made(slug(text), place)
    if found.value != text:
        told.change(place, f"is called `{found.value}`; its old name stays on the old series")
    return found


def summary(text: Node, place: Place, told: Told) -> tuple[str, Node]:
    """An annotation `summary`: one fixed sentence here, and a `message` where it is a template."""
    words = str(text.value).strip()
    if "{{" in words:
        told.change(place, "changes from alert to alert, and is called `message`")
        return "message", text
    return "summary", replace(text, value=words[:1].upper() + words[1:].rstrip(".") + ".")


def names(text: str, burns: Iterable[str], place: Place, told: Told) -> dict[str, Node]:
    """An alert's name for each of the burns that other tools put into one alert."""
    found = {burn: made(naming.camel(text, burn), place) for burn in burns}
    called = ", ".join(str(one.value) for one in found.values())
    told.change(place, f"each burn is an alert of its own: {called}")
    return found


def gather(promises: Iterable[Promise], context: Context, told: Told) -> list[Node]:
    """The promises as native services, in the order in which each service is first named."""
    services: dict[str, list[Promise]] = {}
    for promise in promises:
        services.setdefault(promise.service.value, []).append(promise)
    found = [_service(each, context, told) for each in services.values()]
    return [one for one in found if one is not None]


def owner(labels: Place, keys: Iterable[str] = OWNERS) -> Place | None:
    """The label that says whose a service is."""
    return next((labels.at(key) for key in keys if labels.at(key).node is not None), None)


def _service(promises: list[Promise], context: Context, told: Told) -> Node | None:
    first = promises[0]
    name = Place(first.service)
    whose = _owner(promises, context, told)
    if whose is None:
        return None
    about = {key: value for one in reversed(promises) for key, value in one.about.items()}
    head: dict[str, Node] = {"version": made(VERSION, name), "service": first.service}
    head |= {"owner": whose, **about}
    slos = [one.slo for one in promises]
    if job := _job(slos):
        head["job"] = made(job, name)
    return made(head | {"slos": made(slos, name)}, name)


def _owner(promises: list[Promise], context: Context, told: Told) -> Node | None:
    """The one owner that the labels name, else the project's default."""
    service = promises[0].service
    given = [one.owner for one in promises if one.owner is not None]
    for other in given[1:]:
        if _word(other) != _word(given[0]):
            what = f"service `{service.value}` has the owner `{_word(given[0])}`"
            told.lose(other, f"{what}, got `{_word(other)}`", "a service has one owner: split it")
    if given:
        return made(_word(given[0]), given[0])
    if context.defaults.owner is not None:
        return made(context.defaults.owner, Place(service))
    if context.complete:
        known = did_you_mean("", [one.name for one in context.settings.owners])
        what = f"service `{service.value}` has no owner"
        remedy = f"add a label `owner`, or `defaults.owner` to slos/project.yaml; {known}"
        told.wrong.append(Finding(id="S005", where=service.where, what=what, remedy=remedy))
        return None
    return made(context.settings.owners[0].name, Place(service))


def _word(place: Place) -> str:
    """A label's value; the first of several."""
    value: Any = place.node.value if place.node is not None else ""
    if isinstance(value, list):
        value = value[0].value if value else ""
    return str(value)


def _job(slos: list[Node]) -> str:
    """The scrape job that every selector is pinned to; empty where one is not."""
    texts = [text for slo in slos for text in _sources(slo)]
    jobs = {found[1] if (found := _JOB.search(text)) else "" for text in texts}
    return jobs.pop() if len(jobs) == 1 and all(map(_SELECTOR.match, texts)) else ""


def _sources(slo: Node) -> list[str]:
    sli = slo.value["sli"] if isinstance(slo.value, dict) and "sli" in slo.value else None
    kinds = sli.value.values() if sli is not None and isinstance(sli.value, dict) else ()
    keys = ("total", "bad", "good", "histogram", "gauge", "expression")
    return [str(one.value[key].value) for one in kinds for key in keys if key in one.value]
