"""The pages of the exporter: metrics for Prometheus, and a list with the reasons for people."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from sloforge.health.planes.exposition import CONTENT_TYPE, exposition
from sloforge.health.planes.families import families
from sloforge.health.planes.result import Result
from sloforge.health.planes.serving import PLAIN, Page
from sloforge.health.planes.stores import Store, StoreProblem
from sloforge.planes import Planes


def pages(planes: Planes, store: Store) -> Mapping[str, Page]:
    """By path."""
    return {
        "/metrics": Page(kind=CONTENT_TYPE, render=lambda: exposition(families(planes, store))),
        "/planes": Page(kind=PLAIN, render=lambda: _listed(planes, store)),
    }


def _listed(planes: Planes, store: Store) -> str:
    try:
        known = store.read(planes.names)
    except StoreProblem as problem:
        return f"{problem}\n"
    now = time.time()
    rows = ((name, seen.live, seen.last) for name, seen in sorted(known.items()))
    return "".join(f"{line(name, live, last, now)}\n" for name, live, last in rows)


def line(name: str, live: Result | None, last: Result | None, now: float) -> str:
    """`eu-1  FAILED  12s ago  predict: POST ... answered 500`."""
    return "  ".join(_words(name, live, last, now)).rstrip()


def _words(name: str, live: Result | None, last: Result | None, now: float) -> Iterator[str]:
    yield name
    yield live.status if live else "NO_VALUE"
    if last is None:
        yield "never checked"
        return
    yield f"{now - last.at:.0f}s ago"
    yield last.reason if live else f"it was {last.status} {last.reason}".rstrip()
