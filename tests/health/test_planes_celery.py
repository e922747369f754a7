"""Scaled out: a real Redis, a real beat, a real worker, a real exporter, each killed in turn."""

import contextlib
import socket
import subprocess
import sys
import urllib.error
from collections.abc import Iterator

import pytest
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import config, scraped, statuses
from tests.health.planes_process import RUN, Part
from tests.health.redis_server import redis_server
from tests.live.alertmanager import until

from sloforge.planes import LAST_STATUS

BOUND = 25.0


class Stack:
    """The four parts of a prober that is scaled out."""

    def __init__(self, folder, server, redis):
        self.server, self.redis = server, redis
        names = ["eu", "us", "ap", "sa"]
        for name in names:
            server.plane(name)
        (folder / "planes.yaml").write_text(config(server.url, names), encoding="utf-8")
        head = ["--config", "planes.yaml", "--store", redis.url(0)]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        broker = ["--broker", redis.url(1)]
        self.exporter = Part(folder, "exporter", *head, *listen, "export")
        self.worker = Part(folder, "worker", *head, "worker", *broker)
        self.beat = Part(folder, "beat", *head, "beat", *broker)
        self.parts = (self.exporter, self.worker, self.beat)

    def now(self):
        try:
            return statuses(scraped(self.port))
        except (urllib.error.URLError, ConnectionError):
            return None

    def becomes(self, wanted):
        until(lambda: self.now() == wanted, self.told(wanted), BOUND)

    def told(self, wanted):
        def words():
            logs = "\n".join(f"{p.log.name}: {p.log.read_text()[-1500:]}" for p in self.parts)
            return f"wanted {wanted}, got {self.now()}\n{logs}"

        return words


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("scaled-out")
    with planes_server() as server, redis_server(folder) as redis:
        found = Stack(folder, server, redis)
        try:
            for part in found.parts:
                part.start()
            yield found
        finally:
            for part in found.parts:
                with contextlib.suppress(AssertionError):
                    part.end()


ALL_OK = {"eu": "OK", "us": "OK", "ap": "OK", "sa": "OK"}
NOTHING = dict.fromkeys(ALL_OK, "NO_VALUE")


@pytest.fixture(autouse=True)
def healthy(stack):
    """Each test finds all planes well, and so leaves them to the next."""
    for name in ALL_OK:
        stack.server.planes[name] = Behaviour()
    stack.becomes(ALL_OK)


def test_every_status_is_right_and_follows_the_plane(stack):
    stack.server.planes["us"] = Behaviour(predict=500)
    stack.server.planes["ap"] = Behaviour(user=404)
    stack.server.planes["sa"] = Behaviour(async_seconds=60)
    stack.becomes({"eu": "OK", "us": "FAILED", "ap": "NO_USER", "sa": "DEGRADED"})
    stack.server.planes["us"] = Behaviour(oracle=404)
    stack.becomes({"eu": "OK", "us": "NO_ORACLE", "ap": "NO_USER", "sa": "DEGRADED"})


def test_without_a_worker_nothing_is_known_and_its_return_makes_up_for_nothing(stack):
    stack.worker.kill()
    stack.becomes(NOTHING)
    assert statuses(scraped(stack.port), LAST_STATUS) == ALL_OK
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


def test_without_redis_nothing_is_known_and_all_parts_come_back(stack):
    stack.redis.stop()
    try:
        stack.becomes(NOTHING)
        assert scraped(stack.port)["workload_plane_store_up", ()] == 0
    finally:
        stack.redis.start()
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
