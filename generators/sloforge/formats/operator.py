"""Export for the Prometheus Operator: a PrometheusRule per service, with all that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import yaml

from sloforge.artifacts import Artifact, yaml_text
from sloforge.formats.lost import Lost
from sloforge.generate.recording import recording
from sloforge.generate.rules import rules, watchdog
from sloforge.model import Project

_GENERATORS: tuple[Callable[[Project], Iterable[Artifact]], ...] = (recording, rules, watchdog)


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """Everything that Prometheus reads; nothing is left out."""
    groups: dict[str, list[Any]] = {}
    for generate in _GENERATORS:
        for artifact in generate(project):
            name = artifact.path.rpartition("/")[2].removesuffix(".yml").strip("_")
            groups.setdefault(name, []).extend(yaml.safe_load(artifact.text)["groups"])
    return [_rule(name, each) for name, each in sorted(groups.items())], []


def _rule(name: str, groups: list[Any]) -> Artifact:
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"slo-{name}", "labels": {"app.kubernetes.io/managed-by": "sloforge"}},
        "spec": {"groups": groups},
    }
    return Artifact(f"{name}.yaml", yaml_text(document))
