"""Files that are there whole or not at all, and still there after a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sloforge.errors import Problem


@contextmanager
def problems(what: str) -> Iterator[None]:
    """An OSError in the block becomes a Problem that names the file."""
    try:
        yield
    except OSError as error:
        name = error.filename2 or error.filename or ""
        raise Problem(
            f"{name}: cannot {what}: {error.strerror}; give this user the right to it, or free it"
        ) from None


def text_of(path: Path) -> str | None:
    """What is in the file, whatever bytes it holds; None where there is none."""
    with problems("read"):
        try:
            return path.read_bytes().decode("utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace the file at once; the mode of a file that is there is kept."""
    with problems("write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            mode = path.stat().st_mode & 0o7777
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        staging = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            staging.chmod(mode)
            staging.replace(path)
            sync(path.parent)
        finally:
            staging.unlink(missing_ok=True)


def remove(path: Path) -> None:
    with problems("remove"):
        path.unlink(missing_ok=True)
        sync(path.parent)


def link(path: Path, to: str) -> None:
    """Point a symbolic link somewhere else, at once."""
    with problems("write"):
        staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with suppress(FileNotFoundError):
            staging.unlink()
        try:
            staging.symlink_to(to)
            staging.replace(path)
            sync(path.parent)
        finally:
            staging.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Renames of a folder's entries are on the disk once this returns."""
    with suppress(FileNotFoundError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
