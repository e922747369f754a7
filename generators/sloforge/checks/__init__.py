"""What a project comes to -> findings: promtool, amtool, our own rules for each kind of file."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sloforge import generate, plugged, plugins, specs
from sloforge.checks.alertmanager import alertmanager_findings
from sloforge.checks.dashboards import all_findings
from sloforge.checks.mixins import mixin_findings
from sloforge.checks.prometheus import promtool_findings
from sloforge.checks.rules import rule_findings
from sloforge.checks.runbooks import runbook_findings
from sloforge.checks.services import service_findings
from sloforge.errors import Finding, Location
from sloforge.naming import is_foreign
from sloforge.plugins import Plugin

if TYPE_CHECKING:
    from sloforge.model import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A project, and the text of every file that it comes to, written out below `root`.

    `files` are the paths of the repository that it stands in.
    """

    root: Path
    project: Project
    texts: dict[str, str]
    files: frozenset[str]

    def matching(self, *patterns: str) -> dict[str, str]:
        """The generated files whose path matches one of the patterns."""
        found = {p: t for p, t in self.texts.items() if any(fnmatchcase(p, x) for x in patterns)}
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Findings that are not suppressed, sorted by place, and one line about all of them."""

    findings: tuple[Finding, ...]
    summary: str


# One or two letters are ours.
PLUGIN_ID = re.compile(r"[A-Z]{3,8}[0-9]{3}")
Check = Callable[[Tree], Iterable[Finding]]


def _promtool(tree: Tree) -> Iterator[Finding]:
    yield from promtool_findings(tree.root, tree.matching("recording/*", "rules/*"))


def _rules(tree: Tree) -> Iterator[Finding]:
    """Mode `exact` asks for the long raw ranges that are a mistake anywhere else."""
    exact = tree.project.settings.mode == "exact"
    for one in rule_findings(tree.matching("recording/*", "rules/*")):
        if not (exact and one.id == "Q009" and one.where.path.startswith("recording/")):
            yield one


def _services(tree: Tree) -> Iterator[Finding]:
    yield from service_findings(tree.project)


def _dashboards(tree: Tree) -> Iterator[Finding]:
    yield from all_findings(tree.project, tree.matching("recording/*", "dashboards/*"))


def _mixins(tree: Tree) -> Iterator[Finding]:
    if tree.project.mixins:
        texts = tree.matching("recording/*", "rules/*", "dashboards/*")
        yield from mixin_findings(tree.project, texts)


def _alertmanager(tree: Tree) -> Iterator[Finding]:
    yield from alertmanager_findings(tree.root, tree.project)


def _runbooks(tree: Tree) -> Iterator[Finding]:
    yield from runbook_findings(tree.project, tree.files | tree.texts.keys())


CHECKS: tuple[Check, ...] = (
    _services,
    _promtool,
    _rules,
    _dashboards,
    _mixins,
    _alertmanager,
    _runbooks,
)


def run(root: Path) -> Result:
    """Every check on what slos/ comes to, whatever was built before.

    Raises Problem where slos/ has mistakes or a tool is missing.
    """
    project = specs.load(root)
    made = generate.artifacts(project, plugged.generators())
    texts = {one.path: one.text for one in made}
    with tempfile.TemporaryDirectory() as directory:
        files = frozenset(_files(root))
        tree = Tree(root=Path(directory), project=project, texts=texts, files=files)
        _write(tree)
        found = [finding for check in (*CHECKS, *_offered()) for finding in check(tree)]
    return _result(project, found, texts)


def _offered() -> Iterator[Check]:
    """The checks of plugins, by name."""
    for plugin in plugins.found("checks"):
        yield partial(_by_plugin, plugin)


def _by_plugin(plugin: Plugin, tree: Tree) -> list[Finding]:
    function = plugin.load()
    with plugin.blamed():
        found = list(function(tree))
    for one in found:
        if not isinstance(one, Finding):
            raise plugin.wrong(f"expected a Finding, got {type(one).__name__}")
        if not PLUGIN_ID.fullmatch(one.id):
            what = f"expected an id of three to eight letters and three digits, got `{one.id}`"
            raise plugin.wrong(what)
    return found


def _files(root: Path) -> Iterator[str]:
    """Every path but those below a hidden folder, such as .git and .venv."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(folder).relative_to(root)
        yield from ((here / name).as_posix() for name in names)


def _write(tree: Tree) -> None:
    authored = dict(tree.project.authored)
    for path, text in (authored | tree.texts).items():
        file = tree.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _result(project: Project, found: list[Finding], files: Collection[str]) -> Result:
    kept = [one for one in found if not _suppressed(project, one)]
    kept += _unused(project, found)
    errors = sum(one.severity == "error" for one in kept)
    summary = f"{len(files)} files checked: {errors} errors, {len(kept) - errors} warnings"
    if foreign := sum(is_foreign(path) for path in files):
        summary += f" ({foreign} of the files are foreign: only their structure was checked)"
    if hidden := len(found) - sum(not _suppressed(project, one) for one in found):
        summary += f", {hidden} suppressed"
    return Result(findings=tuple(sorted(kept, key=lambda one: one.order)), summary=summary)


def _suppressed(project: Project, finding: Finding) -> bool:
    return any(
        one.id == finding.id and fnmatchcase(finding.where.path, one.path)
        for one in project.settings.suppressions
    )


def _unused(project: Project, found: list[Finding]) -> Iterator[Finding]:
    """A suppression that hides nothing any more would hide the next mistake."""
    for one in project.settings.suppressions:
        if not any(f.id == one.id and fnmatchcase(f.where.path, one.path) for f in found):
            what = f"suppress: {one.id} in {one.path} suppresses nothing"
            where = Location("slos/project.yaml")
            yield Finding(id="S009", where=where, what=what, remedy="remove it", severity="warning")
