"""Where an expression stops being PromQL: the parser names no place, so it is looked for here."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from sloforge.specs.tokens import TOKEN

_OPEN, _CLOSE = "([{", ")]}"
_ENDINGS = ("", "x", "(x)", ")", "x)", "1", "[5m]", "x))", "))")
# Up to here every beginning is tried; a longer text is halved, which may point a little beside.
_SHORT = 150
_WIDTH = 100


def shown(text: str, at: int) -> str:
    """The line of the text that holds the place, and a caret below it."""
    at = min(at, len(text))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line, column = text[start : end if end >= 0 else len(text)], at - start
    if len(line) > _WIDTH:
        left = max(0, column - _WIDTH // 2)
        line, column = f"…{line[left : left + _WIDTH]}…", column - left + 1
    return f"    {line}\n    {' ' * column}^"


def place(text: str, reason: str, parses: Callable[[str], bool]) -> int:
    """An open bracket or quote, a name that the reason quotes, or the first stop."""
    if "left parenthesis" in reason or "left b" in reason:
        return _unclosed(text)
    named = re.search(r"'(\w+)'|\bfor (.+)$", reason)
    for word in (named[1], named[2]) if named else ():
        if word and word in text:
            return text.index(word)
    if "quote" in reason:
        return _open_quote(text)
    return _first_stop(text, parses)


def _unclosed(text: str) -> int:
    opened: list[int] = []
    for token in TOKEN.finditer(text):
        if token[0] in _OPEN:
            opened.append(token.start())
        elif token[0] in _CLOSE and opened:
            opened.pop()
    return opened[-1] if opened else len(text)


def _open_quote(text: str) -> int:
    for token in TOKEN.finditer(text):
        if token[0] in ("'", '"', "`"):
            return token.start()
    return len(text)


def _first_stop(text: str, parses: Callable[[str], bool]) -> int:
    """The end of the longest beginning that some ending completes."""
    ends = [token.end() for token in TOKEN.finditer(text)]

    def stops(end: int) -> bool:
        return not any(parses(text[:end] + ending) for ending in _ENDINGS)

    if len(ends) <= _SHORT:
        best = max((end for end in ends if not stops(end)), default=0)
    else:
        stop = bisect_left(ends, x=True, key=stops)
        best = ends[stop - 1] if stop else 0
    rest = text[best:]
    return best + len(rest) - len(rest.lstrip())
