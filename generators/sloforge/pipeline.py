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

from sloforge import generate, output, specs

if TYPE_CHECKING:
    from sloforge.artifacts import Artifact, Change
    from sloforge.generate import Generator
    from sloforge.model import Project, Service

MEMORY = ".sloforge/build.json"
# Below this, starting processes takes longer than it saves.
WORTH_A_POOL = 40
CHUNK = 8
LIBRARIES = ("grafanalib", "PyYAML", "jinja2")
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
    keys = {s.name: _key(project, s, generators) for s in project.services}
    fresh = {k: known[k] for k in keys.values() if k in known and _on_disk(root, known[k])}
    stale = tuple(s for s in project.services if keys[s.name] not in fresh)
    made = _services(project, stale, generators)
    artifacts = [one for parts in made.values() for one in parts]
    artifacts += generate.artifacts(project, [g for g in generators if g.scope == "project"])
    kept = {path for hashes in fresh.values() for path in hashes}
    owned = {pattern for generator in generators for pattern in generator.owned}
    changes = tuple(c for c in output.plan(root, artifacts, owned, kept))
    memory = fresh | {keys[name]: _hashes(parts) for name, parts in made.items()}
    return Build(project=project, changes=changes, memory=memory)


def apply(root: Path, built: Build) -> None:
    """Write the changes, then the memory: a memory ahead of the disk is never believed."""
    output.apply(root, built.changes)
    file = root / MEMORY
    file.parent.mkdir(exist_ok=True)
    staging = file.with_suffix(f".{os.getpid()}.tmp")
    staging.write_text(json.dumps(built.memory, sort_keys=True), encoding="utf-8")
    staging.replace(file)


def chosen(only: Iterable[str]) -> tuple[Generator, ...]:
    """The generators by name; all of them where no name is given."""
    names = tuple(only)
    return tuple(g for g in generate.GENERATORS if not names or g.name in names)


def _services(
    project: Project, services: tuple[Service, ...], generators: tuple[Generator, ...]
) -> dict[str, tuple[Artifact, ...]]:
    mine = tuple(g for g in generators if g.scope == "service")
    alone = [replace(project, services=(service,)) for service in services]
    if len(services) < WORTH_A_POOL or (os.cpu_count() or 1) == 1:
        parts = [generate.artifacts(one, mine) for one in alone]
        return {service.name: part for service, part in zip(services, parts, strict=True)}
    names = tuple(generator.name for generator in mine)
    with ProcessPoolExecutor() as pool:
        found = pool.map(_one, alone, [names] * len(alone), chunksize=CHUNK)
        return {service.name: part for service, part in zip(services, found, strict=True)}


def _one(project: Project, names: tuple[str, ...]) -> tuple[Artifact, ...]:
    """Runs in a worker; a generator is found there by its name."""
    return generate.artifacts(project, [g for g in chosen(names) if g.scope == "service"])


def _key(project: Project, service: Service, generators: tuple[Generator, ...]) -> str:
    """Everything that a service's files are made of."""
    digest = hashlib.sha256(_code().encode())
    digest.update(repr([generator.name for generator in generators]).encode())
    digest.update(repr(project.settings).encode())
    digest.update(repr(service).encode())
    for path, text in project.authored:
        if path.startswith((f"runbooks/{service.name}/", "runbooks/common/")):
            digest.update(f"{path}\0{text}\0".encode())
    return f"{service.name}:{digest.hexdigest()}"


@cache
def _code() -> str:
    """Ourselves, Python, and the libraries whose words end up in the files."""
    digest = hashlib.sha256(platform.python_version().encode())
    here = Path(__file__).parent
    for file in sorted(path for path in here.rglob("*") if path.suffix in (".py", ".j2")):
        digest.update(file.read_bytes())
    for library in LIBRARIES:
        digest.update(metadata.version(library).encode())
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


def _read(root: Path) -> dict[str, Hashes]:
    """What was remembered; anything that does not look like it is forgotten."""
    try:
        found = json.loads((root / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if _is_hashes(value)}


def _is_hashes(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(path, str) and isinstance(digest, str) and ".." not in path
        for path, digest in value.items()
    )
