"""What one file holds for the linter, and how a reader of a platform is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sloforge.health.lint.fields import Notes
from sloforge.health.lint.model import Answer, Heal, Hit, Unit
from sloforge.located.tree import Malformed, Node
from sloforge.located.words import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`known`: the file is of a kind that can hold health checks, whether it does or not."""

    units: tuple[Unit, ...] = ()
    heals: tuple[Heal, ...] = ()
    answers: tuple[Answer, ...] = ()
    hits: tuple[Hit, ...] = ()
    known: bool = True


def unreadable(wrong: Malformed) -> Hit:
    """What is said of a text that cannot be read at all."""
    one = wrong.finding
    what = printable(one.what)
    return Hit(id="HC001", level="error", where=one.where, what=what, remedy=one.remedy)


# Given a document and where to note mistakes; None: it is of another kind.
Reader = Callable[[Node, Notes], Found | None]
NOTHING = Found(known=False)


def joined(parts: Iterable[Found]) -> Found:
    every = tuple(parts)
    return Found(
        units=tuple(one for part in every for one in part.units),
        heals=tuple(one for part in every for one in part.heals),
        answers=tuple(one for part in every for one in part.answers),
        hits=tuple(one for part in every for one in part.hits),
        known=any(part.known for part in every),
    )
