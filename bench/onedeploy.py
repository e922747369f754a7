"""One deploy in a process of its own: plan, apply, verify, and plan again; its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sloforge.deploy import running
from sloforge.deploy.planned import Planned
from sloforge.deploy.running import Chosen, Repository

T = TypeVar("T")


def main(root: Path) -> dict[str, float]:
    """Seconds, and the peak of memory in MB after each part."""
    repository = Repository(root=root, changes=lambda _: ())
    found = running.environment(root, Chosen())
    loading, what = _timed(repository.build)
    planning, wanted = _timed(lambda: running.plan(found, what))
    peaks = {"planned": _peak()}
    ends: list[float] = []
    swaps: list[float] = []

    def tell(_verb: str, step: Planned) -> None:
        ends.append(time.perf_counter())
        if step.kind == "release":
            swaps.append(time.perf_counter())

    deploying, outcome = _timed(
        lambda: running.carry_out(found, what, wanted, (datetime.now(UTC), tell))
    )
    end = time.perf_counter()
    if outcome.result != "done":
        raise RuntimeError(str(outcome.cause))
    peaks["deployed"] = _peak()
    again, nothing = _timed(lambda: running.plan(found, what))
    assert not nothing.changes
    return {
        "load": loading,
        "plan": planning,
        "deploy": deploying,
        "again": again,
        "swap": end - swaps[0] if swaps else 0.0,
        "notes": len(outcome.notes),
        **peaks,
    }


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
