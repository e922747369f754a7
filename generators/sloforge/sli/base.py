"""The questions a generator asks of an SLI, and the series a test feeds it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from sloforge.promql import Matcher, Selector

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`steps` scrapes during which the share `bad` of all events is bad.

    `traffic` times the fixture's events happen in each of them.
    """

    steps: int
    bad: Decimal
    traffic: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One input series of a promtool test; `values` is in promtool's notation.

    A `lazy` series is born with the first bad event: tests leave it out to play a clean start.
    """

    series: str
    values: str
    lazy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """What a test feeds: `events` per scrape, the scrape step, the labels every series gets."""

    phases: tuple[Phase, ...]
    step: timedelta
    events: int
    labels: tuple[tuple[str, str], ...]


class Sli(Protocol):
    """Good and bad events of one promise, as PromQL.

    `total` and `errors` are rates in events per second over `window`, summed by the labels `by`.
    `errors` may be empty where no bad event was ever seen; `zero` is an expression with the value
    of the total per label set, which completes it with zeros.
    """

    @property
    def kind(self) -> str:
        """The key of the spec."""
        ...

    @property
    def unit(self) -> str:
        """What is counted, in the plural."""
        ...

    @property
    def has_budget(self) -> bool:
        """Whether bad events burn an error budget."""
        ...

    def total(self, window: timedelta, by: Labels) -> str:
        """All events per second."""
        ...

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        """Bad events per second."""
        ...

    def inputs(self) -> tuple[Selector, ...]:
        """The families that are scraped while the target is up, whatever the traffic."""
        ...

    def scope(self) -> tuple[Matcher, ...]:
        """What a series must match to be counted at all."""
        ...

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        """Input series that play the phases; empty where the SLI's series cannot be made up."""
        ...

    def describe(self) -> str:
        """What a bad event is, in words."""
        ...
