"""A started repository with the mixin of a cache: vendored, and used by a file below mixins/."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sloforge import checks, generate, pipeline, specs, starting
from sloforge.errors import Finding
from sloforge.generate.mixins import mixin_dashboards, mixin_recording, mixin_rules
from sloforge.model import Project

CACHE = Path(__file__).parent / "specs" / "mixins"
PROGRAM = "mixins/cache.jsonnet"


def repository(root: Path, files: Mapping[str, str] | None = None, *, cache: bool = True) -> Path:
    """What `sloforge init` writes, the mixin, and other files by path; more of the settings too."""
    starting.write(root)
    if cache:
        shutil.copytree(CACHE / "vendor", root / "vendor", dirs_exist_ok=True)
        (root / "mixins").mkdir(exist_ok=True)
        shutil.copy(CACHE / "cache.jsonnet", root / PROGRAM)
    return put(root, files or {})


def put(root: Path, files: Mapping[str, str]) -> Path:
    """`project` is added to slos/project.yaml."""
    for name, text in files.items():
        path = root / ("slos/project.yaml" if name == "project" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() + text if name == "project" else text)
    return root


def load(root: Path) -> Project:
    return specs.load(root)


def generated(root: Path) -> dict[str, str]:
    return {one.path: one.text for one in generate.artifacts(load(root))}


def foreign(root: Path) -> dict[str, str]:
    """The generated files of mixins."""
    project = load(root)
    made = (mixin_recording(project), mixin_rules(project), mixin_dashboards(project))
    return {one.path: one.text for artifacts in made for one in artifacts}


def rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def build(root: Path) -> list[str]:
    """What a build changes, as `create path`."""
    built = pipeline.build(root)
    pipeline.apply(root, built)
    return [f"{change.verb} {change.path}" for change in built.changes]


def found(root: Path) -> list[Finding]:
    """What `sloforge check` says of mixins."""
    return [one for one in checks.run(root).findings if "mixins" in str(one)]
