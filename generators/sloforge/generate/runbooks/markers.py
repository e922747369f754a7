"""Generated blocks inside authored Markdown: found, judged, replaced; the rest is not touched.

A block stands between `<!-- sloforge:begin NAME -->` and `<!-- sloforge:end NAME -->`, each alone
on its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sloforge.errors import Finding, Location

_MARKER = re.compile(r"\s*<!--\s*sloforge:(begin|end)\s+([^\s>]+)\s*-->\s*")
_ALIKE = re.compile(r"<!--\s*sloforge:(?:begin|end)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A pair of markers by the indices of their lines."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A text by lines (line ends included), its blocks, and what is wrong with its markers."""

    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...]


def begin(name: str) -> str:
    return f"<!-- sloforge:begin {name} -->"


def end(name: str) -> str:
    return f"<!-- sloforge:end {name} -->"


def marked(path: str, text: str, known: Collection[str]) -> Marked:
    """Every block of the text whose markers are in order; the others are findings."""
    lines = tuple(re.findall(r"[^\n]*\n|[^\n]+\Z", text))
    reader = _Reader(path, known)
    for at, line in enumerate(lines):
        reader.line(at, line)
    reader.close()
    return Marked(lines=lines, blocks=tuple(reader.blocks), findings=tuple(reader.findings))


def refreshed(found: Marked, content: Callable[[str], str]) -> str:
    """The text with each block's content written anew; every other byte stays."""
    parts: list[str] = []
    at = 0
    for block in found.blocks:
        parts += found.lines[at : block.begin + 1]
        parts.append(f"\n{content(block.name).strip()}\n\n")
        at = block.end
    return "".join([*parts, *found.lines[at:]])


class _Reader:
    """Reads line after line; `open` is the block that has begun and not ended."""

    def __init__(self, path: str, known: Collection[str]) -> None:
        self.path, self.known = path, known
        self.blocks: list[Block] = []
        self.findings: list[Finding] = []
        self.open: tuple[str, int] | None = None

    def line(self, at: int, line: str) -> None:
        match = _MARKER.fullmatch(line)
        if match is None:
            if _ALIKE.search(line):
                remedy = f"write `{begin('meaning')}` alone on its line"
                self._wrong(at, "a marker that cannot be read", remedy)
        elif match[1] == "begin":
            self._begin(match[2], at)
        else:
            self._end(match[2], at)

    def _begin(self, name: str, at: int) -> None:
        if self.open is not None:
            inner, line = self.open
            self._wrong(
                at,
                f"block `{name}` begins inside block `{inner}`, which began in line {line + 1}",
                f"put `{end(inner)}` before it",
            )
        elif name not in self.known:
            self._wrong(at, f"unknown block `{name}`", f"known are {', '.join(sorted(self.known))}")
        self.open = (name, at)

    def _end(self, name: str, at: int) -> None:
        opened, self.open = self.open, None
        if opened is None:
            self._wrong(
                at,
                f"block `{name}` ends but never began",
                f"put `{begin(name)}` before it, or remove it",
            )
        elif opened[0] != name:
            self._wrong(
                at,
                f"block `{opened[0]}` began in line {opened[1] + 1}, got the end of `{name}`",
                f"write `{end(opened[0])}`",
            )
        elif name in self.known:
            self.blocks.append(Block(name=name, begin=opened[1], end=at))

    def close(self) -> None:
        if self.open is not None:
            name, at = self.open
            self._wrong(at, f"block `{name}` never ends", f"put `{end(name)}` after it")

    def _wrong(self, at: int, what: str, remedy: str) -> None:
        where = Location(self.path, at + 1)
        self.findings.append(Finding(id="R002", where=where, what=what, remedy=remedy))
