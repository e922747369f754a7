"""The stat row of one SLO: what was promised, what is kept, what is left, how fast it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge.alerts import slo_alerts
from sloforge.generate.boards import queries
from sloforge.generate.boards.board import (
    BLUE,
    COUNT_STEPS,
    GREEN,
    NO_TRAFFIC,
    RED,
    Look,
    Panel,
    Words,
    steps,
)
from sloforge.generate.boards.common import (
    BUDGET_LOOK,
    BURN_LOOK,
    EXHAUSTION_LOOK,
    formula,
    instant,
    places,
    promise,
)
from sloforge.generate.boards.layout import COLUMNS
from sloforge.promql import duration, number
from sloforge.sli import Quantile
from sloforge.windows import BASE, DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service, Slo

WIDTH, HEIGHT = 3, 4
FIRING_LOOK = Look(
    unit="none", decimals=0, steps=COUNT_STEPS, words=(Words(text="none", value=Decimal(0)),)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One stat: what it shows, by which query, and what follows from it."""

    key: str
    title: str
    what: str
    expr: str
    then: str
    look: Look
    # Whether the query gives one value per SLO, whatever its `by` labels.
    single: bool = False


def summary(project: Project, service: Service, slo: Slo) -> Iterator[Panel]:
    """Cells of three columns at the right; the first says whose they are and takes the rest."""
    cells = [_stat(slo, cell) for cell in _cells(slo)]
    if slo_alerts(project, service, slo):
        cells.append(_stat(slo, _firing(slo)))
    yield replace(_name(slo), width=COLUMNS - WIDTH * len(cells))
    yield from cells


def _cells(slo: Slo) -> Iterator[Cell]:
    if isinstance(slo.sli, Quantile):
        yield from _quantile(slo, slo.sli)
    elif slo.objective is None:
        yield from _undecided(slo)
    else:
        yield from _budget(slo)


def _name(slo: Slo) -> Panel:
    about = slo.description or f"Bad is {slo.sli.describe()}."
    return Panel(
        slug=f"{slo.name}:name",
        kind="text",
        title=slo.name,
        description=f"Bad is {slo.sli.describe()}. {slo.rationale}".strip(),
        width=WIDTH,
        height=HEIGHT,
        content=f"{_headline(slo)}\n\n{about}",
    )


def _headline(slo: Slo) -> str:
    if isinstance(slo.sli, Quantile):
        percentile = number(slo.sli.quantile * 100)
        return f"**P{percentile} at most {number(slo.sli.threshold)}**, no budget"
    return f"**{promise(slo)}**" if slo.decided else "**not decided yet**: shown, never alerts"


def _stat(slo: Slo, cell: Cell) -> Panel:
    return Panel(
        slug=f"{slo.name}:{cell.key}",
        kind="stat",
        title=cell.title,
        description=formula(cell.what, cell.expr, cell.then),
        width=WIDTH,
        height=HEIGHT,
        reads=(instant(cell.expr, "" if cell.single else queries.one(slo).legend),),
        look=cell.look,
    )


def _budget(slo: Slo) -> Iterator[Cell]:
    scope, window = queries.one(slo), duration(slo.window)
    yield Cell(
        key="objective",
        title="Objective",
        what=f"The share of {slo.sli.unit} that must be good over {window}.",
        expr=queries.objective(scope),
        then=f"To change it, edit {slo.source.path} and run make build.",
        look=Look(unit="percentunit", decimals=_spoken(slo), steps=steps(BLUE)),
        single=True,
    )
    yield _sli(slo)
    yield Cell(
        key="left",
        title="Budget left",
        what=f"1 - (bad share over {window} / allowed share). Below 0 the objective is missed.",
        expr=queries.left(scope),
        then="Under 25 %: stop risky changes. Spent: deploy only what restores reliability.",
        look=BUDGET_LOOK,
    )
    yield _left_absolute(slo)
    yield Cell(
        key="burn",
        title="Burn rate now",
        what="Bad share of the last 5 minutes / allowed share. At 1 the budget lasts the window.",
        expr=queries.burn_now(scope),
        then="Above 1 for long: look at the burn rates below. Above 14.4: open the first look.",
        look=BURN_LOOK,
    )
    yield Cell(
        key="exhaustion",
        title="Time to exhaustion",
        what=f"Budget left x {window} / burn rate of the last hour.",
        expr=queries.exhaustion(scope),
        then="Less than the time you need for a fix: roll back first.",
        look=EXHAUSTION_LOOK,
    )


def _sli(slo: Slo) -> Cell:
    return Cell(
        key="sli",
        title=f"SLI over {duration(slo.window)}",
        what=f"1 - bad {slo.sli.unit} / all {slo.sli.unit} over {duration(slo.window)}.",
        expr=queries.period_sli(queries.one(slo), slo.window),
        then="Below the objective: the promise is broken; see when in the row of this SLO.",
        look=sli_look(slo),
    )


def _left_absolute(slo: Slo) -> Cell:
    """Minutes where time is counted, events where events are."""
    scope, timed = queries.one(slo), slo.sli.unit == "slices"
    look = replace(BUDGET_LOOK, maximum=None, steps=steps(RED, (0, GREEN)))
    return Cell(
        key="left-absolute",
        title="Bad time left" if timed else "Bad events left",
        what=f"Budget left x allowed share x {'time' if timed else 'events'} of the window.",
        expr=queries.left_seconds(scope) if timed else queries.left_events(scope, slo.window),
        then="Compare it with what one bad deploy costs.",
        look=replace(look, unit="s" if timed else "short", decimals=1),
    )


def _undecided(slo: Slo) -> Iterator[Cell]:
    """What there is to decide on: the SLI itself, without a target."""
    yield _sli(slo)
    for window in (DAY, HOUR):
        yield Cell(
            key=f"sli-{duration(window)}",
            title=f"SLI over {duration(window)}",
            what=f"1 - bad {slo.sli.unit} / all {slo.sli.unit} over {duration(window)}.",
            expr=queries.sli(queries.one(slo), window),
            then="No objective is decided: take one that these values keep.",
            look=sli_look(slo),
        )


def _quantile(slo: Slo, sli: Quantile) -> Iterator[Cell]:
    scope, percentile = queries.one(slo), number(sli.quantile * 100)
    yield Cell(
        key="threshold",
        title="Threshold",
        what=f"What P{percentile} must stay below.",
        expr=queries.constant(sli.threshold),
        then=f"To change it, edit {slo.source.path} and run make build.",
        look=Look(unit="s", steps=steps(BLUE)),
        single=True,
    )
    for window in sorted({BASE, *sli.windows}):
        yield Cell(
            key=f"quantile-{duration(window)}",
            title=f"P{percentile} over {duration(window)}",
            what=f"histogram_quantile({number(sli.quantile)}, ...) over {duration(window)}.",
            expr=queries.quantile(scope, window),
            then=f"Alerts while it is above {number(sli.threshold)} s over {_windows(sli)}.",
            look=replace(quantile_look(sli), decimals=2),
        )


def _firing(slo: Slo) -> Cell:
    return Cell(
        key="firing",
        title="Firing alerts",
        what="Alerts of this SLO that fire at this moment.",
        expr=queries.firing(queries.one(slo)),
        then="Open the runbook that the alert names.",
        look=FIRING_LOOK,
        single=True,
    )


def sli_look(slo: Slo) -> Look:
    """Green while the objective is met, red below it, no judgement without one."""
    met = (slo.objective, GREEN) if slo.objective is not None else None
    return Look(
        unit="percentunit",
        decimals=places(slo),
        steps=steps(RED, met) if met else steps(BLUE),
        words=(NO_TRAFFIC,),
        empty="no traffic",
    )


def quantile_look(sli: Quantile) -> Look:
    return Look(
        unit="s",
        steps=steps(GREEN, (sli.threshold, RED)),
        words=(NO_TRAFFIC,),
        empty="no traffic",
    )


def _windows(sli: Quantile) -> str:
    return " and ".join(duration(window) for window in sorted(sli.windows, reverse=True))


def _spoken(slo: Slo) -> int:
    """As many decimals as the objective was given with: 99.5 %, 99.95 %, 99 %."""
    assert slo.objective is not None
    exponent = (slo.objective * 100).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
