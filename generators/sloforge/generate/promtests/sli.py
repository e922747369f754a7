"""`<slo>-sli`: raw series -> what is recorded over five minutes and over the raw windows.

One group plays scenes one after the other, each a little longer than the longest raw window, and
looks at the end of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from sloforge import naming
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    Values,
    fixture,
    group,
    labels_of,
    members,
    recording_order,
    step_of,
    strangers,
    table,
)
from sloforge.generate.promtests.limits import EVERY, limits
from sloforge.generate.recording import reads_raw
from sloforge.promql import duration, seconds
from sloforge.sli import Freshness, Phase, Quantile, Series
from sloforge.sli.slices import bad_steps
from sloforge.windows import BASE, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# Bad and all events.
_Flow: TypeAlias = tuple[Decimal, Decimal]
LENGTH, TROUBLE, AFTER = timedelta(minutes=65), timedelta(minutes=20), timedelta(minutes=2)
# The bad part of the events, as usual and in trouble, when there is half the traffic. A counter
# that stands at 0 would be taken for one that begins there: no rate is extrapolated below 0.
USUAL, BAD, CALM = Decimal("0.02"), Decimal("0.2"), Decimal("0.5")
NONE, HALF, ALL = Decimal(0), Decimal("0.5"), Decimal(1)
INSTANCES = ("a:1", "b:1")
SCENES = 4


def tests(project: Project, service: Service, slo: Slo) -> Iterator[Artifact]:
    """Nothing where the SLI is the user's own PromQL: no series can be made up for it."""
    play = _Play(project=project, service=service, slo=slo)
    if not play.series():
        return
    yield _suite(play, "sli", play.every, [play.group()])
    if isinstance(slo.sli, Freshness) and (found := list(limits(project, service, slo, slo.sli))):
        yield _suite(play, "limits", EVERY, found)


def _suite(play: _Play, layer: str, every: timedelta, groups: list[Group]) -> Artifact:
    return Suite(
        path=naming.test_file(play.service.name, f"{play.slo.name}-{layer}"),
        source=play.service.source.path,
        rule_files=(naming.recording_file(play.service.name),),
        order=recording_order(play.slo),
        evaluation_interval=every,
        groups=tuple(groups),
    ).artifact()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What happens in it; with `reset`, counters start again at 0 before its last phase."""

    name: str
    phases: tuple[Phase, ...]
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Play:
    """The scenes of an SLO, each of `steps` scrapes."""

    project: Project
    service: Service
    slo: Slo

    @property
    def step(self) -> timedelta:
        return step_of(self.service, self.slo)

    @property
    def steps(self) -> int:
        return -(-LENGTH // self.step)

    @property
    def every(self) -> timedelta:
        """From one instant to the next: the scrapes of a scene, and a little more.

        Neither an instant nor the beginning of a window is at a scrape: it would belong to the
        window up to Prometheus 2 and no longer since 3.
        """
        whole = (timedelta(seconds=s) for s in range(1, int(seconds(self.step) / SCENES)))
        parts = (self.step * share / 100 for share in (17, 13, 11, 7, 19, 3, 23))
        return self.step * self.steps + next(off for off in (*whole, *parts) if self._is_clear(off))

    def _is_clear(self, off: timedelta) -> bool:
        edges = (timedelta(0), *self.windows)
        return not off % timedelta(milliseconds=1) and all(
            (off * at - edge) % self.step for at in range(1, SCENES + 1) for edge in edges
        )

    @property
    def windows(self) -> tuple[timedelta, ...]:
        """Those that are read from the raw series, up to what a scene plays."""
        sli = self.slo.sli
        if isinstance(sli, Quantile):
            return tuple(sorted({BASE, *(w for w in sli.windows if w <= HOUR)}))
        short = [w for w in self.slo.ratio_windows if w <= HOUR]
        return tuple(w for w in short if w == BASE or reads_raw(self.project, self.slo, w))

    def scenes(self) -> tuple[_Scene, ...]:
        slices = self.slo.sli.unit == "slices"
        late, after = TROUBLE // self.step, AFTER // self.step
        usual = Phase(steps=self.steps - late, bad=NONE if slices else USUAL)
        # Slices are few: in trouble all of them are bad.
        calm = Phase(steps=late, bad=ALL if slices else BAD, traffic=CALM)
        trouble = _Scene(name="trouble for 20m", phases=(usual, calm))
        clean = _Scene(name="no error ever", phases=(Phase(steps=self.steps, bad=NONE),))
        if not self.slo.sli.has_budget:
            return (trouble,)
        if slices or getattr(self.slo.sli, "native", False):
            return clean, trouble
        idle = Phase(steps=self.steps, bad=NONE, traffic=NONE)
        until, again = (Phase(steps=n, bad=BAD) for n in (self.steps - after, after))
        reset = _Scene(name="a counter reset 2m ago", phases=(until, again), reset=True)
        return clean, _Scene(name="no traffic", phases=(idle,)), trouble, reset

    def group(self) -> Group:
        names = [
            f"{scene.name} ({duration(self.every * at)})"
            for at, scene in enumerate(self.scenes(), 1)
        ]
        # Good and bad ones: whichever a rule counts, it would count them too.
        bad = ALL if self.slo.sli.unit == "slices" else HALF
        whole = Phase(steps=self.steps * len(names), bad=bad)
        series = [*self.series(), *strangers(self.service, self.slo, (whole,))]
        name = f"counts {self.slo.sli.unit} and no other series: {', '.join(names)}"
        return group(name, self.step, series, promql_expr_test=list(self._checks()))

    def series(self) -> list[Series]:
        """Every member's series, of two instances where a sum could be an average."""
        found: list[Series] = []
        for at, member in enumerate(members(self.slo)):
            labels = member | ({"job": self.service.job} if self.service.job else {})
            for instance in INSTANCES[: self._copies]:
                own = labels | ({"instance": instance} if self._copies > 1 else {})
                found += self._played(own, is_bad=at == 0)
        return found

    @property
    def _copies(self) -> int:
        pinned = any(matcher.label == "instance" for matcher in self.slo.sli.scope())
        return len(INSTANCES) if self.slo.sli.unit == "events" and not pinned else 1

    def _played(self, labels: dict[str, str], *, is_bad: bool) -> Iterator[Series]:
        """Through all scenes; a series of errors is not there before the second of them."""
        phases = [
            phase if is_bad else Phase(steps=phase.steps, bad=NONE, traffic=phase.traffic)
            for scene in self.scenes()
            for phase in scene.phases
        ]
        again: list[Phase] = []
        if self.scenes()[-1].reset:
            last = phases.pop()
            again = [Phase(steps=last.steps - 1, bad=last.bad)]
        played = self.slo.sli.series(fixture(self.step, tuple(phases), labels))
        reset = self.slo.sli.series(fixture(self.step, tuple(again), labels)) if again else played
        for one, after in zip(played, reset, strict=True):
            values = f"{one.values} {after.values}" if again else one.values
            if one.lazy and len(self.scenes()) > 1:
                values = f"_x{self.steps + 1} {values.partition(' ')[2]}"
            yield Series(series=one.series, values=values)

    def _checks(self) -> Iterator[Expectation]:
        counted = _counted(self._flows(is_bad=True))
        for at, scene in enumerate(self.scenes(), 1):
            values = _Seen(play=self, scene=at, counted=counted).values()
            yield from table(values, self.every * at, labels_of(self.slo))
            if len(members(self.slo)) > 1 and scene.name.startswith("trouble"):
                healthy = _counted(self._flows(is_bad=False))
                other = _Seen(play=self, scene=at, counted=healthy).values()
                own = self.slo.labels | members(self.slo)[1]
                yield from table(other, self.every * at, own)

    def _flows(self, *, is_bad: bool) -> list[_Flow]:
        """Bad and all events of each scrape; what is counted before a reset's first is lost."""
        phases = [phase for scene in self.scenes() for phase in scene.phases]
        if self.slo.sli.unit == "slices":
            flags = bad_steps(fixture(self.step, tuple(phases), {}))
            return [(Decimal(flag and is_bad), Decimal(1)) for flag in [*flags, flags[-1]]]
        flows = [(NONE, NONE)]
        for scene in self.scenes():
            for phase in scene.phases:
                total = phase.traffic * 100 * self._copies
                flows += [(total * phase.bad * is_bad, total)] * phase.steps
            if scene.reset:
                flows[-phase.steps] = (NONE, NONE)
        return flows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What rules say at the end of a scene, by counting; `counted` as `_counted` has it."""

    play: _Play
    scene: int
    counted: list[_Flow]

    def values(self) -> Values:
        slo, (bad, total) = self.play.slo, self._rates(BASE)
        found: Values = {naming.TOTAL: total}
        if isinstance(slo.sli, Quantile):
            return found | self._quantiles(slo.sli)
        found |= {naming.ERRORS: bad, naming.TOTAL_5M: total, naming.ERRORS_5M: bad}
        for window in self.play.windows:
            found[naming.error_ratio(window)] = self._ratio(window)
        if slo.budget is not None:
            ratio = self._ratio(BASE)
            found[naming.CURRENT_BURN] = None if ratio is None else ratio / Fraction(slo.budget)
        return found

    def _ratio(self, window: timedelta) -> Fraction | None:
        bad, total = self._rates(window)
        return bad / total if total else None

    def _rates(self, window: timedelta) -> tuple[Fraction, Fraction]:
        """Bad and all events a second.

        A rate is the increase from the first to the last sample of a window by the time between
        them; a slice counts as it is, by the window.
        """
        step, last = self.play.step, self.scene * self.play.steps
        first = (self.play.every * self.scene - window) // step + 1
        if self.play.slo.sli.unit == "slices":
            return self._between(first, last + 1, Fraction(seconds(window)))
        return self._between(first + 1, last + 1, (last - first) * Fraction(seconds(step)))

    def _between(self, first: int, end: int, time: Fraction) -> tuple[Fraction, Fraction]:
        (bad, total), (later_bad, later_total) = self.counted[first], self.counted[end]
        return Fraction(later_bad - bad) / time, Fraction(later_total - total) / time

    def _quantiles(self, sli: Quantile) -> Values:
        """By linear interpolation within a bucket.

        The slow share s lies evenly between the threshold T and 2 T, the rest below: the quantile q
        is T + T (q - (1 - s)) / s, or T q / (1 - s).
        """
        found: Values = {}
        for window in () if sli.native else self.play.windows:
            slow, q = self._ratio(window) or Fraction(0), Fraction(sli.quantile)
            beyond = q - (1 - slow)
            share = 1 + beyond / slow if beyond > 0 else q / (1 - slow)
            found[naming.quantile(window)] = Fraction(sli.threshold) * share
        return found


def _counted(flows: Iterable[_Flow]) -> list[_Flow]:
    """Bad and all events before each scrape, and at last before what follows the last."""
    start = (NONE, NONE)
    return list(accumulate(flows, lambda a, b: (a[0] + b[0], a[1] + b[1]), initial=start))
