"""How a value that somebody wrote is put into a message, and a mistake with its remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from decimal import Decimal

_LONGEST = 80
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


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
    """Control characters as escapes: a message must not move the cursor. Line breaks are kept."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    every = sorted(known)
    near = difflib.get_close_matches(word[:_LONGEST], every, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(every)}"
