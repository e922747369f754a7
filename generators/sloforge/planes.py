"""Workload planes as planes.yaml has them, and every name that their prober exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sloforge.errors import Location

Status = Literal["OK", "DEGRADED", "NO_USER", "NO_ORACLE", "FAILED", "NO_VALUE"]
# From the best to the worst of what a check can say; NO_VALUE is that no check has said anything.
STATUSES: tuple[Status, ...] = ("OK", "DEGRADED", "NO_VALUE", "NO_USER", "NO_ORACLE", "FAILED")
# Nobody knows whether the plane works.
UNKNOWN: tuple[Status, ...] = ("NO_USER", "NO_ORACLE", "NO_VALUE")
# The plane answers a synchronous prediction.
SERVING: tuple[Status, ...] = ("OK", "DEGRADED")

StepName = Literal["user", "oracle", "predict", "async_submit", "async_result"]
STEPS: tuple[StepName, ...] = ("user", "oracle", "predict", "async_submit", "async_result")
StepStatus = Literal["OK", "SLOW", "MISSING", "FAILED", "SKIPPED", "NO_VALUE"]
STEP_STATUSES: tuple[StepStatus, ...] = ("OK", "SLOW", "MISSING", "FAILED", "SKIPPED", "NO_VALUE")

STATUS = "workload_plane_status"
STEP_STATUS = "workload_plane_step_status"
LAST_STATUS = "workload_plane_last_status"
LAST_CHECK = "workload_plane_last_check_timestamp_seconds"
LAST_SUCCESS = "workload_plane_last_success_timestamp_seconds"
DURATION = "workload_plane_check_duration_seconds"
CHECKS = "workload_plane_checks_total"
TICK = "workload_plane_scheduler_last_tick_timestamp_seconds"
CONFIG = "workload_plane_config_planes"
STORE_UP = "workload_plane_store_up"
# Every series that a scrape of the exporter holds, by name.
SERIES = frozenset(
    (
        *(STATUS, STEP_STATUS, LAST_STATUS, LAST_CHECK, LAST_SUCCESS, CHECKS),
        *(TICK, CONFIG, STORE_UP),
        *(DURATION + end for end in ("", "_bucket", "_count", "_sum")),
    )
)

FILE = "planes.yaml"
DASHBOARD_UID = "workload-planes"
# An underscore, so that no service can take these names.
RECORDING_FILE = "recording/_planes.yml"
RULES_FILE = "rules/_planes.yml"
GROUP = "workload-planes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where a bearer token is found: an environment variable, or a file. Never the token itself."""

    variable: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The paths of a plane's API, and the keys of an asynchronous job's answers."""

    user: str
    oracle: str
    predict: str
    async_predict: str
    result: str
    cancel: str
    id_key: str
    status_key: str
    done: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One plane with every default filled in.

    `timeout` is for one request and `deadline` for a whole check; a result that came later than
    `slow_after` is slow. `echo` is whether an answer must hold the nonce of its request.
    """

    name: str
    base_url: str
    user: str
    oracle: str
    token: Credential | None
    ca: str
    timeout: timedelta
    deadline: timedelta
    slow_after: timedelta
    echo: bool
    api: Api


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """The whole file; `service` is the one under slos/ that stands for the prober."""

    service: str
    interval: timedelta
    ttl: timedelta
    planes: tuple[Plane, ...]
    source: Location

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(plane.name for plane in self.planes)

    @property
    def deadline(self) -> timedelta:
        """The longest that any check may take."""
        return max(plane.deadline for plane in self.planes)

    def plane(self, name: str) -> Plane:
        return next(plane for plane in self.planes if plane.name == name)
