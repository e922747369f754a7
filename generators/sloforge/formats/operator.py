"""Export for the Prometheus Operator: a PrometheusRule per service and mixin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sloforge import generate
from sloforge.artifacts import Artifact, yaml_text
from sloforge.formats.lost import Lost
from sloforge.libyaml import load
from sloforge.model import Project

_FOLDERS = ("recording", "rules")


def export(project: Project) -> tuple[list[Artifact], list[Lost]]:
    """Everything that Prometheus reads, mixins too; nothing is left out."""
    groups: dict[str, list[Any]] = {}
    chosen = [one for one in generate.GENERATORS if one.name in _FOLDERS]
    for artifact in generate.artifacts(project, chosen):
        groups.setdefault(_name(artifact.path), []).extend(load(artifact.text)["groups"])
    return [one for name, each in sorted(groups.items()) for one in _rules(name, each)], []


def _name(path: str) -> str:
    """`mixins.kubernetes` of rules/mixins/kubernetes.yml: no service's name has a dot."""
    return path.partition("/")[2].removesuffix(".yml").strip("_").replace("/", ".")


def _rules(name: str, groups: list[Any]) -> Iterator[Artifact]:
    for at, part in enumerate(_parts(groups), start=1):
        yield _rule(name + (f".{at}" if at > 1 else ""), part)


def _parts(groups: Iterable[Any]) -> Iterator[list[Any]]:
    """The API server keys an object's groups by name: a second one of a name is for the next."""
    left = list(groups)
    while left:
        part = list({group["name"]: group for group in reversed(left)}.values())[::-1]
        yield part
        left = [group for group in left if not any(group is one for one in part)]


def _rule(name: str, groups: list[Any]) -> Artifact:
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"slo-{name}", "labels": {"app.kubernetes.io/managed-by": "sloforge"}},
        "spec": {"groups": groups},
    }
    return Artifact(f"{name}.yaml", yaml_text(document))
