"""Files, directories and standard input -> texts: only regular files of a bounded size are read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sloforge.errors import Location
from sloforge.health.lint.located import Malformed, place, printable

MAX_BYTES = 5_000_000
SUFFIXES = (".yaml", ".yml", ".json", ".tf", ".cfg", ".conf")
_DOCKERFILES = ("dockerfile", "containerfile")
# What a checkout holds besides its own files.
_FOREIGN = ("node_modules", "vendor", "__pycache__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text and its name; `named`: somebody asked for this file, not for its directory."""

    path: str
    text: str
    named: bool = True

    @property
    def file(self) -> str:
        return self.path.rpartition("/")[2].lower()

    @property
    def dockerfile(self) -> bool:
        return is_dockerfile(self.file)


def is_dockerfile(name: str) -> bool:
    """`Dockerfile`, `Dockerfile.dev`, `dev.Dockerfile`, `Containerfile`."""
    stem, _, suffix = name.lower().partition(".")
    return stem in _DOCKERFILES or suffix in _DOCKERFILES


def listed(path: Path) -> Iterator[tuple[Path, bool]]:
    """The files to read, and whether each is named; raises Malformed for an unreadable folder."""
    if not path.is_dir():
        yield path, True
        return

    def refuse(error: OSError) -> None:
        raise Malformed(
            Location(_name(Path(error.filename))), f"cannot be listed: {error.strerror}"
        )

    for directory, folders, files in os.walk(path, onerror=refuse):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _FOREIGN)
        yield from (
            (Path(directory, name), False)
            for name in sorted(files)
            if not name.startswith(".") and (name.endswith(SUFFIXES) or is_dockerfile(name))
        )


def read(path: Path, *, named: bool = True) -> Source:
    """The text of a regular file in UTF-8. Raises Malformed, and never waits for a pipe."""
    where = _name(path)
    try:
        raw, size = _bytes(path)
    except OSError as error:
        raise Malformed(Location(where), f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise Malformed(Location(where), "cannot be read: not a path") from None
    return decoded(raw, where, size=size, named=named)


def decoded(raw: bytes, path: str, *, size: int, named: bool = True) -> Source:
    """Bytes as a source, line ends as they are. Raises Malformed."""
    if size > MAX_BYTES:
        what = f"expected at most {MAX_BYTES:,} bytes, got {size:,}"
        raise Malformed(Location(path), what, "split it, or make it smaller")
    try:
        return Source(path=path, text=raw.decode("utf-8-sig"), named=named)
    except UnicodeDecodeError as error:
        text = raw[: error.start].decode("utf-8", "replace")
        what = f"expected UTF-8, got byte 0x{raw[error.start]:02x}"
        where = place(path, text, len(text))
        raise Malformed(where, what, "save the file as UTF-8") from None


def _name(path: Path) -> str:
    """The path as it can be printed, whatever bytes it is made of."""
    return printable(path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8"))


def _bytes(path: Path) -> tuple[bytes, int]:
    # A pipe would block without O_NONBLOCK, and a device would never end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "expected a regular file")
        raw = file.read(MAX_BYTES + 1)
        return raw, max(status.st_size, len(raw))
