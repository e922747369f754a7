"""A health check as every rule sees it, whatever platform wrote it down."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sloforge.errors import Location

Platform = Literal[
    "kubernetes",
    "docker",
    "compose",
    "ecs",
    "aws",
    "gcp",
    "haproxy",
    "envoy",
    "nginx",
    "consul",
    "nomad",
]
# `deploy`: it decides whether a deployment goes on, and nothing afterwards.
Kind = Literal["liveness", "readiness", "startup", "lb", "autoheal", "container", "deploy"]
Level = Literal["error", "warning", "info"]
# `ticks`: a fixed schedule, whatever a check takes; `gaps`: counted from the end of a check;
# `clock`: gaps until it is unhealthy, and then it has `fail` - 1 intervals of time to pass.
Schedule = Literal["ticks", "gaps", "clock"]
Method = Literal["http", "tcp", "grpc", "exec", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Text from `start` to `end` of a file becomes `text`; offsets count characters."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a setting is written, or would be; `form` is its spelling around the number."""

    path: str
    start: int
    end: int
    form: str

    def holding(self, value: Decimal) -> Edit:
        text = self.form.format(plain(value))
        return Edit(path=self.path, start=self.start, end=self.end, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One number under its native name: seconds, or a count; not `explicit`: the default.

    `said` is what is written where the platform takes it for another value.
    """

    name: str
    value: Decimal
    where: Location
    explicit: bool = True
    slot: Slot | None = None
    said: str = ""

    def to(self, value: Decimal) -> tuple[Edit, ...]:
        """The edit that sets it, where the place of its text is known."""
        return () if self.slot is None else (self.slot.holding(value),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked: a path on a port of a host, or a command."""

    method: Method
    where: Location
    path: str = ""
    port: str = ""
    host: str = ""
    command: tuple[str, ...] = ()
    shell: bool = False
    image: str = ""

    @property
    def same(self) -> tuple[object, ...]:
        """What must be equal for two checks to ask the same."""
        return (self.method, self.path, self.port, self.host, self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One check; times in seconds. `fail` failures make it unhealthy, `ok` successes healthy.

    `failing`, `down` and `rising` are the intervals after a first failure, while unhealthy, and
    after a first success, where a platform has its own; `interval` stands in for them.
    `lead` is how many failures start the clock of a schedule by clock.
    `instant`: one wrong answer suffices, whatever `fail` says.
    """

    platform: Platform
    kind: Kind
    name: str
    where: Location
    target: Target
    interval: Setting
    timeout: Setting
    fail: Setting
    ok: Setting
    delay: Setting | None = None
    start_interval: Setting | None = None
    failing: Setting | None = None
    down: Setting | None = None
    rising: Setting | None = None
    no_traffic: Setting | None = None
    lead: Decimal = Decimal(1)
    schedule: Schedule = "ticks"
    passive: bool = False
    instant: bool = False
    traffic_port: str = ""

    @property
    def settings(self) -> tuple[Setting, ...]:
        every = (self.interval, self.timeout, self.fail, self.ok, self.delay, self.start_interval)
        return tuple(one for one in (*every, self.failing, self.down, self.rising) if one)

    @property
    def watches(self) -> bool:
        """Whether it goes on looking when the instance has started."""
        return self.kind not in ("startup", "deploy")

    @property
    def implicit(self) -> frozenset[str]:
        """The native names of the settings that nobody wrote down."""
        return frozenset(one.name for one in self.settings if not one.explicit)

    @property
    def budget(self) -> Decimal:
        """How long it may fail before something happens: failures x interval."""
        return self.fail.value * self.interval.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a new version replaces the old one; `surge` and `unavailable` are instances."""

    replicas: int = 1
    surge: int = 1
    unavailable: int = 0
    min_ready: Decimal = Decimal(0)
    deadline: Decimal | None = None
    recreate: bool = False
    grace: Decimal = Decimal(0)

    @property
    def waves(self) -> int:
        if self.recreate:
            return 1
        return -(-self.replicas // max(1, self.surge + self.unavailable))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What checks belong to: a container, a target group, a backend.

    `serves`: it takes traffic for long; `wanted` names the checks that it should have;
    `declared` are the kinds that are written down, readable or not; `init`: a container that
    runs to its end before the others start.
    """

    platform: Platform
    name: str
    where: Location
    checks: tuple[HealthCheck, ...]
    declared: frozenset[Kind] = frozenset()
    serves: bool = False
    init: bool = False
    rollout: Rollout | None = None
    ignores: tuple[tuple[str, str], ...] = ()

    def check(self, kind: Kind) -> HealthCheck | None:
        return next((one for one in self.checks if one.kind == kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """A grace period of something that replaces instances: MIG, ASG, ECS service."""

    name: str
    where: Location
    delay: Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A saved health answer, and the dependencies that it lists."""

    where: Location
    remote: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that is wrong: `where: what; remedy`. `anchors` are lines that suppress it too."""

    id: str
    level: Level
    where: Location
    what: str
    remedy: str = ""
    edits: tuple[Edit, ...] = ()
    anchors: tuple[Location, ...] = ()
    ignores: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")

    @property
    def order(self) -> tuple[Location, str, str]:
        return (self.where, self.id, self.what)


def plain(value: Decimal) -> str:
    """Digits without an exponent or trailing zeros."""
    return format(value.normalize(), "f") if value else "0"
