"""HC5..: how many successes it takes to be well again, and how long that is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sloforge.health.lint.model import Hit, plain
from sloforge.health.lint.rules.look import Look, Say, seconds, told
from sloforge.health.lint.timing import worst_recovery

# AWS takes 2 to 10; the others take 1.
_LEAST = {"aws": Decimal(2)}
_ONE = Decimal(1)


def several_successes(look: Look) -> Iterator[Hit]:
    """HC501: more than the platform demands."""
    check = look.check
    if check.kind in ("liveness", "startup", "container", "autoheal", "deploy"):
        return
    least = _LEAST.get(check.platform, _ONE)
    if check.ok.value > least:
        what = f"{told(check.ok, '')}: a healthy instance waits for {plain(check.ok.value)} checks"
        level = "warning" if check.ok.explicit else "info"
        edits = check.ok.to(least)
        say = Say(what=what, remedy=f"set {plain(least)}", edits=edits, level=level)  # type: ignore[arg-type]
        yield look.hit("HC501", check.ok.where, say)


def must_be_one(look: Look) -> Iterator[Hit]:
    """HC502: what the API server refuses."""
    check = look.check
    if check.platform == "kubernetes" and check.kind in ("liveness", "startup"):
        if check.ok.value == 1:
            return
        what = f"{told(check.ok, '')}: Kubernetes refuses any other value than 1"
        say = Say(what=what, remedy="set 1", level="error", edits=check.ok.to(_ONE))
        yield look.hit("HC502", check.ok.where, say)


def late_again(look: Look) -> Iterator[Hit]:
    """HC503: capacity that is there and not used."""
    check, bound = look.check, look.policy.recovery
    recovery = worst_recovery(check)
    if check.kind in ("lb", "readiness") and recovery > bound and not check.passive:
        what = f"a recovered instance waits up to {seconds(recovery)} for traffic"
        remedy = f"come below {seconds(bound)}: fewer successes, or a shorter interval"
        yield look.hit("HC503", check.where, Say(what=what, remedy=remedy))


def slower_when_down(look: Look) -> Iterator[Hit]:
    """HC504: looks less often exactly when it matters."""
    down, interval = look.check.down, look.check.interval
    if down is not None and down.value > interval.value:
        what = f"{told(down)}, and {told(interval)}: it looks less often while an instance is down"
        edits = down.to(interval.value)
        say = Say(what=what, remedy=f"set {plain(interval.value)}", level="info", edits=edits)
        yield look.hit("HC504", down.where, say)
