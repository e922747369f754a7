"""Hits that are right and yet not wanted: `# sloforge:ignore HC201 reason`, or an annotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sloforge.errors import Location
from sloforge.health.lint.model import Hit
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.sources import Source

_COMMENT = re.compile(r"(?:#|//)[ \t]*sloforge:ignore\b[ \t]*([^\s]*)[ \t]*([^\r\n]*)")
_ALONE = re.compile(r"\s*(?:#|//)")
# What says that a file could not be understood cannot be waved through.
FIXED = ("HC001", "HC003", "HC005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment, and the line that it speaks of: its own, or the next one."""

    id: str
    reason: str
    where: Location
    line: int


def comments(source: Source) -> Iterator[Comment]:
    """From the last to the first, so that each knows the next line that is no comment."""
    lines = source.text.splitlines() if "sloforge:ignore" in source.text else []
    below = len(lines) + 1
    for number in range(len(lines), 0, -1):
        line = lines[number - 1]
        alone = _ALONE.match(line) is not None
        found = _COMMENT.search(line) if "sloforge:ignore" in line else None
        if found is not None:
            yield Comment(
                id=found[1],
                reason=found[2].strip(),
                where=Location(source.path, number, found.start() + 1),
                line=below if alone else number,
            )
        below = below if alone else number


def kept(
    hits: Iterable[Hit], sources: Iterable[Source], everywhere: Mapping[str, str]
) -> tuple[Hit, ...]:
    """The hits that stay, with one for each suppression that does not hold.

    `everywhere`: ids with a reason, for a whole run.
    """
    every = [comment for source in sources for comment in comments(source)]
    good = [one for one in every if _holds(one)]
    at: dict[tuple[str, str, int], list[Comment]] = {}
    for one in good:
        at.setdefault((one.id, one.where.path, one.line), []).append(one)
    left, used = [], set[Comment]()
    for hit in hits:
        places = {(hit.id, place.path, place.line) for place in (hit.where, *hit.anchors)}
        by = {one for place in places for one in at.get(place, ())}
        used |= by
        ignored = hit.id in everywhere or any(hit.id == id_ for id_, _ in hit.ignores)
        if hit.id in FIXED or not (by or ignored):
            left.append(hit)
    bad = [_bad(one) for one in every if not _holds(one)]
    unused = [_unused(one) for one in good if one not in used]
    return (*left, *bad, *unused)


def _holds(comment: Comment) -> bool:
    return bool(comment.reason) and comment.id in CATALOG and comment.id not in FIXED


def _bad(comment: Comment) -> Hit:
    what = f"sloforge:ignore {comment.id}: expected a reason, got none"
    remedy = "say why the rule does not hold here"
    if comment.id in FIXED:
        what = f"sloforge:ignore {comment.id}: it cannot be suppressed"
        remedy = "put the file right"
    elif comment.id not in CATALOG:
        what = f"sloforge:ignore: expected the id of a rule, got `{comment.id[:20]}`"
        remedy = "such as HC201; each has a page in docs/checks"
    return Hit(id="HC005", level="error", where=comment.where, what=what, remedy=remedy)


def _unused(comment: Comment) -> Hit:
    what = f"sloforge:ignore {comment.id}: suppresses nothing"
    return Hit(id="HC005", level="warning", where=comment.where, what=what, remedy="remove it")
