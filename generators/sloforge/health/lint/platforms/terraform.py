"""Terraform, as HCL or as `terraform show -json` -> the health checks of its resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sloforge.health.lint import jsontext
from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.found import Found, joined
from sloforge.health.lint.model import Heal, Unit
from sloforge.health.lint.platforms import aws, ecs, gcp, kubernetes
from sloforge.located.tree import Malformed, Node, frozen
from sloforge.located.words import Unresolved

_FORM = Form(insert="{name} = ")
# Terraform's name of a resource -> the kind of manifest it is.
_KUBERNETES = {
    "deployment": "Deployment",
    "stateful_set": "StatefulSet",
    "daemonset": "DaemonSet",
    "daemon_set": "DaemonSet",
    "replication_controller": "ReplicationController",
    "pod": "Pod",
    "job": "Job",
    "cron_job": "CronJob",
}
Resource = Callable[[Node, str, Notes], Found]


def read(node: Node, notes: Notes) -> Found | None:
    """A plan or a state: resolved values, whose places are those in the JSON."""
    roots = [node.get("planned_values", "root_module"), node.get("values", "root_module")]
    root = next((one for one in roots if one is not None), None)
    if root is None:
        known = node.has("terraform_version") and node.has("format_version")
        return Found() if known else None
    return joined([Found(), *_modules(root, notes)])


def _modules(module: Node, notes: Notes) -> Iterator[Found]:
    for one in module.list("resources"):
        values = one.get("values")
        if values is not None and one.text("mode") != "data":
            name = one.text("address") or one.text("type")
            # A plan is computed: nothing in it can be edited.
            yield _resource(one.text("type"), frozen(values), name, notes)
    for child in module.list("child_modules"):
        yield from _modules(child, notes)


def configuration(node: Node, notes: Notes) -> Found:
    """A .tf file; what is an expression there is noted as not known."""
    parts = [Found()]
    for block in node.list("resource"):
        for kind, below in block.items():
            for name, body in below.items():
                parts.append(_resource(kind, body, f"{kind}.{name}", notes))
    return joined(parts)


def _resource(kind: str, node: Node, name: str, notes: Notes) -> Found:
    found = RESOURCES.get(kind)
    if found is not None:
        return found(node, name, notes)
    if kind.startswith("kubernetes_"):
        manifest = _KUBERNETES.get(kind.removeprefix("kubernetes_").removesuffix("_v1"))
        if manifest is not None:
            context = kubernetes.Context(notes, snake=True)
            return Found(units=tuple(kubernetes.units(node, manifest, name, context)))
    return Found()


def _target_group(node: Node, name: str, notes: Notes) -> Found:
    held = next(iter(node.list("health_check")), node)
    if held.get("enabled") is not None and held.get("enabled").value is False:  # type: ignore[union-attr]
        return Found()
    before = len(notes.hits)
    # Without a block every value is the provider's default, and `port` is the group's own.
    check = aws.check(
        held if held is not node else frozen(Node({}, node.where, key=node.key)),
        name,
        aws.TERRAFORM,
        notes,
        protocol=node.text("protocol"),
        port=node.text("port"),
    )
    if len(notes.hits) > before:
        return Found()
    return Found(units=(Unit(platform="aws", name=name, where=check.where, checks=(check,)),))


def _health_check(node: Node, name: str, notes: Notes) -> Found:
    before = len(notes.hits)
    check = gcp.resource(node, name, notes)
    if len(notes.hits) > before:
        return Found()
    return Found(units=(Unit(platform="gcp", name=name, where=check.where, checks=(check,)),))


def _group_manager(node: Node, name: str, notes: Notes) -> Found:
    found = []
    for one in node.list("auto_healing_policies"):
        delay = Fields(one, notes, _FORM).seconds("initial_delay_sec", "0")
        found.append(Heal(name=name, where=delay.where, delay=delay))
    return Found(heals=tuple(found))


def _scaling_group(node: Node, name: str, notes: Notes) -> Found:
    if node.text("health_check_type") != "ELB":
        return Found()
    delay = Fields(node, notes, _FORM).seconds("health_check_grace_period", "300")
    return Found(heals=(Heal(name=name, where=delay.where, delay=delay),))


def _ecs_service(node: Node, name: str, notes: Notes) -> Found:
    if node.get("health_check_grace_period_seconds") is None:
        return Found()
    delay = Fields(node, notes, _FORM).seconds("health_check_grace_period_seconds", "0")
    return Found(heals=(Heal(name=name, where=delay.where, delay=delay),))


def _task_definition(node: Node, name: str, notes: Notes) -> Found:
    """Its containers are JSON in a text, or what `jsonencode` makes one of."""
    held = node.get("container_definitions")
    if held is None:
        return Found()
    if isinstance(held.value, Unresolved):
        notes.unresolved(held.where, f"{name}: container_definitions", held.value)
        return Found()
    if isinstance(held.value, list):
        return ecs.read(Node({"containerDefinitions": held}, held.where), notes, _FORM) or Found()
    try:
        listed = jsontext.document(held.text(), held.where.path)
    except Malformed as wrong:
        notes.wrong(held.where, f"container_definitions: {wrong.finding.what}", "write a JSON list")
        return Found()
    task = Node({"containerDefinitions": frozen(listed, held.where)}, held.where)
    return ecs.read(task, notes) or Found()


RESOURCES: dict[str, Resource] = {
    "aws_lb_target_group": _target_group,
    "aws_alb_target_group": _target_group,
    "aws_autoscaling_group": _scaling_group,
    "aws_ecs_service": _ecs_service,
    "aws_ecs_task_definition": _task_definition,
    "google_compute_health_check": _health_check,
    "google_compute_region_health_check": _health_check,
    "google_compute_http_health_check": _health_check,
    "google_compute_https_health_check": _health_check,
    "google_compute_instance_group_manager": _group_manager,
    "google_compute_region_instance_group_manager": _group_manager,
}
