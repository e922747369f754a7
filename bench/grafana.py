"""What a deploy of 1,000 dashboards costs: against the tests' own server, in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from figures import Figure, Section

from sloforge.artifacts import Artifact, json_artifact
from sloforge.deploy.grafana import Grafana
from sloforge.deploy.target import CHANGING, Config, Endpoint, Step

ROOT = Path(__file__).parents[1]
MANY = 1000
VARIABLE = "SLOFORGE_BENCH_GRAFANA_TOKEN"
TOKEN = "glsa_bench"
T = TypeVar("T")


def section() -> Section:
    about = (
        f"{MANY:,} dashboards as large as the fleet's, against the tests' stand-in for Grafana in a "
        "process of its own on the same machine: most of the time is that server's and JSON's."
    )
    return Section(title="Grafana", about=about, figures=rows())


def rows() -> tuple[Figure, ...]:
    """A first deploy, its proof, and a plan that finds nothing to do."""
    boards = tuple(_boards())
    os.environ[VARIABLE] = TOKEN
    with _server() as url:
        target = Grafana(_config(url))
        first, steps = _timed(lambda: target.plan(boards, {}))
        saving, _ = _timed(lambda: _apply(target, steps))
        checking, _ = _timed(lambda: target.verify(steps))
        again, steps = _timed(lambda: target.plan(boards, {}))
        assert not any(step.changes for step in steps)
        target.close()
    size = sum(len(board.text) for board in boards) / MANY / 1000
    return (
        Figure(name="Size of a dashboard", value=size, unit="kB"),
        Figure(name="Plan without changes", value=again, unit="s", target=5),
        Figure(name="First deploy", value=first + saving + checking, unit="s", target=30),
        Figure(name="of it: plan", value=first, unit="s"),
        Figure(name="of it: save", value=saving, unit="s"),
        Figure(name="of it: verify", value=checking, unit="s"),
    )


def _boards() -> Iterator[Artifact]:
    """The fleet's board under many names: as large as that of a service with two SLOs."""
    document = json.loads((ROOT / "dashboards" / "slo-fleet.json").read_text(encoding="utf-8"))
    for number in range(MANY):
        name = f"slo-bench-{number}"
        yield json_artifact(f"dashboards/{name}.json", {**document, "uid": name, "title": name})


def _apply(target: Grafana, steps: tuple[Step, ...]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for kind in ("folder", "dashboard"):
        mine = [step for step in steps if step.kind == kind and step.verb in CHANGING]
        with ThreadPoolExecutor(target.concurrency) as pool:
            list(pool.map(target.apply, mine))


def _config(url: str) -> Config:
    return Config(
        project="bench",
        name="grafana",
        kind="grafana",
        environment="bench",
        root=ROOT,
        endpoint=Endpoint(url=url, token_env=VARIABLE),
        options={"folder": "SLO", "folder_uid": "slo"},
    )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


@contextmanager
def _server() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("done")
        process.join()


def _serve(pipe: Connection) -> None:
    # Found from the root of the repository only.
    sys.path.insert(0, str(ROOT))
    from tests.grafana_server import GrafanaServer
    from tests.grafana_server.store import EVERYTHING

    with GrafanaServer() as server:
        server.grant(TOKEN, dict.fromkeys(EVERYTHING, ("*",)))
        # What it has seen would fill the memory, and a search is not what is measured.
        server.seen = _Forgetful()
        pipe.send(server.url)
        pipe.recv()


class _Forgetful(list):  # type: ignore[type-arg]
    def append(self, item: object) -> None:
        del item


if __name__ == "__main__":
    for figure in rows():
        print("  ".join(figure.row()))
