"""What a Prometheus evaluates now, from /api/v1/rules, compared with what it should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from sloforge.deploy import access, rulefiles
from sloforge.deploy.access import Asks
from sloforge.deploy.rulefiles import Group, Rule
from sloforge.errors import Problem

CONCURRENCY = 4
Key = tuple[str, str]
# Servers that know no `keep_firing_for` do not tell it either.
NOT_TOLD = -1.0
SHOWN = 5
_STRING_OR_SPACE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|\s+""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRule:
    """A rule of the server; `health` is `ok`, `err` or, before its first evaluation, `unknown`."""

    rule: Rule
    health: str
    error: str
    evaluated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    """A group of the server; `file` is a path as the server sees it."""

    file: str
    name: str
    interval: float
    rules: tuple[LiveRule, ...]

    @property
    def group(self) -> Group:
        rules = tuple(one.rule for one in self.rules)
        return Group(name=self.name, interval=self.interval, rules=rules)


def read(http: Asks) -> tuple[LiveGroup, ...]:
    """Every group of the server, in its order. Raises Problem."""
    answer = http.request("GET", "/api/v1/rules")
    found = access.data(answer)
    try:
        return tuple(_group(one) for one in found["groups"] or ())
    except (KeyError, TypeError, ValueError):
        raise Problem(f"{answer.asked}: expected rule groups, got `{answer.quoted}`") from None


def _group(found: Mapping[str, Any]) -> LiveGroup:
    return LiveGroup(
        file=str(found.get("file", "")),
        name=str(found["name"]),
        interval=rulefiles.seconds(found.get("interval") or 0),
        rules=tuple(_rule(one) for one in found.get("rules") or ()),
    )


def _rule(found: Mapping[str, Any]) -> LiveRule:
    rule = Rule(
        kind="alert" if found["type"] == "alerting" else "record",
        name=str(found["name"]),
        expr=str(found["query"]),
        wait=rulefiles.seconds(found.get("duration") or 0),
        keep=rulefiles.seconds(found.get("keepFiringFor", NOT_TOLD)),
        labels=rulefiles.pairs(found.get("labels")),
        annotations=rulefiles.pairs(found.get("annotations")),
    )
    evaluated = not str(found.get("lastEvaluation", "0001")).startswith("0001")
    return LiveRule(
        rule=rule,
        health=str(found.get("health", "unknown")),
        error=str(found.get("lastError") or ""),
        evaluated=evaluated,
    )


def unseen(key: Key, group: Group) -> LiveGroup:
    """A group as it was sent, of which nothing has been seen."""
    rules = tuple(
        LiveRule(rule=r, health="unknown", error="", evaluated=False) for r in group.rules
    )
    return LiveGroup(file=key[0], name=key[1], interval=group.interval, rules=rules)


class Formatter:
    """Expressions as the server itself spells them, each asked for once."""

    def __init__(self, http: Asks) -> None:
        self._http = http
        self._known: dict[str, str] = {}

    def learn(self, exprs: Iterable[str]) -> None:
        """Ask for those that are not known yet, a few at a time."""
        missing = sorted(set(exprs) - self._known.keys())
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            self._known |= zip(missing, pool.map(self._ask, missing), strict=True)

    def __call__(self, expr: str) -> str:
        return self._known[expr]

    def _ask(self, expr: str) -> str:
        answer = self._http.request("GET", "/api/v1/format_query", params={"query": expr})
        return str(access.data(answer))


def same_words(one: str, other: str) -> bool:
    """Whether two expressions differ in white space alone."""
    return _packed(one) == _packed(other)


def _packed(expr: str) -> str:
    return _STRING_OR_SPACE.sub(lambda found: found[1] or "", expr)


Wanted = Mapping[Key, Group]
Live = Mapping[Key, LiveGroup]


def differences(wanted: Wanted, live: Live, formatter: Formatter | None) -> tuple[str, ...]:
    """What a server evaluates otherwise than it should; keys are the file's name and the group's.

    Without a formatter expressions are compared by their words: for servers that print what they
    were given.
    """
    if formatter is not None:
        formatter.learn(_to_format(wanted, live))
    return tuple(_differences(wanted, live, formatter))


def _to_format(wanted: Wanted, live: Live) -> Iterator[str]:
    for key in wanted.keys() & live.keys():
        for want, have in zip(wanted[key].rules, live[key].rules, strict=False):
            if not same_words(want.expr, have.rule.expr):
                yield from (want.expr, have.rule.expr)


def _differences(wanted: Wanted, live: Live, formatter: Formatter | None) -> Iterator[str]:
    for key in sorted(wanted.keys() | live.keys()):
        spelled = "/".join(key)
        if key not in live:
            yield f"group {spelled} is not loaded"
        elif key not in wanted:
            yield f"group {spelled} is still loaded"
        else:
            yield from _group_differences(spelled, wanted[key], live[key].group, formatter)


def _group_differences(
    spelled: str, want: Group, have: Group, formatter: Formatter | None
) -> Iterator[str]:
    if want.interval and want.interval != have.interval:
        yield f"group {spelled} has interval {have.interval:g} s, expected {want.interval:g} s"
    if len(want.rules) != len(have.rules):
        yield f"group {spelled} has {len(have.rules)} rules, expected {len(want.rules)}"
        return
    for ours, theirs in zip(want.rules, have.rules, strict=True):
        same = same_words(ours.expr, theirs.expr)
        if not same and formatter is not None:
            same = formatter(ours.expr) == formatter(theirs.expr)
        keep = ours.keep if theirs.keep == NOT_TOLD else theirs.keep
        if not same or replace(ours, expr="") != replace(theirs, expr="", keep=keep):
            yield f"group {spelled}: {ours.title} is not what was deployed"


def unhealthy(live: Iterable[LiveGroup]) -> tuple[str, ...]:
    """The rules whose last evaluation failed, with the server's words."""
    return tuple(
        f"group {group.name}: {one.rule.title}: {one.error or one.health}"
        for group in live
        for one in group.rules
        if one.evaluated and (one.error or one.health not in ("ok", "unknown"))
    )


def pending(live: Iterable[LiveGroup]) -> tuple[str, ...]:
    """The rules that have not been evaluated yet."""
    return tuple(
        f"group {group.name}: {one.rule.title}"
        for group in live
        for one in group.rules
        if not one.evaluated or (one.health == "unknown" and not one.error)
    )


def some(lines: tuple[str, ...]) -> str:
    """The first few lines, and how many there are more."""
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more
