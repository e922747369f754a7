"""The prober over several machines: Celery tasks around the same check. The extra `celery`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sloforge.errors import Problem
from sloforge.health.planes.running import GRACE, checked
from sloforge.health.planes.stores import MEMORY, Store, open_store
from sloforge.planes import Planes
from sloforge.promql import seconds

try:
    import celery
    from celery.exceptions import ImproperlyConfigured
except ImportError:  # pragma: no cover - without the extra
    celery = None

TICK, CHECK = "sloforge.planes.tick", "sloforge.planes.check"
QUEUE = "workload-planes"
# With more threads than this, one worker should become two.
MOST_THREADS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where tasks travel, and where results are kept."""

    broker: str
    store: str


def application(planes: Planes, wiring: Wiring) -> Any:
    """A Celery application with both tasks. Raises Problem where the wiring cannot work."""
    if celery is None:  # pragma: no cover - without the extra
        raise Problem("celery is not installed; install `sloforge[celery]`")
    _refuse(wiring)
    interval = float(seconds(planes.interval))
    store = open_store(wiring.store, float(seconds(planes.ttl)))
    app = celery.Celery("workload-planes", broker=wiring.broker, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        # A beat that writes its schedule to a file would need a place for it and remember a past.
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=min(interval, 5.0),
        beat_schedule={
            TICK: {"task": TICK, "schedule": interval, "options": {"expires": interval}}
        },
    )
    _register(app, planes, store)
    return app


def work(app: Any, planes: Planes, threads: int = 0, *, with_beat: bool = False) -> None:
    """Runs a worker until it is told to end: a thread for each plane unless `threads` says."""
    count = threads or min(MOST_THREADS, len(planes.planes) + 1)
    options = {
        "without_gossip": True,
        "without_mingle": True,
        "loglevel": "WARNING",
        "beat": with_beat,
    }
    _started(lambda: app.Worker(pool="threads", concurrency=count, **options).start())


def beat(app: Any) -> None:
    """Runs the schedule until it is told to end. There must be exactly one."""
    _started(lambda: app.Beat(loglevel="WARNING", quiet=True).run())


def _refuse(wiring: Wiring) -> None:
    """What starts without a word and never runs a task, or runs tasks that nobody sees."""
    if wiring.broker.startswith("memory:"):
        # Even `--beat` is a process of its own: it fills a queue that the worker never sees.
        raise Problem(
            "broker `memory:`: worker and beat are processes of their own, with --beat, too, and "
            "no task would ever run; name one such as redis://HOST:PORT/DB, or run "
            "`sloforge prober` without Celery"
        )
    if wiring.store == MEMORY:
        raise Problem(
            "store `memory:`: the exporter is another process and would never see a result; "
            "name a store such as redis://HOST:PORT/DB"
        )


def _register(app: Any, planes: Planes, store: Store) -> None:
    interval = float(seconds(planes.interval))

    @app.task(name=TICK)  # type: ignore[untyped-decorator]
    def tick() -> None:
        store.tick(time.time())
        for name in planes.names:
            app.send_task(CHECK, (name,), expires=interval)

    limit = float(seconds(planes.deadline)) + GRACE

    @app.task(name=CHECK, soft_time_limit=limit, time_limit=limit + GRACE)  # type: ignore[untyped-decorator]
    def check(name: str) -> None:
        if name in planes.names:
            checked(planes.plane(name), store)


def _started(run: Any) -> None:
    try:
        run()
    except ImproperlyConfigured as error:
        raise Problem(f"celery: {type(error).__name__}; check the URL of the broker") from None
