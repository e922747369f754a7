"""Kubernetes' probes: what one probe of a container asks, how often, and what it tolerates.

Defaults: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe
"""

from __future__ import annotations

from dataclasses import dataclass

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.model import HealthCheck, Kind, Method, Target
from sloforge.located.tree import Node

KINDS: tuple[tuple[Kind, str], ...] = (
    ("liveness", "livenessProbe"),
    ("readiness", "readinessProbe"),
    ("startup", "startupProbe"),
)
SHELLS = ("sh", "bash", "ash", "dash")
_HANDLERS: tuple[tuple[Method, str], ...] = (
    ("http", "httpGet"),
    ("tcp", "tcpSocket"),
    ("grpc", "grpc"),
    ("exec", "exec"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """camelCase in manifests, snake_case and `=` in Terraform."""

    snake: bool = False

    def key(self, name: str) -> str:
        if not self.snake:
            return name
        return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)

    @property
    def form(self) -> Form:
        return Form(insert="{name} = ") if self.snake else Form()

    def block(self, node: Node | None, *names: str) -> Node | None:
        """The first mapping below these keys, blocks and lists alike."""
        for name in names:
            found = node.list(self.key(name)) if node is not None else []
            node = found[0] if found else None
        return node


def probe(container: Node, kind: Kind, dialect: Dialect, notes: Notes) -> HealthCheck | None:
    """One probe of a container; None where there is none, or none that can be read."""
    name = dict(KINDS)[kind]
    node = dialect.block(container, name)
    if node is None:
        held = container.get(dialect.key(name))
        if held is not None:
            what = f"{dialect.key(name)}: expected a mapping"
            notes.wrong(held.where, what, "write a probe, or remove the key")
        return None
    before = len(notes.hits)
    key, fields = dialect.key, Fields(node, notes, dialect.form)
    found = HealthCheck(
        platform="kubernetes",
        kind=kind,
        name=dialect.key(name),
        where=node.key or node.where,
        target=_target(node, container.text("image"), dialect, notes),
        interval=fields.seconds(key("periodSeconds"), "10"),
        timeout=fields.seconds(key("timeoutSeconds"), "1"),
        fail=fields.count(key("failureThreshold"), "3"),
        ok=fields.count(key("successThreshold"), "1"),
        delay=fields.seconds(key("initialDelaySeconds"), "0"),
    )
    return None if len(notes.hits) > before else found


def _target(node: Node, image: str, dialect: Dialect, notes: Notes) -> Target:
    for method, name in _HANDLERS:
        found = dialect.block(node, name)
        if found is None:
            continue
        where = found.key or found.where
        command = tuple(one.text() for one in found.list("command"))
        path = found.text("path") if method == "http" else found.text("service")
        port, host = found.text("port"), found.text("host")
        shell = command[1:2] == ("-c",) and command[0].rpartition("/")[2] in SHELLS
        return Target(
            method=method,
            where=where,
            path=path or ("/" if method == "http" else ""),
            port=port,
            host=host,
            command=command[2:] if shell else command,
            shell=shell,
            image=image,
        )
    where = node.key or node.where
    keys = ", ".join(dialect.key(name) for _, name in _HANDLERS)
    notes.wrong(where, f"expected one of {keys}, got none", "say what is asked")
    return Target(method="other", where=where)
