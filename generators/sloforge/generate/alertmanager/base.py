"""alertmanager/base.yml as data: read strictly, bounded, every mistake with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from sloforge.errors import Finding, Location, Problem
from sloforge.libyaml import SafeLoader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project

BASE = "alertmanager/base.yml"
MAX_NODES = 100_000
MAX_DEPTH = 50
# What a whole configuration has and base.yml must leave to the generator.
_ROOT_ONLY = ("matchers", "match", "match_re", "continue")


def base_config(project: Project) -> dict[str, object]:
    """The authored part. Raises Problem with all that is wrong with its shape (A001, A002)."""
    text = project.text(BASE)
    if text is None:
        what = "expected the receivers of the owners in slos/project.yaml, found no file"
        remedy = "write it with a `receivers:` list; `sloforge init` shows one"
        raise Problem(findings=[Finding(id="A001", where=Location(BASE), what=what, remedy=remedy)])
    base = _mapping(_load(text))
    if findings := tuple(_mistakes(project, base)):
        raise Problem(findings=findings)
    return base


def _wrong(what: str, remedy: str = "", where: Location | None = None) -> Finding:
    return Finding(id="A002", where=where or Location(BASE), what=what, remedy=remedy)


class _Loader(SafeLoader):
    """Only integers and booleans: `08:00` is text to Alertmanager, where YAML 1.1 makes it 480."""


_TAG = "tag:yaml.org,2002:"
_DROPPED = tuple(_TAG + kind for kind in ("int", "float", "timestamp"))
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _DROPPED]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"-?(0|[1-9][0-9]*)$"), list("-0123456789"))


def _load(text: str) -> object:
    try:
        loaded: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(BASE, mark.line + 1, mark.column + 1) if mark else None
        what = f"not valid YAML: {error.problem or error.context}"
        raise Problem(findings=[_wrong(what, where=where)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        first = str(error).splitlines()[0]
        raise Problem(findings=[_wrong(f"not valid YAML: {first}")]) from None
    if not _bounded(loaded):
        what = f"expected at most {MAX_NODES:,} values, {MAX_DEPTH} deep, with aliases expanded"
        raise Problem(
            findings=[_wrong(f"{what}, got more", "aliases of aliases grow: write fewer")]
        )
    return loaded


def _bounded(loaded: object) -> bool:
    """Whether it can be written without aliases; an anchor may hold itself."""
    left = MAX_NODES
    waiting = [(loaded, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > MAX_DEPTH:
            return False
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inner]
    return True


def _mapping(loaded: object) -> dict[str, object]:
    if isinstance(loaded, dict) and all(isinstance(key, str) for key in loaded):
        return loaded
    what = f"expected a mapping with `receivers`, got {_kind(loaded)}"
    raise Problem(findings=[_wrong(what)])


def _mistakes(project: Project, base: dict[str, object]) -> Iterator[Finding]:
    route = base.get("route") or {}
    if isinstance(route, dict):
        yield from _root_mistakes(project, route)
        yield from _shapes(route.get("routes"), "route.routes")
    else:
        yield _wrong(f"route: expected a mapping, got {_kind(route)}")
    yield from _shapes(base.get("inhibit_rules"), "inhibit_rules")
    yield from _shapes(base.get("receivers"), "receivers")


def _root_mistakes(project: Project, route: dict[str, object]) -> Iterator[Finding]:
    fallback = project.settings.fallback_receiver
    if route.get("receiver", fallback) != fallback:
        what = f"route.receiver: expected `{fallback}`, got `{route['receiver']}`"
        yield _wrong(what, "leave it out; slos/project.yaml names it: `alertmanager.fallback`")
    for key in _ROOT_ONLY:
        if key in route:
            yield _wrong(f"route.{key}: the root takes every alert", "move it below `route.routes`")


def _shapes(value: object, name: str) -> Iterator[Finding]:
    if value is not None and not isinstance(value, list):
        yield _wrong(f"{name}: expected a list, got {_kind(value)}")
        return
    for index, one in enumerate(value or ()):
        if not isinstance(one, dict):
            yield _wrong(f"{name}[{index}]: expected a mapping, got {_kind(one)}")


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return f"`{value}`"
