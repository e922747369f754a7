"""The embedded prober: no plane waits for another, the clock may step, a dead part shows."""

import math
import threading
import time

import pytest
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import (
    config,
    counted,
    planes,
    quick,
    samples,
    scraped,
    statuses,
)
from tests.live.alertmanager import until

from sloforge.errors import Problem
from sloforge.health.planes.exporting import pages
from sloforge.health.planes.exposition import exposition
from sloforge.health.planes.families import families
from sloforge.health.planes.probing import probe
from sloforge.health.planes.result import Result, StepResult
from sloforge.health.planes.running import Prober, checked
from sloforge.health.planes.serving import address, served
from sloforge.health.planes.stores import StoreProblem, open_store
from sloforge.health.planes.stores.memory import MemoryStore
from sloforge.planes import LAST_STATUS, STATUSES, STEPS, TICK, Plane

BOUND = 15.0


@pytest.fixture
def server():
    with planes_server() as found:
        yield found


@pytest.fixture
def running():
    """Starts probers that are stopped at the end."""
    started = []

    def start(prober):
        prober.start()
        started.append(prober)
        return prober

    yield start
    for prober in started:
        prober.stop()


def seen(found, store):
    return samples(exposition(families(found, store)))


def test_two_hundred_planes_with_twenty_hung_are_all_checked_within_their_interval(
    server, running, tmp_path
):
    names = [f"p{at:03}" for at in range(200)]
    hung = set(names[::10])
    for name in names:
        server.plane(name).hung = name in hung
    found = quick(
        planes(tmp_path, config(server.url, names)), interval=2, ttl=4, timeout=1.5, deadline=1.8
    )
    begun: dict[str, list[float]] = {name: [] for name in names}

    def check(plane):
        begun[plane.name].append(time.monotonic())
        return probe(plane)

    store = MemoryStore(4)
    running(Prober(planes=found, store=store, check=check, tell=lambda _: None))
    healthy = [name for name in names if name not in hung]
    # The first round begins everywhere at once and is spread from then on.
    until(lambda: all(len(begun[name]) >= 4 for name in healthy), lambda: str(begun), BOUND)
    # A check that ended in time is never more than an interval, and a second that a busy
    # machine may need, behind the one before.
    slack = 0.005 * len(names)
    late = {
        name: max(b - a for a, b in zip(begun[name], begun[name][1:], strict=False))
        for name in healthy
    }
    assert max(late.values()) <= 2 + slack, {n: v for n, v in late.items() if v > 2 + slack}
    now = statuses(seen(found, store))
    assert {now[name] for name in healthy} == {"OK"}
    assert {now[name] for name in hung} == {"FAILED"}


def test_a_plane_is_never_checked_twice_at_once(server, running, tmp_path):
    server.planes["slow"] = Behaviour(delay=0.4)
    found = quick(
        planes(tmp_path, config(server.url, ["slow"])), interval=0.1, timeout=2, deadline=2
    )
    running(Prober(planes=found, store=MemoryStore(2), tell=lambda _: None))
    until(lambda: server.asked.get("slow", 0) >= 4, lambda: str(server.asked), BOUND)
    assert server.most["slow"] == 1


def test_two_probers_on_one_store_do_not_check_a_plane_at_once(server, tmp_path):
    server.planes["p"] = Behaviour(delay=0.3)
    found = planes(tmp_path, config(server.url, ["p"]))
    store = MemoryStore(2)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(checked(found.planes[0], store)))
        for _ in range(2)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(result is None for result in results) == [False, True]


def test_a_check_that_does_not_come_back_has_failed_and_is_not_joined_by_another(
    server, running, tmp_path
):
    found = quick(planes(tmp_path, config(server.url, ["p"])), interval=0.1, ttl=1, deadline=0.2)
    stuck, begun = threading.Event(), []

    def check(plane):
        begun.append(plane.name)
        stuck.wait()
        return probe(plane)

    store = MemoryStore(1)
    running(Prober(planes=found, store=store, check=check, tell=lambda _: None, grace=0.1))
    until(lambda: statuses(seen(found, store)) == {"p": "FAILED"}, lambda: "no result", BOUND)
    assert begun == ["p"]
    stuck.set()
    until(lambda: statuses(seen(found, store)) == {"p": "OK"}, lambda: "still failed", BOUND)


@pytest.mark.parametrize("step", [3600.0, -3600.0], ids=["an hour forward", "an hour back"])
def test_a_step_of_the_wall_clock_changes_no_status(server, running, tmp_path, step):
    found = quick(planes(tmp_path, config(server.url, ["p"])), interval=0.2, ttl=1)
    shift, told = [0.0], list[str]()
    store = MemoryStore(1)
    prober = running(
        Prober(planes=found, store=store, wall=lambda: time.time() + shift[0], tell=told.append)
    )
    until(lambda: statuses(seen(found, store)) == {"p": "OK"}, lambda: "not checked", BOUND)
    before = server.asked["p"]
    shift[0] = step
    while server.asked["p"] < before + 5:
        assert statuses(seen(found, store)) == {"p": "OK"}
        time.sleep(0.01)
    assert prober is not None
    assert told == []
    tick = seen(found, store)[TICK, ()]
    until(
        lambda: abs(seen(found, store)[TICK, ()] - time.time() - step) < 60,
        lambda: f"the tick does not follow the clock: {tick}",
        BOUND,
    )


def test_a_prober_that_dies_shows_as_no_value_and_what_it_saw_last_stays(server, tmp_path):
    found = quick(planes(tmp_path, config(server.url, ["p"])), interval=0.1, ttl=0.5)
    server.planes["p"] = Behaviour(predict=500)
    store = MemoryStore(0.5)
    prober = Prober(planes=found, store=store, tell=lambda _: None)
    with served(("127.0.0.1", 0), pages(found, store)) as port:
        assert statuses(scraped(port)) == {"p": "NO_VALUE"}
        prober.start()
        until(lambda: statuses(scraped(port)) == {"p": "FAILED"}, lambda: "not checked", BOUND)
        prober.stop()
        until(lambda: statuses(scraped(port)) == {"p": "NO_VALUE"}, lambda: "still there", BOUND)
        assert statuses(scraped(port), LAST_STATUS) == {"p": "FAILED"}


def test_every_status_and_every_step_is_exported_before_the_first_check(tmp_path):
    found = planes(tmp_path, config("https://planes.example.org", ["a", "b"]))
    now = seen(found, MemoryStore(2))
    for plane in ("a", "b"):
        for status in STATUSES:
            key = (("plane", plane), ("status", status))
            assert now["workload_plane_status", key] == (status == "NO_VALUE")
        for step in STEPS:
            labels = (("plane", plane), ("status", "NO_VALUE"), ("step", step))
            assert now["workload_plane_step_status", labels] == 1
        assert counted(now, plane, "FAILED") == 0
    assert now["workload_plane_config_planes", ()] == 2
    assert now["workload_plane_store_up", ()] == 1


def test_a_store_that_cannot_be_read_makes_every_plane_no_value(tmp_path):
    class Gone(MemoryStore):
        def read(self, planes):
            raise StoreProblem("gone")

    found = planes(tmp_path, config("https://planes.example.org", ["a"]))
    now = seen(found, Gone(2))
    assert statuses(now) == {"a": "NO_VALUE"}
    assert now["workload_plane_store_up", ()] == 0


def test_trouble_with_the_store_is_told_once_and_when_it_is_over(server, running, tmp_path):
    class Moody(MemoryStore):
        broken = True

        def save(self, result):
            if self.broken:
                raise StoreProblem("the store is gone")
            super().save(result)

    found = quick(planes(tmp_path, config(server.url, ["p"])), interval=0.1)
    store, told = Moody(2), list[str]()
    running(Prober(planes=found, store=store, tell=told.append))
    until(lambda: server.asked.get("p", 0) >= 4, lambda: str(server.asked), BOUND)
    assert told == ["p: the store is gone"]
    store.broken = False
    until(lambda: len(told) > 1, lambda: str(told), BOUND)
    assert told[1:] == ["p: works again"]


def test_a_bug_in_a_check_is_told_and_ends_nothing(running, tmp_path):
    found = quick(planes(tmp_path, config("https://planes.example.org", ["p"])), interval=0.1)
    calls, told = list[Plane](), list[str]()

    def check(plane):
        calls.append(plane)
        raise RuntimeError("a bug")

    running(Prober(planes=found, store=MemoryStore(1), check=check, tell=told.append))
    until(lambda: len(calls) >= 3, lambda: str(calls), BOUND)
    assert len(told) == 1
    assert "RuntimeError: a bug" in told[0]


def result(plane="p", status="OK", at=1000.0, seconds=0.3):
    steps = tuple(StepResult(name=name, status="OK", seconds=seconds) for name in STEPS)
    return Result(plane=plane, status=status, reason="", at=at, seconds=seconds, steps=steps)


def test_durations_are_counted_into_cumulative_buckets(tmp_path):
    found = planes(tmp_path, config("https://planes.example.org", ["p"]))
    store = MemoryStore(60)
    for seconds in (0.04, 0.3, 7.0, 100.0):
        store.save(result(seconds=seconds))
    now = seen(found, store)

    def bucket(le):
        key = (("le", le), ("plane", "p"), ("step", "check"))
        return now["workload_plane_check_duration_seconds_bucket", key]

    assert [bucket(le) for le in ("0.05", "0.25", "0.5", "10.0", "60.0", "+Inf")] == [
        1,
        1,
        2,
        3,
        3,
        4,
    ]
    key = (("plane", "p"), ("step", "check"))
    assert now["workload_plane_check_duration_seconds_count", key] == 4
    assert math.isclose(now["workload_plane_check_duration_seconds_sum", key], 107.34)


def test_the_list_for_people_says_the_reason(server, tmp_path):
    found = planes(tmp_path, config(server.url, ["p"]))
    server.planes["p"] = Behaviour(oracle=404)
    store = MemoryStore(60)
    checked(found.planes[0], store)
    text = pages(found, store)["/planes"].render()
    assert text.startswith("p  NO_ORACLE  0s ago  GET ")
    assert text.endswith("/oracles/health-check-model answered 404\n")


ADDRESSES = {
    "127.0.0.1:9480": ("127.0.0.1", 9480),
    ":9480": ("0.0.0.0", 9480),
    "[::1]:0": ("::1", 0),
}


@pytest.mark.parametrize(("text", "where"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_read(text, where):
    assert address(text) == where


@pytest.mark.parametrize("text", ["9480", "host", "host:port", "host:70000"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Problem, match=f"got `{text}`"):
        address(text)


def test_an_address_in_use_is_told():
    with served(("127.0.0.1", 0), {}) as port:
        told = f"cannot use 127.0.0.1:{port}: Address already in use"
        with pytest.raises(Problem, match=told), served(("127.0.0.1", port), {}):
            pass


def test_a_store_that_nobody_knows_is_refused_without_its_password():
    with pytest.raises(Problem) as refused:
        open_store("postgres://user:hush@host/db", 2)
    assert "hush" not in str(refused.value)
    assert str(refused.value).startswith("store `postgres:...`: expected `memory:`")
