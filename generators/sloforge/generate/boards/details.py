"""The charts of one SLO: burn-down, burn rates with their thresholds, the SLI, its alerts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge.alerts import slo_alerts
from sloforge.generate.boards import queries
from sloforge.generate.boards.board import (
    BUDGET_STEPS,
    GREEN,
    NO_TRAFFIC,
    ORANGE,
    RED,
    YELLOW,
    Graph,
    Look,
    Panel,
    Read,
    Section,
    Words,
    steps,
)
from sloforge.generate.boards.common import formula, places, promise
from sloforge.generate.boards.summary import quantile_look
from sloforge.promql import duration, number
from sloforge.sli import Quantile
from sloforge.windows import BASE, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service, Slo

WIDTH, HEIGHT = 12, 8
_SEVERITY = {"page": RED, "ticket": ORANGE}


def details(project: Project, service: Service, slo: Slo, *, collapsed: bool) -> Section:
    """The row of one SLO."""
    panels = list(_panels(slo))
    if slo_alerts(project, service, slo):
        panels.append(_alerts(slo))
    return Section(slug=slo.name, title=_title(slo), panels=tuple(panels), collapsed=collapsed)


def _title(slo: Slo) -> str:
    if isinstance(slo.sli, Quantile):
        percent = number(slo.sli.quantile * 100)
        return f"{slo.name}: P{percent} at most {number(slo.sli.threshold)}"
    return f"{slo.name}: {promise(slo) if slo.decided else 'not decided yet'}"


def _panels(slo: Slo) -> Iterator[Panel]:
    if isinstance(slo.sli, Quantile):
        yield _quantile(slo, slo.sli)
        return
    if slo.budget is not None:
        yield _burn_down(slo)
        yield _burn_rates(slo)
    yield _sli(slo)


def _burn_down(slo: Slo) -> Panel:
    scope, window = queries.one(slo), duration(slo.window)
    down = queries.burn_down(scope, slo)
    return Panel(
        slug=f"{slo.name}:burn-down",
        kind="timeseries",
        title="Is the budget spent faster than it should be?",
        description=formula(
            "Burn-down: what is left of a full budget, counting errors from the left edge on. "
            f"Ideal: the same budget spent evenly over {window}. "
            f"Left: what the last {window} leave at each moment.",
            down,
            "Burn-down under the ideal line: spending is too fast; find the step in it.",
        ),
        width=WIDTH,
        height=HEIGHT,
        reads=(
            Read(expr=down, legend=f"burn-down {scope.legend}".strip()),
            Read(expr=queries.ideal(slo), legend="ideal", dashed="text"),
            Read(expr=queries.left(scope), legend=f"left {scope.legend}".strip()),
        ),
        look=Look(unit="percentunit", decimals=1, steps=BUDGET_STEPS[:2], empty="no traffic yet"),
        graph=Graph(thresholds="dashed", interval=duration(BASE)),
    )


def _burn_rates(slo: Slo) -> Panel:
    scope = queries.one(slo)
    lines = sorted({(b.factor(slo.window), _SEVERITY[b.severity]) for b in slo.alerting.burns})
    named = "; ".join(
        f"{b.name}: {duration(b.long)} and {duration(b.short)} above {number(b.factor(slo.window))}"
        for b in slo.alerting.burns
    )
    return Panel(
        slug=f"{slo.name}:burn-rates",
        kind="timeseries",
        title="How fast does the budget burn?",
        description=formula(
            "Bad share of each window / allowed share; logarithmic, so that 0 is not drawn. "
            f"An alert fires while two windows are above its line: {named or 'none'}.",
            queries.burn(scope, HOUR),
            "Short windows above, long ones below: it has just begun, or is over in minutes.",
        ),
        width=WIDTH,
        height=HEIGHT,
        reads=tuple(
            Read(expr=queries.burn(scope, w), legend=f"{duration(w)} {scope.legend}".strip())
            for w in slo.ratio_windows
        ),
        look=Look(
            unit="none",
            decimals=2,
            steps=steps(GREEN, *({Decimal(1): YELLOW} | dict(lines)).items()),
            empty="no traffic",
        ),
        graph=Graph(thresholds="dashed", log=2),
    )


def _sli(slo: Slo) -> Panel:
    scope = queries.one(slo)
    colors = steps(GREEN)
    if slo.objective is not None:
        colors = steps(RED, (slo.objective, "transparent"))
    return Panel(
        slug=f"{slo.name}:sli",
        kind="timeseries",
        title="When were events bad?",
        description=formula(
            f"1 - bad {slo.sli.unit} / all {slo.sli.unit}. A gap is a time without traffic.",
            queries.sli(scope, BASE),
            "In the red area: compare the moment with the deploys and alerts that are marked.",
        ),
        width=WIDTH,
        height=HEIGHT,
        reads=tuple(
            Read(expr=queries.sli(scope, w), legend=f"{duration(w)} {scope.legend}".strip())
            for w in (BASE, HOUR)
        ),
        look=Look(
            unit="percentunit",
            decimals=places(slo),
            steps=colors,
            words=(NO_TRAFFIC,),
            empty="no traffic",
        ),
        graph=Graph(thresholds="dashed+area" if slo.objective is not None else "off"),
    )


def _quantile(slo: Slo, sli: Quantile) -> Panel:
    scope, percent = queries.one(slo), number(sli.quantile * 100)
    return Panel(
        slug=f"{slo.name}:quantile",
        kind="timeseries",
        title=f"Is P{percent} below its threshold?",
        description=formula(
            f"The {percent}th percentile over each window; the line is {number(sli.threshold)}. "
            "Between two bucket bounds it is interpolated. It burns no budget.",
            queries.quantile(scope, BASE),
            "All windows above the line: the alert fires. Look which route it is below.",
        ),
        width=WIDTH,
        height=HEIGHT,
        reads=tuple(
            Read(expr=queries.quantile(scope, w), legend=f"{duration(w)} {scope.legend}".strip())
            for w in sorted({BASE, *sli.windows})
        ),
        look=quantile_look(sli),
        graph=Graph(thresholds="dashed"),
    )


def _alerts(slo: Slo) -> Panel:
    scope = queries.one(slo)
    firing = f'max by (alertname) (ALERTS{{{scope.matchers},alertstate="firing"}})'
    return Panel(
        slug=f"{slo.name}:alerts",
        kind="state-timeline",
        title="When did its alerts fire?",
        description=formula(
            "One band per alert while it fires.",
            firing,
            "Many short bands: the alert flaps; give its burn a longer keep_firing_for.",
        ),
        width=WIDTH,
        height=HEIGHT,
        reads=(Read(expr=firing, legend="{{alertname}}"),),
        look=Look(
            unit="none",
            decimals=0,
            steps=steps(RED),
            words=(Words(text="firing", color=RED, value=Decimal(1)),),
            empty="nothing fired",
        ),
    )
