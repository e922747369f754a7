"""ECS task definitions: the Docker health check of each container, and a service's grace period.

Defaults: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""

from __future__ import annotations

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found, joined
from sloforge.health.lint.model import Heal, HealthCheck, Unit
from sloforge.health.lint.platforms.docker import asked, once
from sloforge.located.tree import Node

_JSON = Form()


def read(node: Node, notes: Notes, form: Form = _JSON) -> Found | None:
    """A task definition, bare or described; or described services."""
    task = node.get("taskDefinition") or node
    containers = task.list("containerDefinitions")
    services = [one for one in node.list("services") if one.has("serviceName")]
    if not containers and not services:
        return None
    units = [unit for one in containers if (unit := _unit(one, notes, form)) is not None]
    heals = [heal for one in services for heal in _heal(one, notes)]
    return joined([Found(units=tuple(units), heals=tuple(heals))])


def _unit(node: Node, notes: Notes, form: Form) -> Unit | None:
    name = f"containerDefinition/{node.text('name') or 'unnamed'}"
    where = node.key or node.where
    held = node.get("healthCheck")
    if held is None:
        return Unit(platform="ecs", name=name, where=where, checks=(), serves=True)
    before = len(notes.hits)
    found = check(Fields(held, notes, form), name, node.text("image"))
    checks = () if len(notes.hits) > before else (found,)
    declared = frozenset({found.kind})
    return Unit(platform="ecs", name=name, where=where, checks=checks, declared=declared)


def check(fields: Fields, name: str, image: str) -> HealthCheck:
    """The Docker health check of a container."""
    node = fields.node
    words = tuple(one.text() for one in node.list("command"))
    return HealthCheck(
        platform="ecs",
        kind="container",
        name=f"{name} healthCheck",
        where=node.key or node.where,
        target=asked(words, node.key or node.where, image),
        interval=fields.seconds("interval", "30"),
        timeout=fields.seconds("timeout", "5"),
        fail=fields.count("retries", "3"),
        ok=once(node.where),
        delay=fields.seconds("startPeriod", "0"),
        schedule="gaps",
    )


def _heal(node: Node, notes: Notes) -> list[Heal]:
    found = node.get("healthCheckGracePeriodSeconds")
    if found is None:
        return []
    delay = Fields(node, notes).seconds("healthCheckGracePeriodSeconds", "0")
    return [Heal(name=f"service/{node.text('serviceName')}", where=delay.where, delay=delay)]
