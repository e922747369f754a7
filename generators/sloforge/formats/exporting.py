"""A project -> the files of another tool, and what they cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sloforge.artifacts import Artifact
from sloforge.formats import mixin, openslo, operator, pyrra, sloth
from sloforge.formats.lost import Lost
from sloforge.model import Project

Export = Callable[[Project], tuple[list[Artifact], list[Lost]]]
EXPORTS: Mapping[str, Export] = {
    "mixin": mixin.export,
    "openslo": openslo.export,
    "operator": operator.export,
    "pyrra": pyrra.export,
    "sloth": sloth.export,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The files, and what is not in them."""

    files: tuple[Artifact, ...]
    lost: tuple[Lost, ...]


def export(project: Project, name: str) -> Exported:
    """The project in the format of that name."""
    files, lost = EXPORTS[name](project)
    return Exported(files=tuple(files), lost=tuple(lost))
