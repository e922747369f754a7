"""The edits of hits -> a unified diff; everything else in a file stays as it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from sloforge.health.lint.model import Edit, Hit
from sloforge.health.lint.sources import Source

_NO_END = "\\ No newline at end of file\n"
_DIGITS = re.compile(r"[0-9.]+")


def diff(hits: Iterable[Hit], sources: Iterable[Source]) -> str:
    """What `patch -p1` would apply; empty where no hit has an edit."""
    edits = [edit for hit in hits for edit in hit.edits]
    texts = {source.path: source.text for source in sources}
    return "".join(_of_file(path, text, edits) for path, text in sorted(texts.items()))


def _of_file(path: str, text: str, edits: list[Edit]) -> str:
    after = applied(text, [edit for edit in edits if edit.path == path])
    before, now = text.splitlines(keepends=True), after.splitlines(keepends=True)
    name = path.lstrip("/")
    lines = difflib.unified_diff(before, now, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits in it; of two that set the same, the first counts."""
    chosen: dict[tuple[int, str], Edit] = {}
    for edit in edits:
        # Two settings may be inserted at one place; a value is replaced once.
        name = _DIGITS.sub("", edit.text) if edit.start == edit.end else ""
        chosen.setdefault((edit.start, name), edit)
    # From the end, so that offsets stay true; at one place the last one goes in first.
    last_first = list(chosen.values())[::-1]
    for edit in sorted(last_first, key=lambda one: -one.start):
        text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return text
