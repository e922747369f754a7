"""JSON text -> one located node."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.sources import MAX_DEPTH, MAX_NODES
from sloforge.located.tree import Malformed, Node, place

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<mark>[{}\[\]:,])
    | (?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")
    | (?P<number>-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,3})?)(?![0-9.])
    | (?P<word>true|false|null)\b
    )""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}


def document(text: str, path: str) -> Node:
    """The value that the text is. Raises Malformed."""
    return _Reader(text, path).document()


class _Reader:
    """A cursor over the text; `_next` moves it by one token."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path, self._at, self._nodes = text, path, 0, 0

    def document(self) -> Node:
        node = self._value(self._next(), 0)
        if self._text[self._at :].strip(" \t\r\n"):
            raise self._wrong(self._skipped(), "expected the end of the file")
        return node

    def _where(self, at: int) -> Location:
        return place(self._path, self._text, at)

    def _skipped(self) -> int:
        rest = len(self._text) - len(self._text[self._at :].lstrip(" \t\r\n"))
        return min(rest, len(self._text))

    def _wrong(self, at: int, what: str) -> Malformed:
        seen = self._text[at : at + 20].split("\n")[0]
        got = f"`{seen}`" if seen else "the end of the file"
        return Malformed(self._where(at), f"not valid JSON: {what}, got {got}")

    def _next(self) -> re.Match[str]:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self._wrong(self._skipped(), "expected a value or a mark")
        self._at = found.end()
        return found

    def _value(self, token: re.Match[str], depth: int) -> Node:
        kind = token.lastgroup or ""
        start, raw = token.start(kind), token[kind]
        where = self._where(start)
        self._count(where, depth)
        if raw == "{":
            return self._object(start, depth)
        if raw == "[":
            return self._array(start, depth)
        if kind == "mark":
            raise self._wrong(start, "expected a value")
        return Node(_scalar(kind, raw), where, start=start, end=token.end(), flow=True)

    def _count(self, where: Location, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise Malformed(where, f"expected at most {MAX_DEPTH} levels of nesting, got more")
        if self._nodes > MAX_NODES:
            raise Malformed(where, f"expected at most {MAX_NODES:,} values, got more")

    def _object(self, start: int, depth: int) -> Node:
        found: dict[str, Node] = {}
        token = self._next()
        while token["mark"] != "}":
            at = token.start("text")
            if token["text"] is None:
                raise self._wrong(token.start(token.lastgroup or ""), "expected a key in quotes")
            name = str(json.loads(token["text"]))
            self._mark(self._next(), ":")
            value = self._value(self._next(), depth + 1)
            if name in found:
                what = f"duplicate key `{name}`"
                raise Malformed(self._where(at), what, f"it is already at {found[name].key}")
            found[name] = replace(value, key=self._where(at), key_start=at)
            token = self._more("}")
        return Node(found, self._where(start), start=start, end=self._at, flow=True)

    def _array(self, start: int, depth: int) -> Node:
        found: list[Node] = []
        token = self._next()
        while token["mark"] != "]":
            found.append(self._value(token, depth + 1))
            token = self._more("]")
        return Node(found, self._where(start), start=start, end=self._at, flow=True)

    def _more(self, closing: str) -> re.Match[str]:
        """The token behind a comma, or the closing mark."""
        token = self._next()
        if token["mark"] == closing:
            return token
        self._mark(token, ",", closing)
        token = self._next()
        if token["mark"] == closing:
            raise self._wrong(token.start("mark"), "expected a value behind the comma")
        return token

    def _mark(self, token: re.Match[str], *wanted: str) -> None:
        if token["mark"] not in wanted:
            expected = " or ".join(f"`{one}`" for one in wanted)
            raise self._wrong(token.start(token.lastgroup or ""), f"expected {expected}")


def _scalar(kind: str, raw: str) -> object:
    if kind == "text":
        return json.loads(raw)
    if kind == "word":
        return _WORDS[raw]
    return int(raw) if raw.lstrip("-").isdigit() else Decimal(raw)
