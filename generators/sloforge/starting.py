"""What `init` and `runbook new` write: the first files of a repository, and of a runbook."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from sloforge import specs
from sloforge.errors import Problem
from sloforge.generate.runbooks import skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

# Files that a repository may have for other reasons: they are left as they are.
SHARED = {"Makefile", ".gitignore"}
# A package that held a real .gitignore would be packed by its rules.
RENAMED = {"gitignore": ".gitignore"}


def write(directory: Path) -> list[str]:
    """The starter files, by path; a Makefile and a .gitignore only where there is none.

    Raises Problem where another of them is there already, or cannot be written.
    """
    files = dict(_files(resources.files("sloforge") / "starter", ""))
    taken = {path for path in files if (directory / path).exists()}
    if mine := sorted(taken - SHARED):
        raise Problem(
            f"{directory / mine[0]} is there already, and nothing was written; "
            "edit it, or start in an empty directory"
        )
    missing = sorted(files.keys() - taken)
    for path in missing:
        _write(directory / path, files[path])
    return missing


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        else:
            name = RENAMED.get(entry.name, entry.name)
            yield f"{prefix}{name}", entry.read_text(encoding="utf-8")


def runbook(root: Path, name: str) -> str:
    """The skeleton for `<service>/<runbook>`; its path.

    Raises Problem where there is such a file already, or no alert that leads to it.
    """
    project = specs.load(root, runbooks=False)
    path = f"runbooks/{name.removesuffix('.md')}.md"
    if (root / path).exists():
        raise Problem(f"{path} is there already; edit it")
    _write(root / path, skeleton(project, name))
    return path


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {target}: {error.strerror}; free the way") from error
