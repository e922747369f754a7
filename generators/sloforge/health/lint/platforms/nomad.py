"""Nomad's jobs, HCL or the JSON of its API -> what is checked, and what restarts a task.

https://developer.hashicorp.com/nomad/docs/job-specification/check
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import Heal, HealthCheck, Method, Rollout, Setting, Target, Unit
from sloforge.health.lint.platforms.docker import asked, once
from sloforge.health.lint.platforms.hashicorp import API, HCL, Block, seconds, threshold
from sloforge.located.tree import Node

_METHODS: dict[str, Method] = {"http": "http", "tcp": "tcp", "grpc": "grpc", "script": "exec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A group of a job, and what it inherits."""

    name: str
    block: Block
    job: Block


def read(node: Node, notes: Notes) -> Found | None:
    """`job "x" { group "y" {...} }`, or `{"Job": {"TaskGroups": [...]}}`."""
    groups = list(_groups(node))
    if not groups:
        return None
    units: list[Unit] = []
    heals: list[Heal] = []
    for group in groups:
        for service in _services(group.block):
            units.append(_unit(group, service, notes))
            heals += _heals(group, service, notes)
    return Found(units=tuple(units), heals=tuple(heals))


def _groups(node: Node) -> Iterator[_Group]:
    for label, job in Block(node, HCL).labelled("job"):
        for name, block in job.labelled("group"):
            yield _Group(name=f"{label}/{name}", block=block, job=job)
    held = node.get("Job") or node
    job = Block(held, API)
    for block in job.blocks("TaskGroups"):
        name = f"{job.text('ID') or job.text('Name')}/{block.text('Name')}"
        yield _Group(name=name, block=block, job=job)


def _services(group: Block) -> Iterator[Block]:
    """Those of the group, and those of its tasks."""
    api = group.form is API
    yield from group.blocks("Services" if api else "service")
    for task in group.blocks("Tasks") if api else (body for _, body in group.labelled("task")):
        yield from task.blocks("Services" if api else "service")


def _unit(group: _Group, service: Block, notes: Notes) -> Unit:
    name = _name(group, service)
    held = list(service.blocks("check", "checks"))
    return Unit(
        platform="nomad",
        name=name,
        where=service.node.key or service.node.where,
        checks=tuple(check for one in held for check in _checks(one, service, name, notes)),
        declared=frozenset({"lb"}) if held else frozenset(),
        serves=service.get("port") is not None or bool(service.text("PortLabel")),
        rollout=_rollout(group, notes),
    )


def _name(group: _Group, service: Block) -> str:
    return f"{group.name} service {service.text('name') or 'unnamed'}"


def _rollout(group: _Group, notes: Notes) -> Rollout:
    replicas = group.block.fields(notes).count(group.block.key("count"), "1")
    update = next(group.block.blocks("update"), next(group.job.blocks("update"), None))
    if update is None:
        update = Block(Node({}, group.block.node.where), group.block.form)
    together = update.fields(notes).count(update.key("max_parallel"), "1")
    return Rollout(
        replicas=int(replicas.value),
        surge=0,
        unavailable=max(1, int(together.value)),
        min_ready=seconds(update, "min_healthy_time", "10", notes).value,
        deadline=seconds(update, "progress_deadline", "600", notes).value,
    )


def _checks(block: Block, service: Block, unit: str, notes: Notes) -> Iterator[HealthCheck]:
    """What takes the service out of Consul, and what restarts the task, where it does."""
    before = len(notes.hits)
    own = service.text("provider") == "nomad"
    bare = own or block.text("type") == "script"
    where = block.node.key or block.node.where
    name = f"{unit} check {block.text('name') or block.text('type')}".rstrip()
    found = HealthCheck(
        platform="nomad",
        # Nomad's own register hands out a service whether its checks pass or not.
        kind="deploy" if own else "lb",
        name=name,
        where=where,
        target=_target(block, where, notes),
        interval=seconds(block, "interval", None, notes),
        timeout=seconds(block, "timeout", None, notes),
        fail=_at_once(where) if bare else threshold(block, "failures_before_critical", notes),
        ok=once(where) if bare else threshold(block, "success_before_passing", notes),
        schedule="gaps",
    )
    limit = _limit(block, service, notes)
    if len(notes.hits) > before:
        return
    yield found
    if limit is not None and limit.value:
        yield replace(
            found,
            kind="autoheal",
            name=f"{name} check_restart",
            fail=limit,
            ok=once(where),
            lead=found.fail.value,
            schedule="clock",
        )


def _at_once(where: Location) -> Setting:
    """Nothing counts the failures."""
    return Setting(name="failures_before_critical", value=Decimal(1), where=where)


def _target(block: Block, where: Location, notes: Notes) -> Target:
    kind = block.text("type")
    if kind not in _METHODS:
        what = f"type: expected one of {', '.join(_METHODS)}, got `{kind}`"
        notes.wrong(where, what, "say what is asked")
        return Target(method="other", where=where)
    held = block.get("path") or block.get("command")
    place = (held.key or held.where) if held is not None else where
    if kind == "script":
        return asked((block.text("command"), *block.words("args")), place)
    # A port is the label of one, which says nothing about another.
    path = block.text("path") or ("/" if kind == "http" else "")
    return Target(method=_METHODS[kind], where=place, path=path)


def _restart(block: Block, service: Block, name: str) -> Block | None:
    """Where `check_restart` says this: the check's own before the service's."""
    every = (*block.blocks("check_restart"), *service.blocks("check_restart"))
    return next((one for one in every if one.get(name) is not None), next(iter(every), None))


def _limit(block: Block, service: Block, notes: Notes) -> Setting | None:
    held = _restart(block, service, "limit")
    return held.fields(notes).count(held.key("limit"), "0") if held is not None else None


def _heals(group: _Group, service: Block, notes: Notes) -> Iterator[Heal]:
    """A task that is not well by then is restarted: pending counts as unhealthy, too."""
    for block in service.blocks("check", "checks"):
        limit, held = _limit(block, service, notes), _restart(block, service, "grace")
        if limit is None or held is None or not limit.value:
            continue
        quiet = Notes()
        grace = seconds(held, "grace", "1", quiet)
        interval = seconds(block, "interval", None, quiet)
        if quiet.hits:
            continue
        more = (limit.value - 1) * interval.value
        delay = replace(
            grace,
            name=f"{grace.name} + (limit - 1) x interval",
            value=grace.value + more,
            slot=None,
        )
        where = block.node.key or block.node.where
        yield Heal(name=f"{_name(group, service)} check_restart", where=where, delay=delay)
