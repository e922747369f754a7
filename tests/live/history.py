"""Three days of two services as OpenMetrics, with incidents in them, and the truth about them.

Every counter is a share of the same traffic, another share in each state that the service was in,
so that what really happened over any window can be told without Prometheus.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

MINUTE, HOUR, DAY = 60, 3600, 86400
LENGTH, FINE = 3 * DAY, 2 * HOUR
COARSE_STEP, FINE_STEP = 60, 15
# Requests per second of one instance at noon; at night there are 50 times fewer.
PEAK, NIGHT = 40.0, 0.02

State = Literal["calm", "earlier", "night", "outage"]
STATES: tuple[State, ...] = ("calm", "earlier", "night", "outage")
# When, in seconds before the end. Noon is at the end, so midnight 12 hours before.
INCIDENTS: dict[State, tuple[int, int]] = {
    "night": (36 * HOUR + 90 * MINUTE, 36 * HOUR - 90 * MINUTE),
    "earlier": (27 * HOUR, 25 * HOUR),
    "outage": (30 * MINUTE, 0),
}
STUCK = 17 * MINUTE
INVOKE = "/functions/:id/invoke"
INSTANCES = ({"instance": "10.0.0.1:9090"}, {"instance": "10.0.0.2:9090", "flavor": "cuda"})
WORKERS = ({"instance": "10.0.1.1:9090"},)

Shares = Mapping[State, float]
_BAD: Shares = {"calm": 0.0005, "earlier": 0.1, "night": 0.5, "outage": 0.35}
_LIMITED = 0.01
_BOUNDS = ("0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")
_FAST = (0.3, 0.9, 0.997, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_USUAL = (0.0, 0.02, 0.1, 0.4, 0.7, 0.985, 0.995, 0.998, 0.9995, 1.0, 1.0)
_SLOW = (0.0, 0.01, 0.02, 0.1, 0.2, 0.4, 0.5, 0.6, 0.85, 1.0, 1.0)
_KERNEL_BOUNDS = ("0.00001", "0.00005", "0.0001", "0.0005", "0.001", "0.01", "+Inf")
_KERNEL = (0.05, 0.6, 0.985, 0.998, 1.0, 1.0, 1.0)
# Kernels per request.
_KERNELS = 0.5


@dataclass(frozen=True, slots=True)
class Route:
    """What share of the traffic it takes, and its answers in each state."""

    path: str
    method: str
    share: float
    answers: Mapping[str, Shares]


def _always(value: float) -> Shares:
    return dict.fromkeys(STATES, value)


ROUTES = (
    Route(
        INVOKE,
        "POST",
        0.78,
        {
            "200": {state: 1 - _LIMITED - bad for state, bad in _BAD.items()},
            "429": _always(_LIMITED),
            "503": _BAD,
        },
    ),
    Route("/functions/:id", "GET", 0.08, {"200": _always(0.9), "404": _always(0.1)}),
    Route("/functions", "POST", 0.06, {"201": _always(1.0)}),
    Route("/healthz", "GET", 0.05, {"200": _always(1.0)}),
    Route("/metrics", "GET", 0.03, {"200": _always(1.0)}),
)
PROBES = ("/healthz", "/metrics")


def traffic(before: float) -> float:
    """Requests per second of one instance, so many seconds before the end."""
    daylight: float = max(0.0, math.cos(2 * math.pi * before / DAY)) ** 1.2
    return PEAK * (NIGHT + (1 - NIGHT) * daylight)


def state(before: float) -> State:
    for name, (start, end) in INCIDENTS.items():
        if end <= before < start:
            return name
    return "calm"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Scrapes up to `end`; `seen` is, for each state, the requests of an instance up to a scrape."""

    end: int
    times: tuple[int, ...]
    seen: Mapping[State, tuple[float, ...]]

    @property
    def start(self) -> int:
        return self.times[0]

    def events(self, shares: Shares, window: float, at: float) -> float:
        """How many of these happened, per instance, in the window before `at`."""
        first = max(bisect_right(self.times, at - window) - 1, 0)
        last = bisect_right(self.times, at) - 1
        return sum(
            share * (self.seen[name][last] - self.seen[name][first])
            for name, share in shares.items()
        )

    def ratio(self, bad: Shares, total: Shares, window: float, at: float) -> float:
        return self.events(bad, window, at) / self.events(total, window, at)


def history(end: int) -> History:
    times = (
        *range(end - LENGTH, end - FINE, COARSE_STEP),
        *range(end - FINE, end + 1, FINE_STEP),
    )
    seen: dict[State, list[float]] = {name: [0.0] for name in STATES}
    for before, now in pairwise(times):
        middle = end - (before + now) / 2
        for name in STATES:
            more = traffic(middle) * (now - before) if state(middle) == name else 0.0
            seen[name].append(seen[name][-1] + more)
    return History(end=end, times=times, seen={name: tuple(seen[name]) for name in STATES})


# The truth: the shares of the traffic that an SLI counts, and the bad part of them.


def all_requests(of: Callable[[Route], bool]) -> Shares:
    return {name: sum(r.share for r in ROUTES if of(r)) for name in STATES}


def failed_requests(of: Callable[[Route], bool]) -> Shares:
    return {
        name: sum(
            r.share * share[name]
            for r in ROUTES
            if of(r)
            for status, share in r.answers.items()
            if status.startswith("5")
        )
        for name in STATES
    }


def answered_invocations() -> Shares:
    return {name: ROUTES[0].share * ROUTES[0].answers["200"][name] for name in STATES}


def slow_invocations(bound: str) -> Shares:
    at = _BOUNDS.index(bound)
    slow = {name: 1 - _latency(ROUTES[0], name)[at] for name in STATES}
    return {name: share * slow[name] for name, share in answered_invocations().items()}


def _latency(route: Route, name: State) -> tuple[float, ...]:
    if route.path in PROBES:
        return _FAST
    return _SLOW if route.path == INVOKE and name == "outage" else _USUAL


# The series.

Value = Callable[[int], float]
Sampled = tuple[str, dict[str, str], Shares | Value]


def write(past: History, file: Path) -> int:
    """OpenMetrics with a timestamp on each sample; returns how many samples there are."""
    stamps = [str(time) for time in past.times]
    with file.open("w", encoding="utf-8") as out:
        for name, labels, what in _sampled(past):
            series = name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "} "
            values = _values(past, what)
            out.writelines(
                f"{series}{value} {stamp}\n" for value, stamp in zip(values, stamps, strict=True)
            )
        out.write("# EOF\n")
    return len(stamps) * sum(1 for _ in _sampled(past))


def _values(past: History, what: Shares | Value) -> Iterator[float]:
    if callable(what):
        return (what(time) for time in past.times)
    shares = [what[name] for name in STATES]
    steps = zip(*(past.seen[name] for name in STATES), strict=True)
    return (int(sum(map(float.__mul__, shares, step))) for step in steps)


def _sampled(past: History) -> Iterator[Sampled]:
    for target in INSTANCES:
        labels = {"job": "tensor-wasm"} | target
        yield "up", labels, _still(1)
        for route in ROUTES:
            yield from _requests(route, labels)
        yield from _kernels(labels)
        yield from _inside(labels)
    for target in WORKERS:
        labels = {"job": "queue-worker"} | target
        yield "up", labels, _still(1)
        yield "cio_service_state", labels, _still(1)
        yield "closeio_last_iteration_ts", labels, _stuck(past.end - STUCK)


def _still(value: float) -> Value:
    return lambda _: value


def _stuck(since: int) -> Value:
    return lambda time: min(time, since)


def _requests(route: Route, labels: dict[str, str]) -> Iterator[Sampled]:
    for status, shares in route.answers.items():
        own = labels | {"route": route.path, "method": route.method, "status": status}
        counted = {name: route.share * share for name, share in shares.items()}
        latency = {name: _latency(route, name) for name in STATES}
        yield "tensor_wasm_http_requests_total", own, counted
        yield from _histogram(
            "tensor_wasm_http_request_duration_seconds", own, counted, (_BOUNDS, latency)
        )


def _histogram(
    name: str,
    labels: dict[str, str],
    counted: Shares,
    spread: tuple[tuple[str, ...], Mapping[State, tuple[float, ...]]],
) -> Iterator[Sampled]:
    bounds, below = spread
    for at, bound in enumerate(bounds):
        shares = {one: counted[one] * below[one][at] for one in STATES}
        yield f"{name}_bucket", labels | {"le": bound}, shares
    yield f"{name}_count", labels, counted
    yield f"{name}_sum", labels, {one: share / 20 for one, share in counted.items()}


def _kernels(labels: dict[str, str]) -> Iterator[Sampled]:
    kernels, spread = _always(_KERNELS), (_KERNEL_BOUNDS, dict.fromkeys(STATES, _KERNEL))
    yield from _histogram("tensor_wasm_kernel_latency_seconds", labels, kernels, spread)
    yield "tensor_wasm_kernel_dispatches_total", labels, kernels
    yield "tensor_wasm_offload_success_total", labels, _always(0.3)
    yield "tensor_wasm_offload_fallback_total", labels, _always(0.02)


_COUNTERS = {
    "instance_spawns_total": 0.1,
    "instance_terminations_total": 0.1,
    "jit_cache_warm_hit_total": 0.4,
    "jit_cache_cold_miss_then_insert_total": 0.05,
}
_GAUGES = {
    "active_instances": 12,
    "gpu_memory_used_bytes": 3e9,
    "jobs_active": 4,
    "backpressure_permits_used": 30,
    "backpressure_permits_available": 70,
}
_TIMES = ("snapshot_capture", "snapshot_restore", "snapshot_disk_round_trip", "jit_emit_text")


def _inside(labels: dict[str, str]) -> Iterator[Sampled]:
    """What only the team's own panels read."""
    prefix = "tensor_wasm_"
    for name, share in _COUNTERS.items():
        yield prefix + name, labels, _always(share)
    for name, value in _GAUGES.items():
        yield prefix + name, labels, _still(value)
    for name in _TIMES:
        own = labels | ({"blueprint": "matmul"} if name.startswith("jit") else {})
        spread = (_BOUNDS, dict.fromkeys(STATES, _USUAL))
        yield from _histogram(f"{prefix}{name}_seconds", own, _always(0.1), spread)
    for tenant in ("a", "b"):
        own = labels | {"tenant_id": tenant}
        yield prefix + "gpu_memory_bytes_per_tenant", own, _still(1e9)
    for route in ROUTES:
        own = labels | {"route": route.path}
        yield prefix + "http_requests_in_flight", own, _still(3)
    build = {"version": "1.0.0", "git_sha": "abc", "rustc_version": "1", "profile": "release"}
    yield prefix + "build_info", labels | build | {"target": "x86_64"}, _still(1)
