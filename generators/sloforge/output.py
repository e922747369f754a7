"""Artifacts <-> disk: plan what would change, then apply it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sloforge.artifacts import Artifact, Change
from sloforge.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def plan(
    root: Path,
    artifacts: Iterable[Artifact],
    owned: Iterable[str],
    kept: Collection[str] = (),
) -> tuple[Change, ...]:
    """Compare with every file that matches an owned pattern, so that orphans show up too.

    `kept` are paths that are known to be as they should.
    """
    want = {artifact.path: artifact.text for artifact in artifacts}
    found = {file for pattern in owned for file in root.glob(pattern) if file.is_file()}
    paths = want.keys() | {file.relative_to(root).as_posix() for file in found}.difference(kept)
    have = {path: _read(root / path) for path in paths}
    return tuple(
        Change(path, have[path], want.get(path))
        for path in sorted(paths)
        if have[path] != want.get(path)
    )


def _read(file: Path) -> str | None:
    """What is on disk, whatever bytes it holds; line ends count."""
    try:
        return file.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None


def apply(root: Path, changes: Iterable[Change]) -> None:
    """Every file is staged before the first is replaced: a full disk changes nothing.

    Raises Problem where a file cannot be written.
    """
    changes = tuple(changes)
    staged: list[tuple[Path, Path]] = []
    try:
        for change in changes:
            if change.after is not None:
                staged += [_stage(root / change.path, change.after)]
        for staging, target in staged:
            staging.replace(target)
        for change in changes:
            if change.after is None:
                _remove(root, root / change.path)
    except OSError as error:
        message = f"cannot write {error.filename}: {error.strerror}; free the way and build again"
        raise Problem(message) from error
    finally:
        for staging, _ in staged:
            staging.unlink(missing_ok=True)


def _stage(target: Path, text: str) -> tuple[Path, Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    staging = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staging.chmod(0o644)
    except OSError:
        staging.unlink(missing_ok=True)
        raise
    return staging, target


def _remove(root: Path, file: Path) -> None:
    """The file, and the directories that it leaves empty."""
    file.unlink(missing_ok=True)
    for directory in file.parents:
        if directory == root:
            return
        with suppress(OSError):
            directory.rmdir()
