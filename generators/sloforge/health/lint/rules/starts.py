"""HC3..: how long a start may take, and who waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sloforge.health.lint.model import Heal, Hit, Level, plain
from sloforge.health.lint.policy import Policy
from sloforge.health.lint.rules.look import Look, Say, seconds, told

_LIVENESS_DELAY = 30


def delays_traffic(look: Look) -> Iterator[Hit]:
    """HC301: a readiness probe that does not look for a while."""
    delay, policy = look.check.delay, look.policy
    if look.check.kind != "readiness" or delay is None or delay.value <= policy.delay_warning:
        return
    level: Level = "error" if delay.value > policy.delay_error else "warning"
    what = f"{told(delay)}: no traffic before, however fast it starts"
    remedy = "remove it, and give a slow start to a startupProbe"
    yield look.hit("HC301", delay.where, Say(what=what, remedy=remedy, level=level))


def fixed_delay(look: Look) -> Iterator[Hit]:
    """HC302: a guess where a startup probe would know."""
    delay = look.check.delay
    if look.check.kind != "liveness" or delay is None or delay.value < _LIVENESS_DELAY:
        return
    if "startup" in look.unit.declared:
        return
    period = 5
    failures = ceil(delay.value / period)
    what = f"{told(delay)} and there is no startupProbe"
    remedy = (
        f"write a startupProbe with periodSeconds {period} and failureThreshold {failures}, "
        f"which waits as long and ends early"
    )
    yield look.hit("HC302", delay.where, Say(what=what, remedy=remedy))


def dead_delay(look: Look) -> Iterator[Hit]:
    """HC303: the startup probe has waited already."""
    delay = look.check.delay
    if look.check.kind not in ("liveness", "readiness") or "startup" not in look.unit.declared:
        return
    if delay is not None and delay.value > 0:
        what = f"{told(delay)} next to a startupProbe, which waits already"
        say = Say(what=what, remedy="remove it", level="info", edits=delay.to(delay.value * 0))
        yield look.hit("HC303", delay.where, say)


def startup_budget(look: Look) -> Iterator[Hit]:
    """HC304: a start is cut off, or outlasts the rollout's patience."""
    check, policy = look.check, look.policy
    if check.kind != "startup":
        return
    budget = check.budget + (check.delay.value if check.delay else 0)
    if policy.start is not None and budget < policy.start * policy.start_times:
        wanted = policy.start * policy.start_times
        what = f"allows {seconds(budget)}, and a start takes {seconds(policy.start)}"
        failures = ceil(wanted / check.interval.value) if check.interval.value else 1
        remedy = f"allow {seconds(wanted)}: {check.fail.name} {failures}"
        yield look.hit("HC304", check.fail.where, Say(what=what, remedy=remedy, level="error"))
    deadline = look.unit.rollout.deadline if look.unit.rollout else None
    if deadline is not None and budget > deadline:
        what = f"allows {seconds(budget)}, and the rollout gives up after {seconds(deadline)}"
        remedy = "raise progressDeadlineSeconds above it, or allow less"
        yield look.hit("HC304", check.fail.where, Say(what=what, remedy=remedy, level="error"))


def repair_delay(heal: Heal, policy: Policy) -> Iterator[Hit]:
    """HC305: a grace period after which instances are replaced, too long or too short."""
    delay, start = heal.delay, policy.start
    if start is not None and delay.value < start:
        what = f"{told(delay)}, and a start takes {seconds(start)}: instances are replaced for ever"
        remedy = f"set {plain(start * policy.start_times)}"
        yield _heal(heal, Say(what=what, remedy=remedy, level="error"))
    elif delay.value >= policy.heal_delay or (start is not None and delay.value > 2 * start):
        what = f"{told(delay)}: so long a broken instance is not replaced"
        wanted = "what a start takes, and a half more" if start is None else plain(start * 3 / 2)
        yield _heal(heal, Say(what=what, remedy=f"set {wanted}"))


def _heal(heal: Heal, say: Say) -> Hit:
    return Hit(
        id="HC305",
        level=say.level,
        where=heal.delay.where,
        what=f"{heal.name}: {say.what}",
        remedy=say.remedy,
        anchors=(heal.where,),
    )


def slow_first_look(look: Look) -> Iterator[Hit]:
    """HC306: the first looks come at an interval that nobody chose."""
    check = look.check
    first, delay = check.start_interval, check.delay
    if first is not None and not first.explicit and delay is not None and delay.value > 0:
        name = first.name
        what = (
            f"{told(delay)} and {name} is not set: Docker before 25 looks every "
            f"{plain(check.interval.value)} s, since then every {plain(first.value)} s"
        )
        say = Say(
            what=what, remedy=f"set {name}", edits=first.to(min(first.value, check.interval.value))
        )
        yield look.hit("HC306", delay.where, say)
    idle = check.no_traffic
    if idle is not None and not idle.explicit:
        what = f"{told(idle)}: a cluster without requests is looked at that seldom"
        say = Say(
            what=what,
            remedy=f"set {plain(check.interval.value)}s",
            edits=idle.to(check.interval.value),
        )
        yield look.hit("HC306", check.where, say)
