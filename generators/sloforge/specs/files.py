"""Which files are specs, and their texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sloforge.errors import Finding, Location
from sloforge.located import files
from sloforge.located.files import Limit, Unreadable

SUFFIXES = (".yaml", ".yml", ".jsonnet", ".py")
MAX_BYTES = 1_000_000
# Of a file of several documents, none of which may be larger than a file of one.
MAX_TOTAL = 20_000_000


def listed(root: Path, folder: str, findings: list[Finding]) -> list[Path]:
    """Every YAML, jsonnet or Python file below a folder, sorted.

    Hidden ones are an editor's, and Python with an underscore before its name is a helper.
    """

    def refuse(error: OSError) -> None:
        where = Location(name_of(root, Path(error.filename)))
        findings.append(Unreadable(where, f"cannot be listed: {error.strerror}").finding)

    found = []
    for directory, folders, names in os.walk(root / folder, onerror=refuse):
        below = [*names, *(name for name in folders if _is_spec(name))]
        found += [Path(directory, name) for name in below if _is_spec(name)]
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found)


def text_of(root: Path, path: Path, *, document: int = MAX_BYTES) -> str:
    """The text of a file, none of whose documents is larger than `document` bytes.

    Raises Unreadable.
    """
    return files.text_of(path, name_of(root, path), Limit(document=document, text=MAX_TOTAL))


def texts(root: Path, pattern: str, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Path and text of the authored files that match a pattern; line ends are the author's.

    What all services share has a line for each alert of a thousand services in its blocks.
    """
    for path in sorted(root.glob(pattern)):
        try:
            text = text_of(root, path, document=MAX_TOTAL)
        except Unreadable as unreadable:
            findings.append(unreadable.finding)
        else:
            yield name_of(root, path), text


def name_of(root: Path, path: Path) -> str:
    """The path below the root as it can be printed."""
    return files.name_of(path.relative_to(root))


def _is_spec(name: str) -> bool:
    helper = name.startswith("_") and name.endswith(".py")
    return name.lower().endswith(SUFFIXES) and not name.startswith(".") and not helper
