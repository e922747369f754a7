"""The names and lines of the groups of a test file, without parsing it when it is written plainly.

A collection of thousands of files needs names only. Plain block style is read by regular
expressions, many times faster than as YAML; whatever looks unusual is parsed in full.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from promtool import nodes
from promtool.testfile import default_name, load

_TESTS = re.compile(r"^tests: *\n(?:[ ]*(?:#.*)?\n)*(?P<indent> *)(?=- )", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^[^\s#-]", re.MULTILINE)
# Merge keys, tabs, several documents, quoted top-level keys and a second `tests`: left to YAML.
_UNUSUAL = (
    "<<:",
    "\t",
    "\r",
    "\n---",
    "\n...",
    '\n"',
    "\n'",
    "\n?",
    "\n&",
    "\n!",
    "\n{",
    "\ntests :",
)
_FIRST_KEY = re.compile(r"(?P<before> *- +)[a-z_]+:(?: |\n|$)")
_NAME = re.compile(
    r"name: +(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\\\n]*)\"|(?P<plain>[A-Za-z][^:#\n]*?)) *"
    r"(?:\n(?P<next> *)(?=\S)|\n*\Z)"
)
_NOT_TEXT = frozenset({"null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    index: int
    name: str
    line: int


def scan(path: Path) -> tuple[Entry, ...]:
    """Return the groups of a file; raises BadFileError as `load` does."""
    quick = plain(nodes.read(path))
    if quick is not None:
        return quick
    return tuple(
        Entry(index=group.index, name=group.name, line=group.line) for group in load(path).groups
    )


def plain(text: str) -> tuple[Entry, ...] | None:
    """Return the groups when the text is plain enough to be sure of them, else None."""
    found = _TESTS.search(text)
    if found is None or any(mark in text for mark in _UNUSUAL) or f"\n{text}".count("\ntests:") > 1:
        return None
    after = _TOP_LEVEL.search(text, found.end())
    section = text[: after.start() if after else len(text)]
    starts = [found.start("indent")]
    item = re.compile(f"^{found['indent']}- ", re.MULTILINE)
    starts += [each.start() for each in item.finditer(section, found.end() + 1)]
    entries = []
    line = 1 + text.count("\n", 0, starts[0])
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(section)], strict=True)):
        name = _name(section[start:end], index)
        if name is None:
            return None
        entries.append(Entry(index=index, name=name, line=line))
        line += text.count("\n", start, end)
    return tuple(entries)


def _name(chunk: str, index: int) -> str | None:
    """Return the name in the YAML of one group, or None when that is not certain."""
    first = _FIRST_KEY.match(chunk)
    if first is None:
        return None
    column = len(first["before"])
    key = "\n" + " " * column + "name"
    # The first key follows the dash; any other is at its depth on a line of its own.
    lines = chunk.count(key) + chunk.startswith("name", column)
    if not lines:
        return default_name(index)
    start = column if chunk.startswith("name", column) else chunk.index(key) + len(key) - 4
    found = _NAME.match(chunk, start)
    if found is None or lines > 1 or len(found["next"] or "") > column:
        return None
    name = found["single"] or found["double"] or found["plain"]
    return None if not name or name in _NOT_TEXT else name
