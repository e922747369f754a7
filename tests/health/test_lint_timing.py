"""Derived times against loops that do what kubelet, Docker, HAProxy, Envoy and clouds do."""

from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.health import simulators as sim

from sloforge.errors import Location
from sloforge.health.lint.model import HealthCheck, Rollout, Setting, Target, Unit
from sloforge.health.lint.policy import DEFAULT, Policy, Promise
from sloforge.health.lint.run import gather, lint
from sloforge.health.lint.timing import (
    best_detection,
    timing,
    to_traffic,
    worst_detection,
    worst_recovery,
)

TENSOR_WASM = Path(__file__).parent / "fixtures" / "tensor-wasm.yaml"
HERE = Location("x")
SOME = settings(max_examples=60, deadline=None)
SECOND = 1000
seconds = st.integers(1, 12)
counts = st.integers(1, 4)


def setting(value, name="x"):
    return Setting(name=name, value=Decimal(value), where=HERE)


def check(interval, timeout, fail=3, ok=1, **more):
    return HealthCheck(
        **{
            "platform": "kubernetes",
            "kind": "readiness",
            "name": "x",
            "where": HERE,
            "target": Target(method="http", where=HERE),
            "interval": setting(interval),
            "timeout": setting(timeout),
            "fail": setting(fail),
            "ok": setting(ok),
        }
        | more
    )


def unit(*checks, rollout=None):
    return Unit(platform="kubernetes", name="x", where=HERE, checks=checks, rollout=rollout)


def ms(value):
    return int(value * SECOND)


def moments(interval, offset=0):
    """Just before and after a check, and some between: where the extremes of a loop are."""
    start = 20 * interval + offset
    return sorted({start + interval * part // 8 + step for part in range(9) for step in (0, 1, 2)})


def detections(loop, interval, timeout, fail, process):
    """How long each failure of a healthy process stays unseen."""
    for when in moments(interval):
        results = loop(process(when), interval, timeout)
        yield sim.turns(results, fail, to=False, after=when) - when


LOOPS = {
    "kubelet": (sim.kubelet, "ticks"),
    "docker": (sim.docker, "gaps"),
}


@pytest.mark.parametrize("name", LOOPS)
@SOME
@given(interval=seconds, timeout=seconds, fail=counts)
@example(interval=5, timeout=2, fail=3)
@example(interval=3, timeout=10, fail=3)
def test_the_worst_detection_is_what_the_loop_takes_at_worst(name, interval, timeout, fail):
    loop, schedule = LOOPS[name]
    # Docker's checks drift by the time of an answer: wherever a failure begins is tried.
    found = []
    for when in range(20 * ms(interval), 21 * ms(interval) + 3, max(1, ms(interval) // 500)):
        results = loop(sim.hangs_from(when), ms(interval), ms(timeout))
        found.append(sim.turns(results, fail, to=False, after=when) - when)
    worst = ms(worst_detection(check(interval, timeout, fail, schedule=schedule)))
    assert worst - ms(interval) // 250 - 3 <= max(found) <= worst


@pytest.mark.parametrize("name", LOOPS)
@SOME
@given(interval=seconds, timeout=seconds, fail=counts)
def test_the_best_detection_is_what_the_loop_takes_at_best(name, interval, timeout, fail):
    loop, schedule = LOOPS[name]
    found = list(detections(loop, ms(interval), ms(timeout), fail, sim.refuses_from))
    best = best_detection(check(interval, timeout, fail, schedule=schedule))
    assert min(found) == ms(best)
    # A refusal is never seen later than one interval after that.
    assert max(found) <= ms(best) + ms(interval)


@SOME
@given(interval=seconds, part=st.integers(1, 10), fail=counts)
def test_a_cloud_with_a_fixed_schedule_is_as_late_as_kubelet(interval, part, fail):
    timeout = max(1, interval * part // 10)
    found = list(detections(sim.schedule, ms(interval), ms(timeout), fail, sim.hangs_from))
    one = check(interval, timeout, fail, platform="aws", kind="lb")
    assert ms(worst_detection(one)) - 2 <= max(found) <= ms(worst_detection(one))


@pytest.mark.parametrize("name", LOOPS)
@SOME
@given(interval=seconds, timeout=seconds, ok=counts)
def test_the_worst_recovery_is_what_the_loop_takes_at_worst(name, interval, timeout, ok):
    loop, schedule = LOOPS[name]
    found = []
    for when in moments(ms(interval)):
        results = loop(sim.recovers_at(when), ms(interval), ms(timeout))
        found.append(sim.turns(results, ok, to=True, after=when) - when)
    worst = ms(worst_recovery(check(interval, timeout, ok=ok, schedule=schedule)))
    assert worst - 2 <= max(found) <= worst


def switched(states, to):
    """When a state machine's answer becomes `to`."""
    return next(end for end, healthy in states if healthy is to)


@SOME
@given(inter=seconds, fast=seconds, down=seconds, timeout=seconds, fall=counts, rise=counts)
def test_haproxy_counts_from_the_end_of_a_check_and_has_three_intervals(
    inter, fast, down, timeout, fall, rise
):
    one = check(
        inter,
        timeout,
        fall,
        rise,
        platform="haproxy",
        kind="lb",
        schedule="gaps",
        failing=setting(fast),
        down=setting(down),
        rising=setting(fast),
    )
    gaps, needed = (ms(inter), ms(fast), ms(down)), (fall, rise)
    # A check has passed at 0; what hangs from the next millisecond on is seen last.
    states = sim.haproxy(sim.hangs_from(1), gaps, ms(timeout), needed, up=True)
    assert switched(states, False) == ms(worst_detection(one))
    states = sim.haproxy(sim.recovers_at(1), gaps, ms(timeout), needed, up=False)
    assert switched(states, True) == ms(worst_recovery(one))


@SOME
@given(gaps=st.tuples(seconds, seconds, seconds, seconds), timeout=seconds, fail=counts, ok=counts)
def test_envoy_counts_from_the_end_of_a_check_and_has_four_intervals(gaps, timeout, fail, ok):
    interval, down, edge, rising = gaps
    one = check(
        interval,
        timeout,
        fail,
        ok,
        platform="envoy",
        kind="lb",
        schedule="gaps",
        failing=setting(edge),
        down=setting(down),
        rising=setting(rising),
    )
    times, needed = tuple(ms(gap) for gap in gaps), (fail, ok)
    states = sim.envoy(sim.hangs_from(1), times, ms(timeout), needed, up=True)
    assert switched(states, False) == ms(worst_detection(one))
    states = sim.envoy(sim.recovers_at(1), times, ms(timeout), needed, up=False)
    assert switched(states, True) == ms(worst_recovery(one))


@SOME
@given(interval=seconds, timeout=seconds, lead=st.integers(1, 3), limit=counts)
def test_nomad_restarts_by_a_clock_that_starts_when_consul_says_critical(
    interval, timeout, lead, limit
):
    one = check(
        interval,
        timeout,
        limit,
        platform="nomad",
        kind="autoheal",
        schedule="clock",
        lead=Decimal(lead),
    )
    found = []
    for when in range(20 * ms(interval), 21 * ms(interval) + 3, max(1, ms(interval) // 100)):
        results = sim.docker(sim.hangs_from(when), ms(interval), ms(timeout))
        window = (limit - 1) * ms(interval)
        found.append(sim.nomad(results, window, lead, SECOND, when % 997) - when)
    worst = ms(worst_detection(one))
    # Nomad asks Consul once a second.
    assert worst - ms(interval) // 50 - 3 <= max(found) < worst + SECOND
    refused = sim.docker(sim.refuses_from(20 * ms(interval)), ms(interval), ms(timeout))
    restart = sim.nomad(refused, window, lead, 1, 0)
    assert restart - 20 * ms(interval) == ms(best_detection(one))


def first_traffic(start, startup, readiness, phases):
    """The kubelet's two workers: readiness waits for the startup probe, then is triggered at once."""
    begun = 0
    if startup is not None:
        first = max(start, ms(startup.delay.value))
        ticks = (phases[0] + at * ms(startup.interval.value) for at in range(10_000))
        begun = next(tick for tick in ticks if tick >= first)
    interval, delay = ms(readiness.interval.value), ms(readiness.delay.value)
    ticks = (phases[1] + at * interval for at in range(10_000))
    tried = (tick for tick in ticks if tick >= begun)
    moments_ = [begun, *islice(tried, 500)] if startup is not None else islice(tried, 500)
    run = 0
    for moment in moments_:
        run += moment >= max(delay, start)
        if run >= readiness.ok.value:
            return moment
    raise AssertionError


@SOME
@given(
    start=st.integers(0, 40),
    delays=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    intervals=st.tuples(seconds, seconds),
    ok=counts,
    with_startup=st.booleans(),
)
@example(start=7, delays=(0, 2), intervals=(5, 5), ok=1, with_startup=True)
def test_the_time_to_traffic_is_what_both_workers_take_at_worst(
    start, delays, intervals, ok, with_startup
):
    readiness = check(intervals[1], 1, ok=ok, delay=setting(delays[1]))
    startup = (
        check(intervals[0], 1, kind="startup", delay=setting(delays[0])) if with_startup else None
    )
    one = unit(readiness, *([startup] if startup else []))
    found = max(
        first_traffic(ms(start), startup, readiness, (mine, other))
        for mine in range(1, ms(intervals[0]) + 1, ms(intervals[0]) // 5)
        for other in range(1, ms(intervals[1]) + 1, ms(intervals[1]) // 5)
    )
    bound = ms(to_traffic(readiness, one, Decimal(start)))
    assert found <= bound
    assert bound - found <= (ms(intervals[0]) + ms(intervals[1])) // 4 + ms(
        intervals[1]
    ) * with_startup * (ok > 1)


def test_docker_looks_at_start_interval_while_a_container_starts():
    one = check(
        30, 8, kind="container", platform="docker", delay=setting(60), start_interval=setting(5)
    )
    assert to_traffic(one, unit(), Decimal(20)) == 25
    assert to_traffic(one, unit(), Decimal(61)) == 91


@pytest.mark.parametrize(
    ("platform", "ok", "worst"),
    [
        ("aws", 5, 10),
        ("envoy", 5, 10),
        ("consul", 3, 10),
        ("nomad", 3, 10),
        ("gcp", 2, 20),
        ("haproxy", 2, 20),
    ],
)
def test_some_balancers_take_a_new_target_at_its_first_answer(platform, ok, worst):
    one = check(10, 5, ok=ok, platform=platform, kind="lb")
    assert to_traffic(one, unit(), Decimal(0)) == worst


@pytest.mark.parametrize(
    ("rollout", "worst"),
    [
        (Rollout(replicas=10, surge=3, unavailable=2), 2 * 15),
        (Rollout(replicas=10, surge=1, unavailable=0, min_ready=Decimal(5)), 10 * 20),
        (Rollout(replicas=10, recreate=True), 15),
        (Rollout(replicas=0), 0),
    ],
)
def test_a_rollout_goes_in_waves(rollout, worst):
    one = check(10, 5, delay=setting(0))
    found = timing(one, unit(one, rollout=rollout), Policy(start=Decimal(5)))
    assert found.rollout == worst


def test_the_manifest_says_how_many_go_at_once(tmp_path):
    text = TENSOR_WASM.read_text().replace(
        "type: Recreate", "rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}"
    )
    (tmp_path / "k8s.yaml").write_text(text.replace("replicas: 1", "replicas: 10"))
    (one,) = lint(gather([str(tmp_path)])).units
    assert one.rollout
    assert (one.rollout.surge, one.rollout.unavailable, one.rollout.waves) == (3, 2, 2)


def tensor_wasm():
    (one,) = lint(gather([str(TENSOR_WASM)])).units
    return one


def test_the_worked_example_has_its_numbers():
    one = tensor_wasm()
    promise = Promise(objective=Decimal("0.995"), window=Decimal(30 * 86_400))
    policy = replace(DEFAULT, promise=promise)
    ready = timing(one.check("readiness"), one, policy)
    assert [ready.worst, ready.best, ready.recovery] == [17, 10, 5]
    assert timing(one.check("liveness"), one, policy).worst == 63
    assert one.check("startup").budget == 60
    assert timing(one.check("startup"), one, policy).worst == 63
    # 216 minutes of budget; a restart of 5 to 15 s and a probe tick of 5 s: 0.1 % to 0.2 % of it.
    assert promise.budget == 216 * 60
    assert ready.cost == Decimal(17) / (216 * 60)


def test_the_worked_example_is_hit_where_the_research_says():
    hits = lint(gather([str(TENSOR_WASM)])).hits
    assert sorted((hit.id, hit.level) for hit in hits) == [
        ("HC201", "error"),
        ("HC201", "warning"),
        ("HC201", "warning"),
        ("HC303", "info"),
        ("HC303", "info"),
    ]


def test_more_instances_share_the_cost_of_a_failure():
    one = tensor_wasm()
    promise = Promise(objective=Decimal("0.995"), window=Decimal(30 * 86_400))
    alone = timing(one.check("readiness"), one, Policy(promise=promise)).cost
    shared = timing(one.check("readiness"), one, Policy(promise=promise, replicas=10)).cost
    assert alone
    assert shared == alone / 10
