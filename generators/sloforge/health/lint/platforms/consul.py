"""Consul's service definitions, HCL or JSON, of the agent or of its API -> what it checks.

https://developer.hashicorp.com/consul/docs/reference/service/health-check
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sloforge.errors import Location
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import HealthCheck, Method, Target, Unit
from sloforge.health.lint.platforms.docker import asked
from sloforge.health.lint.platforms.hashicorp import HCL, JSON, Block, seconds, threshold
from sloforge.located.tree import Node

# The key that says what a check asks.
_ASKS: dict[str, Method] = {
    "http": "http",
    "tcp": "tcp",
    "grpc": "grpc",
    "h2ping": "other",
    "udp": "other",
    "os_service": "other",
    "args": "exec",
    "script": "exec",
}
# These are told how it is, or look at another service: there is nothing to time.
_TOLD = ("ttl", "alias_service", "alias_node")
# agent/checks/check.go has both time-outs.
_SLOW = ("args", "script", "os_service")


def read(node: Node, notes: Notes) -> Found | None:
    """JSON of an agent, or what registers a service at its API. Consul reads no YAML."""
    return _read(Block(node, JSON), notes) if node.flow else None


def configuration(node: Node, notes: Notes) -> Found | None:
    """HCL of an agent: `service`, `services`, `check` or `checks`."""
    return _read(Block(node, HCL), notes)


def _read(top: Block, notes: Notes) -> Found | None:
    node = top.node
    services = [one for one in top.blocks("service", "services") if _is_service(one)]
    registered = bool(node.text("Name")) and (node.has("Check") or node.has("Checks"))
    if registered or (_is_service(top) and _checks(top)):
        services.append(top)
    loose = [] if registered or services else [one for one in _checks(top) if _known(one)]
    if not services and not loose:
        return None
    units = [_service(one, notes) for one in services]
    units += [unit for one in loose for unit in _of_node(one, notes)]
    return Found(units=tuple(units))


def _is_service(block: Block) -> bool:
    named = any(one in ("name", "Name", "id", "ID") for one, _ in block.node.items())
    keys = ("port", "address", "check", "checks", "tags", "connect", "kind", "meta")
    return named and any(block.get(one) is not None for one in keys)


def _known(block: Block) -> bool:
    return any(block.get(one) is not None for one in (*_ASKS, *_TOLD))


def _checks(block: Block) -> list[Block]:
    return list(block.blocks("check", "checks"))


def _service(block: Block, notes: Notes) -> Unit:
    name = f"service/{block.text('name') or block.text('id') or 'unnamed'}"
    held = _checks(block)
    return Unit(
        platform="consul",
        name=name,
        where=block.node.key or block.node.where,
        checks=tuple(check for one in held for check in _check(one, name, notes)),
        declared=frozenset({"lb"}) if held else frozenset(),
        # A proxy's checks are made for it, and a gateway is not handed out.
        serves=not block.text("kind"),
    )


def _of_node(block: Block, notes: Notes) -> Iterator[Unit]:
    name = f"check/{block.text('name') or block.text('id') or 'unnamed'}"
    where = block.node.key or block.node.where
    checks = tuple(_check(block, name, notes))
    if checks:
        yield Unit(platform="consul", name=name, where=where, checks=checks)


def _check(block: Block, unit: str, notes: Notes) -> Iterator[HealthCheck]:
    kind = next((one for one in _ASKS if block.get(one) is not None), None)
    where = block.node.key or block.node.where
    if kind is None:
        if not any(block.get(one) is not None for one in _TOLD):
            what = f"expected one of {', '.join((*_ASKS, *_TOLD))}, got none"
            notes.wrong(where, what, "say what is asked")
        return
    before = len(notes.hits)
    named = block.text("name") or block.text("id")
    found = HealthCheck(
        platform="consul",
        kind="lb",
        name=f"{unit} check {named}".rstrip() if unit != f"check/{named}" else unit,
        where=where,
        target=_target(block, kind, where),
        interval=seconds(block, "interval", None, notes),
        timeout=seconds(block, "timeout", "30" if kind in _SLOW else "10", notes),
        fail=threshold(block, "failures_before_critical", notes),
        ok=threshold(block, "success_before_passing", notes),
        schedule="gaps",
    )
    if len(notes.hits) == before:
        yield found


def _target(block: Block, kind: str, where: Location) -> Target:
    held = block.get(kind)
    place = (held.key or held.where) if held is not None else where
    method = _ASKS[kind]
    if method == "exec":
        return asked(block.words("args") or ("CMD-SHELL", block.text("script")), place)
    if method != "http":
        return Target(method=method, where=place, path=block.text(kind))
    try:
        url = urlsplit(block.text(kind))
        port = str(url.port or "")
    except ValueError:
        return Target(method=method, where=place, path=block.text(kind))
    # The host is the service's own address, as the agent sees it.
    return Target(method=method, where=place, path=url.path or "/", port=port)
