"""HC1..: what a check asks should be the process itself, and not what it depends on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sloforge.health.lint import commands
from sloforge.health.lint.model import Answer, Hit, Target, Unit, plain
from sloforge.health.lint.rules.look import Look, Say, of_unit

_SPRING = r"/actuator/health/?$"
_DEEP = r"deep|full|depend[a-z]*|db|database|all"
_AGGREGATE = re.compile(rf"(?:^|[/_.-])(?:{_DEEP})(?:$|[/_.?-])|{_SPRING}", re.IGNORECASE)
_READY = re.compile(r"(?:^|[/_.-])read(?:y|yz|iness)(?:$|[/_.?-])", re.IGNORECASE)
_RESTARTS = ("liveness", "autoheal")


def restarts_on_dependencies(look: Look) -> Iterator[Hit]:
    """HC101: a liveness check that fails with a dependency."""
    if look.check.kind not in _RESTARTS:
        return
    target = look.check.target
    asked = _aggregate(target) or (target.path if _READY.search(target.path) else "")
    if asked:
        what = f"asks {asked}, so that a dependency that blinks restarts every replica"
        say = Say(what=what, remedy="ask a path that only the process answers", level="error")
        yield look.hit("HC101", target.where, say)


def leaves_on_dependencies(look: Look) -> Iterator[Hit]:
    """HC102: the same for a check that takes instances out of rotation."""
    if look.check.kind in _RESTARTS:
        return
    asked = _aggregate(look.check.target)
    if asked:
        what = f"asks {asked}, so that all instances leave rotation together"
        say = Say(what=what, remedy="ask what this instance alone can answer for")
        yield look.hit("HC102", look.check.target.where, say)


def _aggregate(target: Target) -> str:
    if target.method == "exec":
        return commands.remote(target)
    return target.path if _AGGREGATE.search(target.path) else ""


def asks_elsewhere(look: Look) -> Iterator[Hit]:
    """HC103: a probe of another host, or of another port than the traffic's."""
    check = look.check
    target = check.target
    if target.host and target.method in ("http", "tcp"):
        what = f"asks host {target.host}, not the pod"
        remedy = "remove `host`; a Host header belongs into httpHeaders"
        yield look.hit("HC103", target.where, Say(what=what, remedy=remedy, level="error"))
    if check.traffic_port and target.port not in ("", check.traffic_port):
        what = f"asks port {target.port}, while traffic goes to {check.traffic_port}"
        remedy = "check the port that serves, or make sure that one cannot be well alone"
        yield look.hit("HC103", target.where, Say(what=what, remedy=remedy, level="info"))


def same_question(unit: Unit) -> Iterator[Hit]:
    """HC104: liveness asks what readiness asks, and does not wait twice as long."""
    live, ready = unit.check("liveness"), unit.check("readiness")
    if live is None or ready is None or live.target.same != ready.target.same:
        return
    if live.budget >= 2 * ready.budget:
        return
    what = (
        f"livenessProbe asks what readinessProbe asks and restarts after {plain(live.budget)} s, "
        f"readiness ends after {plain(ready.budget)} s"
    )
    remedy = f"let it fail for at least {plain(2 * ready.budget)} s, or ask another path"
    yield of_unit(unit, "HC104", Say(what=what, remedy=remedy), live)


def answers_for_others(answer: Answer) -> Iterator[Hit]:
    """HC105: a health answer that lists what other servers do."""
    if answer.remote:
        what = f"the answer depends on {', '.join(answer.remote)}"
        remedy = "leave them out of the path that checks ask, and alert on them instead"
        yield Hit(id="HC105", level="warning", where=answer.where, what=what, remedy=remedy)
