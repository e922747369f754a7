"""`use` and `with` of a spec -> the SLI of the template, its parts placed where they were asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sloforge.authoring import trees
from sloforge.errors import Finding
from sloforge.located import tree
from sloforge.located.tree import Malformed, Node
from sloforge.specs import offered, parameters, templates
from sloforge.specs.mistakes import Place, said, spelled
from sloforge.specs.templates import Library, Template, holes
from sloforge.specs.words import Wrong, did_you_mean

USE, WITH = "use", "with"


def expanded(service: Node, library: Library, findings: list[Finding]) -> Node:
    """The service with the SLIs of templates in their places.

    An SLI whose use has a mistake is left as it is, with `findings` grown.
    """
    slos = tree.child_of(service, "slos")
    if slos is None or not isinstance(slos.value, list):
        return service
    place = Place(service)
    found = [_slo(place.at("slos", at), library, findings) for at in range(len(slos.value))]
    return replace(service, value={**service.value, "slos": replace(slos, value=found)})


def _slo(place: Place, library: Library, findings: list[Finding]) -> Node:
    slo, sli = place.node, place.at("sli").node
    assert slo is not None
    if sli is None or not isinstance(sli.value, dict) or USE not in sli.value or sli.hollow:
        return slo
    made = _sli(place.at("sli"), library, findings)
    return slo if made is None else replace(slo, value={**slo.value, "sli": made})


def _sli(place: Place, library: Library, findings: list[Finding]) -> Node | None:
    named = place.at(USE).node
    given = place.at(WITH).node
    if named is None or not isinstance(named.value, str) or set(_keys(place)) - {USE, WITH}:
        return None
    if given is not None and not isinstance(given.value, dict):
        return None
    if not library.has(named.value):
        if (function := offered.function(named.value, templates.names())) is not None:
            return _called(function, place, findings)
        near = did_you_mean(named.value, library.names())
        remedy = near if near.startswith("did") else "`sloforge library` lists what there is"
        what = f"unknown template `{named.value}`"
        findings.append(place.at(USE).wrong(what, remedy, id_="S005"))
        return None
    template = library.find(named.value)
    if template is None:
        return None
    before = len(findings)
    findings += _mistakes(template, place)
    return _filled(template, place) if len(findings) == before else None


def _called(function: offered.Function, place: Place, findings: list[Finding]) -> Node | None:
    """The SLI that a plugin makes."""
    before, given = len(findings), _given(place)
    findings += function.mistakes(given, place)
    if len(findings) > before:
        return None
    try:
        found = trees.sli(function.made(given), place.at(USE).where)
    except Malformed as refused:
        findings.append(place.at(USE).wrong(refused.finding.what, refused.finding.remedy))
        return None
    except ValueError as refused:
        findings.append(place.at(USE).wrong(str(refused)))
        return None
    called = said(place.tree, place.path)

    def named(node: Node, path: tree.Path = ()) -> Node:
        if isinstance(node.value, dict):
            below = {key: named(one, (*path, key)) for key, one in node.value.items()}
            return replace(node, value=below, said=f"{called}.{USE}")
        return replace(node, said=f"{called}.{USE}, in {spelled(path)}")

    return named(found)


def _keys(place: Place) -> list[str]:
    return [] if place.node is None else list(place.node.value)


def _mistakes(template: Template, place: Place) -> Iterator[Finding]:
    given = _given(place)
    for name, form in template.form.parameters.items():
        if form.required and name not in given:
            what = f"missing parameter `{name}` of `{template.name}`"
            remedy = form.description[:1].lower() + form.description[1:].rstrip(".")
            yield place.at(USE).wrong(what, f"write it under `with`: {remedy}", id_="S002")
    for name, value in given.items():
        here = place.at(WITH, name)
        if name not in template.form.parameters:
            yield here.misnamed(*parameters.unknown(name, template.form.parameters), id_="S002")
            continue
        try:
            parameters.spelled(template.form.parameters[name], value)
        except Wrong as wrong:
            yield here.wrong(str(wrong), wrong.remedy)


def _given(place: Place) -> dict[str, Any]:
    node = place.at(WITH).node
    return {} if node is None else tree.plain(node)


def _filled(template: Template, place: Place) -> Node:
    """The SLI; a part is placed at the one parameter that it is made of, else at the name."""
    job = tree.child_of(place.tree, "job")
    given = _given(place)
    known = {"job": job.value} if job is not None and isinstance(job.value, str) else {}
    values = template.spelled(known | given)
    called = said(place.tree, place.path)

    def made(node: Node, path: tree.Path = ()) -> Node:
        if isinstance(node.value, dict):
            below = {key: made(one, (*path, key)) for key, one in node.value.items()}
            return _holding(below, place.at(USE), f"{called}.{USE}")
        if isinstance(node.value, list):
            items = [made(one, (*path, at)) for at, one in enumerate(node.value)]
            return _holding(items, place.at(USE), f"{called}.{USE}")
        if not isinstance(node.value, str):
            return Node(node.value, place.at(USE).where, said=f"{called}.{USE}")
        path_there = _asked(template, node.value, given)
        value = template.filled(node.value, values)
        name = f"{called}.{spelled(path_there)}, in {spelled(path)}"
        return Node(value, place.at(*path_there).where, said=name)

    return made(template.sli)


def _asked(template: Template, text: str, given: Mapping[str, Any]) -> tree.Path:
    """Where the one parameter is given that a text is made of; of several, the free matchers."""
    mine = [name for name in dict.fromkeys(holes(text)) if name in given]
    free = [name for name in mine if template.known[name].type == "matchers"]
    name = (free if len(mine) > 1 else mine)[:1]
    return (WITH, *name) if name else (USE,)


def _holding(below: Any, place: Place, called: str) -> Node:
    children = below.values() if isinstance(below, dict) else below
    return replace(tree.holding(below, children, place.where), said=called)
