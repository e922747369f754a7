"""Kubernetes objects that set a load balancer's check: GKE BackendConfig, ALB's annotations."""

from __future__ import annotations

from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import Unit
from sloforge.health.lint.platforms import aws, gcp
from sloforge.located.tree import Node

_PREFIX = "alb.ingress.kubernetes.io/"


def read(node: Node, kind: str, notes: Notes) -> Found:
    """What another kind than a workload says about health checks; most say nothing."""
    name = f"{kind}/{node.text('metadata', 'name') or 'unnamed'}"
    before = len(notes.hits)
    check = None
    if kind == "BackendConfig":
        held = node.get("spec", "healthCheck")
        check = gcp.check(held, name, notes) if held is not None else None
    elif kind in ("Ingress", "Service"):
        held = node.get("metadata", "annotations")
        if held is not None and any(key.startswith(f"{_PREFIX}health") for key, _ in held.items()):
            check = aws.check(held, name, aws.ANNOTATIONS, notes)
    if check is None or len(notes.hits) > before:
        return Found()
    unit = Unit(platform=check.platform, name=name, where=check.where, checks=(check,))
    return Found(units=(unit,))
