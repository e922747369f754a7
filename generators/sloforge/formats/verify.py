"""The old tool's error ratios and ours over the same series, in promtool.

Both are recorded every five minutes over up to four days of made-up traffic: quiet and busy hours,
a steady trickle of errors, a burst and a clean day. The largest difference per window counts.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from promtool import locate, run_tests
from sloforge import naming
from sloforge.errors import Problem
from sloforge.formats.importing import Imported
from sloforge.generate.recording import recording
from sloforge.model import Project, Service, Slo
from sloforge.promql import WINDOW, Selector, duration, selector
from sloforge.sli import Fixture, Phase, Series
from sloforge.sli.fixtures import counter, labels_for, spelled
from sloforge.specs import expressions
from sloforge.specs.words import Wrong
from sloforge.windows import BASE

STEP = timedelta(minutes=2)
# Beyond the longest window that is compared.
_TAIL = timedelta(hours=12)
# What promtool holds in one evaluation, less a little.
MAX_SAMPLES = 9_500
# How often a gauge is looked at, and how many times at most: a query may hold a few copies of it.
STEPS = tuple(timedelta(seconds=one) for one in (30, 60, 120, 300, 600))
MOST_LOOKS = 1_000
_OLD = "verify:error_ratio"
_EVENTS = 1_200
_HOUR = timedelta(hours=1)
# Hours, the share of bad events, and how busy it is.
_HOURS = (
    (20, "0.002", "1"),
    (10, "0.02", "0.75"),
    (2, "0.1", "0.5"),
    (18, "0.0005", "1.5"),
    (4, "0.05", "1"),
    (26, "0", "1.25"),
    (1, "0.2", "0.75"),
    (27, "0.01", "1"),
)
_VALUE = re.compile(r"\{\} ([-+0-9.eE]+|NaN|[-+]?Inf)")
_COUNTERS = ("_total", "_count", "_bucket", "_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The largest difference of an SLO's error ratio over a window; None with the reason why."""

    slo: str
    window: timedelta
    difference: Decimal | None
    reason: str = ""


def compare(imported: Imported) -> list[Compared]:
    """Every window of every SLO whose ratio the other tool computes."""
    return [
        one
        for service in imported.project.services
        for slo in service.slos
        for one in _compared(imported, service, slo)
    ]


def _compared(imported: Imported, service: Service, slo: Slo) -> Iterator[Compared]:
    name = f"{slo.service}/{slo.name}"
    old = imported.ratios.get((slo.service, slo.name))
    if old is None:
        reason = "the other tool has no ratio for it"
        yield Compared(slo=name, window=slo.window, difference=None, reason=reason)
        return
    series = _series(slo, old)
    windows = [w for w in slo.ratio_windows if len(series) * (w / STEP) < MAX_SAMPLES]
    if not series:
        reason = "no series can be made up for it"
        yield Compared(slo=name, window=slo.window, difference=None, reason=reason)
        return
    alone = replace(imported.project, services=(replace(service, slos=(slo,)),))
    found = _run(alone, slo, _Old(text=old, windows=windows, series=series))
    for window in slo.ratio_windows:
        reason = "" if window in found else _lacking(series)
        yield Compared(slo=name, window=window, difference=found.get(window), reason=reason)


def _lacking(series: list[Series]) -> str:
    if "{{" in series[0].values and not locate().can("native_histograms"):
        return "this promtool is too old for native histograms: take 2.47 or newer"
    return "more samples than promtool can hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    """The other tool's ratio, and what it is read over."""

    text: str
    windows: list[timedelta]
    series: list[Series]

    @property
    def length(self) -> timedelta:
        """Until when the rules are evaluated; the series are made for four days and a half."""
        return max(self.windows) + _TAIL


def _run(project: Project, slo: Slo, old: _Old) -> dict[timedelta, Decimal]:
    with tempfile.TemporaryDirectory(prefix="sloforge-verify-") as name:
        folder = Path(name)
        _write(folder / "rules.yml", {"groups": [*_ours(project), _theirs(slo, old)]})
        _write(folder / "test.yml", _test(slo, old))
        suite = run_tests([folder / "test.yml"])
    cases = [case for file in suite.files for group in file.groups for case in group.assertions]
    raw = [group.raw for file in suite.files for group in file.groups if group.raw]
    found = {}
    for window, case in zip(old.windows, cases, strict=False):
        value = _VALUE.search(case.got)
        if value is not None and value[1] not in ("NaN", "Inf", "+Inf", "-Inf"):
            found[window] = Decimal(value[1])
    if not found and raw:
        raise Problem(f"{slo.service}/{slo.name} cannot be compared: {raw[0].strip()}")
    return found


def _write(path: Path, document: object) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _ours(project: Project) -> Iterator[dict[str, Any]]:
    for artifact in recording(project):
        for group in yaml.safe_load(artifact.text)["groups"]:
            yield group | {"interval": duration(BASE)}


def _theirs(slo: Slo, old: _Old) -> dict[str, Any]:
    by = f" by ({', '.join(slo.by)})" if slo.by else ""
    rules = [
        {
            "record": _OLD,
            "expr": f"max{by} ({_over(old.text, window)})",
            "labels": {"window": duration(window)},
        }
        for window in old.windows
    ]
    return {"name": "verify", "interval": duration(BASE), "rules": rules}


def _over(text: str, window: timedelta) -> str:
    """Over one window; a gauge is looked at as often as promtool can hold."""
    step = next((one for one in STEPS if window / one <= MOST_LOOKS), STEPS[-1])
    return text.replace("$step", duration(step)).replace(WINDOW, duration(window))


def _test(slo: Slo, old: _Old) -> dict[str, Any]:
    cases = [
        {
            "expr": _difference(slo, window, old.length),
            "eval_time": duration(old.length),
            "exp_samples": [],
        }
        for window in old.windows
    ]
    group = {
        "interval": duration(STEP),
        "input_series": [{"series": one.series, "values": one.values} for one in old.series],
        "promql_expr_test": cases,
    }
    return {"rule_files": ["rules.yml"], "evaluation_interval": duration(BASE), "tests": [group]}


def _difference(slo: Slo, window: timedelta, length: timedelta) -> str:
    """Once the window is full of samples, until the end."""
    theirs = selector(_OLD, {"window": duration(window)})
    ours = naming.of(slo, naming.error_ratio(window))
    span = max(length - window - _HOUR, _HOUR)
    apart = f"abs({theirs} - on ({', '.join(slo.by)}) {ours})"
    return f"max(max_over_time(({apart})[{duration(span)}:{duration(BASE)}]))"


def _series(slo: Slo, old: str) -> list[Series]:
    """The SLI's own, else one for each series that the old ratio reads."""
    labels = tuple((label, "a") for label in slo.by)
    fixture = Fixture(phases=_phases(), step=STEP, events=_EVENTS, labels=labels)
    if found := slo.sli.series(fixture):
        return list(found)
    try:
        read = dict.fromkeys(expressions.selectors(old.replace("$step", "1m")))
    except Wrong:
        return []
    made = [_made_up(one, fixture, at) for at, one in enumerate(read)]
    known = {one.series: one for one in made if one is not None}
    return list(known.values())


def _phases() -> tuple[Phase, ...]:
    return tuple(
        Phase(steps=int(timedelta(hours=hours) / STEP), bad=Decimal(bad), traffic=Decimal(busy))
        for hours, bad, busy in _HOURS
    )


def _made_up(one: Selector, fixture: Fixture, at: int) -> Series | None:
    """A counter where the name says so, else a gauge between 0 and 1; the first ones are bad."""
    labels = labels_for(one)
    if labels is None:
        return None
    if one.name.endswith(_COUNTERS):
        share = (lambda bad: bad) if at == 0 else (lambda bad: bad * 0 + 1)
        return counter(one.name, labels, fixture, share)
    values = [f"{phase.bad}x{phase.steps - 1}" for phase in fixture.phases]
    return Series(series=spelled(one.name, labels), values=" ".join(values))
