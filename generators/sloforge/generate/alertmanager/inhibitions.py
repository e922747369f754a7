"""Which alert keeps which other from notifying: one incident wakes somebody once.

An absent label equals an empty one in `equal`, so every rule demands the labels that it compares.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import alerts
from sloforge.promql import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from sloforge.alerts import Alert, AlertKind
    from sloforge.model import Project

Rule = dict[str, object]
OF_AN_SLO = 'slo_name!=""'


def inhibitions(project: Project) -> Iterator[Rule]:
    """From the cause to the symptom, never from a ticket to a page."""
    found = alerts(project)
    same = _same_slo(project)
    severe = matcher("severity", "page")
    minor = matcher("severity", "ticket")
    # That rules are stale says something about the page's own numbers: it is never held back.
    symptoms = [minor, OF_AN_SLO, *_named("rules-stale", found, "!~")]
    yield _rule([severe, OF_AN_SLO], symptoms, same)
    for long, slower in _faster(found):
        source = [matcher("long", duration(long)), 'burn!=""', OF_AN_SLO]
        target = [_any_of("long", [duration(one) for one in slower]), 'burn!=""', OF_AN_SLO]
        yield _rule(source, target, [*same, "severity"])
    if spent := _named("budget-exhausted", found):
        yield _rule([*spent, 'burn=""', OF_AN_SLO], [minor, 'burn!=""', OF_AN_SLO], same)
    if down := _named("down", found):
        source = [*down, 'slo_service!=""', 'slo_name=""']
        # A burn and a quantile look back over windows; what the budget is like stays worth knowing.
        yield _rule(source, ['long!=""', OF_AN_SLO], _same_service(project))


def matcher(label: str, value: str, operator: str = "=") -> str:
    """Quoted and escaped, as every version's parser reads it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}{operator}"{escaped}"'


def _any_of(label: str, values: list[str]) -> str:
    if len(values) == 1:
        return matcher(label, values[0])
    return matcher(label, "|".join(values), "=~")


def _named(kind: AlertKind, found: Iterable[Alert], operator: str = "=~") -> list[str]:
    """A matcher of the alerts of one kind: by the end of their names, or by a name of their own."""
    names = {alert.name for alert in found if alert.kind == kind}
    suffix = naming.camel(kind)
    own = sorted(name for name in names if not name.endswith(suffix))
    patterns = [f".+{suffix}"] * (len(own) < len(names)) + own
    return [matcher("alertname", "|".join(patterns), operator)] if names else []


def _faster(found: Iterable[Alert]) -> Iterator[tuple[timedelta, list[timedelta]]]:
    """Each long window with the longer ones that stand beside it, at one severity, in some SLO."""
    beside = defaultdict(set)
    for alert in found:
        if alert.burn is not None and alert.slo is not None:
            beside[alert.slo.id, alert.severity].add(alert.burn.long)
    slower: dict[timedelta, set[timedelta]] = defaultdict(set)
    for windows in beside.values():
        for window in windows:
            slower[window] |= {one for one in windows if one > window}
    return ((long, sorted(slower[long])) for long in sorted(slower) if slower[long])


def _rule(source: list[str], target: list[str], equal: list[str]) -> Rule:
    return {"source_matchers": source, "target_matchers": target, "equal": list(equal)}


def _same_slo(project: Project) -> list[str]:
    """With every `by` label, or a page of one region silences the ticket of another."""
    by = {label for slo in project.slos for label in slo.by}
    return list(dict.fromkeys(["slo_service", "slo_name", *sorted(by), *_constant(project)]))


def _same_service(project: Project) -> list[str]:
    return list(dict.fromkeys(["slo_service", *_constant(project)]))


def _constant(project: Project) -> list[str]:
    """The project's labels tell it from another one that sends to the same Alertmanager."""
    return sorted(dict(project.settings.labels))
