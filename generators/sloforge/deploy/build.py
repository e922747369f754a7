"""The build that is deployed: which files, and their digests; each is read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sloforge import plugged
from sloforge.artifacts import Artifact, Change
from sloforge.deploy import files
from sloforge.deploy.target import digest
from sloforge.errors import Problem

DEPLOYED = ("recording", "rules", "dashboards", "alertmanager")
TEMPLATES = "alertmanager/templates/*.tmpl"
SHORT, SHOWN = 12, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is deployed, under the name that its content gives it.

    `signs` has the digest of each file by its path, `read` its text.
    """

    id: str
    signs: Mapping[str, str]
    read: Callable[[str], str] = field(compare=False, repr=False)

    def under(self, *folders: str) -> Iterator[Artifact]:
        """The files whose path begins so. Raises Problem where one is not what it was."""
        for path in self.signs:
            if path.startswith(folders):
                text = self.read(path)
                if digest(text) != self.signs[path]:
                    raise Problem(f"{path}: was changed while it was deployed; plan again")
                yield Artifact(path, text)


def of(artifacts: Iterable[Artifact]) -> Build:
    """Held in memory. The same files have the same id, whatever their order."""
    texts = {one.path: one.text for one in artifacts}
    return reading(texts, texts.__getitem__)


def reading(paths: Iterable[str], read: Callable[[str], str]) -> Build:
    """Of files that are read once now, and again when they are asked for."""
    signs = {path: digest(read(path)) for path in sorted(paths)}
    lines = "".join(f"{sign}  {path}\n" for path, sign in signs.items())
    return Build(id=digest(lines)[:SHORT], signs=signs, read=read)


def current(root: Path, changes: Iterable[Change]) -> Build:
    """The generated files of the repository; `changes` is what a build would change in it.

    What was reviewed and tested is what stands in the files: nothing else may be deployed. Raises
    Problem where the files that are deployed are not what slos/ comes to.
    """
    folders = tuple(f"{name}/" for name in (*DEPLOYED, plugged.FOLDER))
    if stale := [one.path for one in changes if one.path.startswith(folders)]:
        paths = ", ".join(stale[:SHOWN]) + ", ..." * (len(stale) > SHOWN)
        what = f"{len(stale)} generated files are out of date ({paths})"
        raise Problem(f"{what}; run `make build`, test and commit it, then deploy")
    generators = plugged.writing(DEPLOYED)
    patterns = dict.fromkeys([TEMPLATES, *(one for g in generators for one in g.owned)])
    found = {file for pattern in patterns for file in root.glob(pattern) if file.is_file()}
    names = (file.relative_to(root).as_posix() for file in found)
    return reading(names, lambda path: files.text_of(root / path) or "")
