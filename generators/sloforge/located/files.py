"""Files -> texts: only regular files of a bounded size in UTF-8 are ever read."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sloforge.errors import Location
from sloforge.located.tree import Malformed, place
from sloforge.located.words import printable

_NEXT = re.compile(rb"^---", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most bytes of a text, and of each of the documents in it."""

    document: int
    text: int


class Unreadable(Malformed):
    """The file has no text for us; `finding` says why."""


def text_of(path: Path, name: str, limit: Limit) -> str:
    """The text of a regular file, line ends as they are.

    Raises Unreadable, and never waits for a pipe.
    """
    try:
        raw, size = _bytes(path, limit.text)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise Unreadable(Location(name), what, _remedy(path)) from None
    except ValueError:
        raise Unreadable(Location(name), "cannot be read: not a path") from None
    return decoded(raw, size, name, limit)


def decoded(raw: bytes, size: int, name: str, limit: Limit) -> str:
    """The text of what was read of `size` bytes. Raises Unreadable."""
    most = limit.document if _longest(raw) > limit.document else limit.text
    if size > most:
        what = f"expected a file of at most {most:,} bytes, got {size:,}"
        raise Unreadable(Location(name), what, "split it, or make it smaller")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        what = f"expected UTF-8, got byte 0x{raw[error.start]:02x}"
        where = place(name, before, len(before))
        raise Unreadable(where, what, "save the file as UTF-8") from None


def name_of(path: Path) -> str:
    """The path as it can be printed, whatever bytes it is made of."""
    return printable(path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8"))


def _bytes(path: Path, limit: int) -> tuple[bytes, int]:
    """What is in the file, one byte past the limit at most, and how long it is."""
    # A pipe would block without O_NONBLOCK, and a device would never end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "expected a regular file")
        raw = file.read(limit + 1)
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
