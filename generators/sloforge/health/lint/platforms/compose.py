"""Compose files -> one unit for each service.

https://github.com/compose-spec/compose-spec/blob/main/spec.md#healthcheck
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import HealthCheck, Rollout, Setting, Target, Unit
from sloforge.health.lint.platforms.docker import asked, once
from sloforge.located.tree import Node

_KEYS = ("image", "build", "healthcheck", "extends", "ports", "command", "environment", "deploy")


def read(node: Node, notes: Notes) -> Found | None:
    """A compose file has services, each of which is a mapping with a key that we know."""
    services = node.get("services")
    if services is None or node.has("apiVersion") or not isinstance(services.value, dict):
        return None
    known = [one for _, one in services.items() if any(one.has(key) for key in _KEYS)]
    if not known:
        return None
    return Found(units=tuple(_unit(name, one, notes) for name, one in services.items()))


def _unit(name: str, node: Node, notes: Notes) -> Unit:
    held = node.get("healthcheck")
    off = held is not None and (held.text("disable") == "True" or _words(held) == ("NONE",))
    before = len(notes.hits)
    found = None
    if held is not None and not off:
        found = _check(held, f"service {name} healthcheck", node.text("image"), notes)
    return Unit(
        platform="compose",
        name=f"service {name}",
        where=node.key or node.where,
        checks=() if found is None or len(notes.hits) > before else (found,),
        declared=frozenset({"container"}) if held is not None else frozenset(),
        serves=True,
        rollout=_rollout(node, notes),
    )


def _rollout(node: Node, notes: Notes) -> Rollout | None:
    deploy = node.get("deploy")
    if deploy is None or deploy.get("replicas") is None:
        return None
    replicas = int(Fields(deploy, notes).count("replicas", "1").value)
    return Rollout(replicas=replicas, surge=0, unavailable=1)


def _check(node: Node, name: str, image: str, notes: Notes) -> HealthCheck | None:
    if not isinstance(node.value, dict):
        notes.wrong(node.where, "healthcheck: expected a mapping", "write `test:` below it")
        return None
    fields = Fields(node, notes, Form(unit="go"))
    where = node.key or node.where
    return HealthCheck(
        platform="compose",
        kind="container",
        name=name,
        where=where,
        target=_target(node, image),
        interval=_or(fields.seconds("interval", "30"), "30"),
        timeout=_or(fields.seconds("timeout", "30"), "30"),
        fail=_or(fields.count("retries", "3"), "3"),
        ok=once(where),
        delay=fields.seconds("start_period", "0"),
        start_interval=_or(fields.seconds("start_interval", "5"), "5"),
        schedule="gaps",
    )


def _or(setting: Setting, default: str) -> Setting:
    """Docker takes 0 as "not set"."""
    return setting if setting.value else replace(setting, value=Decimal(default))


def _words(node: Node) -> tuple[str, ...]:
    test = node.get("test")
    if test is None:
        return ()
    if isinstance(test.value, list):
        return tuple(one.text() for one in test.value)
    return ("CMD-SHELL", test.text())


def _target(node: Node, image: str) -> Target:
    test = node.get("test")
    where = (test.key or test.where) if test is not None else node.where
    if test is None:  # the image's own command, at other times
        return Target(method="other", where=where, image=image)
    return asked(_words(node), where, image)
