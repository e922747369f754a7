"""Export for jsonnet: a `mixin.libsonnet` that hands on what the build has written."""

from __future__ import annotations

from sloforge import generate, plugged
from sloforge.artifacts import Artifact
from sloforge.formats.lost import Lost
from sloforge.generate.library import FOLDERS, library
from sloforge.model import Project


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """One file for the root of the repository, which each later build keeps up to date."""
    made = generate.artifacts(project, plugged.writing(FOLDERS))
    paths = [artifact.path for artifact in made]
    what = "is left out: whoever imports this file imports that mixin beside it"
    lost = [Lost(where=one.source, subject=one.name, what=what) for one in project.mixins]
    return [library(paths)], lost
