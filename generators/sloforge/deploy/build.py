"""The build that is deployed: the generated files of the repository, if they are up to date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sloforge import generate, output, specs
from sloforge.artifacts import Artifact
from sloforge.deploy.target import digest
from sloforge.errors import Problem

DEPLOYED = ("recording", "rules", "dashboards", "alertmanager")
TEMPLATES = "alertmanager/templates/"
SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is deployed, under the name that its content gives it."""

    id: str
    artifacts: tuple[Artifact, ...]


def of(artifacts: Iterable[Artifact]) -> Build:
    """The same files have the same id, whatever their order."""
    found = tuple(sorted(artifacts, key=lambda one: one.path))
    lines = "".join(f"{digest(one.text)}  {one.path}\n" for one in found)
    return Build(id=digest(lines)[:SHORT], artifacts=found)


def current(root: Path) -> Build:
    """What slos/ comes to. Raises Problem where the files of the repository are not that.

    What was reviewed and tested is what stands in the files: nothing else may be deployed.
    """
    project = specs.load(root)
    generators = [one for one in generate.GENERATORS if one.name in DEPLOYED]
    made = generate.artifacts(project, generators)
    owned = {pattern for one in generators for pattern in one.owned}
    if stale := output.plan(root, made, owned):
        paths = ", ".join(one.path for one in stale[:3]) + ", ..." * (len(stale) > 3)  # noqa: PLR2004
        what = f"{len(stale)} generated files are out of date ({paths})"
        raise Problem(f"{what}; run `make build`, test and commit it, then deploy")
    templates = (Artifact(path, text) for path, text in project.authored)
    return of([*made, *(one for one in templates if one.path.startswith(TEMPLATES))])
