"""Selectors that cannot mean what they say: contradictions, foreign jobs, stray parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sloforge.promql import Matcher, Selector
from sloforge.sli.fixtures import examples

_FAMILY = ("_bucket", "_count", "_sum")
# `^` and `$` are implied; anywhere but at the ends they are the one way to match nothing.
_INNER_ANCHOR = re.compile(r"(?<!\\)(?:\\\\)*(?:(?<=[^|(^])\^|\$(?=[^|)$]))")


def contradictions(selector: Selector) -> Iterator[tuple[str, str]]:
    """What and remedy: labels that no series can have."""
    for label in sorted({matcher.label for matcher in selector.matchers}):
        mine = [matcher for matcher in selector.matchers if matcher.label == label]
        if (pair := _conflict(mine)) is not None:
            yield f"matches nothing: {' and '.join(pair)}", "remove one of them"
        for matcher in mine:
            if matcher.op == "=~" and _never(matcher):
                what = f"matches nothing: `{matcher.value}` has an anchor inside"
                yield what, "regular expressions are anchored at both ends already"


def foreign(selector: Selector, job: str | None) -> Iterator[tuple[str, str]]:
    """A `job` matcher that the service's own job does not pass."""
    for matcher in selector.matchers:
        if matcher.label == "job" and job is not None and not _passes(matcher, job):
            what = f"`{matcher}` contradicts the service's `job: {job}`"
            yield what, "remove the matcher; every selector is pinned to the job"


def histogram(selector: Selector, *, native: bool = False) -> Iterator[tuple[str, str]]:
    """A histogram that is given by one of its series."""
    for suffix in _FAMILY:
        if selector.name.endswith(suffix) and not native:
            what = f"expected the histogram's own name, got `{selector.name}`"
            yield what, f"write `{selector.name.removesuffix(suffix)}`"
    if any(matcher.label == "le" for matcher in selector.matchers):
        yield "expected no `le` matcher", "give `threshold` instead"


def outside(part: Selector, whole: Selector) -> Iterator[tuple[str, str]]:
    """Matchers of the whole that events of the part may fail: they would be counted as nothing."""
    if part.name != whole.name:
        return
    for matcher in whole.matchers:
        mine = [one for one in part.matchers if one.label == matcher.label]
        if matcher in mine or _accepts_all(matcher):
            continue
        if not mine:
            yield f"counts events that `total` leaves out by `{matcher}`", f"add `{matcher}`"
        elif (stray := _stray(mine, matcher)) is not None:
            example = Matcher(matcher.label, "=", stray)
            what = f"counts events that `total` leaves out by `{matcher}`: `{example}`"
            yield what, f"add `{matcher}`"


def same(part: Selector, whole: Selector) -> bool:
    """The same series, in whatever order their matchers stand."""
    return part.name == whole.name and set(part.matchers) == set(whole.matchers)


def constant(selector: Selector, label: str) -> bool:
    """Whether no series of the selector has the label."""
    return any(m.label == label and m.op == "=" and not m.value for m in selector.matchers)


def _conflict(matchers: list[Matcher]) -> tuple[str, str] | None:
    for one in matchers:
        for other in matchers:
            if one.op == "=" and not _passes(other, one.value):
                return f"`{one}`", f"`{other}`"
            opposite = {"=~": "!~"}.get(one.op)
            if opposite == other.op and one.value == other.value:
                return f"`{one}`", f"`{other}`"
    return None


def _never(matcher: Matcher) -> bool:
    if not _INNER_ANCHOR.search(matcher.value):
        return False
    found = [one for one in examples(matcher) if _passes(matcher, one)]
    return not found


def _accepts_all(matcher: Matcher) -> bool:
    return matcher.op == "=~" and matcher.value in (".*", "^.*$", "(.*)")


def _stray(matchers: list[Matcher], whole: Matcher) -> str | None:
    """A label value that the part's matchers take and the whole's does not; None: none is found."""
    wanted = [one for matcher in matchers for one in examples(matcher)]
    refused = examples(Matcher(whole.label, "=~", whole.value)) if whole.op != "=" else ()
    for value in (*wanted, *refused):
        if all(_passes(m, value) for m in matchers) and not _passes(whole, value):
            return value
    return None


def _passes(matcher: Matcher, value: str) -> bool:
    """True also for an expression that Python cannot judge: only what is certain is refused."""
    try:
        return matcher.matches(value)
    except (re.error, RecursionError, OverflowError):
        return True
