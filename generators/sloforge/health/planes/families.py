"""What the store knows -> metric families, computed at the moment of the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from sloforge import planes as names
from sloforge.health.planes.exposition import Family, Labels, Sample
from sloforge.health.planes.result import BOUNDS, TIMED, Result
from sloforge.health.planes.stores import Seen, Store, StoreProblem
from sloforge.planes import STATUSES, STEP_STATUSES, STEPS, Planes

Known = Mapping[str, Seen]


def families(planes: Planes, store: Store) -> tuple[Family, ...]:
    """Every configured plane has its series, also where no check ever ran.

    Where the store cannot be read, nothing is known: every plane is NO_VALUE.
    """
    try:
        known, ticked, up = store.read(planes.names), store.ticked(), 1.0
    except StoreProblem:
        known, ticked, up = {name: Seen() for name in planes.names}, None, 0.0
    return tuple(_families(planes, known, ticked, up))


def _families(planes: Planes, known: Known, ticked: float | None, up: float) -> Iterator[Family]:
    yield _gauge(
        names.STATUS,
        "1 for what the plane is: OK, DEGRADED, NO_USER, NO_ORACLE, FAILED or NO_VALUE.",
        _each(known, lambda seen: _states(seen.live)),
    )
    yield _gauge(
        names.STEP_STATUS,
        "1 for how each step of the last check ended.",
        _each(known, lambda seen: _steps(seen.live)),
    )
    yield _gauge(
        names.LAST_STATUS,
        "1 for the last result, however old.",
        _each(known, lambda seen: _states(seen.last)),
    )
    yield _gauge(
        names.LAST_CHECK,
        "When the last check of the plane ended.",
        _each(known, lambda seen: _maybe(seen.last.at if seen.last else None)),
    )
    yield _gauge(
        names.LAST_SUCCESS,
        "When a check last found the plane OK or DEGRADED.",
        _each(known, lambda seen: _maybe(seen.succeeded)),
    )
    if up:
        yield from _counted(known)
    ticks = [] if ticked is None else _one(ticked)
    yield _gauge(names.TICK, "When the scheduler last ran.", ticks)
    yield _gauge(names.CONFIG, "Planes in the configuration.", _one(float(len(planes.planes))))
    yield _gauge(names.STORE_UP, "1 while the store of the results can be read.", _one(up))


def _gauge(name: str, help_: str, samples: Iterable[Sample]) -> Family:
    return Family(name=name, kind="gauge", help=help_, samples=tuple(samples))


def _one(value: float) -> list[Sample]:
    return [Sample(labels=(), value=value)]


Pairs = Iterable[tuple[Labels, float]]


def _each(known: Known, of: Callable[[Seen], Pairs]) -> Iterator[Sample]:
    for plane, seen in sorted(known.items()):
        for labels, value in of(seen):
            yield Sample(labels=(("plane", plane), *labels), value=value)


def _states(result: Result | None) -> Pairs:
    found = result.status if result else "NO_VALUE"
    return [((("status", one),), float(one == found)) for one in STATUSES]


def _steps(result: Result | None) -> Pairs:
    found = {step.name: step.status for step in result.steps} if result else {}
    return [
        ((("step", step), ("status", one)), float(one == found.get(step, "NO_VALUE")))
        for step in STEPS
        for one in STEP_STATUSES
    ]


def _maybe(value: float | None) -> Pairs:
    return [] if value is None else [((), value)]


def _counted(known: Known) -> Iterator[Family]:
    yield Family(
        name=names.CHECKS,
        kind="counter",
        help="Checks by what they found.",
        samples=tuple(_each(known, lambda seen: _checks(seen.counters))),
    )
    yield Family(
        name=names.DURATION,
        kind="histogram",
        help="How long a check and each of its steps took.",
        samples=tuple(_histograms(known)),
    )


def _checks(counters: Mapping[str, float]) -> Pairs:
    """From the first scrape on: a counter that is born with its first event loses that event."""
    ended = [one for one in STATUSES if one != "NO_VALUE"]
    return [((("status", one),), counters.get(f"checks:{one}", 0.0)) for one in ended]


def _histograms(known: Known) -> Iterator[Sample]:
    for plane, seen in sorted(known.items()):
        for step in TIMED:
            labels = (("plane", plane), ("step", step))
            total = 0.0
            for bound in (*map(str, BOUNDS), "+Inf"):
                total += seen.counters.get(f"le:{step}:{bound}", 0.0)
                yield Sample(labels=(*labels, ("le", bound)), value=total, suffix="_bucket")
            summed = seen.counters.get(f"sum:{step}", 0.0)
            yield Sample(labels=labels, value=summed, suffix="_sum")
            yield Sample(labels=labels, value=total, suffix="_count")
