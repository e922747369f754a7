"""Foreign rules and dashboards, as their mixins have them: below mixins/ in each directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sloforge import naming
from sloforge.artifacts import Artifact, json_artifact, yaml_artifact
from sloforge.model import Mixin, Project


def mixin_recording(project: Project) -> Iterator[Artifact]:
    """What `prometheusRules` holds."""
    for mixin in project.mixins:
        path = naming.mixin_recording_file(mixin.name)
        yield from _rules(project, mixin, path, mixin.recordings)


def mixin_rules(project: Project) -> Iterator[Artifact]:
    """What `prometheusAlerts` holds, with an owner and with links to the runbooks that exist."""
    for mixin in project.mixins:
        yield from _rules(project, mixin, naming.mixin_rules_file(mixin.name), mixin.alerts)


def mixin_dashboards(project: Project) -> Iterator[Artifact]:
    """What `grafanaDashboards` holds."""
    for mixin in project.mixins:
        for file, text in mixin.dashboards:
            yield json_artifact(naming.mixin_dashboard_file(mixin.name, file), json.loads(text))


def _rules(project: Project, mixin: Mixin, path: str, text: str) -> Iterator[Artifact]:
    groups = json.loads(text)
    for group in groups:
        group["rules"] = [_rule(project, mixin, rule) for rule in group["rules"]]
    if groups:
        yield yaml_artifact(path, mixin.source.path, {"groups": groups})


def _rule(project: Project, mixin: Mixin, rule: dict[str, Any]) -> dict[str, Any]:
    """What the mixin says itself is never replaced."""
    if "alert" not in rule:
        return rule
    labels, annotations = rule.get("labels", {}), rule.get("annotations", {})
    if mixin.owner:
        labels = labels | {"owner": labels.get("owner", mixin.owner)}
    runbook = naming.mixin_runbook_file(rule["alert"])
    if project.text(runbook) is not None:
        url = project.settings.runbook_base_url + runbook.removeprefix("runbooks/")
        annotations = annotations | {"runbook_url": annotations.get("runbook_url", url)}
    texts = {"labels": labels, "annotations": annotations}
    rest = {key: value for key, value in rule.items() if key not in texts}
    return rest | {key: dict(sorted(value.items())) for key, value in texts.items() if value}
