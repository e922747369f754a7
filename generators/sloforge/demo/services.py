"""What the two services export: every series under the names and labels that slos/ reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sloforge.demo.spreads import BOUNDS, KERNEL_BOUNDS, Spread, kernel, mean, probe, user
from sloforge.demo.story import CONDITIONS, Condition, Moment, State

Labels = Mapping[str, str]
Shares = Mapping[Condition, float]
Value = Callable[[Moment], float]

TENSOR_WASM, QUEUE_WORKER = "tensor-wasm", "queue-worker"
PREFIX = "tensor_wasm_"
INVOKE = "/functions/:id/invoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A scrape target; its labels are those that Prometheus gives it."""

    job: str
    labels: Labels

    @property
    def name(self) -> str:
        return self.labels["instance"]


INSTANCES = (
    Instance(job=TENSOR_WASM, labels={"instance": "tensor-wasm-1"}),
    Instance(job=TENSOR_WASM, labels={"instance": "tensor-wasm-2", "flavor": "cuda"}),
    Instance(job=QUEUE_WORKER, labels={"instance": "queue-worker-1"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Counts a share of an instance's requests, another in each condition."""

    name: str
    labels: Labels
    shares: Shares
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A value that follows from the moment."""

    name: str
    labels: Labels
    value: Value


Series = Counter | Gauge


def series(instance: Instance) -> tuple[Series, ...]:
    """Everything that a target exports, the series of a family side by side."""
    if instance.job == QUEUE_WORKER:
        return tuple(_worker())
    found = [*_http(), *_kernels(), *_counters(), *_gauges()]
    return tuple(sorted(found, key=lambda one: one.name))


# The share of the user's requests that fails.
BAD: Mapping[State, float] = {
    "calm": 0.0006,
    "outage": 0.96,
    "release": 0.4,
    "broker": 0.46,
    "slow": 0.0006,
}
# Of what works: 429 is an answer, and no failure.
LIMITED = 0.01


def bad(condition: Condition) -> float:
    """The share of the user's requests that fails; a few become twice as many when it is busy."""
    state, pace = condition
    return BAD[state] * (2 if pace == "busy" and BAD[state] < LIMITED else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route, its share of all requests, and how it answers when all is well."""

    path: str
    method: str
    share: float
    good: str = "200"
    probes: bool = False


ROUTES = (
    Route(path=INVOKE, method="POST", share=0.8),
    Route(path="/functions/:id", method="GET", share=0.09),
    Route(path="/functions", method="POST", share=0.06, good="201"),
    Route(path="/healthz", method="GET", share=0.03, probes=True),
    Route(path="/metrics", method="GET", share=0.02, probes=True),
)


def answers(route: Route) -> dict[str, Shares]:
    """Status -> its share of all requests; probes are answered whatever happens."""
    if route.probes:
        return {route.good: dict.fromkeys(CONDITIONS, route.share)}
    working = {c: route.share * (1 - bad(c)) for c in CONDITIONS}
    failing = {c: route.share * bad(c) for c in CONDITIONS}
    if route.path != INVOKE:
        return {route.good: working, "503": failing}
    return {
        route.good: {c: share * (1 - LIMITED) for c, share in working.items()},
        "429": {c: share * LIMITED for c, share in working.items()},
        "503": failing,
    }


def spread(route: Route, condition: Condition) -> Spread:
    """How long its answers take."""
    state, pace = condition
    if route.probes:
        return probe(pace)
    return user("slow" if state == "slow" and route.path == INVOKE else pace)


def _http() -> Iterator[Series]:
    for route in ROUTES:
        own = {"route": route.path, "method": route.method}
        spreads = {c: spread(route, c) for c in CONDITIONS}
        for status, shares in answers(route).items():
            labels = {**own, "status": status}
            yield Counter(name=f"{PREFIX}http_requests_total", labels=labels, shares=shares)
            timed = _Timed(f"{PREFIX}http_request_duration_seconds", labels, shares)
            yield from timed.histogram(BOUNDS, spreads)
        flight = _flight(route.share)
        yield Gauge(name=f"{PREFIX}http_requests_in_flight", labels=own, value=flight)


@dataclass(frozen=True, slots=True)
class _Timed:
    """What is counted and timed in one histogram."""

    family: str
    labels: Labels
    shares: Shares

    def histogram(
        self, bounds: tuple[str, ...], spreads: Mapping[Condition, Spread]
    ) -> Iterator[Series]:
        for at, bound in enumerate(bounds):
            within = {c: share * spreads[c][at] for c, share in self.shares.items()}
            labels = {**self.labels, "le": bound}
            yield Counter(name=f"{self.family}_bucket", labels=labels, shares=within)
        yield Counter(name=f"{self.family}_count", labels=self.labels, shares=self.shares)
        took = {c: share * mean(bounds, spreads[c]) for c, share in self.shares.items()}
        yield Counter(name=f"{self.family}_sum", labels=self.labels, shares=took, whole=False)


# How many of each there are for a request.
_KERNELS = 0.4
_COUNTED = {
    "kernel_dispatches_total": _KERNELS,
    "offload_success_total": 0.3,
    "offload_fallback_total": 0.02,
    "instance_spawns_total": 0.11,
    "instance_terminations_total": 0.11,
    "jit_cache_warm_hit_total": 0.38,
    "jit_cache_cold_miss_then_insert_total": 0.02,
}


def _kernels() -> Iterator[Series]:
    shares = dict.fromkeys(CONDITIONS, _KERNELS)
    spreads = {c: kernel(c[1]) for c in CONDITIONS}
    timed = _Timed(f"{PREFIX}kernel_latency_seconds", {}, shares)
    yield from timed.histogram(KERNEL_BOUNDS, spreads)


def _counters() -> Iterator[Series]:
    for name, share in _COUNTED.items():
        shares = dict.fromkeys(CONDITIONS, share)
        yield Counter(name=PREFIX + name, labels={}, shares=shares)


_PERMITS = 100
# Name, labels, what there is at no load, and what every request per second adds.
_LOADED: tuple[tuple[str, Labels, float, float], ...] = (
    ("active_instances", {}, 2, 0.4),
    ("gpu_memory_used_bytes", {}, 4e8, 6e7),
    ("gpu_memory_bytes_per_tenant", {"tenant_id": "acme"}, 1e8, 3e7),
    ("gpu_memory_bytes_per_tenant", {"tenant_id": "globex"}, 2e8, 1e7),
    ("jobs_active", {}, 1, 0.3),
    ("backpressure_permits_used", {}, 3, 1.2),
    ("backpressure_permits_available", {}, _PERMITS - 3, -1.2),
)
_BUILD = {
    "version": "0.9.3",
    "git_sha": "4c1f0ab",
    "rustc_version": "1.84.0",
    "profile": "release",
    "target": "x86_64-unknown-linux-gnu",
}


def _gauges() -> Iterator[Series]:
    for name, labels, floor, more in _LOADED:
        yield Gauge(name=PREFIX + name, labels=labels, value=_by_load(floor, more))
    yield Gauge(name=f"{PREFIX}build_info", labels=_BUILD, value=_by_load(1, 0))


def _by_load(floor: float, more: float) -> Value:
    return lambda moment: round(floor + more * moment.load)


def _flight(share: float) -> Value:
    """Requests times how long they take, which is longer when it is busy (Little's law)."""
    return lambda moment: round(share * moment.load * (0.05 + 0.2 * moment.busyness))


def _worker() -> Iterator[Series]:
    yield Gauge(name="closeio_last_iteration_ts", labels={}, value=_last_iteration)
    yield Gauge(name="cio_service_state", labels={}, value=_worker_state)


def _last_iteration(moment: Moment) -> float:
    stuck = moment.stuck_since
    return moment.at - moment.at % 7 if stuck is None else stuck


def _worker_state(moment: Moment) -> float:
    return float(moment.state != "broker")
