"""The routing tree: matchers that read well, no dead branch, nobody's alert lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sloforge import naming
from sloforge.checks.alertmanager.routing import MatcherError, Route, conditions, parse, tree
from sloforge.checks.alertmanager.setup import SIDES, near, rules
from sloforge.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sloforge.checks.alertmanager.routing import Path
    from sloforge.checks.alertmanager.setup import Setup
    from sloforge.promql import Matcher

_QUOTED = re.compile(r'(=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*(?=[,}]|$)', re.DOTALL)
_BAD_ESCAPE = re.compile(r'\\(?:[n"\\]|(.))', re.DOTALL)
# A regular expression that only lists words.
_LITERALS = re.compile(r"[\w -]+(\|[\w -]+)*", re.ASCII)


def syntax(setup: Setup) -> Iterator[Finding]:
    """Matchers that Alertmanager refuses, or reads otherwise from one version to the next."""
    for path, node, prefix in _matching(setup):
        for old in ("match", "match_re"):
            if f"{prefix}{old}" in node:
                what = f"`{prefix}{old}` is deprecated since Alertmanager 0.22"
                remedy = f"write it as `{prefix}matchers`"
                yield setup.finding("A008", (*path, f"{prefix}{old}"), what, remedy)
        try:
            tuple(conditions(node, prefix))
        except MatcherError as error:
            yield setup.finding("A008", (*path, f"{prefix}matchers"), str(error))
            continue
        for at, text in enumerate(node.get(f"{prefix}matchers") or ()):
            yield from _spelling(setup, (*path, f"{prefix}matchers", at), text)


def _matching(setup: Setup) -> Iterator[tuple[Path, Mapping[str, Any], str]]:
    """Everything that has matchers: routes, and both sides of inhibitions."""
    yield from _nodes(setup.config.get("route") or {}, ("route",))
    for path, rule in rules(setup):
        for side in SIDES:
            yield path, rule, side


def _nodes(node: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any], str]]:
    yield path, node, ""
    for at, child in enumerate(node.get("routes") or ()):
        yield from _nodes(child, (*path, "routes", at))


def _spelling(setup: Setup, path: Path, text: str) -> Iterator[Finding]:
    matchers = parse(text)
    if len(_QUOTED.findall(text)) != len(matchers):
        quoted = ", ".join(f'{m.label}{m.op}"{_escaped(m.value)}"' for m in matchers)
        what = f"`{text}` has an unquoted value, which versions read differently"
        yield setup.finding("A008", path, what, f"write `{quoted}`")
        return
    for match in _BAD_ESCAPE.finditer(text):
        if match[1]:
            what = f"`{text}`: `{match[0]}` is no escape, and Alertmanager 0.27 refuses it"
            yield setup.finding("A008", path, what, f"write `\\{match[0]}`")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def findings(setup: Setup) -> Iterator[Finding]:
    """What the tree does; its matchers must be readable (see `syntax`)."""
    root = tree(setup.config)
    yield from _undefined(setup, root)
    yield from _unreachable(setup, root, root.matchers)
    yield from _unclaimed(setup, root)
    yield from _watchdog(setup, root)
    yield from _typos(setup)


def _undefined(setup: Setup, root: Route) -> Iterator[Finding]:
    """Receivers that nobody defines; those that project.yaml names are reported there."""
    named = {name for _, name in named_by_project(setup)}
    for route in root.walk():
        if route.receiver not in {*setup.receivers, *named}:
            what = f"receiver `{route.receiver}` is not defined"
            remedy = near(route.receiver, setup.receivers)
            yield setup.finding("A003", (*route.path, "receiver"), what, remedy)


def named_by_project(setup: Setup) -> Iterator[tuple[str, str]]:
    """The receivers that slos/project.yaml asks for, with the keys that do."""
    settings = setup.project.settings
    for owner in settings.owners:
        yield f"owners.{owner.name}.page", owner.page
        yield f"owners.{owner.name}.ticket", owner.ticket
    yield "alertmanager.fallback", settings.fallback_receiver
    yield "alertmanager.watchdog", settings.watchdog_receiver


def _unreachable(setup: Setup, route: Route, above: tuple[Matcher, ...]) -> Iterator[Finding]:
    """Branches that ask for the impossible, or whose alerts an earlier one has taken."""
    earlier: list[Route] = []
    for child in route.routes:
        wanted = above + child.matchers
        taker = next((one for one in earlier if _covers(one.matchers, wanted)), None)
        if clash := _contradiction(wanted):
            what = f"is never reached: `{clash[0]}` and `{clash[1]}` exclude each other"
            yield setup.finding("A005", child.path, what, "correct or remove one of them")
        elif taker:
            what = f"is never reached: {_spelled(taker)} takes everything that it matches"
            remedy = f"put it first, or set `continue: true` on {_spelled(taker)}"
            yield setup.finding("A005", child.path, what, remedy)
        else:
            yield from _unreachable(setup, child, wanted)
        if not child.continues:
            earlier.append(child)


def _spelled(route: Route) -> str:
    return "routes" + "".join(f"[{at}]" for at in route.path if isinstance(at, int))


def _covers(general: Iterable[Matcher], special: tuple[Matcher, ...]) -> bool:
    """Whether whatever passes all of `special` also passes all of `general`."""
    return all(one in special or _implied(one, special) for one in general)


def _implied(matcher: Matcher, special: tuple[Matcher, ...]) -> bool:
    """By an equality, or by a list of words that all pass."""
    lists = [_words(one) for one in special if one.label == matcher.label]
    return any(words and all(map(matcher.matches, words)) for words in lists)


def _words(matcher: Matcher) -> tuple[str, ...]:
    """The only values that pass, where they are few enough to be written down."""
    if matcher.op == "=":
        return (matcher.value,)
    if matcher.op == "=~" and _LITERALS.fullmatch(matcher.value):
        return tuple(matcher.value.split("|"))
    return ()


def _contradiction(matchers: tuple[Matcher, ...]) -> tuple[Matcher, Matcher] | None:
    for one in matchers:
        words = _words(one)
        for other in matchers:
            if words and other.label == one.label and not any(map(other.matches, words)):
                return one, other
    return None


def _unclaimed(setup: Setup, root: Route) -> Iterator[Finding]:
    """A generated alert has an owner: it must not end where nobody looks."""
    fallback = setup.project.settings.fallback_receiver
    for fired in setup.fired:
        alert = fired.alert
        if alert and fallback in {route.receiver for route in root.destinations(fired.labels)}:
            where = alert.slo.source if alert.slo else alert.service.source
            what = f"alert `{alert.name}` goes to the fallback receiver `{fallback}`"
            remedy = f"give owner `{alert.service.owner}` a {alert.severity} receiver of its own"
            yield Finding(id="A006", where=where, what=what, remedy=remedy)


def _watchdog(setup: Setup, root: Route) -> Iterator[Finding]:
    wanted = setup.project.settings.watchdog_receiver
    got = tuple(route.receiver for route in root.destinations(setup.watchdog.labels))
    if wanted not in got:
        what = f"alert `{naming.WATCHDOG}` goes to `{', '.join(got)}`, not to `{wanted}`"
        remedy = "let no earlier route take it, or nobody notices when alerting is dead"
        yield setup.finding("A007", ("route",), what, remedy)


def _typos(setup: Setup) -> Iterator[Finding]:
    """A warning: an alert that is not the project's may have the label."""
    known = setup.labels
    for path, node, prefix in _matching(setup):
        for matcher in conditions(node, prefix):
            if matcher.label not in known:
                place = (*path, f"{prefix}matchers")
                what = f"no alert of the project has the label `{matcher.label}`"
                found = setup.finding("A009", place, what, near(matcher.label, known))
                yield Finding(
                    id=found.id,
                    where=found.where,
                    what=found.what,
                    remedy=found.remedy,
                    severity="warning",
                )
