"""Every store keeps the same promises: results end, the last one stays, nobody claims twice."""

import sqlite3
import threading

import pytest
from tests.health.redis_server import redis_server
from tests.live.alertmanager import until

from sloforge.errors import Problem
from sloforge.health.planes.result import Result, StepResult, decoded, encoded
from sloforge.health.planes.stores import StoreProblem, open_store
from sloforge.health.planes.stores.memory import MemoryStore
from sloforge.health.planes.stores.sqlite import SqliteStore

TTL = 0.4
BOUND = 10.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path):
    urls = {"memory": "memory:", "sqlite": f"sqlite:{tmp_path / 'results.db'}"}
    if request.param == "redis":
        import redis

        server = request.getfixturevalue("redis")
        urls["redis"] = server.url(3)
        redis.Redis.from_url(urls["redis"]).flushdb()
    found = open_store(urls[request.param], TTL)
    yield found
    found.close()


def result(status="OK", at=1000.5, plane="p"):
    step = StepResult(name="predict", status="OK", seconds=0.25)
    return Result(plane=plane, status=status, reason="why", at=at, seconds=0.5, steps=(step,))


def test_a_result_comes_back_as_it_was(store):
    store.save(result("FAILED"))
    seen = store.read(["p"])["p"]
    assert seen.live == seen.last == result("FAILED")
    assert seen.succeeded is None


def test_a_result_ends_and_the_last_one_stays(store):
    store.save(result("OK", at=1.0))
    store.save(result("FAILED", at=2.0))
    until(lambda: store.read(["p"])["p"].live is None, lambda: "still live", BOUND)
    seen = store.read(["p"])["p"]
    assert seen.last == result("FAILED", at=2.0)
    assert seen.succeeded == 1.0


def test_counters_add_up(store):
    for status in ("OK", "OK", "FAILED"):
        store.save(result(status))
    counters = store.read(["p"])["p"].counters
    assert counters["checks:OK"] == 2
    assert counters["checks:FAILED"] == 1
    assert counters["le:predict:0.25"] == 3
    assert counters["sum:predict"] == pytest.approx(0.75)


def test_a_plane_that_was_never_checked_is_in_the_answer(store):
    store.save(result())
    found = store.read(["p", "never"])
    assert found["never"].last is None
    assert set(found) == {"p", "never"}


def test_a_tick_comes_back(store):
    assert store.ticked() is None
    store.tick(1234.5)
    assert store.ticked() == 1234.5


def test_a_claim_is_for_one_and_ends_by_itself(store):
    assert store.claim("p", "mine", 0.3)
    assert not store.claim("p", "yours", 0.3)
    assert store.claim("q", "yours", 0.3)
    store.release("p", "yours")
    assert not store.claim("p", "yours", 0.3)
    until(lambda: store.claim("p", "yours", 0.3), lambda: "never ended", BOUND)
    store.release("p", "yours")
    assert store.claim("p", "mine", 0.3)


def test_many_threads_lose_no_count(store):
    threads = [
        threading.Thread(target=lambda: [store.save(result()) for _ in range(10)]) for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert store.read(["p"])["p"].counters["checks:OK"] == 80


def test_the_memory_store_ages_by_its_own_clock():
    now = [0.0]
    store = MemoryStore(10, clock=lambda: now[0])
    store.save(result(at=99999999.0))
    now[0] = 10.0
    assert store.read(["p"])["p"].live
    now[0] = 10.1
    assert store.read(["p"])["p"].live is None


def test_a_file_keeps_results_over_a_restart_but_not_over_a_boot(tmp_path):
    file = tmp_path / "results.db"
    SqliteStore(file, 60).save(result())
    again = SqliteStore(file, 60)
    assert again.read(["p"])["p"].live == result()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE result SET boot = 'another'")
    seen = again.read(["p"])["p"]
    assert (seen.live, seen.last) == (None, result())


def test_a_file_that_is_no_store_is_told(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and long enough to be looked at " * 40, encoding="utf-8")
    with pytest.raises(StoreProblem, match="cannot be used as a store"):
        SqliteStore(file, 60)


def test_redis_that_is_gone_is_told_without_the_password_and_comes_back(redis):
    refused = open_store("redis://:hush@127.0.0.1:9/0", 2)
    with pytest.raises(StoreProblem) as told:
        refused.tick(1.0)
    assert "hush" not in str(told.value)
    store = open_store(redis.url(4), 2)
    store.save(result())
    redis.stop()
    try:
        with pytest.raises(StoreProblem, match="store redis: ConnectionError; is the server there"):
            store.read(["p"])
    finally:
        redis.start()
    until(lambda: store.read(["p"])["p"].last is None, lambda: "it keeps no file", BOUND)
    store.save(result())
    assert store.read(["p"])["p"].live == result()


def test_a_url_that_redis_cannot_read_is_told_without_the_password():
    with pytest.raises(Problem) as told:
        open_store("redis://:hush@host:port/db", 2)
    assert str(told.value) == "store redis: cannot read the URL; write redis://HOST:PORT/DB"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"plane": 1}', encoded(result()).replace("OK", "X")]
)
def test_what_is_no_result_is_nothing(text):
    assert decoded(text) is None
