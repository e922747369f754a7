"""Scaled out: a real Redis, a real beat, a real worker, a real exporter, each killed in turn."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis as redis_client
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import scraped, statuses
from tests.health.planes_process import RUN
from tests.health.planes_stack import ALL_OK, NOTHING, Stack
from tests.health.redis_server import RedisServer, redis_server
from tests.live.alertmanager import until

from sloforge.health.planes.tasks import QUEUE
from sloforge.planes import LAST_STATUS

pytestmark = pytest.mark.xdist_group("celery")


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture(scope="module")
def stack(tmp_path_factory, redis) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("scaled-out")
    with (
        planes_server() as server,
        Stack(folder, server, redis.url(0), redis.url(1)).running() as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def healthy(stack):
    """Each test finds all planes well, and so leaves them to the next."""
    stack.heal()


def test_every_status_is_right_and_follows_the_plane(stack):
    stack.server.planes["us"] = Behaviour(predict=500)
    stack.server.planes["ap"] = Behaviour(user=404)
    stack.server.planes["sa"] = Behaviour(async_seconds=60)
    stack.becomes({"eu": "OK", "us": "FAILED", "ap": "NO_USER", "sa": "DEGRADED"})
    stack.server.planes["us"] = Behaviour(oracle=404)
    stack.becomes({"eu": "OK", "us": "NO_ORACLE", "ap": "NO_USER", "sa": "DEGRADED"})


def test_without_a_worker_nothing_is_known_and_its_return_makes_up_for_nothing(stack, redis):
    stack.worker.kill()
    stack.becomes(NOTHING)
    assert statuses(scraped(stack.port), LAST_STATUS) == ALL_OK
    with redis_client.Redis.from_url(redis.url(1)) as broker:
        until(lambda: broker.llen(QUEUE), lambda: "no tick was sent", 5)
        assert json.loads(broker.lindex(QUEUE, 0))["headers"]["expires"]
    before = dict(stack.server.asked)
    stack.worker.start()
    stack.becomes(ALL_OK)
    # Tasks that were sent meanwhile have expired: no more than those of the last moments are run.
    assert max(stack.server.asked[name] - before[name] for name in ALL_OK) <= 5


def test_without_a_beat_nothing_is_known(stack):
    stack.beat.kill()
    stack.becomes(NOTHING)
    stack.beat.start()
    stack.becomes(ALL_OK)


def test_an_exporter_that_returns_knows_everything(stack):
    stack.exporter.kill()
    assert stack.now() is None
    stack.exporter.start()
    stack.becomes(ALL_OK)


def test_without_redis_nothing_is_known_and_all_parts_come_back(stack, redis):
    redis.stop()
    try:
        stack.becomes(NOTHING)
        assert scraped(stack.port)["workload_plane_store_up", ()] == 0
    finally:
        redis.start()
    stack.becomes(ALL_OK)
    assert scraped(stack.port)["workload_plane_store_up", ()] == 1


REFUSED = {
    "a worker with a beat and a queue in memory": (
        ["--store", "redis://127.0.0.1:1/0", "worker", "--beat", "--broker", "memory://"],
        "broker `memory:`: worker and beat are processes of their own, with --beat, too",
    ),
    "a queue in memory": (
        ["--store", "redis://127.0.0.1:1/0", "beat", "--broker", "memory://"],
        "broker `memory:`",
    ),
    "a store in memory": (
        ["worker", "--broker", "redis://127.0.0.1:1/0"],
        "store `memory:`: the exporter is another process",
    ),
    "an exporter of a store in memory": (["export"], "store `memory:`: nobody else can fill it"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wiring_that_cannot_work_is_refused_at_the_start(stack, words, message):
    folder = stack.worker.folder
    command = [sys.executable, "-c", RUN, "--config", "planes.yaml", *words]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(message)
