"""What `init` and `runbook new` write: the first files of a repository, and of a runbook."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from sloforge import specs
from sloforge.alerts import alerts
from sloforge.errors import Problem
from sloforge.generate.runbooks import skeleton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path


def write(directory: Path) -> list[str]:
    """The starter files, by path. Raises Problem where one of them is there already."""
    files = dict(_files(resources.files("sloforge") / "starter", ""))
    taken = sorted(path for path in files if (directory / path).exists())
    if taken:
        raise Problem(f"{directory / taken[0]} is there already; nothing was written")
    for path, text in sorted(files.items()):
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return sorted([*files, *_runbooks(directory)])


def _runbooks(directory: Path) -> Iterator[str]:
    """A skeleton for every alert of the starter's service."""
    needed = {alert.runbook for alert in alerts(specs.load(directory, runbooks=False))}
    for path in sorted(needed):
        yield runbook(directory, path.removeprefix("runbooks/"))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith((".py", ".pyc")):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")


def runbook(root: Path, name: str) -> str:
    """The skeleton for `<service>/<runbook>`; its path.

    Raises Problem where there is such a file already, or no alert that leads to it.
    """
    project = specs.load(root, runbooks=False)
    path = f"runbooks/{name.removesuffix('.md')}.md"
    if (root / path).exists():
        raise Problem(f"{path} is there already; edit it")
    text = skeleton(project, name)
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return path
