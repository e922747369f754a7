"""HC4..: how many failures it takes, and how long that is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import ceil

from sloforge.health.lint.model import Hit, Level, Unit, plain
from sloforge.health.lint.rules.look import Look, Say, of_unit, seconds, told
from sloforge.health.lint.timing import best_detection, worst_detection

_RESTARTS = ("liveness", "autoheal")
_ENOUGH = Decimal(3)


def one_is_enough(look: Look) -> Iterator[Hit]:
    """HC401: a single lost packet decides."""
    check = look.check
    if not check.watches or check.fail.value > 1:
        return
    level: Level = "error" if check.kind in _RESTARTS else "warning"
    effect = "restarts it" if check.kind in _RESTARTS else "takes it out"
    # Nomad runs scripts itself and tells Consul every result.
    counted = check.platform != "nomad" or check.target.method != "exec" or level == "error"
    what, remedy = f"{told(check.fail, '')}: one failure {effect}", "set 3"
    if not counted:
        what, remedy = f"one failure of its script {effect}", "ask over http, whose failures count"
    say = Say(what=what, remedy=remedy, level=level, edits=check.fail.to(_ENOUGH))
    yield look.hit("HC401", check.fail.where, say)


def threshold_unused(look: Look) -> Iterator[Hit]:
    """HC402: Envoy's threshold counts time-outs and refused connections only."""
    if look.check.instant:
        what = f"{told(look.check.fail, '')}, but one wrong status takes a host out at once"
        remedy = "list them: `retriable_statuses: [{start: 500, end: 600}]`"
        yield look.hit("HC402", look.check.target.where, Say(what=what, remedy=remedy))


def shorter_than_a_pause(look: Look) -> Iterator[Hit]:
    """HC403: all attempts fall into one garbage collection."""
    check, pause = look.check, look.policy.pause
    if not check.watches or check.passive or check.instant or check.fail.value <= 1:
        return
    window = best_detection(check)
    if window < pause:
        again = (check.failing or check.interval).value
        every = f"{told(check.fail, '')} at {seconds(again)}"
        what = f"{every}: all fall into a pause of {seconds(window)}"
        wanted = ceil(pause / again) + 1 if again else _ENOUGH
        remedy = f"set {check.fail.name} {wanted}, or look less often"
        yield look.hit("HC403", check.fail.where, Say(what=what, remedy=remedy))


def seen_late(look: Look) -> Iterator[Hit]:
    """HC404: how long users meet a broken instance."""
    check, policy = look.check, look.policy
    traffic = check.kind in ("lb", "readiness")
    bound = policy.detection_traffic if traffic else policy.detection_restart
    worst = worst_detection(check)
    if check.watches and worst > bound:
        what = f"a hang is seen after up to {seconds(worst)}"
        remedy = f"come below {seconds(bound)}: {_terms(look)}"
        yield look.hit("HC404", check.where, Say(what=what, remedy=remedy))


def _terms(look: Look) -> str:
    check = look.check
    parts = (check.interval, check.timeout, check.fail)
    return ", ".join(f"{one.name} {plain(one.value)}" for one in parts)


def restarts_first(unit: Unit) -> Iterator[Hit]:
    """HC405: killed before it is out of rotation."""
    live, ready = unit.check("liveness"), unit.check("readiness")
    if live is None or ready is None:
        return
    kill, drain = worst_detection(live), worst_detection(ready)
    if kill <= drain:
        what = (
            f"livenessProbe restarts after {seconds(kill)}, "
            f"while readiness ends after {seconds(drain)}"
        )
        remedy = "let liveness take longer than readiness"
        yield of_unit(unit, "HC405", Say(what=what, remedy=remedy), live)
