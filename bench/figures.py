"""A figure with its target, and the page that all of them come to."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number; `bound` says on which side of the target it should lie."""

    name: str
    value: float
    unit: str
    target: float | None = None
    bound: Literal["at most", "at least"] = "at most"

    @property
    def met(self) -> bool | None:
        """None where nothing was promised."""
        if self.target is None:
            return None
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target

    def row(self) -> Row:
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        target = "" if self.target is None else f"{self.bound} {plain(self.target)} {self.unit}"
        return (self.name, f"{plain(self.value)} {self.unit}", target, verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A title, how it was measured, figures, and perhaps a table of its own."""

    title: str
    about: str
    figures: tuple[Figure, ...]
    head: Row = ()
    rows: tuple[Row, ...] = field(default=())


def plain(value: float) -> str:
    """Three digits, thousands apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def merged(before: str, section: Section) -> str:
    """docs/benchmarks.md with this section in the place of the one that had its subject.

    Each says on which machine, and with which tools, it was measured.
    """
    opening = (
        "# Benchmarks\n\nWritten by `make bench`; `make bench SECTIONS='start swap'` measures some."
    )
    parts = re.split(r"^(?=## )", before, flags=re.MULTILINE)[1:]
    found = {_subject(part): part.strip() for part in parts}
    text = f"{shown(section)}\n\n{machine()}"
    found[_subject(text)] = text
    return "\n\n".join((opening, *found.values())) + "\n"


def _subject(text: str) -> str:
    """The title without its numbers."""
    return re.sub(r"[\d,]+", "", text.splitlines()[0])


def shown(section: Section) -> str:
    figures = table(("Figure", "Measured", "Target", ""), (one.row() for one in section.figures))
    parts = [f"## {section.title}", section.about, figures]
    if section.rows:
        parts.append(table(section.head, section.rows))
    return "\n\n".join(parts)


def table(head: Row, rows: Iterable[Row]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def machine() -> str:
    """Cores, memory, versions and date; nothing that says which machine it is."""
    cores = f"{os.cpu_count()} cores"
    memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    tools = ", ".join(f"{name} {version(name)}" for name in ("promtool", "prometheus"))
    python = f"Python {platform.python_version()}"
    return (
        f"*{datetime.now(UTC).date()}: {cores}, {memory}, {platform.system()}, {python}, {tools}.*"
    )


def version(tool: str) -> str:
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+\.\d+\.\d+)", done.stdout + done.stderr)
    return found[1] if found else "unknown"


def missed(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        for figure in section.figures:
            if figure.met is False:
                yield f"missed: {section.title}: {' '.join(figure.row()[:3])}"
