"""PromQL as a row of tokens: what is refused before the parser sees it, and the text in one line.

The parser accepts dialects that no supported Prometheus does, and neither deep nesting nor long
chains of operators are safe with it: it recurses without a bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import prod

from sloforge.promql import WINDOW

TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*'
    r"|\$[A-Za-z_]\w*|[A-Za-z_:][\w:]*|[\d.]+\w*|\s+|.",
    re.DOTALL,
)
MAX_LENGTH = 4_000
# A metric with matchers: nothing that is looked for here can be in it.
_SIMPLE = re.compile(r"[A-Za-z_:][\w:]*(\{[^{}\[\]()$`#]{0,500}\})?")
MAX_DEPTH = 50
MAX_OPERATORS = 250
# Counted repetitions are compiled by copying, nested ones by copying copies: that takes seconds.
MAX_COPIES = 200
_NESTED = re.compile(r"\)\{([0-9]+)")
_COUNTED = re.compile(r"\{([0-9]+)")
_OPERATORS = frozenset("+-*/%^=<>!") | {"and", "or", "unless", "atan2"}
_DURATION = re.compile(r"(\d+(ms|[smhdwy]))+")
# A window as other tools write it.
TEMPLATE = re.compile(r"\{\{\s*\.?window\s*\}\}|\$\{window\}")


class Refused(ValueError):
    """What is wrong with a token, where it stands in the text, and what to do."""

    def __init__(self, what: str, at: int = 0, remedy: str = "") -> None:
        super().__init__(what)
        self.at, self.remedy = at, remedy


def check(text: str) -> None:
    """Raises Refused for what is too much, or is PromQL only elsewhere."""
    if len(text) > MAX_LENGTH:
        raise Refused(f"expected at most {MAX_LENGTH:,} characters of PromQL, got {len(text):,}")
    if (nested := _NESTED.search(text)) is not None and _copies(text) > MAX_COPIES:
        what = "repeats a repetition too often"
        raise Refused(what, nested.start(), "write a simpler regular expression")
    if _SIMPLE.fullmatch(text):
        return
    if (foreign := TEMPLATE.search(text)) is not None:
        raise Refused(f"cannot be parsed: `{foreign[0]}`", foreign.start(), f"write {WINDOW}")
    depth = operators = 0
    before, brackets = "", 0
    for token in _meaningful(text):
        word = token[0]
        depth += (word in "([{") - (word in ")]}")
        operators += word in _OPERATORS
        if depth > MAX_DEPTH or operators > MAX_OPERATORS:
            raise Refused("is too complex to be read", token.start(), "record a part of it")
        brackets += (word == "[") - (word == "]")
        if word[0] == "$" and (word != WINDOW or before != "["):
            what = f"expected `{WINDOW}` as a range, got `{word}`"
            raise Refused(what, token.start(), f"write [{WINDOW}]")
        _check_number(word, before, token.start(), in_brackets=brackets > 0)
        before = f"{before} {word}" if word == "-" else word


def one_line(text: str) -> str:
    """The expression without comments and line breaks; what stands in quotes is left as it is."""
    parts: list[str] = []
    for token in TOKEN.finditer(text):
        word = token[0]
        if not word.isspace() and word[0] != "#":
            parts.append(word)
        elif parts and parts[-1] != " ":
            parts.append(" ")
    return "".join(parts).strip()


def readable(text: str) -> str:
    """For the parser: `$window` as five minutes, raw strings, which it misreads, with escapes."""
    if WINDOW not in text and "`" not in text:
        return text
    return "".join(_readable(token[0], before) for token, before in _pairs(text))


def same_length(text: str) -> str:
    """The same for finding a place: every token keeps its length."""
    return "".join(_padded(token[0], before) for token, before in _pairs(text))


def windows(text: str) -> int:
    """How often `$window` stands there as a range: `[$window]` or `[$window:30s]`."""
    return sum(token[0] == WINDOW for token in TOKEN.finditer(text))


def _copies(text: str) -> int:
    outer = prod(int(count[:9]) for count in _NESTED.findall(text))
    counts = _COUNTED.findall(_NESTED.sub("", text))
    return outer * max((int(count[:9]) for count in counts), default=1)


def _meaningful(text: str) -> Iterator[re.Match[str]]:
    for token in TOKEN.finditer(text):
        if not token[0].isspace() and token[0][0] != "#":
            yield token


def _pairs(text: str) -> Iterator[tuple[re.Match[str], str]]:
    before = ""
    for token in TOKEN.finditer(text):
        yield token, before
        if not token[0].isspace():
            before = token[0]


def _readable(word: str, before: str) -> str:
    if word == WINDOW and before == "[":
        return "5m"
    if word[0] == "`" and len(word) > 1:
        return json.dumps(word[1:-1], ensure_ascii=False)
    return word


def _padded(word: str, before: str) -> str:
    if word == WINDOW and before == "[":
        return "5m".rjust(len(word), "0")
    if word[0] == "`" and len(word) > 1:
        return '"' + re.sub(r'[\\"\n]', "_", word[1:-1]) + '"'
    return word


def _check_number(word: str, before: str, at: int, *, in_brackets: bool) -> None:
    """Prometheus 2 knows durations in ranges and behind `offset` only, and nothing else there."""
    if not word[0].isdigit():
        return
    timed, wanted = _DURATION.fullmatch(word) is not None, before.startswith("offset")
    if (in_brackets or wanted) and not timed:
        raise Refused(f"expected a duration such as 5m, got `{word}`", at)
    if timed and not in_brackets and not wanted:
        raise Refused(f"expected a number, got the duration `{word}`", at, "write it in seconds")
