"""The little Markdown that checks read: headings with their anchors, sections, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"\s*(```+|~~~+)")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*")
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s.*)?")
_CODE = re.compile(r"(`+).+?\1")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PUNCTUATION = re.compile(r"[^\w\- ]")
_EXPLICIT = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Heading:
    """`line` counts from 1."""

    level: int
    title: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """`target` as it stands in the text; line and column count from 1."""

    target: str
    line: int
    column: int


def headings(text: str) -> tuple[Heading, ...]:
    """Those that begin with hashes, in order."""
    found = ((at, _HEADING.fullmatch(line)) for at, line in prose(text))
    return tuple(Heading(len(m[1]), m[2], at) for at, m in found if m is not None)


def anchors(text: str) -> frozenset[str]:
    """What a link to a part of the text may name, as GitHub spells it."""
    seen: dict[str, int] = {}
    found = set(_EXPLICIT.findall(text))
    for heading in headings(text):
        slug = _slug(heading.title)
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return frozenset(found)


def links(text: str) -> Iterator[Link]:
    """Every link and image outside of code."""
    for at, line in prose(text):
        plain = _CODE.sub(lambda match: " " * len(match[0]), line)
        for match in _LINK.finditer(plain):
            yield Link(match[1], at, match.start(1) + 1)
        reference = _REFERENCE.fullmatch(plain)
        if reference is not None:
            yield Link(reference[1], at, reference.start(1) + 1)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced code, with their numbers."""
    fence = ""
    for at, line in enumerate(text.split("\n"), 1):
        match = _FENCE.match(line)
        if match is None:
            if not fence:
                yield at, line.removesuffix("\r")
        elif not fence:
            fence = match[1]
        elif match[1].startswith(fence):
            fence = ""


def sections(text: str) -> Iterator[tuple[Heading, str]]:
    """Each heading with what stands under it, without comments, up to the next of its level."""
    lines, found = text.split("\n"), headings(text)
    for at, heading in enumerate(found):
        ends = (later.line - 1 for later in found[at + 1 :] if later.level <= heading.level)
        content = "\n".join(lines[heading.line : next(ends, len(lines))])
        yield heading, _COMMENT.sub("", content).strip()


def _slug(title: str) -> str:
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    return _PUNCTUATION.sub("", words).strip().replace(" ", "-")
