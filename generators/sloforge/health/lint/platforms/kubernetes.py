"""Kubernetes manifests -> one unit for each container, with how its workload rolls out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal

from sloforge.health.lint.fields import Fields, Notes
from sloforge.health.lint.found import Found, joined
from sloforge.health.lint.model import HealthCheck, Rollout, Unit
from sloforge.health.lint.platforms import objects
from sloforge.health.lint.platforms.probes import KINDS, Dialect, probe
from sloforge.located.tree import Node

IGNORE = "sloforge.dev/ignore"
# How a kind reaches its pod, and whether its pods are there to take traffic.
WORKLOADS: dict[str, tuple[tuple[str, ...], bool]] = {
    "Deployment": (("spec", "template"), True),
    "StatefulSet": (("spec", "template"), True),
    "DaemonSet": (("spec", "template"), True),
    "ReplicaSet": (("spec", "template"), True),
    "ReplicationController": (("spec", "template"), True),
    "Rollout": (("spec", "template"), True),
    "Pod": ((), False),
    "Job": (("spec", "template"), False),
    "CronJob": (("spec", "jobTemplate", "spec", "template"), False),
}
_IGNORED = re.compile(r"\s*([A-Z]{2}[0-9]{3})\s*=\s*(.*?)\s*", re.DOTALL)


def read(node: Node, notes: Notes) -> Found | None:
    """One document of a manifest; lists are taken apart."""
    kind = node.text("kind")
    if not kind or node.get("apiVersion") is None:
        return None
    if kind == "List" or (kind.endswith("List") and node.get("items") is not None):
        found = (read(item, notes) for item in node.list("items"))
        return joined([Found(), *(one for one in found if one is not None)])
    if kind not in WORKLOADS:
        return objects.read(node, kind, notes)
    name = f"{kind}/{node.text('metadata', 'name') or 'unnamed'}"
    return Found(units=tuple(units(node, kind, name, Context(notes))))


class Context:
    """Where to note mistakes, and in which dialect the document is written."""

    def __init__(self, notes: Notes, *, snake: bool = False) -> None:
        self.notes, self.dialect = notes, Dialect(snake=snake)


def units(node: Node, kind: str, name: str, context: Context) -> Iterator[Unit]:
    """The containers of a workload; the name is what messages call it."""
    path, serves = WORKLOADS[kind]
    dialect = context.dialect
    pod = dialect.block(node, *path) if path else node
    spec = dialect.block(pod, "spec")
    if pod is None or spec is None:
        where = node.key or node.where
        context.notes.wrong(where, f"{name}: expected a pod's spec, got none", "write its template")
        return
    ignores = (*_ignores(node, context.notes), *(_ignores(pod, context.notes) if path else ()))
    rollout = _rollout(node, spec, kind, context)
    plural = not dialect.snake
    for key, init in (("initContainers", True), ("containers", False)):
        for one in spec.list(dialect.key(key if plural else key.removesuffix("s"))):
            sidecar = init and one.text(dialect.key("restartPolicy")) == "Always"
            yield Unit(
                platform="kubernetes",
                name=f"{name} {one.text('name') or 'container'}",
                where=one.get("name").where if one.get("name") else one.where,  # type: ignore[union-attr]
                checks=_checks(one, context),
                declared=frozenset(k for k, text in KINDS if one.has(dialect.key(text))),
                serves=serves and not init and bool(one.list("ports" if plural else "port")),
                init=init and not sidecar,
                rollout=rollout,
                ignores=ignores,
            )


def _checks(container: Node, context: Context) -> tuple[HealthCheck, ...]:
    found = (probe(container, kind, context.dialect, context.notes) for kind, _ in KINDS)
    return tuple(one for one in found if one is not None)


def _ignores(node: Node, notes: Notes) -> tuple[tuple[str, str], ...]:
    """`HC201=reason; HC303=reason` of the annotation."""
    meta = next(iter(node.list("metadata")), None)
    held = meta.get("annotations") if meta is not None else None
    found = held.get(IGNORE) if held is not None else None
    if found is None:
        return ()
    pairs = []
    for part in found.text().split(";"):
        match = _IGNORED.fullmatch(part)
        if match is None or not match[2]:
            what = f"{IGNORE}: expected `HC201=reason`, got `{part.strip()[:60]}`"
            notes.wrong(found.where, what, "an exception needs a reason")
        else:
            pairs.append((match[1], match[2]))
    return tuple(pairs)


def _rollout(node: Node, pod: Node, kind: str, context: Context) -> Rollout | None:
    if kind in ("Job", "CronJob", "Pod"):
        return None
    dialect = context.dialect
    spec = dialect.block(node, "spec")
    if spec is None:
        return None
    fields = Fields(spec, context.notes, dialect.form)
    replicas = int(fields.count("replicas", "1").value)
    grace = Fields(pod, context.notes).seconds(dialect.key("terminationGracePeriodSeconds"), "30")
    ready = fields.seconds(dialect.key("minReadySeconds"), "0").value
    strategy = dialect.block(spec, "strategy")
    surge, unavailable = _steps(strategy, kind, replicas, dialect)
    deadline = None
    if kind == "Deployment":
        deadline = fields.seconds(dialect.key("progressDeadlineSeconds"), "600").value
    return Rollout(
        replicas=replicas,
        surge=surge,
        unavailable=unavailable,
        min_ready=ready,
        deadline=deadline,
        recreate=strategy is not None and strategy.text("type") == "Recreate",
        grace=grace.value,
    )


def _steps(strategy: Node | None, kind: str, replicas: int, dialect: Dialect) -> tuple[int, int]:
    """How many may be added and missing at once; percentages round up and down."""
    if kind != "Deployment":
        return 0, 1
    rolling = dialect.block(strategy, "rollingUpdate")
    surge = rolling.text(dialect.key("maxSurge")) if rolling else ""
    missing = rolling.text(dialect.key("maxUnavailable")) if rolling else ""
    return _share(surge, replicas, up=True), _share(missing, replicas, up=False)


def _share(text: str, replicas: int, *, up: bool) -> int:
    text = text or "25%"
    digits = text.removesuffix("%")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 8):  # noqa: PLR2004
        return 1
    if text == digits:
        return int(digits)
    share = Decimal(digits) * replicas / 100
    return math.ceil(share) if up else math.floor(share)
