"""Discrete-event loops of those who check, written from their sources and not from our formulas.

All times are whole milliseconds. A process is a function from the start of a probe to how long
its answer takes and whether it is a good one; an answer later than the time-out is a failure.
"""

from collections.abc import Callable, Iterator

Process = Callable[[int], tuple[int, bool]]
NEVER = 10**12


def hangs_from(when: int, answers: int = 1) -> Process:
    return lambda start: (answers, True) if start + answers <= when else (NEVER, False)


def refuses_from(when: int) -> Process:
    return lambda start: (0, start < when)


def recovers_at(when: int) -> Process:
    return lambda start: (0, start >= when)


def asked(process: Process, start: int, timeout: int) -> tuple[int, bool]:
    """When the probe is over, and how it ended."""
    takes, good = process(start)
    return (start + takes, good) if takes < timeout else (start + timeout, False)


def kubelet(
    process: Process, interval: int, timeout: int, phase: int = 0
) -> Iterator[tuple[int, bool]]:
    """worker.go: `for doProbe() { <-ticker.C }`; Go's ticker keeps one tick and drops the others."""
    now, tick = phase, phase + interval
    while True:
        now, good = asked(process, now, timeout)
        yield now, good
        kept = False
        while tick <= now:
            kept, tick = True, tick + interval
        if not kept:
            now, tick = tick, tick + interval


def docker(
    process: Process, interval: int, timeout: int, phase: int = 0
) -> Iterator[tuple[int, bool]]:
    """daemon/health.go: the timer is set again when a result has been handled."""
    now = phase
    while True:
        now, good = asked(process, now + interval, timeout)
        yield now, good


def schedule(
    process: Process, interval: int, timeout: int, phase: int = 0
) -> Iterator[tuple[int, bool]]:
    """A load balancer that checks every `interval`, whatever a check takes."""
    start = phase
    while True:
        yield asked(process, start, timeout)
        start += interval


def turns(results: Iterator[tuple[int, bool]], needed: int, *, to: bool, after: int = 0) -> int:
    """When the `needed`-th result in a row is `to`; what ended before `after` does not count."""
    run = 0
    for end, good in results:
        run = run + 1 if good is to else 0
        if run >= needed and end >= after:
            return end
    raise AssertionError


def haproxy(
    process: Process,
    inter: tuple[int, int, int],
    timeout: int,
    counts: tuple[int, int],
    *,
    up: bool,
) -> Iterator[tuple[int, bool]]:
    """check.c and srv_getinter(): when a check is over and whether the server is up then."""
    normal, fast, down = inter
    fall, rise = counts
    full, now = rise + fall - 1, 0
    health = full if up else 0
    while True:
        gap = normal if health == full else down if health == 0 else fast
        now, good = asked(process, now + gap, timeout)
        if good and health < full:
            health += 1
            health = full if health >= rise else health
        elif not good and health > 0:
            health -= 1
            health = 0 if health < rise else health
        yield now, health >= rise


def envoy(
    process: Process,
    gaps: tuple[int, int, int, int],
    timeout: int,
    counts: tuple[int, int],
    *,
    up: bool,
) -> Iterator[tuple[int, bool]]:
    """health_checker_impl.cc: the interval timer is armed in handleSuccess and handleFailure."""
    interval, unhealthy, unhealthy_edge, healthy_edge = gaps
    failures, successes = counts
    now, healthy, bad, well = 0, up, 0, 0
    gap = interval if up else unhealthy
    while True:
        now, good = asked(process, now + gap, timeout)
        if good:
            bad, pending = 0, False
            if not healthy:
                well += 1
                healthy, pending = well == successes, well != successes
            gap = healthy_edge if pending else interval
        else:
            well, pending = 0, False
            if healthy:
                bad += 1
                healthy, pending = bad != failures, bad != failures
            gap = unhealthy_edge if pending else unhealthy
        yield now, healthy


def nomad(
    results: Iterator[tuple[int, bool]], window: int, failures: int, poll: int, phase: int
) -> int:
    """watcher.go: every `poll` it looks; what is critical for `window` since it saw so is restarted."""
    ends, bad, critical, since = next(results), 0, False, NEVER
    now = phase
    while True:
        while ends[0] <= now:
            bad = 0 if ends[1] else bad + 1
            critical = bad >= failures
            ends = next(results)
        since = min(since, now) if critical else NEVER
        if now >= since + window:
            return now
        now += poll
