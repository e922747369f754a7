"""slos/ -> what would change on disk: over all cores, and only for services that changed.

What a service came to is remembered by the content of everything it is made of, as the hashes of
its files. A service is skipped only where its files on disk still have those hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from sloforge import generate, output, plugged, plugins, specs
from sloforge.errors import Problem
from sloforge.generate.library import FILE, FOLDERS, HEADER, library

if TYPE_CHECKING:
    from sloforge.artifacts import Artifact, Change
    from sloforge.errors import Finding
    from sloforge.generate import Generator
    from sloforge.model import Project

MEMORY = ".sloforge/build.json"
# Below this, starting processes takes longer than it saves.
WORTH_A_POOL = 40
CHUNK = 8
LIBRARIES = ("grafanalib", "PyYAML")
Hashes = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a build would do; `memory` is what the next one may skip."""

    project: Project
    changes: tuple[Change, ...]
    memory: Mapping[str, Hashes]


def build(root: Path, only: Iterable[str] = (), *, remember: bool = True) -> Build:
    """Load, generate and compare with the disk. Raises Problem with every mistake in slos/."""
    project = specs.load(root)
    generators = chosen(only)
    known = _read(root) if remember else {}
    alone = _alone(project)
    keys = {one.services[0].name: _key(one, generators) for one in alone}
    fresh = {k: known[k] for k in keys.values() if k in known and _on_disk(root, known[k])}
    stale = tuple(one for one in alone if keys[one.services[0].name] not in fresh)
    made = _services(stale, generators)
    artifacts = [one for parts in made.values() for one in parts]
    artifacts += generate.artifacts(project, [g for g in generators if g.scope == "project"])
    kept = {path for hashes in fresh.values() for path in hashes}
    if path := plugged.twice(artifacts, kept):
        raise Problem(f"two generators write {path}; uninstall the plugin that does")
    artifacts += _library(project, generators, {one.path for one in artifacts} | kept)
    owned = {pattern for generator in generators for pattern in generator.owned}
    changes = tuple(c for c in output.plan(root, artifacts, owned, kept))
    memory = dict(fresh)
    for one in stale:
        parts = made[one.services[0].name]
        memory[_key(_as_written(one, parts), generators)] = _hashes(parts)
    return Build(project=project, changes=changes, memory=memory)


def _library(
    project: Project, generators: Iterable[Generator], paths: Iterable[str]
) -> list[Artifact]:
    """Ours is kept up to date where `sloforge export mixin` has put it, and all files are known."""
    wanted = {*FOLDERS} <= {one.name for one in generators}
    there = (project.text(FILE) or "").startswith(HEADER)
    return [library(paths)] if wanted and there else []


def apply(root: Path, built: Build) -> None:
    """Write the changes, then the memory: a memory ahead of the disk is never believed."""
    output.apply(root, built.changes)
    text = json.dumps({key: _sealed(key, built.memory[key]) for key in sorted(built.memory)})
    try:
        with output.private(root) as folder:
            staging = folder / "memory"
            staging.write_text(text, encoding="utf-8")
            staging.replace(root / MEMORY)
    except OSError as error:
        where = error.filename2 or error.filename or root / MEMORY
        message = f"cannot write {where}: {error.strerror}; free the way and build again"
        raise Problem(message) from error


def chosen(only: Iterable[str]) -> tuple[Generator, ...]:
    """The generators by name; all of them where no name is given."""
    names = tuple(only)
    return tuple(g for g in plugged.generators() if not names or g.name in names)


def _alone(project: Project) -> tuple[Project, ...]:
    """A project for each service, with no more than the service's files are made of.

    They depend on which common runbooks there are, never on what those say: the texts are left out.
    """
    own: dict[str, list[tuple[str, str]]] = {}
    for path, text in project.authored:
        if path.startswith("runbooks/"):
            own.setdefault(path.split("/")[1], []).append((path, text))
    common = [(path, "") for path, _ in own.get("common", ())]
    planes = project.planes.service if project.planes else ""
    return tuple(
        replace(
            project,
            services=(one,),
            authored=tuple(sorted([*common, *own.get(one.name, ())])),
            planes=project.planes if planes == one.name else None,
            mixins=(),
            warnings=(),
        )
        for one in project.services
    )


def _as_written(alone: Project, parts: tuple[Artifact, ...]) -> Project:
    """As the next build will find it: its runbooks hold the blocks that this one refreshed."""
    texts = {part.path: part.text for part in parts}
    authored = tuple((path, texts.get(path, text)) for path, text in alone.authored)
    return replace(alone, authored=authored)


def _services(
    alone: tuple[Project, ...], generators: tuple[Generator, ...]
) -> dict[str, tuple[Artifact, ...]]:
    """Raises Problem with the findings of all services."""
    names = tuple(dict.fromkeys(g.name for g in generators if g.scope == "service"))
    if len(alone) < WORTH_A_POOL or (os.cpu_count() or 1) == 1:
        parts = [_one(one, names) for one in alone]
    else:
        with ProcessPoolExecutor() as pool:
            parts = list(pool.map(_one, alone, [names] * len(alone), chunksize=CHUNK))
    if findings := [finding for part in parts for finding in part.findings]:
        raise Problem(findings=findings)
    services = [one.services[0].name for one in alone]
    return {name: part.artifacts for name, part in zip(services, parts, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one service came to: its files, or what keeps it from having them."""

    artifacts: tuple[Artifact, ...] = ()
    findings: tuple[Finding, ...] = ()


def _one(project: Project, names: tuple[str, ...]) -> _Part:
    """Runs in a worker; a generator is found there by its name, and none is named for nothing."""
    mine = [g for g in generate.GENERATORS if g.scope == "service" and g.name in names]
    try:
        return _Part(artifacts=generate.artifacts(project, mine))
    except Problem as problem:
        if not problem.findings:
            raise
        return _Part(findings=problem.findings)


def _key(alone: Project, generators: tuple[Generator, ...]) -> str:
    """Everything that a service's files are made of."""
    (service,) = alone.services
    digest = hashlib.sha256(_code().encode())
    digest.update(repr([generator.name for generator in generators]).encode())
    digest.update(repr(alone.settings).encode())
    digest.update(repr(service).encode())
    digest.update(repr(alone.planes).encode())
    digest.update(repr(alone.authored).encode())
    return f"{service.name}:{digest.hexdigest()}"


@cache
def _code() -> str:
    """Ourselves, Python, the plugins, and the libraries whose words end up in the files."""
    digest = hashlib.sha256(platform.python_version().encode())
    digest.update(plugins.digest().encode())
    here = Path(__file__).parent
    for file in sorted(path for path in here.rglob("*") if path.suffix == ".py"):
        digest.update(file.read_bytes())
    for name in LIBRARIES:
        digest.update(metadata.version(name).encode())
    return digest.hexdigest()


def _hashes(artifacts: Iterable[Artifact]) -> dict[str, str]:
    return {a.path: hashlib.sha256(a.text.encode()).hexdigest() for a in artifacts}


def _on_disk(root: Path, hashes: Hashes) -> bool:
    """Whether every file is there and is what was remembered."""
    for path, wanted in hashes.items():
        try:
            content = (root / path).read_bytes()
        except OSError:
            return False
        if hashlib.sha256(content).hexdigest() != wanted:
            return False
    return True


def _sealed(key: str, hashes: Hashes) -> dict[str, object]:
    """With a digest of the entry and of our own code, so that only what we wrote is believed."""
    entry = json.dumps([_code(), key, dict(hashes)], sort_keys=True)
    return {"files": dict(hashes), "seal": hashlib.sha256(entry.encode()).hexdigest()}


def _read(root: Path) -> dict[str, Hashes]:
    """What was remembered; anything that we did not write like that is forgotten."""
    try:
        found = json.loads((root / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    entries = {k: v.get("files") for k, v in found.items() if isinstance(v, dict)}
    return {
        key: files
        for key, files in entries.items()
        if isinstance(files, dict) and found[key] == _sealed(key, files)
    }
