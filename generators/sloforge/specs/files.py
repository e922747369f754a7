"""Which files are specs, and their bytes: only regular files of a bounded size are ever read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from sloforge.errors import Finding, Location

SUFFIXES = (".yaml", ".yml", ".jsonnet")
MAX_BYTES = 1_000_000
# Of a file of several documents, none of which may be larger than a file of one.
MAX_TOTAL = 20_000_000
_NEXT = re.compile(rb"^---", re.MULTILINE)


class Unreadable(Exception):
    """The file has no text for us; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


def listed(root: Path, folder: str, findings: list[Finding]) -> list[Path]:
    """Every YAML or jsonnet file below a folder, sorted; hidden ones are an editor's."""

    def refuse(error: OSError) -> None:
        where = Location(name_of(root, Path(error.filename)))
        findings.append(_unreadable(where, f"cannot be listed: {error.strerror}"))

    found = []
    for directory, folders, files in os.walk(root / folder, onerror=refuse):
        below = [*files, *(name for name in folders if _is_spec(name))]
        found += [Path(directory, name) for name in below if _is_spec(name)]
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found)


def text_of(root: Path, path: Path, *, document: int = MAX_BYTES) -> str:
    """The text of a regular file in UTF-8, none of whose documents is larger than `document` bytes.

    Raises Unreadable, and never waits for a pipe.
    """
    where = Location(name_of(root, path))
    try:
        raw, size = _bytes(path)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise Unreadable(_unreadable(where, what, _remedy(path))) from None
    limit = document if _longest(raw) > document else MAX_TOTAL
    if size > limit:
        what = f"expected a file of at most {limit:,} bytes, got {size:,}"
        raise Unreadable(_unreadable(where, what, "split it, or make it smaller"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = Location(where.path, raw.count(b"\n", 0, error.start) + 1)
        what = f"expected UTF-8, got byte 0x{raw[error.start]:02x}"
        raise Unreadable(_unreadable(at, what, "save the file as UTF-8")) from None


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
    """The path below the root as it can be printed, whatever bytes it is made of."""
    name = path.relative_to(root).as_posix()
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_spec(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _bytes(path: Path) -> tuple[bytes, int]:
    """What is in the file, one byte past the limit at most, and how long it is."""
    # A pipe would block without O_NONBLOCK, and a device would never end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "expected a regular file")
        raw = file.read(MAX_TOTAL + 1)
        return raw, max(status.st_size, len(raw))


def _longest(raw: bytes) -> int:
    """The bytes of the largest document."""
    starts = [0, *(found.start() for found in _NEXT.finditer(raw)), len(raw)]
    return max(end - start for start, end in pairwise(starts))


def _remedy(path: Path) -> str:
    if path.is_dir():
        return "rename the directory: the name of a file stands there"
    if path.is_symlink() and not path.exists():
        return "remove the link, or put right where it points"
    return ""


def _unreadable(where: Location, what: str, remedy: str = "") -> Finding:
    return Finding(id="S001", where=where, what=what, remedy=remedy)
