"""The Markdown of descriptions and text panels -> nodes that the page builds without any HTML.

A node is text, or `[tag, attributes, children...]` with a tag of ours. What is no Markdown is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Node = str | list[Any]
Linked = Callable[[str], str]

_SPAN = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)"
    r"|!?\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<url>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\)"
    r"|\*\*(?P<strong>.+?)\*\*"
    r"|(?<![\w*])\*(?P<star>[^*\s][^*]*)\*(?!\w)"
    r"|(?<!\w)_(?P<line>[^_\s][^_]*)_(?!\w)"
    r"|<(?P<bare>https?://[^\s<>]+)>"
    r"|\\(?P<escaped>[\\`*_{}\[\]()#+.!|<>-])",
    re.DOTALL,
)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_ITEM = re.compile(r"\s*(?:[-*+]|(?P<number>\d+)[.)])\s+(.*)")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?\s*)?")


def nodes(text: str, linked: Linked) -> list[Node]:
    """The blocks of a text; `linked` gives the address that a link leads to, or nothing."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return list(_blocks(lines, linked))


def _blocks(lines: list[str], linked: Linked) -> Iterator[Node]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.lstrip().startswith("```"):
            end = _until(lines, at + 1, lambda one: one.lstrip().startswith("```"))
            yield ["pre", {}, ["code", {}, "\n".join(lines[at + 1 : end])]]
            at = end + 1
        elif (heading := _HEADING.fullmatch(line.strip())) is not None:
            yield [f"h{min(len(heading[1]) + 2, 6)}", {}, *_spans(heading[2], linked)]
            at += 1
        elif _RULE.fullmatch(line):
            yield ["hr", {}]
            at += 1
        elif line.lstrip().startswith(">"):
            end = _until(lines, at, lambda one: not one.lstrip().startswith(">"))
            inner = [one.lstrip().removeprefix(">").removeprefix(" ") for one in lines[at:end]]
            yield ["blockquote", {}, *_blocks(inner, linked)]
            at = end
        elif _is_table(lines, at):
            end = _until(lines, at, lambda one: "|" not in one)
            yield _table(lines[at:end], linked)
            at = end
        elif _ITEM.fullmatch(line):
            end = _until(lines, at, _ends_list)
            yield _list(lines[at:end], linked)
            at = end
        else:
            end = _until(lines, at + 1, _ends_paragraph)
            yield ["p", {}, *_spans("\n".join(one.strip() for one in lines[at:end]), linked)]
            at = end


def _until(lines: list[str], at: int, ends: Callable[[str], bool]) -> int:
    return next((n for n in range(at, len(lines)) if ends(lines[n])), len(lines))


def _ends_list(line: str) -> bool:
    return not line.strip() or not (_ITEM.fullmatch(line) or line.startswith("  "))


def _ends_paragraph(line: str) -> bool:
    start = line.lstrip()
    return (
        not start
        or start.startswith(("```", ">"))
        or bool(_HEADING.fullmatch(start) or _ITEM.fullmatch(line))
    )


def _list(lines: list[str], linked: Linked) -> Node:
    items: list[list[str]] = []
    numbered = bool((_ITEM.fullmatch(lines[0]) or [None, None])[1])
    for line in lines:
        found = _ITEM.fullmatch(line)
        if found is not None and not line.startswith("  "):
            items.append([found[2]])
        else:
            items[-1].append(line.strip())
    children: list[Node] = [["li", {}, *_spans(" ".join(item), linked)] for item in items]
    return ["ol" if numbered else "ul", {}, *children]


def _is_table(lines: list[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and bool(_TABLE_RULE.fullmatch(lines[at + 1]))


def _table(lines: list[str], linked: Linked) -> Node:
    head, _, *rest = [_cells(line) for line in lines]
    top = _table_row("th", head, linked)
    rows = [_table_row("td", row, linked) for row in rest]
    return ["table", {}, ["thead", {}, top], ["tbody", {}, *rows]]


def _table_row(tag: str, cells: list[str], linked: Linked) -> Node:
    return ["tr", {}, *([tag, {}, *_spans(cell, linked)] for cell in cells)]


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inside)]


def _spans(text: str, linked: Linked) -> Iterator[Node]:
    at = 0
    for found in _SPAN.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        yield _span(found, linked)
        at = found.end()
    if at < len(text):
        yield text[at:]


def _span(found: re.Match[str], linked: Linked) -> Node:
    if found["code"] is not None:
        return ["code", {}, found["code"]]
    if found["url"] is not None:
        address = linked(found["url"])
        text = list(_spans(found["text"], linked))
        return ["a", {"href": address}, *text] if address else ["span", {}, *text]
    if found["bare"] is not None:
        return ["a", {"href": found["bare"]}, found["bare"]]
    if found["strong"] is not None:
        return ["strong", {}, *_spans(found["strong"], linked)]
    if found["escaped"] is not None:
        return str(found["escaped"])
    return ["em", {}, *_spans(found["star"] or found["line"], linked)]
