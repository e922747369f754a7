"""The alerts on what workload planes are, as values that rules, tests, routes and runbooks read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.planes import FILE, STATUS, STORE_UP, TICK, UNKNOWN, Planes, Status
from sloforge.promql import Matcher, Selector, duration, number, seconds

if TYPE_CHECKING:
    from sloforge.model import Service
    from sloforge.windows import AlertSeverity


MINUTE = timedelta(minutes=1)
# So many scrapes may be lost before a state is forgotten.
SCRAPES = 4
PREFIX = "WorkloadPlane"
GONE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """One alert; `seen` is the longest time from the trouble to the state that the rule reads."""

    name: str
    severity: AlertSeverity
    expr: str
    wait: timedelta
    seen: timedelta
    summary: str
    description: str
    runbook: str

    def detection(self, service: Service, interval: timedelta) -> timedelta:
        """The longest time from the trouble to the alert, scrape and evaluation included."""
        return self.seen + service.scrape_interval + interval + self.wait


def window(planes: Planes, service: Service) -> timedelta:
    """How far back a state is looked for: lost scrapes must not hide it."""
    return max(3 * MINUTE, 3 * planes.interval, SCRAPES * service.scrape_interval)


def state_rules(planes: Planes, service: Service) -> tuple[StateRule, ...]:
    """On each plane, on all of them, then on the prober itself."""
    make = _Rules(planes=planes, service=service)
    return (
        make.state("FAILED", "page", 2),
        make.state("DEGRADED", "ticket", 15),
        make.state("NO_USER", "ticket", 5),
        make.state("NO_ORACLE", "ticket", 5),
        make.state("NO_VALUE", "ticket", 3),
        make.unknown(),
        make.all_unknown(),
        make.prober_absent(),
        make.scheduler_stale(),
        make.store_down(),
        make.series_lost(),
        make.state_invalid(),
    )


def condition(name: str) -> str:
    """When an alert fires, in words for a runbook."""
    return _CONDITIONS[name.removeprefix(PREFIX)]


_CONDITIONS = {
    "Failed": "the plane's status is `FAILED`",
    "Degraded": "the plane's status is `DEGRADED`",
    "NoUser": "the plane's status is `NO_USER`",
    "NoOracle": "the plane's status is `NO_ORACLE`",
    "NoValue": "the plane's status is `NO_VALUE`",
    "Unknown": "the plane's status is one of `NO_USER`, `NO_ORACLE` and `NO_VALUE`",
    "sAllUnknown": "the status of every plane is one of `NO_USER`, `NO_ORACLE` and `NO_VALUE`",
    "ProberAbsent": "no scrape has brought the status of any plane",
    "SchedulerStale": "the scheduler's last tick is too long ago",
    "StoreUnreachable": "the exporter cannot read the store of the results",
    "SeriesLost": "a plane that was exported within the last hour is not any more",
    "StateInvalid": "a plane has no status, or more than one, in one scrape",
}
_SUMMARIES: dict[Status, str] = {
    "FAILED": "A workload plane does not serve predictions.",
    "DEGRADED": "A workload plane serves asynchronous predictions late or not at all.",
    "NO_USER": "The smoke user of a workload plane is missing.",
    "NO_ORACLE": "The oracle of a workload plane is missing.",
    "NO_VALUE": "A workload plane is not checked.",
}
_PLANE = "{{ $labels.plane }}"
_DESCRIPTIONS: dict[Status, str] = {
    "FAILED": f"Plane {_PLANE}: POST /predict as the smoke user fails, or its control plane does. "
    "Customers are likely to see the same.",
    "DEGRADED": f"Plane {_PLANE}: POST /predict works, but an asynchronous prediction is refused, "
    "late or lost.",
    "NO_USER": f"Plane {_PLANE}: its smoke user is not found or not let in. "
    "Whether the plane works is not known.",
    "NO_ORACLE": f"Plane {_PLANE}: the health-check model is not found. "
    "Whether the plane works is not known.",
    "NO_VALUE": f"Plane {_PLANE}: no check has ended in time. Whether it works is not known.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    planes: Planes
    service: Service

    @property
    def window(self) -> str:
        return duration(window(self.planes, self.service))

    @property
    def checked(self) -> timedelta:
        """From a fault to the end of the check that finds it."""
        return self.planes.interval + self.planes.deadline

    def state(self, status: Status, severity: AlertSeverity, minutes: int) -> StateRule:
        word = naming.camel(*status.lower().split("_"))
        late = self.planes.ttl if status == "NO_VALUE" else self.checked
        return StateRule(
            name=f"{PREFIX}{word}",
            severity=severity,
            expr=f"max by (plane) ({self._last(Matcher('status', '=', status))}) == 1",
            wait=self._wait(minutes),
            seen=late,
            summary=_SUMMARIES[status],
            description=_DESCRIPTIONS[status],
            runbook=self._runbook(status.lower().replace("_", "-")),
        )

    def unknown(self) -> StateRule:
        return StateRule(
            name=f"{PREFIX}Unknown",
            severity="page",
            expr=f"{self._unknown()} == 1",
            wait=self._wait(30),
            seen=max(self.checked, self.planes.ttl),
            summary="Nobody knows whether a workload plane works, for half an hour.",
            description=f"Plane {_PLANE}: nothing has been known of it for {self._for(30)}. "
            "It may be down, and nobody would be told.",
            runbook=self._runbook("unknown"),
        )

    def all_unknown(self) -> StateRule:
        return StateRule(
            name=f"{PREFIX}sAllUnknown",
            severity="page",
            expr=f"min({self._unknown()}) == 1",
            wait=self._wait(5),
            seen=max(self.checked, self.planes.ttl),
            summary="Nobody knows whether any workload plane works.",
            description="Every plane is NO_USER, NO_ORACLE or NO_VALUE: look at the prober, "
            "its login and its store before the planes.",
            runbook=self._runbook("unknown"),
        )

    def prober_absent(self) -> StateRule:
        return StateRule(
            name=f"{PREFIX}ProberAbsent",
            severity="page",
            expr=f"absent_over_time({STATUS}[{self.window}])",
            wait=self._wait(2),
            seen=window(self.planes, self.service),
            summary="The exporter of the workload planes is gone.",
            description=f"No scrape has brought {STATUS} for {self.window}. "
            "All planes may be down, and nobody would be told.",
            runbook=self._runbook("prober-absent"),
        )

    def scheduler_stale(self) -> StateRule:
        limit = max(3 * MINUTE, 3 * self.planes.interval)
        last = f"max(last_over_time({TICK}[{self.window}]))"
        return StateRule(
            name=f"{PREFIX}SchedulerStale",
            severity="ticket",
            expr=f"time() - {last} > {number(seconds(limit))}",
            wait=self._wait(1),
            seen=limit,
            summary="The scheduler of the workload-plane checks stands still.",
            description="The last tick is {{ $value | humanizeDuration }} ago: "
            "no check is started, and every plane becomes NO_VALUE.",
            runbook=self._runbook("no-value"),
        )

    def store_down(self) -> StateRule:
        return StateRule(
            name=f"{PREFIX}StoreUnreachable",
            severity="ticket",
            expr=f"min(last_over_time({STORE_UP}[{self.window}])) == 0",
            wait=self._wait(2),
            seen=timedelta(0),
            summary="The store of the workload-plane results cannot be read.",
            description="The exporter runs and cannot reach its store: every plane is NO_VALUE.",
            runbook=self._runbook("no-value"),
        )

    def series_lost(self) -> StateRule:
        now = f"count by (plane) (last_over_time({STATUS}[{self.window}]))"
        before = f"count by (plane) (last_over_time({STATUS}[{duration(GONE)}]))"
        return StateRule(
            name=f"{PREFIX}SeriesLost",
            severity="ticket",
            expr=f"{before}\nunless\n{now}",
            wait=self._wait(2),
            seen=window(self.planes, self.service),
            summary="A workload plane has vanished from the prober.",
            description=f"Plane {_PLANE} was exported within the last hour and is not any more. "
            f"If it was taken out of {FILE} on purpose, this ends by itself.",
            runbook=self._runbook("no-value"),
        )

    def state_invalid(self) -> StateRule:
        each = f"sum by (plane, job, instance) ({STATUS}) != 1"
        return StateRule(
            name=f"{PREFIX}StateInvalid",
            severity="ticket",
            expr=f"count by (plane) ({each}) > 0",
            wait=self._wait(2),
            seen=timedelta(0),
            summary="A workload plane has no status, or more than one.",
            description=f"Plane {_PLANE}: its statuses do not add up to 1. "
            "That is a fault of the exporter, or of a relabelling on the way.",
            runbook=self._runbook("prober-absent"),
        )

    def _unknown(self) -> str:
        statuses = Matcher("status", "=~", "|".join(UNKNOWN))
        return f"max by (plane) ({self._last(statuses)})"

    def _last(self, matcher: Matcher) -> str:
        return f"last_over_time({Selector(STATUS, (matcher,))}[{self.window}])"

    def _wait(self, count: int) -> timedelta:
        """So many minutes, or intervals where those are longer."""
        return count * max(MINUTE, self.planes.interval)

    def _for(self, count: int) -> str:
        return duration(self._wait(count))

    def _runbook(self, name: str) -> str:
        return naming.runbook_file(self.planes.service, name)
