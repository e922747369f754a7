"""How a value that somebody wrote is put into a message, and a mistake with its remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from decimal import Decimal

_LONGEST = 80


class Wrong(ValueError):
    """A value that cannot stand where it stands."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


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
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def printable(text: str) -> str:
    """What moves the cursor or cannot be seen as an escape; line breaks are kept."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    every = sorted(known)
    near = difflib.get_close_matches(word[:_LONGEST], every, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(every)}"
