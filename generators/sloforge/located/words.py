"""How a value that somebody wrote is put into a message."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

LONGEST = 80


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An expression or a template that only another program can evaluate."""

    text: str

    def __str__(self) -> str:
        return self.text


def shown(value: object) -> str:
    """Text in backquotes, cut where it is long; numbers and words of YAML bare."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    text = cut(str(value))
    return text if isinstance(value, int | Decimal) else f"`{text}`"


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def printable(text: str, keep: str = "") -> str:
    """What moves the cursor or cannot be seen, as an escape; `keep` may stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else ascii(one)[1:-1] for one in text)
