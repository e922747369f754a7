"""Release folders and the link to the one that is live.

    folder/
      current -> releases/4f3a...        what the server's glob goes through
      releases/4f3a.../recording-checkout.yml
      releases/.staging/                 what the steps of a deploy have put there so far

A release is named after its manifest: one line per file, its digest and its name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sloforge.deploy import files
from sloforge.deploy.target import digest
from sloforge.errors import Problem

CURRENT = "current"
KEPT = 5
NAME = 16


def manifest(texts: Mapping[str, str]) -> str:
    return "".join(f"{digest(text)}  {name}\n" for name, text in sorted(texts.items()))


def names(manifest_text: str) -> dict[str, str]:
    """File -> digest."""
    lines = (line.split("  ", 1) for line in manifest_text.splitlines())
    return {name: found for found, name in lines}


@dataclass(frozen=True, slots=True)
class Releases:
    """The folder of one target."""

    folder: Path

    @property
    def current(self) -> Path:
        return self.folder / CURRENT

    def live(self) -> dict[str, str]:
        """The files of the live release; none before the first deploy."""
        return _texts(self.current)

    def live_name(self) -> str:
        """The folder that the link points to; empty where there is none."""
        with files.problems("read"):
            if not self.current.is_symlink():
                if self.current.exists():
                    remedy = "move it away: this name is for the link to the live release"
                    raise Problem(f"{self.current}: expected a symbolic link; {remedy}")
                return ""
            return self.current.readlink().name

    def stage(self, file: str, text: str) -> None:
        files.write(self._staging / file, text)

    def unstage(self) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)

    def assemble(self, name: str, wanted: str) -> Path:
        """The release of this manifest, made of what is staged and of what is live."""
        target = self.folder / "releases" / name
        if manifest(_texts(target)) == wanted:
            return target
        live, staged, staging = self.live(), _texts(self._staging), self._staging
        for file, sign in names(wanted).items():
            if digest(staged.get(file)) == sign:
                continue
            if digest(live.get(file)) != sign:
                raise Problem(f"{staging / file}: expected the file of the plan; plan again")
            files.write(staging / file, live[file])
        for extra in staged.keys() - names(wanted).keys():
            files.remove(staging / extra)
        with files.problems("write"):
            staging.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            staging.rename(target)
            files.sync(target.parent)
        return target

    def name_for(self, wanted: str) -> str:
        """The name of a release: of no folder that holds something else, edited by hand perhaps."""
        base, at = digest(wanted)[:NAME], 1
        name = base
        while (found := _texts(self.folder / "releases" / name)) and manifest(found) != wanted:
            at += 1
            name = f"{base}-{at}"
        return name

    def swap(self, name: str) -> None:
        """Make a release live; an empty name takes the link away."""
        if name:
            files.link(self.current, f"releases/{name}")
        else:
            files.remove(self.current)

    def find(self, wanted: str) -> str | None:
        """The name of a release by its manifest."""
        with files.problems("read"):
            folder = self.folder / "releases"
            found = sorted(path.name for path in folder.glob("[!.]*"))
        return next((name for name in found if manifest(_texts(folder / name)) == wanted), None)

    def tidy(self, *keep: str) -> None:
        """Remove all but the newest releases and those that are named."""
        with files.problems("remove"):
            folder = self.folder / "releases"
            found = [path for path in folder.iterdir() if path.name not in keep]
            found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            kept = {path for path in found if not path.name.startswith(".")}
            for path in found:
                if path not in kept or found.index(path) >= KEPT:
                    shutil.rmtree(path, ignore_errors=True)

    @property
    def _staging(self) -> Path:
        return self.folder / "releases" / ".staging"


def _texts(folder: Path) -> dict[str, str]:
    """The visible files of a folder."""
    with files.problems("read"):
        if not folder.is_dir():
            return {}
        found = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    texts = {name: files.text_of(folder / name) for name in sorted(found)}
    return {name: text for name, text in texts.items() if text is not None}
