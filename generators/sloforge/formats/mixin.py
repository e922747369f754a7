"""Export for jsonnet: a `mixin.libsonnet` that hands on what the build has written."""

from __future__ import annotations

from sloforge import generate
from sloforge.artifacts import Artifact
from sloforge.formats.lost import Lost
from sloforge.model import Project

_FOLDERS = ("recording", "rules", "dashboards")


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """One file for the root of the repository, which names every file of the build."""
    chosen = [one for one in generate.GENERATORS if one.name in _FOLDERS]
    paths = sorted(artifact.path for artifact in generate.artifacts(project, chosen))
    return [Artifact("mixin.libsonnet", _text(paths))], []


def _text(paths: list[str]) -> str:
    lines = [
        "// Written by `sloforge export mixin`; run it again after a service came or went.",
        "{",
    ]
    for key, folder in (("prometheusRules", "recording"), ("prometheusAlerts", "rules")):
        lines += [f"  {key}+:: {{", "    groups+: std.flattenArrays([", *_groups(paths, folder)]
        lines += ["    ]),", "  },"]
    lines += ["  grafanaDashboards+:: {", *_dashboards(paths), "  },", "}"]
    return "\n".join(lines) + "\n"


def _groups(paths: list[str], folder: str) -> list[str]:
    chosen = [path for path in paths if path.startswith(f"{folder}/")]
    return [f"      std.parseYaml(importstr '{path}').groups," for path in chosen]


def _dashboards(paths: list[str]) -> list[str]:
    chosen = [path for path in paths if path.startswith("dashboards/")]
    return [f"    '{path.rpartition('/')[2]}': import '{path}'," for path in chosen]
