"""Lint of the Alertmanager configuration against the alerts that the project generates (A...)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from sloforge.amtool import locate
from sloforge.checks.alertmanager import inhibitions, receivers, routes
from sloforge.checks.alertmanager.routing import receivers as receivers_of
from sloforge.checks.alertmanager.setup import FILE, Setup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from sloforge.errors import Finding
    from sloforge.model import Pairs, Project

__all__ = ["alertmanager", "alertmanager_findings", "receivers_of"]


def alertmanager_findings(root: Path, project: Project) -> Iterator[Finding]:
    """What amtool and our own rules say of alertmanager/ as it is written out below `root`.

    Raises Problem where amtool is missing.
    """
    complaints = locate().check_config(root / FILE, FILE)
    yield from complaints
    loaded = yaml.safe_load((root / FILE).read_text(encoding="utf-8"))
    files = sorted((root / "alertmanager").rglob("*.tmpl"))
    texts = [(one.relative_to(root).as_posix(), one.read_text(encoding="utf-8")) for one in files]
    yield from alertmanager(project, loaded, tuple(texts))


def alertmanager(
    project: Project, config: Mapping[str, Any], templates: Pairs
) -> tuple[Finding, ...]:
    """All findings of our own on a whole configuration, as Alertmanager would load it.

    `templates` are the texts of the template files by their paths in the repository.
    """
    setup = Setup.of(project, config, templates)
    found = [*receivers.findings(setup)]
    unreadable = tuple(routes.syntax(setup))
    found += unreadable
    if not unreadable:
        found += routes.findings(setup)
        found += inhibitions.findings(setup)
    return tuple(sorted(found, key=lambda finding: finding.order))
