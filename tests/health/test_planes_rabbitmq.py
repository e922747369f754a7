"""Scaled out over RabbitMQ: a real broker, a real beat, a real worker; the results in a real Redis."""

from collections.abc import Iterator

import pytest
from kombu.connection import Connection
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import scraped, statuses
from tests.health.planes_stack import ALL_OK, NOTHING, Stack
from tests.health.rabbitmq_server import RabbitServer, rabbitmq_server
from tests.health.redis_server import redis_server
from tests.live.alertmanager import until

from sloforge.health.planes.tasks import QUEUE
from sloforge.planes import LAST_STATUS

pytestmark = pytest.mark.xdist_group("rabbitmq")


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory) -> Iterator[RabbitServer]:
    with rabbitmq_server(tmp_path_factory.mktemp("rabbitmq")) as found:
        yield found


@pytest.fixture(scope="module")
def stack(tmp_path_factory, rabbitmq) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("over-rabbitmq")
    with (
        redis_server(folder) as redis,
        planes_server() as server,
        Stack(folder, server, redis.url(0), rabbitmq.url).running() as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def healthy(stack):
    stack.heal()


def test_every_status_is_right_and_follows_the_plane(stack):
    stack.server.planes["us"] = Behaviour(predict=500)
    stack.server.planes["ap"] = Behaviour(user=404)
    stack.server.planes["sa"] = Behaviour(async_seconds=60)
    stack.becomes({"eu": "OK", "us": "FAILED", "ap": "NO_USER", "sa": "DEGRADED"})


def waiting(url):
    """How many tasks wait, and the properties of the first, which is taken."""
    with Connection(url) as connection, connection.channel() as channel:
        count = channel.queue_declare(QUEUE, passive=True).message_count
        message = channel.basic_get(QUEUE, no_ack=True)
        return count, message.properties if message else {}


def test_without_a_worker_nothing_is_known_and_the_broker_drops_what_is_late(stack, rabbitmq):
    stack.worker.kill()
    stack.becomes(NOTHING)
    until(lambda: waiting(rabbitmq.url)[1].get("expiration") == "1000", rabbitmq.told, 5)
    count, _ = waiting(rabbitmq.url)
    assert count <= 2
    stack.worker.start()
    stack.becomes(ALL_OK)


def test_without_the_broker_nothing_is_known_and_all_parts_come_back(stack, rabbitmq):
    rabbitmq.stop()
    try:
        stack.becomes(NOTHING)
        assert statuses(scraped(stack.port), LAST_STATUS) == ALL_OK
    finally:
        rabbitmq.start()
    # Celery tries again after 2, 4, 6, 8... seconds.
    stack.becomes(ALL_OK, 60)
    # The same processes as before: none of them gave up.
    assert [part.process.poll() for part in stack.parts] == [None, None, None]
