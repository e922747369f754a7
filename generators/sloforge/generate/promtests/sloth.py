"""`<slo>-sloth`: with `compat: sloth`, Sloth's series with exactly its labels, and its history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    braces,
    constant,
    equals,
    group,
    holds,
    labels_of,
    members,
    mine,
)
from sloforge.generate.sloth import VERSION, history
from sloforge.promql import number, seconds
from sloforge.sli import Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo, Sloth

NOW = timedelta(minutes=1)
# The share of the budget that Sloth saw going, and the share of the period since we count.
SPENT, OURS = Decimal("0.5"), 10


def tests(project: Project, service: Service, slo: Slo) -> Iterator[Artifact]:
    """Nothing where Sloth could not have recorded the SLO."""
    del project
    if slo.sloth is None or slo.budget is None:
        return
    groups = [_copied(slo, slo.sloth), *_carried(slo, slo.sloth, slo.budget)]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-sloth"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name),),
        order=(naming.period_group(slo), naming.recording_group(slo), naming.sloth_group(slo)),
        evaluation_interval=slo.window,
        groups=tuple(groups),
    ).artifact()


def _copied(slo: Slo, sloth: Sloth) -> Group:
    """Each window has another ratio, so that no two are mixed up."""
    windows = [window for window in slo.ratio_windows if window in sloth.windows]
    ratios = {one: Decimal(at) / 1000 for at, one in enumerate((*windows, slo.window), 1)}
    ours = [constant(naming.error_ratio(one), labels_of(slo), ratios[one], 1) for one in ratios]
    checks = [_holds(slo, naming.sloths_ratio(one), ratios[one], one) for one in ratios]
    checks += _about(slo, sloth)
    now, whole = min(windows), ratios[slo.window]
    assert slo.budget is not None
    checks += [
        _holds(slo, naming.CURRENT_BURN, ratios[now] / slo.budget, now),
        _holds(slo, naming.PERIOD_BURN, whole / slo.budget, slo.window),
        _holds(slo, naming.REMAINING, 1 - whole / slo.budget, slo.window),
    ]
    return group("Sloth's series, by its labels", NOW, ours, promql_expr_test=checks)


def _holds(slo: Slo, metric: str, value: Decimal, window: timedelta) -> Expectation:
    """One series of Sloth's that is made of a ratio, and carries its window."""
    assert slo.sloth is not None
    labels = slo.sloth.ids | dict(slo.sloth.labels) | members(slo)[0] | _window(window)
    return holds(equals(metric + braces(slo.sloth.ids), value), NOW, labels)


def _about(slo: Slo, sloth: Sloth) -> Iterator[Expectation]:
    assert slo.objective is not None
    info = VERSION | {"sloth_objective": number(slo.objective * 100)}
    values: dict[str, Decimal] = {
        naming.OBJECTIVE: slo.objective,
        naming.BUDGET: 1 - slo.objective,
        naming.PERIOD: seconds(slo.window) / seconds(DAY),
        naming.SLOTH_INFO: Decimal(1),
    }
    for metric, value in values.items():
        labels = sloth.ids | dict(sloth.labels) | (info if metric == naming.SLOTH_INFO else {})
        yield holds(equals(metric + braces(sloth.ids), value), NOW, labels)


def _window(window: timedelta) -> dict[str, str]:
    return {"sloth_window": naming.sloths_window(window)}


def _carried(slo: Slo, sloth: Sloth, budget: Decimal) -> Iterator[Group]:
    """Sloth saw half of the budget go and we saw nothing: what counts is who looks back further."""
    found = history(slo)
    if found is None:
        return
    series, step = found
    samples = int(slo.window / step)
    window = series.name.removeprefix("slo:sli_error:ratio_rate")
    labels = sloth.ids | dict(sloth.labels) | {"sloth_window": window}
    # An hour at night had no events.
    theirs = Series(
        series=spelled(series.name, labels), values=f"NaN {number(budget * SPENT)}x{samples - 1}"
    )
    for name, since, left in (
        ("before our counts reach back as far: Sloth's ratio", OURS, 1 - SPENT),
        ("since they do: our own", 1, Decimal(1)),
    ):
        count = samples // since
        gap = f"_x{samples - count} " * (count < samples)
        ours = [
            Series(series=spelled(metric, labels_of(slo)), values=f"{gap}{value}x{count - 1}")
            for metric, value in ((naming.TOTAL_5M, 1), (naming.ERRORS_5M, 0))
        ]
        check = holds(equals(naming.REMAINING + mine(slo), left), slo.window, slo.labels)
        yield group(name, step, [theirs, *ours], promql_expr_test=[check])
