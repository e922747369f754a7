"""A mistake with its remedy, and the word that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from sloforge.located.words import LONGEST


class Wrong(ValueError):
    """A value that cannot stand where it stands."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    every = sorted(known)
    near = difflib.get_close_matches(word[:LONGEST], every, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(every)}"
