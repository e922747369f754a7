"""What is built in, joined with what plugins offer: the generators that a build runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath

from sloforge import generate, plugins
from sloforge.artifacts import Artifact
from sloforge.generate import Generator
from sloforge.model import Project
from sloforge.plugins import Plugin

# Where a plugin's files go: the first part of the path below it is the plugin's name.
FOLDER = "generated"
# Folders of ours that take files of a plugin whose names begin with its own.
SHARED = ("recording", "rules", "dashboards", "tests/rules")


def generators() -> tuple[Generator, ...]:
    """Ours, then those of plugins by name. Raises Problem where a name is taken."""
    taken = {one.name for one in generate.GENERATORS}
    more = tuple(_generator(one) for one in plugins.found("generators", taken))
    return (*generate.GENERATORS, *more)


def writing(names: Collection[str]) -> tuple[Generator, ...]:
    """Ours of these names, and all of plugins, which may write to the same folders."""
    ours = {one.name for one in generate.GENERATORS}
    return tuple(one for one in generators() if one.name in names or one.name not in ours)


def _generator(plugin: Plugin) -> Generator:
    return Generator(plugin.name, partial(_run, plugin), (f"{FOLDER}/{plugin.name}/**/*",))


def _run(plugin: Plugin, project: Project) -> Iterator[Artifact]:
    """Its files, each of which must be one and stand where a plugin may write."""
    function = plugin.load()
    with plugin.blamed():
        found = list(function(project))
    seen: set[str] = set()
    for one in found:
        _check(plugin, one)
        if one.path in seen:
            raise plugin.wrong(f"makes {one.path} twice")
        seen.add(one.path)
    yield from found


def _check(plugin: Plugin, artifact: object) -> None:
    if not isinstance(artifact, Artifact):
        raise plugin.wrong(f"expected an Artifact, got {type(artifact).__name__}")
    path = PurePosixPath(artifact.path)
    plain = str(path) == artifact.path and not path.is_absolute() and ".." not in path.parts
    if not plain or not _is_own(plugin, path):
        allowed = f"{FOLDER}/{plugin.name}/, or a file {plugin.name}* in {', '.join(SHARED)}"
        raise plugin.wrong(f"may not write {artifact.path}; expected a path in {allowed}")


def _is_own(plugin: Plugin, path: PurePosixPath) -> bool:
    if path.is_relative_to(f"{FOLDER}/{plugin.name}"):
        return True
    return any(
        path.is_relative_to(folder) and path.relative_to(folder).parts[0].startswith(plugin.name)
        for folder in SHARED
    )


def twice(artifacts: Iterable[Artifact], others: Iterable[str] = ()) -> str:
    """A path that two generators write; empty where there is none."""
    seen = set(others)
    for one in artifacts:
        if one.path in seen:
            return one.path
        seen.add(one.path)
    return ""
