"""A project for tests of other formats: two owners, and files of any format by name."""

import shutil
from pathlib import Path

from sloforge import specs
from sloforge.model import Project

SPECS = Path(__file__).parent / "specs"
PROJECT = (SPECS / "project-formats.yaml").read_text()
TOOLS = ("openslo", "sloth", "pyrra", "jsonnet")


def fixtures(kind: str) -> list[Path]:
    """Every file of one kind, good or bad, of every tool."""
    found = [p for tool in TOOLS for p in (SPECS / tool / kind).iterdir()]
    return sorted(path for path in found if path.suffix in (".yaml", ".jsonnet"))


def repository(root: Path, project: str = PROJECT, **texts: str) -> Path:
    """A repository with files under slos/; `a__jsonnet` is a.jsonnet."""
    (root / "slos").mkdir(parents=True, exist_ok=True)
    (root / "slos" / "project.yaml").write_text(project)
    for name, text in texts.items():
        stem, _, suffix = name.partition("__")
        (root / "slos" / f"{stem}.{suffix or 'yaml'}").write_text(text)
    return root


def place(root: Path, path: Path) -> None:
    """A fixture in a repository, with the library that good jsonnet imports."""
    repository(root)
    shutil.copy(path, root / "slos" / f"{path.parent.parent.name}-{path.name}")
    if path.suffix == ".jsonnet" and (parts := path.parent / "parts").is_dir():
        shutil.copytree(parts, root / "slos" / "parts", dirs_exist_ok=True)


def load(root: Path) -> Project:
    return specs.load(root, runbooks=False)
