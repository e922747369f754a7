"""M001: names that a mixin shares with ours or with another mixin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sloforge.errors import Finding, Location, Severity
from sloforge.libyaml import load
from sloforge.naming import is_foreign

if TYPE_CHECKING:
    from sloforge.model import Project

_WHY = {
    "group": "rename one: dashboards and alerts on rule groups tell them apart by this name",
    "record": "record it once: two rules write different values into one series",
    "dashboard": "give it another uid: one would replace the other",
    "alert": "rename or remove one: silences, routes and runbooks go by this name",
}
Named = tuple[str, str]


def mixin_findings(project: Project, texts: Mapping[str, str]) -> Iterator[Finding]:
    """M001: a group, series, alert or dashboard whose name another author has taken."""
    sources = {path: _source(project, path) for path in texts}
    owners: dict[Named, str] = {}
    # Ours first: a mixin is what can be changed.
    for path in sorted(texts, key=lambda path: (is_foreign(path), path)):
        for named in dict.fromkeys(_names(path, texts[path])):
            first = owners.setdefault(named, path)
            if sources[first] != sources[path]:
                yield _taken(named, sources[path], first)


def _source(project: Project, path: str) -> str:
    """What one author wrote together; ours is one, whichever file it is in."""
    if not is_foreign(path):
        return ""
    name = path.split("/")[2].removesuffix(".yml")
    return next(mixin.source.path for mixin in project.mixins if mixin.name == name)


def _names(path: str, text: str) -> Iterator[Named]:
    if path.endswith(".json"):
        yield "dashboard", json.loads(text)["uid"]
        return
    for group in load(text)["groups"]:
        yield "group", group["name"]
        for rule in group["rules"]:
            yield from _named(rule)


def _named(rule: Mapping[str, Any]) -> Iterator[Named]:
    """Series of one name and different labels get on with one another."""
    if "alert" in rule:
        yield "alert", rule["alert"]
        return
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(rule.get("labels", {}).items()))
    yield "record", rule["record"] + (f"{{{labels}}}" if labels else "")


def _taken(named: Named, source: str, first: str) -> Finding:
    kind, name = named
    what = f"the {kind} `{name}` is in {first}, too"
    severity: Severity = "warning" if kind == "group" else "error"
    where = Location(source)
    return Finding(id="M001", where=where, what=what, remedy=_WHY[kind], severity=severity)
