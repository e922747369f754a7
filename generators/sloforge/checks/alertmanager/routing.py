"""Alertmanager's routing tree in a few lines: which receivers an alert with these labels reaches.

Source: https://prometheus.io/docs/alerting/latest/configuration/#route and, for the matchers'
syntax, pkg/labels/parse.go of Alertmanager 0.25 (the one that all later versions still read).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sloforge.promql import Matcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_MATCHER = re.compile(
    r"\s*(?P<label>[a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?P<op>=~|!~|!=|=)\s*"
    r'(?P<value>"(?:[^"\\]|\\.)*"|[^",]*?)\s*(?:,|$)',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


class MatcherError(ValueError):
    """A matcher that Alertmanager would refuse; its text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the tree; `path` is where it stands in the configuration."""

    path: Path
    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    routes: tuple[Route, ...]

    def walk(self) -> Iterator[Route]:
        """Itself and all below it, in the order of the file."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def destinations(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """The routes an alert ends at; empty where it does not match."""
        if not all(matcher.matches(labels.get(matcher.label, "")) for matcher in self.matchers):
            return ()
        found: list[Route] = []
        for child in self.routes:
            reached = child.destinations(labels)
            found += reached
            if reached and not child.continues:
                break
        return tuple(found) or (self,)


def receivers(config: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Who is told of an alert, in the order of the routes. Raises MatcherError."""
    return tuple(route.receiver for route in tree(config).destinations(labels))


def tree(config: Mapping[str, Any]) -> Route:
    """The routing tree of a whole configuration. Raises MatcherError."""
    return _route(config.get("route") or {}, ("route",), "")


def _route(node: Mapping[str, Any], path: Path, inherited: str) -> Route:
    receiver = str(node.get("receiver") or inherited)
    children = node.get("routes") or ()
    below = (_route(one, (*path, "routes", at), receiver) for at, one in enumerate(children))
    return Route(
        path=path,
        receiver=receiver,
        matchers=tuple(conditions(node)),
        continues=bool(node.get("continue", False)),
        routes=tuple(below),
    )


def conditions(node: Mapping[str, Any], prefix: str = "") -> Iterator[Matcher]:
    """All matchers of a route, or of one side of an inhibition (`source_`, `target_`)."""
    for text in node.get(f"{prefix}matchers") or ():
        yield from parse(text)
    for label, value in (node.get(f"{prefix}match") or {}).items():
        yield Matcher(label, "=", str(value))
    for label, value in (node.get(f"{prefix}match_re") or {}).items():
        yield _valid(Matcher(label, "=~", str(value)))


def parse(text: str) -> tuple[Matcher, ...]:
    """`severity="page"`, or several with commas, in braces or not. Raises MatcherError."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    found: list[Matcher] = []
    at = 0
    while at < len(inner):
        match = _MATCHER.match(inner, at)
        if match is None:
            raise MatcherError(f'expected a matcher such as severity="page", got `{text}`')
        found.append(_valid(Matcher(match["label"], match["op"], _value(match["value"]))))  # type: ignore[arg-type]
        at = match.end()
    return tuple(found)


def _value(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text[1:-1])


def _valid(matcher: Matcher) -> Matcher:
    try:
        matcher.matches("")
    except re.error as error:
        raise MatcherError(f"`{matcher.value}` is no regular expression: {error}") from None
    return matcher
