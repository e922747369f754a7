"""Concrete label values and promtool notation for input series that match given selectors."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sloforge.promql import Matcher, Selector, number, quote
from sloforge.sli.base import Fixture, Series

_ORDINARY = ("200", "ok", "a", "0", "/a", "other", "")


def labels_for(wanted: Selector, unwanted: Selector | None = None) -> dict[str, str] | None:
    """Labels of a series that `wanted` selects and `unwanted` does not; None if none is found."""
    try:
        return _labels_for(wanted, unwanted)
    except re.error:
        return None


def examples(matcher: Matcher) -> tuple[str, ...]:
    """Label values that a matcher is likely to take; none for a negative one."""
    match matcher.op:
        case "=":
            return (matcher.value,)
        case "=~":
            return tuple(dict.fromkeys(_matching(matcher.value)))
        case _:
            return ()


def refused_by(matcher: Matcher) -> str | None:
    """A label value that a matcher does not take; None where it takes everything that is tried."""
    named = (matcher.value, *_matching(matcher.value)) if matcher.op in ("!=", "!~") else ()
    candidates = (*named, *(value for value in _ORDINARY if value))
    try:
        return next((value for value in candidates if not matcher.matches(value)), None)
    except re.error:
        return None


def accepted(matchers: Iterable[Matcher]) -> tuple[str, ...]:
    """Label values that all of them take, the likely ones first; empty where none is found."""
    matchers = tuple(matchers)
    likely = [value for one in matchers for value in examples(one)]
    tried = [
        *likely,
        *(value + end for value in likely for end in ("a", "1")),
        "a",
        "b",
        *_ORDINARY,
    ]
    try:
        found = [v for v in tried if v and all(one.matches(v) for one in matchers)]
    except re.error:
        return ()
    return tuple(dict.fromkeys(found))


def _labels_for(wanted: Selector, unwanted: Selector | None) -> dict[str, str] | None:
    labels: dict[str, str] = {}
    for label in sorted({m.label for m in wanted.matchers}):
        value = _value([m for m in wanted.matchers if m.label == label])
        if value is None:
            return None
        labels[label] = value
    if unwanted is None or not unwanted.accepts(labels):
        return _without_empty(labels)
    for label in sorted({m.label for m in unwanted.matchers}):
        mine = [m for m in wanted.matchers if m.label == label]
        theirs = [m for m in unwanted.matchers if m.label == label]
        others = [value for one in theirs if (value := refused_by(one)) is not None]
        value = _value(mine, partial(_refused, theirs), others)
        if value is not None:
            return _without_empty(labels | {label: value})
    return None


def _refused(matchers: list[Matcher], value: str) -> bool:
    return not all(matcher.matches(value) for matcher in matchers)


def _without_empty(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if value}


def _value(
    matchers: Iterable[Matcher],
    also: Callable[[str], bool] = lambda _: True,
    more: Iterable[str] = (),
) -> str | None:
    """A value that all matchers take; `more` is tried, too."""
    matchers = tuple(matchers)
    likely = [example for m in matchers for example in examples(m)]
    for candidate in (*likely, *_ORDINARY, *more):
        if all(matcher.matches(candidate) for matcher in matchers) and also(candidate):
            return candidate
    return None


def _matching(pattern: str) -> list[str]:
    """Strings that the expression matches, one per top-level alternative."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return []
    if len(tree) == 1 and tree[0][0] is codes.BRANCH:
        return [_sample(branch) for branch in tree[0][1][1]]
    return [_sample(tree)]


def _sample(tree: Any) -> str:
    return "".join(_one(op, argument) for op, argument in tree)


def _one(op: Any, argument: Any) -> str:
    if op is codes.LITERAL:
        return chr(argument)
    if op is codes.ANY:
        return "0"
    if op is codes.BRANCH:
        return _sample(argument[1][0])
    if op is codes.SUBPATTERN:
        return _sample(argument[3])
    if op is codes.NOT_LITERAL:
        return "a" if chr(argument) != "a" else "b"
    if op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        least, _, body = argument
        return _sample(body) * (1 if least == 0 else int(least))
    if op is codes.IN:
        return _in(argument)
    return ""


def _in(members: Any) -> str:
    """A character of a set; of a negated one, the first of a few that it does not name."""
    op, argument = members[0]
    if op is codes.LITERAL:
        return chr(argument)
    if op is codes.RANGE:
        return chr(argument[0])
    if op is codes.CATEGORY:
        return _KINDS.get(argument, "a")
    refused = re.compile(f"[{''.join(map(_member, members[1:]))}]", re.ASCII)
    return next((text for text in "a0b1-_/ A.é" if not refused.match(text)), "")


_KINDS: dict[Any, str] = {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_SPACE: " "}
_KINDS |= {codes.CATEGORY_NOT_WORD: "-"}
_CLASSES: dict[Any, str] = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def _member(member: Any) -> str:
    """One member of a set, as it is written."""
    op, argument = member
    if op is codes.LITERAL:
        return re.escape(chr(argument))
    if op is codes.RANGE:
        return "-".join(re.escape(chr(end)) for end in argument)
    return _CLASSES[argument]


def spelled(name: str, labels: Mapping[str, str]) -> str:
    """`name{a="1",b="2"}` in a fixed order."""
    inner = ",".join(f"{key}={quote(value)}" for key, value in sorted(labels.items()) if value)
    return f"{name}{{{inner}}}" if inner else name


def counter(
    name: str, labels: Mapping[str, str], fixture: Fixture, share: Callable[[Decimal], Decimal]
) -> Series:
    """A counter that grows by `share(bad) x events` per scrape in each phase, from 0."""
    value = Decimal(0)
    parts: list[str] = []
    for phase in fixture.phases:
        step = share(phase.bad) * phase.traffic * fixture.events
        start = value if not parts else value + step
        count = phase.steps if not parts else phase.steps - 1
        parts.append(f"{number(start)}+{number(step)}x{count}")
        value += step * phase.steps
    return Series(series=spelled(name, dict(labels) | dict(fixture.labels)), values=" ".join(parts))
