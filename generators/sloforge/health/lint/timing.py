"""What a check's settings come to: how long until something is seen, until it is well again.

kubelet: one ticker, the probe runs inline, one tick is kept while it runs
(https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/prober/worker.go). Docker, Envoy,
HAProxy, Consul and Nomad arm the next check when the last one has ended (moby daemon/health.go,
Envoy health_checker_impl.cc, HAProxy check.c, Consul agent/checks/check.go, Nomad
client/allocrunner/checks_hook.go). What restarts a task in Nomad is a clock
(client/serviceregistration/watcher.go). Google Cloud and AWS keep a fixed schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sloforge.health.lint.model import HealthCheck, Unit
from sloforge.health.lint.policy import Policy, Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds. `worst`: it hangs right after a check passed; `best`: it refuses right before one.

    `recovery` and `traffic` leave out the time of an answer; `rollout` and `cost` are None where
    nothing is known of the workload, or no objective is given.
    """

    worst: Decimal
    best: Decimal
    recovery: Decimal
    traffic: Decimal | None
    rollout: Decimal | None
    cost: Decimal | None


def timing(check: HealthCheck, unit: Unit, policy: Policy) -> Timing:
    """The numbers of one check of a unit."""
    traffic = to_traffic(check, unit, policy.start or Decimal(0))
    return Timing(
        worst=worst_detection(check),
        best=best_detection(check),
        recovery=worst_recovery(check),
        traffic=traffic,
        rollout=rollout(unit, traffic),
        cost=_cost(check, unit, policy),
    )


def worst_detection(check: HealthCheck) -> Decimal:
    """From a hang right after a passed check to the last of `fail` timed-out ones."""
    interval, timeout = check.interval.value, check.timeout.value
    again = (check.failing or check.interval).value
    more = max(Decimal(0), check.fail.value - 1)
    if check.passive:
        return Decimal(0)
    if check.schedule == "clock":
        return check.lead * (interval + timeout) + more * interval
    if check.schedule == "gaps":
        return interval + timeout + more * (again + timeout)
    return interval + timeout + more * max(again, timeout)


def best_detection(check: HealthCheck) -> Decimal:
    """From a refusal right before a check to the last of `fail` refused ones."""
    if check.passive or check.instant:
        return Decimal(0)
    lead = check.lead - 1 if check.schedule == "clock" else 0
    more = max(Decimal(0), check.fail.value - 1) + lead
    return more * (check.failing or check.interval).value


def worst_recovery(check: HealthCheck) -> Decimal:
    """From being well again right after a failed check to the last of `ok` passed ones."""
    first = (check.down or check.interval).value
    return first + max(Decimal(0), check.ok.value - 1) * (check.rising or check.interval).value


def to_traffic(check: HealthCheck, unit: Unit, start: Decimal) -> Decimal | None:
    """From the start of an instance that takes `start` seconds to its first request, at worst."""
    if check.kind == "lb":
        # ALB, Envoy and Consul take a new target at its first passed check.
        first = check.platform in ("aws", "envoy", "consul", "nomad")
        return start + (check.interval.value if first else worst_recovery(check))
    if check.kind == "readiness":
        return _ready(check, unit.check("startup"), start)
    if check.kind == "container":
        return start + _container_tick(check, start)
    return None


def _ready(check: HealthCheck, startup: HealthCheck | None, start: Decimal) -> Decimal:
    """kubelet probes readiness at once when the startup probe has passed, if the delay is over."""
    more = (check.ok.value - 1) * check.interval.value
    delay = check.delay.value if check.delay else Decimal(0)
    if startup is None:
        return max(start, delay) + check.interval.value + more
    waited = startup.delay.value if startup.delay else Decimal(0)
    started = max(start, waited) + startup.interval.value
    if started - startup.interval.value >= delay:
        return started + more
    return max(started, delay + check.interval.value) + more


def _container_tick(check: HealthCheck, start: Decimal) -> Decimal:
    delay = check.delay.value if check.delay else Decimal(0)
    if check.start_interval is not None and start < delay:
        return min(check.start_interval.value, check.interval.value)
    return check.interval.value


def rollout(unit: Unit, ready: Decimal | None) -> Decimal | None:
    """ceil(replicas / (surge + unavailable)) waves, each as long as one instance takes."""
    if unit.rollout is None or ready is None or unit.platform not in ("kubernetes", "nomad"):
        return None
    return unit.rollout.waves * (ready + unit.rollout.min_ready)


def replicas(unit: Unit, policy: Policy) -> int:
    return max(1, policy.replicas or (unit.rollout.replicas if unit.rollout else 1))


def _cost(check: HealthCheck, unit: Unit, policy: Policy) -> Decimal | None:
    """The share of the budget that one failed instance takes until it is seen, at worst."""
    if policy.promise is None or check.passive or not check.watches:
        return None
    return cost(worst_detection(check), replicas(unit, policy), policy.promise)


def cost(detection: Decimal, instances: int, promise: Promise) -> Decimal:
    """Requests spread evenly: 1/instances of them fail while it lasts."""
    return detection / instances / promise.budget
