"""Google Cloud's health checks, from `gcloud ... --format json`, Terraform and GKE.

Defaults: https://cloud.google.com/compute/docs/reference/rest/v1/healthChecks
"""

from __future__ import annotations

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import Heal, HealthCheck, Kind, Method, Target, Unit
from sloforge.located.tree import Node

_PROTOCOLS: tuple[tuple[Method, tuple[str, ...]], ...] = (
    ("http", ("httpHealthCheck", "httpsHealthCheck", "http2HealthCheck")),
    ("grpc", ("grpcHealthCheck",)),
    ("tcp", ("tcpHealthCheck", "sslHealthCheck")),
)
_SNAKE = Form(insert="{name} = ")


def read(node: Node, notes: Notes) -> Found | None:
    """One resource of the API: a health check, or a managed instance group."""
    if node.get("autoHealingPolicies") is not None:
        return Found(heals=tuple(_heals(node, notes)))
    if node.get("checkIntervalSec") is None and "healthCheck" not in node.text("kind"):
        return None
    before = len(notes.hits)
    name = f"healthCheck/{node.text('name') or 'unnamed'}"
    found = check(node, name, notes)
    if len(notes.hits) > before:
        return Found()
    return Found(units=(Unit(platform="gcp", name=name, where=found.where, checks=(found,)),))


def _heals(node: Node, notes: Notes) -> list[Heal]:
    name = f"instanceGroupManager/{node.text('name') or 'unnamed'}"
    found = []
    for one in node.list("autoHealingPolicies"):
        delay = Fields(one, notes).seconds("initialDelaySec", "0")
        found.append(Heal(name=name, where=delay.where, delay=delay))
    return found


def check(node: Node, name: str, notes: Notes, *, kind: Kind = "lb") -> HealthCheck:
    """A health check by the API's names."""
    fields = Fields(node, notes)
    return HealthCheck(
        platform="gcp",
        kind=kind,
        name=name,
        where=node.key or node.where,
        target=_target(node),
        interval=fields.seconds("checkIntervalSec", "5"),
        timeout=fields.seconds("timeoutSec", "5"),
        fail=fields.count("unhealthyThreshold", "2"),
        ok=fields.count("healthyThreshold", "2"),
    )


def resource(node: Node, name: str, notes: Notes) -> HealthCheck:
    """A `google_compute_health_check` by the provider's names."""
    fields = Fields(node, notes, _SNAKE)
    return HealthCheck(
        platform="gcp",
        kind="lb",
        name=name,
        where=node.key or node.where,
        target=_target(node),
        interval=fields.seconds("check_interval_sec", "5"),
        timeout=fields.seconds("timeout_sec", "5"),
        fail=fields.count("unhealthy_threshold", "2"),
        ok=fields.count("healthy_threshold", "2"),
    )


def _target(node: Node) -> Target:
    """GKE says `requestPath` right in the check, the others below the protocol's name."""
    where = node.key or node.where
    for method, names in _PROTOCOLS:
        for name in names:
            snake = name.replace("HealthCheck", "_health_check")
            found = next(iter(node.list(name) or node.list(snake)), None)
            if found is not None:
                path = found.text("requestPath") or found.text("request_path")
                path = path or "/" * (method == "http")
                # Its `host` is the Host header, never another address.
                return Target(method=method, where=where, path=path, port=found.text("port"))
    path = node.text("requestPath") or node.text("request_path")
    return Target(method="http" if path else "other", where=where, path=path)
