"""Terraform's HCL -> located nodes: blocks and literals; every other expression stays unresolved.

A block becomes a list under its type, and a label a mapping key, as in Terraform's JSON syntax.
What stands in `jsonencode(...)` is read as the value that it is.
https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.sources import MAX_DEPTH, MAX_NODES
from sloforge.located.tree import Malformed, Node, place
from sloforge.located.words import Unresolved

_SPACE = re.compile(r"(?:[ \t\r]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# With `${...}` inside, which may hold texts and one level of braces again.
_QUOTED = re.compile(
    r'''"((?:[^"\\\n$%]|\\.|[$%](?!\{)|[$%]\{(?:[^{}"\n]|"(?:[^"\\\n]|\\.)*"|\{[^{}]*\})*\})*)"'''
)
_NUMBER = re.compile(r"-?[0-9]{1,28}(?:\.[0-9]{1,28})?")
_HEREDOC = re.compile(r"<<-?([A-Za-z_][A-Za-z0-9_]*)[ \t]*\r?\n(.*?)\n[ \t]*\1\b", re.DOTALL)
_ENDS = "\n,]})#"
_ENCODED = re.compile(r"jsonencode[ \t]*\(")
_WORDS = {"true": True, "false": False, "null": None}


def document(text: str, path: str) -> Node:
    """The body of the file. Raises Malformed."""
    return _Reader(text, path).document()


class _Reader:
    """A cursor over the text; every method leaves it behind what it read."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path, self._at, self._nodes = text, path, 0, 0
        self._encoded = False

    def document(self) -> Node:
        body = self._body(0, 0)
        if self._at < len(self._text):
            raise self._wrong("expected a block or an attribute")
        return body

    def _where(self, at: int) -> Location:
        return place(self._path, self._text, at)

    def _wrong(self, what: str) -> Malformed:
        seen = self._text[self._at : self._at + 20].split("\n")[0].strip()
        got = f"`{seen}`" if seen else "the end of the line"
        return Malformed(self._where(self._at), f"not valid HCL: {what}, got {got}")

    def _pass(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH:
            what = f"expected at most {MAX_DEPTH} levels of nesting, got more"
            raise Malformed(self._where(self._at), what)
        if self._nodes > MAX_NODES:
            raise Malformed(self._where(self._at), f"expected at most {MAX_NODES:,} values")

    def _body(self, start: int, depth: int) -> Node:
        """Attributes and blocks up to a closing brace or the end of the file."""
        self._count(depth)
        found: dict[str, Node] = {}
        self._pass(_BLANK)
        while self._peek() not in ("", "}"):
            at = self._at
            name = self._take(_NAME)
            if name is None:
                raise self._wrong("expected a name")
            self._pass(_SPACE)
            if self._peek() == "=":
                self._attribute(found, name[0], at, depth)
            else:
                self._block(found, name[0], at, depth)
            self._pass(_BLANK)
        return Node(found, self._where(start), start=start, end=self._at)

    def _attribute(self, found: dict[str, Node], name: str, at: int, depth: int) -> None:
        self._at += 1
        self._pass(_SPACE)
        value = self._value(depth + 1)
        if name in found:
            what = f"duplicate attribute `{name}`"
            raise Malformed(self._where(at), what, f"it is already at {found[name].key}")
        found[name] = replace(value, key=self._where(at), key_start=at)

    def _block(self, found: dict[str, Node], name: str, at: int, depth: int) -> None:
        labels: list[str] = []
        while self._peek() != "{":
            label = self._take(_QUOTED) or self._take(_NAME)
            if label is None:
                raise self._wrong(f"expected `=` or `{{` behind `{name}`")
            labels.append(label[1] if label.re is _QUOTED else label[0])
            self._pass(_SPACE)
        self._at += 1
        body = self._body(self._at, depth + 1)
        if self._peek() != "}":
            raise self._wrong(f"expected `}}` to end `{name}` of line {self._where(at).line}")
        self._at += 1
        node = replace(body, where=self._where(at), key=self._where(at), key_start=at)
        for text in reversed(labels):
            node = Node({text: node}, node.where, key=node.key, key_start=at)
        held = found.get(name)
        if held is not None and isinstance(held.value, list):
            held.value.append(node)
        else:
            found[name] = Node([node], self._where(at), key=self._where(at), key_start=at)

    def _value(self, depth: int) -> Node:
        self._count(depth)
        at = self._at
        if (found := self._encoded_value(at, depth)) is not None:
            return found
        if self._peek() == "{":
            return self._object(at, depth) if self._encoded else self._expression(at)
        if self._peek() == "[":
            return self._tuple(at, depth)
        if (heredoc := self._take(_HEREDOC)) is not None:
            return Node(heredoc[2], self._where(at), start=at, end=self._at)
        for pattern in (_QUOTED, _NUMBER, _NAME):
            taken = self._take(pattern)
            if taken is not None and self._ended():
                return Node(_literal(taken), self._where(at), start=at, end=taken.end())
            self._at = at
        return self._expression(at)

    def _encoded_value(self, at: int, depth: int) -> Node | None:
        """The argument of `jsonencode`, if it is one value and nothing that must be evaluated."""
        if self._encoded or self._take(_ENCODED) is None:
            return None
        self._encoded = True
        try:
            self._pass(_BLANK)
            found = self._value(depth + 1)
            self._pass(_BLANK)
            whole = self._peek() == ")"
        except Malformed:
            whole = False
        finally:
            self._encoded = False
        if not whole:
            self._at = at
            return self._expression(at)
        self._at += 1
        return found

    def _object(self, at: int, depth: int) -> Node:
        """`{a = 1, "b" : 2}`, over several lines or not."""
        self._at += 1
        held: dict[str, Node] = {}
        self._pass(_BLANK)
        while self._peek() != "}":
            start = self._at
            name = self._take(_QUOTED) or self._take(_NAME)
            self._pass(_SPACE)
            if name is None or self._peek() not in ("=", ":"):
                raise self._wrong("expected a name and `=`")
            self._at += 1
            self._pass(_SPACE)
            value = self._value(depth + 1)
            key = name[1] if name.re is _QUOTED else name[0]
            held[key] = replace(value, key=self._where(start), key_start=start)
            self._pass(_BLANK)
            if self._peek() == ",":
                self._at += 1
                self._pass(_BLANK)
        self._at += 1
        return Node(held, self._where(at), start=at, end=self._at)

    def _ended(self) -> bool:
        """Whether nothing but the end of an expression follows."""
        after = self._at
        self._pass(_SPACE)
        ended = self._peek() in ("", *_ENDS)
        self._at = after
        return ended

    def _tuple(self, at: int, depth: int) -> Node:
        items: list[Node] = []
        self._at += 1
        self._pass(_BLANK)
        while self._peek() not in ("]", ""):
            items.append(self._value(depth + 1))
            self._pass(_BLANK)
            if self._peek() == ",":
                self._at += 1
                self._pass(_BLANK)
            elif self._peek() != "]":
                # `[for ...]` and what else is no list of literals.
                self._at = at
                return self._expression(at)
        if self._peek() != "]":
            raise self._wrong("expected `]`")
        self._at += 1
        return Node(items, self._where(at), start=at, end=self._at)

    def _expression(self, at: int) -> Node:
        """Any other expression, up to a line end or a comma outside of brackets."""
        open_marks: list[str] = []
        while mark := self._peek():
            if self._take(_HEREDOC) or self._take(_QUOTED) or self._take(_SPACE):
                continue
            if mark == '"' or self._text.startswith(("/*", "<<"), self._at):
                raise self._wrong("expected the end of a text or a comment")
            if not open_marks and mark in _ENDS:
                break
            if mark in "([{":
                open_marks.append(mark)
            elif mark in ")]}":
                open_marks.pop()
            self._at += 1
        if open_marks:
            self._at = at
            raise self._wrong(f"expected the end of `{open_marks[-1]}`")
        text = self._text[at : self._at].strip()
        if not text:
            raise self._wrong("expected a value")
        return Node(Unresolved(" ".join(text.split())), self._where(at), start=at, end=self._at)


def _literal(found: re.Match[str]) -> object:
    if found.re is _QUOTED:
        text = found[1]
        return Unresolved(text) if re.search(r"(?<!\$)\$\{|(?<!%)%\{", text) else _unescaped(text)
    if found.re is _NAME:
        return _WORDS.get(found[0], Unresolved(found[0]))
    return int(found[0]) if found[0].lstrip("-").isdigit() else Decimal(found[0])


def _unescaped(text: str) -> str:
    marks = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
    plain = re.sub(r"\\(.)", lambda found: marks.get(found[1], found[0]), text)
    return plain.replace("$${", "${").replace("%%{", "%{")
