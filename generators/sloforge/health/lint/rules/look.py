"""What a rule is given, and how it says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.model import (
    Edit,
    HealthCheck,
    Hit,
    Level,
    Platform,
    Setting,
    Unit,
    plain,
)
from sloforge.health.lint.policy import Policy

# The names that messages give to what applies a check.
APPLIES: dict[Platform, str] = {
    "kubernetes": "Kubernetes",
    "docker": "Docker",
    "compose": "Docker",
    "ecs": "ECS",
    "aws": "AWS",
    "gcp": "Google Cloud",
    "haproxy": "HAProxy",
    "envoy": "Envoy",
    "nginx": "nginx",
    "consul": "Consul",
    "nomad": "Nomad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The words of one hit and, where a text edit puts it right, that edit."""

    what: str
    remedy: str
    level: Level = "warning"
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One check in its unit."""

    unit: Unit
    check: HealthCheck
    policy: Policy

    @property
    def label(self) -> str:
        """How a message speaks of the check."""
        unit, check = self.unit.name, self.check.name
        return check if check.startswith(unit) else f"{unit} {check}"

    @property
    def applies(self) -> str:
        return APPLIES[self.check.platform]

    def hit(self, id_: str, where: Location, say: Say) -> Hit:
        return Hit(
            id=id_,
            level=say.level,
            where=where,
            what=f"{self.label}: {say.what}",
            remedy=say.remedy,
            edits=say.edits,
            anchors=(self.check.where, self.unit.where),
            ignores=self.unit.ignores,
        )

    @property
    def good_timeout(self) -> Decimal:
        """Eight seconds, or the whole interval where that is less; AWS wants it below."""
        interval = self.check.interval.value - (self.check.platform == "aws")
        return max(Decimal(1), min(self.policy.timeout_good, interval))


CheckRule = Callable[[Look], Iterator[Hit]]
UnitRule = Callable[[Unit], Iterator[Hit]]


def of_unit(unit: Unit, id_: str, say: Say, check: HealthCheck | None = None) -> Hit:
    """A hit on a unit as a whole, at one of its checks or at its own place."""
    where = check.where if check is not None else unit.where
    return Hit(
        id=id_,
        level=say.level,
        where=where,
        what=f"{unit.name}: {say.what}",
        remedy=say.remedy,
        edits=say.edits,
        anchors=(where, unit.where),
        ignores=unit.ignores,
    )


def told(setting: Setting, unit: str = " s") -> str:
    """`timeoutSeconds is 1 s`, and whose choice that is."""
    text = f"{setting.name} is {setting.said or plain(setting.value)}{unit}"
    return text if setting.explicit else f"{text} by default"


def seconds(value: Decimal) -> str:
    return f"{plain(value)} s"
