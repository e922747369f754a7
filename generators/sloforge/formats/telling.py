"""What an import has to say, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sloforge.formats.importing import Imported
from sloforge.formats.verify import Compared
from sloforge.promql import duration


def notes(imported: Imported) -> Iterator[str]:
    """SLO by SLO: what is left out, and what comes to mean something else."""
    slos: dict[str, list[str]] = {slo: [] for slo in imported.dropped}
    for note in imported.notes:
        word = "lost" if note.lost else "changed"
        slos.setdefault(note.slo, []).append(f"  {word} {note.finding}")
    for slo, lines in slos.items():
        yield f"{slo or 'all'}{' (not imported)' if slo in imported.dropped else ''}"
        yield from lines


def comparison(found: Iterable[Compared]) -> str:
    """A line for each window."""
    lines = ["largest difference between the error ratios"]
    for one in found:
        shown = one.reason if one.difference is None else f"{float(one.difference):.2e}"
        lines.append(f"{one.slo}  {duration(one.window):>6}  {shown}")
    return "\n".join(lines)
