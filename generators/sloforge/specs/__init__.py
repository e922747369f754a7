"""Specs on disk -> `Project`: the only place that knows spec formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sloforge.alerts import alerts
from sloforge.errors import Finding, Location, SpecProblem
from sloforge.located import tree, yamltext
from sloforge.located.tree import Node
from sloforge.model import Project, Service
from sloforge.specs import (
    files,
    mixins,
    native,
    planes,
    project,
    reading,
    templates,
    unique,
    variables,
)
from sloforge.specs.foreign import Told
from sloforge.specs.reading import READERS
from sloforge.specs.settings import PROJECT_VERSION

__all__ = ["AUTHORED", "READERS", "context_of", "load", "missing_runbooks"]

AUTHORED = (
    "alertmanager/base.yml",
    "alertmanager/templates/*.tmpl",
    "mixin.libsonnet",
    "runbooks/**/*.md",
)


def load(root: Path, *, runbooks: bool = True) -> Project:
    """Everything under slos/ and mixins/, and the authored texts that generators complete.

    Raises SpecProblem with every mistake of every file. `runbooks=False` leaves out whether each
    alert's runbook exists.
    """
    findings: list[Finding] = []
    context = context_of(root, findings)
    services = _services(root, context, findings)
    findings += [*unique.services(services), *unique.ids(services)]
    findings += variables.nowhere(context.variables, root)
    authored = sorted(pair for name in AUTHORED for pair in files.texts(root, name, findings))
    loaded = Project(
        settings=context.settings,
        services=tuple(sorted(services, key=lambda service: service.name)),
        authored=tuple(authored),
        planes=planes.load(root, services, findings),
        mixins=mixins.load(root, context, findings),
        warnings=tuple(variables.secrets(context.variables)),
    )
    if not findings:
        findings += unique.alert_names(loaded)
    if runbooks and not findings:
        findings += missing_runbooks(loaded)
    if findings:
        raise SpecProblem(findings=findings)
    return loaded


def missing_runbooks(loaded: Project) -> Iterator[Finding]:
    """An alert without a runbook wakes somebody who then has nothing to go by."""
    written = {path for path, _ in loaded.authored}
    for alert in alerts(loaded):
        if alert.runbook not in written:
            where = alert.slo.source if alert.slo else alert.service.source
            what = f"alert `{alert.name}` has no runbook: {alert.runbook} does not exist"
            name = alert.runbook.removeprefix("runbooks/").removesuffix(".md")
            remedy = f"write it; `sloforge runbook new {name}` makes a skeleton"
            yield Finding(id="R001", where=where, what=what, remedy=remedy)


def _services(root: Path, context: project.Context, findings: list[Finding]) -> list[Service]:
    """Every service of every file; what another format says and ours cannot is a mistake here."""
    listed = files.listed(root, "slos", findings)
    paths = [p for p in listed if p != root / project.FILE and not _is_template(root, p)]
    told = Told()
    documents = reading.documents(root, paths, context, told)
    found = [
        service
        for node in reading.translated(documents, context, told)
        if (service := native.read(node, context, findings)) is not None
    ]
    findings += [*told.wrong, *told.lost]
    return found


def _is_template(root: Path, path: Path) -> bool:
    return path.is_relative_to(root / templates.FOLDER)


def context_of(root: Path, findings: list[Finding]) -> project.Context:
    """What slos/project.yaml and slos/library/ say.

    Incomplete, with `findings` grown, where the project's file is wrong.
    """
    library = templates.load(root, findings)
    return replace(_settings(root, findings), library=library)


def _settings(root: Path, findings: list[Finding]) -> project.Context:
    path = root / project.FILE
    if not path.exists() and not path.is_symlink():
        where, remedy = Location(project.FILE), "write it, or run `sloforge init`"
        what = "expected the project's settings, found no file"
        findings.append(Finding(id="S001", where=where, what=what, remedy=remedy))
        return project.unknown()
    node = _document(root, path, findings)
    if node is None or not reading.is_known(node, PROJECT_VERSION, findings):
        return project.unknown()
    return project.read(node, findings)


def _document(root: Path, path: Path, findings: list[Finding]) -> Node | None:
    try:
        return yamltext.parse(files.text_of(root, path), files.name_of(root, path))
    except tree.Malformed as refused:
        findings.append(refused.finding)
        return None
