"""The bounds that rules compare with, and what is known of the service behind the checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An objective as a ratio over a window in seconds: what a failure is paid from."""

    objective: Decimal
    window: Decimal

    @property
    def budget(self) -> Decimal:
        """Seconds of full outage that the window allows."""
        return (1 - self.objective) * self.window


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Seconds throughout; `start` is the 99th percentile of a start, `latency` the route's SLO.

    `measured` is how long the answers of each path take, as somebody has asked for it.
    """

    timeout_error: Decimal = Decimal(2)
    timeout_short: Decimal = Decimal(4)
    timeout_good: Decimal = Decimal(8)
    timeout_long: Decimal = Decimal(15)
    timeout_blind: Decimal = Decimal(30)
    interval_long: Decimal = Decimal(15)
    latency_times: Decimal = Decimal(10)
    delay_warning: Decimal = Decimal(10)
    delay_error: Decimal = Decimal(30)
    start_times: Decimal = Decimal("1.5")
    heal_delay: Decimal = Decimal(300)
    pause: Decimal = Decimal(10)
    detection_traffic: Decimal = Decimal(60)
    detection_restart: Decimal = Decimal(180)
    recovery: Decimal = Decimal(30)
    start: Decimal | None = None
    latency: Decimal | None = None
    replicas: int | None = None
    promise: Promise | None = None
    measured: Mapping[str, Decimal] = field(default_factory=dict)


DEFAULT = Policy()
