"""tests/rules/_planes/: a plane in each state, a lost scrape, a prober without its parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sloforge.artifacts import OneLine
from sloforge.generate.planes import CODE, service_of
from sloforge.generate.promtests.case import Expectation, Group, Suite, group
from sloforge.planes import (
    FILE,
    GROUP,
    RECORDING_FILE,
    RULES_FILE,
    STATUS,
    STATUSES,
    STORE_UP,
    TICK,
    Status,
)
from sloforge.planestates import PREFIX, state_rules, window
from sloforge.promql import duration
from sloforge.sli import Series
from sloforge.sli.fixtures import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloforge.artifacts import Artifact
    from sloforge.model import Project

TEST_FILE = "tests/rules/_planes/states.promtest.yml"
# All is well for so long before the trouble begins.
CALM = timedelta(minutes=10)
MOST_LOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Times in scrapes: until the trouble, and from it to the moment that is looked at."""

    step: timedelta
    evaluation: timedelta
    waits: Mapping[str, timedelta]
    window: timedelta

    @property
    def calm(self) -> int:
        return int(CALM / self.step)

    def until(self, *names: str) -> timedelta:
        """Long enough for these alerts to fire."""
        wait = max(self.waits[PREFIX + name] for name in names)
        return wait + self.window + 3 * self.evaluation

    def scrapes(self, time: timedelta) -> int:
        return int(time / self.step) + 1


def plane_tests(project: Project) -> Iterator[Artifact]:
    """One file, from raw series to firing alerts."""
    if (planes := project.planes) is None:
        return
    service = service_of(project, planes)
    scene = _Scene(
        step=service.scrape_interval,
        evaluation=project.settings.interval,
        waits={rule.name: rule.wait for rule in state_rules(planes, service)},
        window=window(planes, service),
    )
    yield Suite(
        path=TEST_FILE,
        source=FILE,
        rule_files=(RECORDING_FILE, RULES_FILE),
        order=(GROUP, f"{GROUP}-alerts"),
        evaluation_interval=project.settings.interval,
        groups=tuple(_groups(scene)),
    ).artifact()


def _groups(scene: _Scene) -> Iterator[Group]:
    yield _quiet(scene)
    for status, word in (
        ("FAILED", "Failed"),
        ("DEGRADED", "Degraded"),
        ("NO_USER", "NoUser"),
        ("NO_ORACLE", "NoOracle"),
        ("NO_VALUE", "NoValue"),
    ):
        yield _state(scene, status, word)  # type: ignore[arg-type]
    yield _lost_scrapes(scene)
    yield _flap(scene)
    yield _long_unknown(scene)
    yield _all_unknown(scene)
    yield _absent(scene)
    yield _dropped(scene)
    yield _invalid(scene)
    yield _stale(scene)
    yield _store(scene)


def _quiet(scene: _Scene) -> Group:
    after = scene.until("Unknown")
    series = [*_plane(scene, "a", after), *_plane(scene, "b", after), *_prober(scene, after)]
    return _case(scene, "all planes are well: nothing fires", series, {after: {}})


def _state(scene: _Scene, status: Status, word: str) -> Group:
    """Only the plane that it is about, and not before its time."""
    after = scene.until(word)
    early = scene.waits[PREFIX + word] - scene.evaluation
    series = [*_plane(scene, "a", after, status), *_plane(scene, "b", after)]
    checks = {early: {}, after: {word: 1}}
    name = f"{status} fires {PREFIX}{word}, not at once"
    found = _case(scene, name, [*series, *_prober(scene, after)], checks)
    code: Expectation = {
        "expr": f'{CODE}{{plane="a"}}',
        "eval_time": duration(CALM + after),
        "exp_samples": [
            OneLine(labels=f'{CODE}{{plane="a"}}', value=STATUSES.index(status)),
        ],
    }
    checked = found["promql_expr_test"]
    assert isinstance(checked, list)
    return found | {"promql_expr_test": [*checked, code]}


def _lost_scrapes(scene: _Scene) -> Group:
    """Two of three scrapes are lost, over and over: a bare comparison would begin anew."""
    after = scene.until("Failed")
    rest = scene.scrapes(after) // 3 + 1
    series = [
        Series(
            series=one.series,
            values=f"{value}x{scene.calm} " + f"{int(status == 'FAILED')} stale _ " * rest,
        )
        for status, one in zip(STATUSES, _plane(scene, "a", after), strict=True)
        for value in [int(status == "OK")]
    ]
    series = [Series(series=one.series, values=one.values.strip()) for one in series]
    name = "FAILED fires although two of three scrapes are lost"
    return _case(scene, name, [*series, *_prober(scene, after)], {after: {"Failed": 1}})


def _flap(scene: _Scene) -> Group:
    """One scrape between two results is no alert."""
    after = scene.until("NoValue")
    rest = scene.scrapes(after)
    flapped: tuple[Status, Status] = ("OK", "NO_VALUE")
    series = [
        Series(
            series=_name("a", status),
            values=f"{now}x{scene.calm} {1 - now if status in flapped else 0} {now}x{rest}",
        )
        for status in STATUSES
        for now in [int(status == "OK")]
    ]
    name = "NO_VALUE for one scrape: nothing fires"
    return _case(scene, name, [*series, *_prober(scene, after)], {after: {}})


def _long_unknown(scene: _Scene) -> Group:
    after = scene.until("Unknown")
    series = [*_plane(scene, "a", after, "NO_USER"), *_plane(scene, "b", after)]
    checks = {after: {"NoUser": 1, "Unknown": 1}}
    name = "NO_USER for long: somebody is woken"
    return _case(scene, name, [*series, *_prober(scene, after)], checks)


def _all_unknown(scene: _Scene) -> Group:
    after = scene.until("sAllUnknown")
    series = [*_plane(scene, "a", after, "NO_VALUE"), *_plane(scene, "b", after, "NO_VALUE")]
    checks = {after: {"NoValue": 2, "sAllUnknown": 1}}
    name = "NO_VALUE everywhere: somebody is woken"
    return _case(scene, name, [*series, *_prober(scene, after)], checks)


def _absent(scene: _Scene) -> Group:
    after = scene.until("ProberAbsent", "SeriesLost")
    gone = [
        Series(series=one.series, values=f"{_start(one)}x{scene.calm} stale")
        for plane in "ab"
        for one in _plane(scene, plane, after)
    ]
    checks = {after: {"ProberAbsent": 1, "SeriesLost": 2}}
    return _case(scene, "the exporter is gone", gone, checks)


def _dropped(scene: _Scene) -> Group:
    after = scene.until("SeriesLost")
    gone = [
        Series(series=one.series, values=f"{_start(one)}x{scene.calm} stale")
        for one in _plane(scene, "b", after)
    ]
    series = [*_plane(scene, "a", after), *gone, *_prober(scene, after)]
    return _case(scene, "one plane is gone", series, {after: {"SeriesLost": 1}})


def _invalid(scene: _Scene) -> Group:
    after = scene.until("StateInvalid")
    rest = scene.scrapes(after)
    both = [
        one if status != "DEGRADED" else Series(series=one.series, values=f"1x{scene.calm + rest}")
        for status, one in zip(STATUSES, _plane(scene, "a", after), strict=True)
    ]
    late = max(timedelta(0), scene.waits[f"{PREFIX}StateInvalid"] + scene.evaluation - CALM)
    checks = {late: {"StateInvalid": 1}}
    return _case(scene, "two states at once", [*both, *_prober(scene, after)], checks)


def _stale(scene: _Scene) -> Group:
    after = scene.until("SchedulerStale")
    calm, rest = scene.calm, scene.scrapes(after)
    stands = int(CALM.total_seconds())
    ticks = f"0+{int(scene.step.total_seconds())}x{calm} {stands}x{rest}"
    series = [
        *_plane(scene, "a", after),
        Series(series=TICK, values=ticks),
        Series(series=STORE_UP, values=f"1x{calm + rest}"),
    ]
    return _case(scene, "the scheduler stands still", series, {after: {"SchedulerStale": 1}})


def _store(scene: _Scene) -> Group:
    after = scene.until("StoreUnreachable", "NoValue")
    calm, rest = scene.calm, scene.scrapes(after)
    down = Series(series=STORE_UP, values=f"1x{calm} 0x{rest}")
    series = [*_plane(scene, "a", after, "NO_VALUE"), *_plane(scene, "b", after), down]
    checks = {after: {"NoValue": 1, "StoreUnreachable": 1}}
    return _case(scene, "the store cannot be read", series, checks)


def _plane(scene: _Scene, plane: str, after: timedelta, status: Status = "OK") -> Iterator[Series]:
    """OK until the trouble begins, and then this status; one series for each of them all."""
    rest = scene.scrapes(after)
    for one in STATUSES:
        before, now = int(one == "OK"), int(one == status)
        yield Series(series=_name(plane, one), values=f"{before}x{scene.calm} {now}x{rest}")


def _prober(scene: _Scene, after: timedelta) -> list[Series]:
    """A scheduler that ticks and a store that answers, all the time."""
    every, samples = int(scene.step.total_seconds()), scene.calm + scene.scrapes(after)
    return [
        Series(series=TICK, values=f"0+{every}x{samples}"),
        Series(series=STORE_UP, values=f"1x{samples}"),
    ]


def _name(plane: str, status: Status) -> str:
    return spelled(STATUS, {"plane": plane, "status": status})


def _start(one: Series) -> str:
    return one.values.partition("x")[0]


def _case(
    scene: _Scene, name: str, series: list[Series], checks: Mapping[timedelta, Mapping[str, int]]
) -> Group:
    """At each time after the trouble began, exactly these alerts fire, each for so many planes."""
    found: list[Expectation] = []
    for after, firing in checks.items():
        samples = [
            OneLine(labels=f'{{alertname="{PREFIX}{word}"}}', value=count)
            for word, count in sorted(firing.items())
        ]
        found.append(
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": duration(CALM + after),
                "exp_samples": samples,
            }
        )
    return group(name, scene.step, series, promql_expr_test=found)
