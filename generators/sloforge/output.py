"""Artifacts <-> disk: plan what would change, then apply it."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sloforge.artifacts import Artifact, Change
from sloforge.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# Where we keep what is ours alone; git never sees it.
PRIVATE = ".sloforge"
_STAGING = "staging-"


def plan(
    root: Path,
    artifacts: Iterable[Artifact],
    owned: Iterable[str],
    kept: Collection[str] = (),
) -> tuple[Change, ...]:
    """Compare with every file that matches an owned pattern, so that orphans show up too.

    `kept` are paths that are known to be as they should. Raises Problem where a file cannot be
    read.
    """
    want = {artifact.path: artifact.text for artifact in artifacts}
    found = (path for pattern in owned for path in _files(root, pattern, kept))
    have = {path: _read(root / path) for path in sorted({*want, *found})}
    return tuple(
        Change(path, have[path], want.get(path)) for path in have if have[path] != want.get(path)
    )


def _files(root: Path, pattern: str, kept: Collection[str]) -> Iterator[str]:
    """Those that match, by their path in the repository; what is kept is not looked at again."""
    for file in root.glob(pattern):
        path = file.relative_to(root).as_posix()
        if path not in kept and _is_file(file):
            yield path


def _is_file(file: Path) -> bool:
    return file.is_symlink() or file.is_file()


def _read(file: Path) -> str | None:
    """What is on disk, whatever bytes it holds; line ends count."""
    try:
        return file.read_bytes().decode("utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return "" if file.is_symlink() else None
    except OSError as error:
        raise Problem(
            f"cannot read {file}: {error.strerror}; a generated file goes there"
        ) from error


def apply(root: Path, changes: Iterable[Change]) -> None:
    """Every file is staged before the first is replaced: a full disk changes nothing.

    Raises Problem where a file cannot be written.
    """
    changes = tuple(changes)
    if not changes:
        return
    try:
        for change in changes:
            _prepare(root / change.path, new=change.after is not None)
        with private(root) as folder:
            staged = [
                (_stage(folder / str(at), change.after), root / change.path)
                for at, change in enumerate(changes)
                if change.after is not None
            ]
            for staging, target in staged:
                staging.replace(target)
        for change in changes:
            if change.after is None:
                _remove(root, root / change.path)
    except OSError as error:
        where = error.filename2 or error.filename or root
        message = f"cannot write {where}: {error.strerror}; free the way and build again"
        raise Problem(message) from error


def _prepare(target: Path, *, new: bool) -> None:
    """Raise what would go wrong once half of the files were replaced."""
    if new:
        target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target.parent))


@contextmanager
def private(root: Path) -> Iterator[Path]:
    """A folder for files on their way; what a killed build has left there goes first."""
    ours = root / PRIVATE
    ours.mkdir(exist_ok=True)
    ignore = ours / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    for old in ours.glob(f"{_STAGING}*"):
        if not _alive(old.name.removeprefix(_STAGING).split("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_STAGING}{os.getpid()}-", dir=ours) as folder:
        yield Path(folder)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, OSError):
        return False
    return True


def _stage(staging: Path, text: str) -> Path:
    try:
        staging.write_text(text, encoding="utf-8", newline="\n")
        staging.chmod(0o644)
    except OSError as error:
        # A full disk names no file.
        raise OSError(error.errno, error.strerror, str(staging)) from error
    return staging


def _remove(root: Path, file: Path) -> None:
    """The file, and the directories that it leaves empty."""
    file.unlink(missing_ok=True)
    for directory in file.parents:
        if directory == root:
            return
        with suppress(OSError):
            directory.rmdir()
