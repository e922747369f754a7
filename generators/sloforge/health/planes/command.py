"""`sloforge prober`: options in, a prober, an exporter, a worker or one round of checks out."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import click

from sloforge.errors import Problem
from sloforge.health.planes import tasks
from sloforge.health.planes.exporting import line, pages
from sloforge.health.planes.probing import probe
from sloforge.health.planes.running import Prober
from sloforge.health.planes.serving import address, served
from sloforge.health.planes.stores import MEMORY, open_store
from sloforge.planes import FILE, Planes
from sloforge.promql import duration, seconds

# Given the path of planes.yaml: what it says. Raises Problem with every mistake.
Load = Callable[[Path], Planes]
LISTEN = "127.0.0.1:9480"
AT_ONCE = 64
BROKER, STORE = "SLOFORGE_PROBER_BROKER", "SLOFORGE_PROBER_STORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What was asked for on the command line."""

    planes: Planes
    store: str
    listen: str
    broker: str
    threads: int
    beat: bool


def command(load: Load) -> click.Command:
    """The verb; `load` reads planes.yaml."""

    def run(role: str, config: Path, **rest: Any) -> int:
        if not config.is_file():
            raise Problem(f"{config}: expected the planes, found no file; name it with --config")
        return _ROLES[role](_Chosen(planes=load(config), **rest))

    return click.Command(name="prober", help=_HELP, callback=run, params=list(_PARAMETERS))


_HELP = """Check workload planes as their users would, and export what each of them is.

\b
  run      all in one process: a thread per plane, the results in memory, the exporter
  check    check every plane once, print what was found; 1 unless all are OK
  export   serve the metrics of a store that workers fill
  worker   a Celery worker that carries out checks
  beat     the Celery schedule that sends them; exactly one of it

\b
Examples:
  sloforge prober --config planes.yaml
  sloforge prober check
  sloforge prober worker --broker redis://127.0.0.1:6379/1 --store redis://127.0.0.1:6379/0
"""
_PARAMETERS: tuple[click.Parameter, ...] = (
    click.Argument(
        ["role"], type=click.Choice(["run", "check", "export", "worker", "beat"]), default="run"
    ),
    click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        default=Path(FILE),
        show_default=True,
        help="The planes.",
    ),
    click.Option(
        ["--store"],
        default=MEMORY,
        show_default=True,
        envvar=STORE,
        help="memory:, sqlite:PATH or redis://HOST:PORT/DB; with a password, in the environment.",
    ),
    click.Option(
        ["--listen"], default=LISTEN, show_default=True, help="Where the exporter listens."
    ),
    click.Option(
        ["--broker"],
        default="",
        envvar=BROKER,
        help="For worker and beat: redis://HOST:PORT/DB or amqp://HOST; as --store.",
    ),
    click.Option(["--threads"], default=0, help="Of a worker; 0 means one for each plane."),
    click.Option(["--beat"], is_flag=True, help="Run the schedule in the worker, too."),
)


def _check(chosen: _Chosen) -> int:
    for warning in warnings(chosen.planes):
        click.echo(warning, err=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(probe, chosen.planes.planes))
    for result in results:
        click.echo(line(result.plane, result, result, time.time()))
    return 0 if all(result.status == "OK" for result in results) else 1


def _run(chosen: _Chosen) -> int:
    planes = chosen.planes
    for warning in warnings(planes):
        click.echo(warning, err=True)
    with closing(open_store(chosen.store, _ttl(planes))) as store:
        prober = Prober(planes=planes, store=store)
        with served(address(chosen.listen), pages(planes, store)) as port:
            _ready(port)
            prober.start()
            _until_told()
            prober.stop()
    return 0


def _export(chosen: _Chosen) -> int:
    if chosen.store == MEMORY:
        raise Problem("store `memory:`: nobody else can fill it; name one with --store")
    planes = chosen.planes
    with (
        closing(open_store(chosen.store, _ttl(planes))) as store,
        served(address(chosen.listen), pages(planes, store)) as port,
    ):
        _ready(port)
        _until_told()
    return 0


def _worker(chosen: _Chosen) -> int:
    app = tasks.application(chosen.planes, _wiring(chosen))
    tasks.work(app, chosen.planes, chosen.threads, with_beat=chosen.beat)
    return 0


def _beat(chosen: _Chosen) -> int:
    tasks.beat(tasks.application(chosen.planes, _wiring(chosen)))
    return 0


_ROLES: Mapping[str, Callable[[_Chosen], int]] = {
    "run": _run,
    "check": _check,
    "export": _export,
    "worker": _worker,
    "beat": _beat,
}


def _wiring(chosen: _Chosen) -> tasks.Wiring:
    if not chosen.broker:
        raise click.UsageError(f"a worker and a beat need --broker, or {BROKER} set")
    return tasks.Wiring(broker=chosen.broker, store=chosen.store)


def warnings(planes: Planes) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    least = planes.interval * 2 + planes.deadline
    if planes.ttl >= least:
        return ()
    what = f"{planes.source.path}: ttl {duration(planes.ttl)}: one lost check can show as NO_VALUE"
    remedy = f"{duration(least)} would bridge it; so does the `for` of the alert"
    return (f"{what} for a moment; {remedy}",)


def _ttl(planes: Planes) -> float:
    return float(seconds(planes.ttl))


def _ready(port: int) -> None:
    click.echo(f"metrics at port {port}: /metrics, with the reasons: /planes", err=True)
    sys.stderr.flush()


def _until_told() -> None:
    """Until SIGTERM or an interrupt, either of which is a good end of a daemon."""
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    told.wait()
