"""Load balancers' target groups on AWS, from `aws elbv2` JSON, Terraform and Ingress annotations.

Defaults of the API: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from collections.abc import Mapping

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found, joined
from sloforge.health.lint.model import Heal, HealthCheck, Method, Target, Unit
from sloforge.health.lint.platforms import ecs
from sloforge.located.tree import Node

API: Mapping[str, str] = {
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "fail": "UnhealthyThresholdCount",
    "ok": "HealthyThresholdCount",
    "ok default": "5",
    "fail default": "2",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "form": "{name}: ",
}
TERRAFORM: Mapping[str, str] = {
    "interval": "interval",
    "timeout": "timeout",
    "fail": "unhealthy_threshold",
    "ok": "healthy_threshold",
    "ok default": "3",
    "path": "path",
    "port": "port",
    "protocol": "protocol",
    "form": "{name} = ",
}
# The controller's own defaults: https://kubernetes-sigs.github.io/aws-load-balancer-controller/
ANNOTATIONS: Mapping[str, str] = {
    "interval": "alb.ingress.kubernetes.io/healthcheck-interval-seconds",
    "timeout": "alb.ingress.kubernetes.io/healthcheck-timeout-seconds",
    "fail": "alb.ingress.kubernetes.io/unhealthy-threshold-count",
    "ok": "alb.ingress.kubernetes.io/healthy-threshold-count",
    "ok default": "2",
    "fail default": "2",
    "interval default": "15",
    "timeout default": "5",
    "path": "alb.ingress.kubernetes.io/healthcheck-path",
    "port": "alb.ingress.kubernetes.io/healthcheck-port",
    "protocol": "alb.ingress.kubernetes.io/healthcheck-protocol",
    "form": "{name}: ",
}
_TCP = ("TCP", "TLS", "UDP", "TCP_UDP")


def read(node: Node, notes: Notes) -> Found | None:
    """What the CLI describes: target groups, auto scaling groups, ECS tasks and services."""
    groups = node.list("TargetGroups")
    if not groups and node.get("HealthCheckIntervalSeconds") is not None:
        groups = [node]
    scaling = node.list("AutoScalingGroups")
    parts = [_group(one, notes) for one in groups]
    parts += [Found(heals=tuple(_heal(one, notes))) for one in scaling]
    task = ecs.read(node, notes)
    if task is not None:
        parts.append(task)
    listed = any(node.has(name) for name in ("TargetGroups", "AutoScalingGroups"))
    return joined([Found(), *parts]) if parts or listed else None


def _group(node: Node, notes: Notes) -> Found:
    before = len(notes.hits)
    name = f"TargetGroup/{node.text('TargetGroupName') or 'unnamed'}"
    found = check(node, name, API, notes, protocol=node.text("Protocol"), port=node.text("Port"))
    if len(notes.hits) > before:
        return Found()
    return Found(units=(Unit(platform="aws", name=name, where=found.where, checks=(found,)),))


def _heal(node: Node, notes: Notes) -> list[Heal]:
    if node.text("HealthCheckType") == "EC2":
        return []
    name = f"AutoScalingGroup/{node.text('AutoScalingGroupName') or 'unnamed'}"
    delay = Fields(node, notes).seconds("HealthCheckGracePeriod", "0")
    return [Heal(name=name, where=delay.where, delay=delay)]


def check(  # noqa: PLR0913 - a group's own protocol and port are not part of its check
    node: Node,
    name: str,
    names: Mapping[str, str],
    notes: Notes,
    *,
    protocol: str = "",
    port: str = "",
) -> HealthCheck:
    """A check under one of the three spellings."""
    fields = Fields(node, notes, Form(insert=names["form"]))
    tcp = (node.text(names["protocol"]) or protocol or "HTTP").upper() in _TCP
    asked = node.text(names["port"])
    return HealthCheck(
        platform="aws",
        kind="lb",
        name=name,
        where=node.key or node.where,
        target=_target(node, names, "tcp" if tcp else "http"),
        interval=fields.seconds(names["interval"], names.get("interval default", "30")),
        timeout=fields.seconds(
            names["timeout"], names.get("timeout default", "10" if tcp else "6")
        ),
        fail=fields.count(names["fail"], names.get("fail default", "3")),
        ok=fields.count(names["ok"], names["ok default"]),
        traffic_port=port if asked not in ("", "traffic-port") else "",
    )


def _target(node: Node, names: Mapping[str, str], method: Method) -> Target:
    path = node.text(names["path"]) or ("/" if method == "http" else "")
    port = node.text(names["port"]) or "traffic-port"
    return Target(method=method, where=node.key or node.where, path=path, port=port)
