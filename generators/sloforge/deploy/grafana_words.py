"""What an update of a dashboard does, in words: objectives, thresholds, panels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sloforge.deploy.grafana_board import Board

Panel = Mapping[str, Any]
_OBJECTIVE = re.compile(r"\*\*([\d.]+) % over ([^*]+)\*\*")
_PLAIN = (
    "title",
    "description",
    "refresh",
    "timezone",
    "graphTooltip",
    "editable",
    "schemaVersion",
)
_TELLS = 8


def summary(before: Board, after: Board) -> tuple[str, ...]:
    """The changes that a person asks about first; at least one where anything differs."""
    lines = [*_place(before, after), *_fields(before.document, after.document)]
    lines += _variables(before.document, after.document)
    lines += _panels(before.document, after.document)
    rest = len(lines) - _TELLS
    if rest > 1:
        lines = [*lines[:_TELLS], f"and {rest} more"]
    return tuple(lines) or ("details that the raw diff shows",)


def _place(before: Board, after: Board) -> Iterator[str]:
    if before.folder != after.folder:
        yield f"folder {before.folder or 'root'} -> {after.folder or 'root'}"
    if before.mark != after.mark:
        yield f"becomes ours: tag {after.mark}" if after.mark else f"loses our tag {before.mark}"


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in _PLAIN:
        if before.get(name) != after.get(name):
            yield f"{name} {_brief(before.get(name))} -> {_brief(after.get(name))}"
    old, new = set(before.get("tags") or ()), set(after.get("tags") or ())
    yield from (f"tag {tag} added" for tag in sorted(new - old))
    yield from (f"tag {tag} removed" for tag in sorted(old - new))
    for name in ("time", "timepicker", "links", "annotations"):
        if before.get(name) != after.get(name):
            yield f"{name} changed"


def _variables(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = _named(before), _named(after)
    yield from (f"variable {name} added" for name in new if name not in old)
    yield from (f"variable {name} removed" for name in old if name not in new)
    yield from (
        f"variable {name} changed" for name in new if name in old and new[name] != old[name]
    )


def _named(document: Mapping[str, Any]) -> dict[str, Any]:
    templating = document.get("templating")
    found = templating.get("list") if isinstance(templating, dict) else None
    return {str(one.get("name")): one for one in found or () if isinstance(one, dict)}


def _panels(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_numbered(before)), dict(_numbered(after))
    for number, panel in new.items():
        if number not in old:
            yield f"panel {_title(panel)} added"
        elif old[number] != panel:
            yield f"{_title(panel)}: {', '.join(_differences(old[number], panel))}"
    yield from (f"panel {_title(panel)} removed" for n, panel in old.items() if n not in new)


def _numbered(document: Mapping[str, Any]) -> Iterator[tuple[object, Panel]]:
    """Every panel by its id, those of collapsed rows too; a row without those it holds."""
    for at, panel in enumerate(document.get("panels") or ()):
        if not isinstance(panel, dict):
            continue
        yield panel.get("id", f"#{at}"), {k: v for k, v in panel.items() if k != "panels"}
        yield from _numbered(panel)


def _differences(old: Panel, new: Panel) -> Iterator[str]:
    """What is told in words of its own, then the names of whatever else changed."""
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    objective = _objective(old), _objective(new)
    if all(objective) and objective[0] != objective[1]:
        changed.discard("options")
        yield f"objective {objective[0]} -> {objective[1]}"
    steps = _steps(old), _steps(new)
    if steps[0] != steps[1]:
        changed.discard("fieldConfig")
        yield f"threshold {steps[0] or 'none'} -> {steps[1] or 'none'}"
    if "title" in changed:
        yield f"renamed from {_title(old)}"
    if _queries(old) != _queries(new):
        changed.discard("targets")
        yield "query changed"
    if "gridPos" in changed:
        yield "moved"
    rest = sorted(changed - {"title", "gridPos"})
    if rest:
        yield f"{', '.join(rest)} changed"


def _objective(panel: Panel) -> str:
    options = panel.get("options")
    content = options.get("content") if isinstance(options, dict) else None
    found = _OBJECTIVE.search(content) if isinstance(content, str) else None
    return f"{found[1]} % over {found[2]}" if found else ""


def _steps(panel: Panel) -> str:
    """The values at which the colour changes."""
    found: object = panel
    for name in ("fieldConfig", "defaults", "thresholds", "steps"):
        found = found.get(name) if isinstance(found, dict) else None
    steps = found if isinstance(found, list) else []
    values = [step.get("value") for step in steps if isinstance(step, dict)]
    return ", ".join(f"{value:g}" for value in values if isinstance(value, int | float))


def _queries(panel: Panel) -> list[object]:
    targets = panel.get("targets")
    found = targets if isinstance(targets, list) else []
    return [target.get("expr") for target in found if isinstance(target, dict)]


def _title(panel: Panel) -> str:
    return f"`{panel.get('title') or panel.get('type', '?')}`"


def _brief(value: object) -> str:
    text = str(value)
    return f"`{text[:40]}...`" if len(text) > 43 else f"`{text}`"  # noqa: PLR2004 - with the dots
