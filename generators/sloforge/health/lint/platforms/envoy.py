"""Envoy's clusters, YAML or JSON -> a check for each of their `health_checks`.

https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/health_check.proto
"""

from __future__ import annotations

from dataclasses import replace

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import HealthCheck, Setting, Target, Unit
from sloforge.located.tree import Node, every

_KNOWN = ("static_resources", "dynamic_resources")
_METHODS = ("http_health_check", "tcp_health_check", "grpc_health_check", "custom_health_check")


def read(node: Node, notes: Notes) -> Found | None:
    """A bootstrap, a list of resources, or a cluster alone; field names in snake or camel case."""
    clusters = [one for one in every(node) if _key(one, "health_checks") is not None]
    if not clusters:
        return Found() if any(_key(node, name) for name in _KNOWN) else None
    return Found(units=tuple(_unit(one, notes) for one in clusters))


def _key(node: Node, name: str) -> Node | None:
    first, *rest = name.split("_")
    return node.get(name) or node.get(first + "".join(one.capitalize() for one in rest))


def _unit(node: Node, notes: Notes) -> Unit:
    name = f"cluster {node.text('name') or 'unnamed'}"
    held = _key(node, "health_checks")
    listed = held.value if held is not None and isinstance(held.value, list) else []
    if held is not None and not isinstance(held.value, list):
        notes.wrong(held.where, "health_checks: expected a list", "write `- timeout: ...`")
    checks = []
    for one in listed:
        before = len(notes.hits)
        found = _check(one, name, notes)
        checks += [found] if found is not None and len(notes.hits) == before else []
    return Unit(
        platform="envoy",
        name=name,
        where=node.key or node.where,
        checks=tuple(checks),
        declared=frozenset({"lb"}),
    )


def _check(node: Node, name: str, notes: Notes) -> HealthCheck | None:
    if not isinstance(node.value, dict):
        notes.wrong(node.where, "health_checks: expected mappings", "write `timeout: 8s`")
        return None
    node = _snake(node)
    fields = Fields(node, notes, Form(unit="proto"))
    interval = fields.seconds("interval", None)
    down = _or(fields, "unhealthy_interval", interval)
    http = node.get("http_health_check")
    return HealthCheck(
        platform="envoy",
        kind="lb",
        name=f"{name} health_checks",
        where=node.where,
        target=_target(node),
        interval=interval,
        timeout=fields.seconds("timeout", None),
        fail=fields.count("unhealthy_threshold", None),
        ok=fields.count("healthy_threshold", None),
        failing=_or(fields, "unhealthy_edge_interval", down),
        down=down,
        rising=_or(fields, "healthy_edge_interval", interval),
        no_traffic=fields.seconds("no_traffic_interval", "60"),
        # The next check is armed when an answer or the time-out is in.
        schedule="gaps",
        instant=http is not None and not _snake(http).list("retriable_statuses"),
    )


def _or(fields: Fields, name: str, otherwise: Setting) -> Setting:
    return fields.given(name) or replace(otherwise, name=name, explicit=False, slot=None)


def _snake(node: Node) -> Node:
    """protobuf's JSON has lowerCamelCase; both are read."""
    if not isinstance(node.value, dict):
        return node
    value = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): one
        for key, one in node.value.items()
    }
    return replace(node, value=value)


def _target(node: Node) -> Target:
    for name in _METHODS:
        found = node.get(name)
        if found is not None:
            where = found.key or found.where
            match name:
                case "http_health_check":
                    return Target(method="http", where=where, path=found.text("path"))
                case "tcp_health_check":
                    return Target(method="tcp", where=where)
                case "grpc_health_check":
                    return Target(method="grpc", where=where)
    return Target(method="other", where=node.where)
