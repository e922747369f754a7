"""The inhibitions: none may silence more than its author meant."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sloforge import naming
from sloforge.checks.alertmanager.routing import conditions
from sloforge.checks.alertmanager.setup import near, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloforge.checks.alertmanager.routing import Path
    from sloforge.checks.alertmanager.setup import Fired, Setup
    from sloforge.errors import Finding
    from sloforge.promql import Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Alerts whose `equal` labels agree: any of `sources` silences any of `targets`."""

    sources: tuple[Fired, ...]
    targets: tuple[Fired, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """A rule with what it does to the alerts of the project."""

    path: Path
    equal: tuple[str, ...]
    meetings: tuple[Meeting, ...]


def findings(setup: Setup) -> Iterator[Finding]:
    """What the rules do; their matchers must be readable."""
    for path, rule in rules(setup):
        found = _inhibition(setup, path, rule)
        yield from _uncompared(setup, found)
        yield from _across_values(setup, found)
        yield from _upwards(setup, found)
        yield from _watchdog(setup, found)


def _inhibition(setup: Setup, path: Path, rule: Mapping[str, Any]) -> Inhibition:
    equal = tuple(str(label) for label in rule.get("equal") or ())
    source, target = (tuple(conditions(rule, side)) for side in ("source_", "target_"))
    sources: dict[tuple[str, ...], list[Fired]] = defaultdict(list)
    targets: dict[tuple[str, ...], list[Fired]] = defaultdict(list)
    for fired in (*setup.fired, setup.watchdog):
        key = tuple(fired.labels.get(label, "") for label in equal)
        if _passes(source, fired):
            sources[key].append(fired)
        if _passes(target, fired):
            targets[key].append(fired)
    shared = [key for key in sources if key in targets]
    meetings = [Meeting(sources=tuple(sources[k]), targets=tuple(targets[k])) for k in shared]
    return Inhibition(path=path, equal=equal, meetings=tuple(meetings))


def _passes(matchers: tuple[Matcher, ...], fired: Fired) -> bool:
    return all(matcher.matches(fired.labels.get(matcher.label, "")) for matcher in matchers)


def _uncompared(setup: Setup, rule: Inhibition) -> Iterator[Finding]:
    """An absent label equals an absent label: such an `equal` compares nothing."""
    for at, label in enumerate(rule.equal):
        place = (*rule.path, "equal", at)
        if label not in setup.labels:
            what = f"no alert of the project has the label `{label}`; absent equals absent"
            yield setup.finding("A010", place, what, near(label, setup.labels))
        elif pair := _strangers(rule, label):
            source, target = (fired.labels["alertname"] for fired in pair)
            what = (
                f"neither `{source}` nor `{target}` has the label `{label}`; absent equals "
                "absent, so the one silences the other, of another SLO"
            )
            yield setup.finding("A010", place, what, f'demand it: `{label}!=""` on both sides')


def _strangers(rule: Inhibition, label: str) -> tuple[Fired, Fired] | None:
    """Two alerts of different SLOs that meet because neither has the label."""
    for meeting in rule.meetings:
        sources = [one for one in meeting.sources if not one.labels.get(label)]
        targets = [one for one in meeting.targets if not one.labels.get(label)]
        for source in sources:
            for target in targets:
                if _apart(source, target):
                    return source, target
    return None


def _apart(source: Fired, target: Fired) -> bool:
    """Of other services or other SLOs; a service's own alert is close to all of its SLOs."""
    if source.alert is None or target.alert is None:
        return False
    (service, slo), (other_service, other_slo) = source.subject, target.subject
    return service != other_service or (bool(slo and other_slo) and slo != other_slo)


def _across_values(setup: Setup, rule: Inhibition) -> Iterator[Finding]:
    """An SLO by region has one alert per region; they must not silence each other."""
    for label in sorted({label for slo in setup.project.slos for label in slo.by}):
        if label in rule.equal:
            continue
        for meeting in rule.meetings:
            subjects = {one.subject for one in meeting.sources if one.labels.get(label)}
            crossed = [
                one for one in meeting.targets if one.subject in subjects and one.labels.get(label)
            ]
            if crossed:
                name = crossed[0].labels["alertname"]
                what = f"an alert of one `{label}` silences `{name}` of another"
                remedy = f"add `{label}` to `equal`"
                yield setup.finding("A011", rule.path, what, remedy)
                break


def _upwards(setup: Setup, rule: Inhibition) -> Iterator[Finding]:
    for meeting in rule.meetings:
        tickets = [one for one in meeting.sources if one.labels.get("severity") != "page"]
        pages = [one for one in meeting.targets if one.labels.get("severity") == "page"]
        if tickets and pages:
            source, target = tickets[0].labels["alertname"], pages[0].labels["alertname"]
            what = f"`{source}`, which wakes nobody, silences the page `{target}`"
            remedy = 'add `severity="page"` to `source_matchers`'
            yield setup.finding("A012", rule.path, what, remedy)
            return


def _watchdog(setup: Setup, rule: Inhibition) -> Iterator[Finding]:
    for meeting in rule.meetings:
        others = [one for one in meeting.sources if one is not setup.watchdog]
        if setup.watchdog in meeting.targets and others:
            what = f"`{others[0].labels['alertname']}` silences `{naming.WATCHDOG}`"
            remedy = f'add `alertname!="{naming.WATCHDOG}"` to `target_matchers`'
            yield setup.finding("A007", rule.path, what, remedy)
            return
