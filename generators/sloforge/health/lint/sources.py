"""Which files are read, what they are called, and how much of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sloforge.errors import Location
from sloforge.located import files
from sloforge.located.files import Limit
from sloforge.located.tree import Malformed
from sloforge.located.yamltext import Manner

LIMIT = Limit(document=5_000_000, text=5_000_000)
MAX_DEPTH = 60
MAX_NODES = 300_000
TEMPLATE = "render it first: `helm template . | sloforge lint-health -`"
MANIFESTS = Manner(depth=MAX_DEPTH, nodes=MAX_NODES, file=MAX_NODES, braces=TEMPLATE, tags=True)
SUFFIXES = (".yaml", ".yml", ".json", ".tf", ".hcl", ".nomad", ".cfg", ".conf")
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
            Location(files.name_of(Path(error.filename))), f"cannot be listed: {error.strerror}"
        )

    for directory, folders, names in os.walk(path, onerror=refuse):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _FOREIGN)
        yield from (
            (Path(directory, name), False)
            for name in sorted(names)
            if not name.startswith(".") and (name.endswith(SUFFIXES) or is_dockerfile(name))
        )


def read(path: Path, *, named: bool = True) -> Source:
    """The text of a regular file in UTF-8. Raises Malformed, and never waits for a pipe."""
    name = files.name_of(path)
    return Source(path=name, text=files.text_of(path, name, LIMIT), named=named)
