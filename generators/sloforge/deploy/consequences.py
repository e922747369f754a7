"""What a change of rules would break: firing alerts, `for` states, series that are still read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sloforge.deploy import access
from sloforge.deploy.access import Asks
from sloforge.deploy.liverules import LiveGroup
from sloforge.deploy.rulefiles import BUILD_INFO, Group, Rule
from sloforge.deploy.target import Desired
from sloforge.model import Pairs

MOST = 10
_EQUAL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*\\?"([^"\\$]*)\\?"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Our groups as they are and as they would be, and whoever else reads series."""

    before: tuple[Group, ...]
    after: tuple[Group, ...]
    desired: Desired
    others: tuple[LiveGroup, ...] = ()


def warnings(setting: Setting, http: Asks) -> tuple[str, ...]:
    """In words; asks the server what fires now. Raises Problem."""
    if setting.before == setting.after:
        return ()
    found = [*_silenced(setting, http), *_renamed(setting), *_unread(setting)]
    return tuple(found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more"])


def _silenced(setting: Setting, http: Asks) -> Iterator[str]:
    firing = [one for one in _alerts(http) if one["state"] == "firing"]
    before, after = _alerting(setting.before), _alerting(setting.after)
    for alert in firing:
        labels = alert["labels"]
        old, new = (_rule_of(rules, labels) for rules in (before, after))
        if old is None or old == new:
            continue
        if new is None:
            yield f"silences {old.title}, which is firing now"
        elif (still := _still_fires(new, labels, http)) is None:
            yield f"changes {new.title}, which is firing now; whether it still would is not known"
        elif not still:
            yield f"silences {new.title}, which is firing now: its new expression holds no more"


def _alerts(http: Asks) -> Iterable[Mapping[str, Any]]:
    found = access.data(http.request("GET", "/api/v1/alerts"))
    # vmalert has null where there are none.
    alerts: list[Mapping[str, Any]] = found["alerts"] or []
    return alerts


def _alerting(groups: tuple[Group, ...]) -> list[Rule]:
    return [rule for group in groups for rule in group.rules if rule.kind == "alert"]


def _rule_of(rules: list[Rule], labels: Mapping[str, str]) -> Rule | None:
    """The rule that an alert with these labels comes from; templated labels cannot be told."""
    return next(
        (
            rule
            for rule in rules
            if rule.name == labels.get("alertname")
            and all(labels.get(key) == value for key, value in rule.labels if "{{" not in value)
        ),
        None,
    )


def _still_fires(rule: Rule, labels: Mapping[str, str], http: Asks) -> bool | None:
    """None where the server answers no queries, as vmalert does not."""
    answer = http.request("GET", "/api/v1/query", params={"query": rule.expr})
    if not answer.ok:
        return None
    found = access.data(answer)
    if found["resultType"] != "vector":
        return True
    own = {key for key, _ in rule.labels} | {"alertname", "__name__"}
    bare = {key: value for key, value in labels.items() if key not in own}
    return any(bare == _without(series["metric"], own) for series in found["result"])


def _without(labels: Mapping[str, str], own: set[str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key not in own}


def _renamed(setting: Setting) -> Iterator[str]:
    """A group is known by its file and name: under others, every pending alert starts anew."""
    old, new = ({(g.file, g.name): g for g in found} for found in (setting.before, setting.after))
    fresh = [group for key, group in new.items() if key not in old]
    homes = {rule.identity: (g.file, g.name) for g in fresh for rule in g.rules}
    for key in sorted(old.keys() - new.keys()):
        waiting = [r for r in old[key].rules if (r.wait or r.keep) and r.identity in homes]
        for file, name in sorted({homes[rule.identity] for rule in waiting}):
            renamed = f"renames group {key[1]} to {name}"
            told = renamed if name != key[1] else f"moves group {name} from {key[0]} to {file}"
            yield f"{told}: its alerts lose how long they have been pending"


def _unread(setting: Setting) -> Iterator[str]:
    """Series that nobody would record any more, and who reads them."""
    after = {rule.identity for rule in _records(setting.after)}
    names = {name for name, _ in after}
    dropped = [
        rule
        for rule in sorted(_records(setting.before), key=lambda one: one.identity)
        if rule.identity not in after and rule.name != BUILD_INFO
    ]
    who: dict[int, dict[str, None]] = {at: {} for at in range(len(dropped))}
    for reader, text in _readers(setting) if dropped else ():
        for at, rule in enumerate(dropped):
            if _reads(text, rule, gone=rule.name not in names):
                who[at][reader] = None
    for at, rule in enumerate(dropped):
        yield from (f"drops {rule.title}, which {reader} still reads" for reader in who[at])


def _records(groups: tuple[Group, ...]) -> list[Rule]:
    return [rule for group in groups for rule in group.rules if rule.kind == "record"]


def _readers(setting: Setting) -> Iterator[tuple[str, str]]:
    for group in setting.after:
        yield from ((rule.title, rule.expr) for rule in group.rules)
    for live in setting.others:
        yield from ((one.rule.title, one.rule.expr) for one in live.rules)
    yield from ((artifact.path, artifact.text) for artifact in setting.desired.under("dashboards/"))


def _reads(text: str, rule: Rule, *, gone: bool) -> bool:
    """Whether a selector names the series; one that leaves the SLO open does where all are gone."""
    if rule.name not in text:
        return False
    selectors = re.finditer(rf"(?<![\w:]){re.escape(rule.name)}(?![\w:])(\{{[^}}]*\}})?", text)
    return any(_selects(found[1] or "", rule.labels, gone=gone) for found in selectors)


def _selects(matchers: str, labels: Pairs, *, gone: bool) -> bool:
    pinned = dict(_EQUAL.findall(matchers))
    known = dict(labels)
    agrees = all(known.get(key, "") == value for key, value in pinned.items())
    return agrees and (gone or known.keys() <= pinned.keys())
