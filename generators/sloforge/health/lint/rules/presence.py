"""HC6..: that there is a check at all, and that it can run where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sloforge.health.lint import commands
from sloforge.health.lint.model import Hit, Unit
from sloforge.health.lint.rules.look import Look, Say, of_unit

_HTTP = ("curl", "wget")
_CONTAINERS = ("docker", "compose", "ecs")
_WARNED = ("consul", "nomad")
# Images without a shell and without tools; `:debug` variants have both.
_BARE = re.compile(r"(?:^|/)scratch$|distroless|chainguard/static|/static-debian", re.IGNORECASE)
_TOOLS = ("sh", "bash", "ash", "curl", "wget", "cat", "test", "nc", "grep", "ls", "pgrep", "ps")


def missing(unit: Unit) -> Iterator[Hit]:
    """HC601: nobody looks."""
    if not unit.serves:
        return
    if unit.platform == "kubernetes":
        if "readiness" not in unit.declared:
            what = "has ports and no readinessProbe: it gets traffic before it can answer"
            yield of_unit(unit, "HC601", Say(what=what, remedy="write a readinessProbe"))
        return
    if unit.declared:
        return
    wanted = {
        "docker": ("has no HEALTHCHECK", "write one, unless only Kubernetes runs the image"),
        "compose": ("has no healthcheck", "write one, unless the image has its own"),
        "ecs": ("has no healthCheck", "write one: ECS does not read the image's own"),
        "haproxy": ("is not checked: it gets traffic when it is down", "add `check`"),
        "consul": ("has no check: it is handed out when it is down", "write a `check`"),
        "nomad": ("has no check: it is handed out when it is down", "write a `check`"),
    }
    what, remedy = wanted[unit.platform]
    level = "info" if unit.platform == "docker" else "warning"
    yield of_unit(unit, "HC601", Say(what=what, remedy=remedy, level=level))  # type: ignore[arg-type]


def ignored_by_kubernetes(units: tuple[Unit, ...]) -> Iterator[Hit]:
    """HC601: a HEALTHCHECK where only manifests run the image."""
    platforms = {unit.platform for unit in units}
    if "kubernetes" not in platforms or platforms & {"compose", "ecs"}:
        return
    for unit in units:
        if unit.platform == "docker" and unit.checks:
            what = "has a HEALTHCHECK, which Kubernetes ignores"
            yield of_unit(unit, "HC601", Say(what=what, remedy="write a probe, and remove it here"))


def http_would_do(look: Look) -> Iterator[Hit]:
    """HC602: a process for what the kubelet can ask itself."""
    check = look.check
    if check.platform != "kubernetes" or check.target.method != "exec":
        return
    programs = [one.program for one in commands.calls(check.target)]
    simple = all(one in (*_HTTP, "grep", "timeout") for one in programs)
    if programs and simple and not commands.remote(check.target):
        what = f"runs {programs[0]} in the container at every attempt"
        remedy = "use httpGet: an exec costs about 12 ms of CPU and can hang in the runtime"
        yield look.hit("HC602", check.target.where, Say(what=what, remedy=remedy, level="info"))


def not_in_the_image(look: Look) -> Iterator[Hit]:
    """HC603: a command that cannot start is no failure: the kubelet discards the result."""
    target = look.check.target
    if target.method != "exec" or not _BARE.search(target.image) or "debug" in target.image:
        return
    program = "sh" if target.shell else next(iter(target.command), "").rpartition("/")[2]
    if program in _TOOLS:
        effect, remedy = "it always fails", "put a static probe into the image"
        if look.check.platform == "kubernetes":
            effect = "a probe that cannot start never fails"
            remedy = f"use httpGet, or {remedy}"
        what = f"runs {program}, which {target.image} does not have: {effect}"
        yield look.hit("HC603", target.where, Say(what=what, remedy=remedy, level="error"))


def reserved_code(look: Look) -> Iterator[Hit]:
    """HC604: Docker knows 0 and 1, and keeps 2 for itself."""
    check = look.check
    if check.platform in _CONTAINERS and (why := commands.exits_two(check.target)):
        what = f"can end with another code than 0 and 1 ({why}); Docker reserves 2"
        yield look.hit("HC604", check.target.where, Say(what=what, remedy="append `|| exit 1`"))


def only_a_warning(look: Look) -> Iterator[Hit]:
    """HC606: Consul hands out what only warns."""
    check = look.check
    if check.platform not in _WARNED or check.kind != "lb":
        return
    if why := commands.exits_one(check.target):
        what = (
            f"ends with 1 for a failure ({why}); to Consul that is a warning: it stays in rotation"
        )
        remedy = "end with 2: `... || exit 2`"
        say = Say(what=what, remedy=remedy, level="error")
        yield look.hit("HC606", check.target.where, say)


def on_init_container(look: Look) -> Iterator[Hit]:
    """HC605: what the API server refuses."""
    if look.unit.init:
        what = "an init container that is no sidecar cannot have a probe: Kubernetes refuses it"
        remedy = "remove it, or set restartPolicy: Always"
        yield look.hit("HC605", look.check.where, Say(what=what, remedy=remedy, level="error"))
