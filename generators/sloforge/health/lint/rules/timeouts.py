"""HC2..: a time-out long enough for a pause, short enough not to set the frequency."""

from __future__ import annotations

from collections.abc import Iterator

from sloforge.health.lint import commands
from sloforge.health.lint.model import Edit, Hit, Level, plain
from sloforge.health.lint.rules.look import Look, Say, seconds, told

# Who refuses a time-out above the interval.
_REFUSES = ("gcp", "aws")


def _measured(look: Look) -> bool:
    """Whether there is a check of its own, and not only traffic that fails."""
    return not look.check.passive


def _good(look: Look) -> tuple[Edit, ...]:
    return look.check.timeout.to(look.good_timeout)


def too_short(look: Look) -> Iterator[Hit]:
    """HC201: one slow answer of a healthy process fails it."""
    timeout, policy = look.check.timeout, look.policy
    if not _measured(look) or timeout.value >= policy.timeout_short:
        return
    level: Level = "error" if timeout.value <= policy.timeout_error else "warning"
    what = f"{told(timeout)}: one slow answer counts as a failure"
    good = look.good_timeout
    if good < policy.timeout_short:
        remedy = (
            f"raise {look.check.interval.name} and {timeout.name} to {plain(policy.timeout_good)}"
        )
        yield look.hit("HC201", timeout.where, Say(what=what, remedy=remedy, level=level))
        return
    say = Say(what=what, remedy=f"set {plain(good)}", level=level, edits=_good(look))
    yield look.hit("HC201", timeout.where, say)


def unsaid(look: Look) -> Iterator[Hit]:
    """HC202: the platform's default stands, which nobody chose."""
    timeout = look.check.timeout
    if timeout.explicit or not _measured(look):
        return
    what = f"{timeout.name} is not set, and {look.applies} takes {seconds(timeout.value)}"
    good = look.good_timeout
    edits = _good(look) if good >= look.policy.timeout_short else ()
    say = Say(what=what, remedy=f"write it down: {plain(good)} is a good value", edits=edits)
    yield look.hit("HC202", timeout.where, say)


def too_long(look: Look) -> Iterator[Hit]:
    """HC203: a hang is seen late."""
    timeout, policy = look.check.timeout, look.policy
    if not _measured(look) or timeout.value <= policy.timeout_long:
        return
    level: Level = "error" if timeout.value >= policy.timeout_blind else "warning"
    what = f"{told(timeout)}: a hang is waited for that long at every attempt"
    say = Say(what=what, remedy=f"set {plain(look.good_timeout)}", level=level, edits=_good(look))
    yield look.hit("HC203", timeout.where, say)


def above_interval(look: Look) -> Iterator[Hit]:
    """HC204: longer than the schedule allows."""
    check = look.check
    if check.schedule != "ticks" or not _measured(look):
        return
    timeout, interval = check.timeout, check.interval
    refused = check.platform in _REFUSES
    equal = check.platform == "aws" and timeout.value == interval.value
    if timeout.value <= interval.value and not equal:
        return
    relation = "not below" if check.platform == "aws" else "above"
    effect = f"{look.applies} refuses it" if refused else "checks are dropped while one waits"
    what = f"{told(timeout)}, {relation} {interval.name} ({seconds(interval.value)}): {effect}"
    remedy = f"set {timeout.name} to {plain(look.good_timeout)}"
    say = Say(what=what, remedy=remedy, level="error", edits=_good(look))
    yield look.hit("HC204", timeout.where, say)


def blind(look: Look) -> Iterator[Hit]:
    """HC205: an interval that the platform ties to the time-out."""
    interval = look.check.interval
    if look.check.platform not in _REFUSES or interval.value <= look.policy.interval_long:
        return
    what = f"{told(interval)}: that long nobody looks between two attempts"
    remedy = f"set {plain(look.policy.timeout_good + 2)}, and a {look.check.timeout.name} below it"
    yield look.hit("HC205", interval.where, Say(what=what, remedy=remedy))


def no_deadline(look: Look) -> Iterator[Hit]:
    """HC206: a command that outlives its check."""
    target, timeout = look.check.target, look.check.timeout
    # Consul kills a command and its children at the time-out, and waits for its end.
    if target.method != "exec" or look.check.platform == "consul":
        return
    for call, own in commands.fetches(target):
        if own is not None and own < timeout.value:
            continue
        has = "no deadline of its own" if own is None else f"a deadline of {seconds(own)}"
        what = f"{call.program} has {has} under a time-out of {seconds(timeout.value)}"
        say = Say(what=what, remedy=_shorter(call.program, look), level="error")
        yield look.hit("HC206", target.where, say)


def _shorter(program: str, look: Look) -> str:
    options = {"curl": "--max-time", "wget": "-T", "slo-probe": "--timeout"}
    below = max(1, int(look.check.timeout.value) - 1)
    end = "s" if program == "slo-probe" else ""
    return f"give it `{options[program]} {below}{end}`, or hung commands pile up"


def below_measured(look: Look) -> Iterator[Hit]:
    """HC207: less than what answers take, seen from Prometheus."""
    timeout, measured = look.check.timeout, look.policy.measured.get(look.check.target.path)
    if measured is not None and _measured(look) and timeout.value < measured:
        what = f"{told(timeout)}, and answers of {look.check.target.path} take {seconds(measured)}"
        say = Say(what=what, remedy="make the answer quicker, or set more than that")
        yield look.hit("HC207", timeout.where, say)


def below_latency(look: Look) -> Iterator[Hit]:
    """HC207: less than ten times what the route may take."""
    latency, timeout = look.policy.latency, look.check.timeout
    if latency is None or not _measured(look):
        return
    wanted = look.policy.latency_times * latency
    if timeout.value < wanted:
        what = f"{told(timeout)}, and the route may take {seconds(latency)}"
        say = Say(what=what, remedy=f"set at least {plain(wanted)}")
        yield look.hit("HC207", timeout.where, say)
