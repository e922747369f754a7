"""`slo-fleet`: every SLO in one table, worst first, and how many need somebody now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards import queries
from sloforge.generate.boards.board import (
    BLUE,
    BUDGET_STEPS,
    GREEN,
    ORANGE,
    RED,
    Board,
    Column,
    Grid,
    Link,
    Look,
    Panel,
    Read,
    Section,
    Variable,
    Words,
    steps,
)
from sloforge.generate.boards.common import (
    BUDGET_LOOK,
    BURN_LOOK,
    EXHAUSTION_LOOK,
    REFRESH,
    TAGS,
    formula,
    instant,
    marks,
    rows,
)
from sloforge.model import Step
from sloforge.promql import quote
from sloforge.windows import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.generate.boards.queries import Scope
    from sloforge.model import Project

_PER_SLO = "on (slo_service, slo_name)"
_INFO = f'{naming.INFO}{{slo_service=~"$service",owner=~"$owner",tier=~"$tier"}}'
# A remaining share is never above 1, so these sort behind all and are shown as words.
_IDLE, _NO_BUDGET = 2, 3


def fleet_board(project: Project) -> Board:
    """All services."""
    scope = queries.fleet(project.slos)
    return Board(
        uid=naming.FLEET_UID,
        title="SLO / Fleet",
        description="All SLOs, worst first.",
        tags=TAGS,
        sections=(
            Section(slug="now", title="Who needs somebody now?", panels=tuple(_stats(scope))),
            Section(
                slug="all",
                title="Which promises are at risk?",
                panels=(_table(project, scope), _lowest(scope), _burning(scope)),
            ),
        ),
        variables=tuple(_variables()),
        marks=marks('slo_service=~"$service"')[:1],
        links=(Link(title="First look", url=f"/d/{naming.INCIDENT_UID}"),),
        datasource=project.settings.datasource,
        start="now-7d",
        refresh=REFRESH,
    )


def _variables() -> Iterator[Variable]:
    owner = f"label_values({naming.INFO}, owner)"
    yield Variable(name="owner", label="Owner", query=owner, many=True)
    tier = f'label_values({naming.INFO}{{owner=~"$owner"}}, tier)'
    yield Variable(name="tier", label="Tier", query=tier, many=True)
    service = f'label_values({naming.INFO}{{owner=~"$owner",tier=~"$tier"}}, slo_service)'
    yield Variable(name="service", label="Service", query=service, many=True)


def _kept(expr: str) -> str:
    """Only SLOs of the chosen owners and tiers, which only the info series knows."""
    return f"({expr}) and {_PER_SLO} {_INFO}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """One number at the top."""

    slug: str
    title: str
    what: str
    expr: str
    then: str
    steps: tuple[Step, ...]


def _stats(scope: Scope) -> Iterator[Panel]:
    for count in _counts(scope):
        yield Panel(
            slug=f"fleet:{count.slug}",
            kind="stat",
            title=count.title,
            description=formula(count.what, count.expr, count.then),
            width=4,
            height=4,
            reads=(instant(count.expr),),
            look=Look(unit="none", decimals=0, steps=count.steps, empty="none"),
        )


def _counts(scope: Scope) -> Iterator[_Count]:
    bad = steps(GREEN, (1, RED))
    worst = f"min by (slo_service, slo_name) ({_kept(queries.left(scope))})"
    yield _Count(
        slug="slos",
        title="SLOs",
        what="SLOs of the chosen services.",
        expr=f"count(group by (slo_service, slo_name) ({_INFO})) or vector(0)",
        then="Fewer than you wrote: the rules are not loaded.",
        steps=steps(BLUE),
    )
    yield _Count(
        slug="exhausted",
        title="Budgets spent",
        what="SLOs with nothing left.",
        expr=f"count({worst} <= 0) or vector(0)",
        then="Deploy only what restores reliability.",
        steps=bad,
    )
    yield _Count(
        slug="at-risk",
        title="At risk",
        what="SLOs with less than a quarter of their budget, but with some.",
        expr=f"count({worst} > 0 < 0.25) or vector(0)",
        then="Stop risky changes until the budget has grown back.",
        steps=steps(GREEN, (1, ORANGE)),
    )
    for severity, color in (("page", RED), ("ticket", ORANGE)):
        alerts = scope.of("ALERTS").replace("}", f',alertstate="firing",severity="{severity}"}}')
        kept = f"({alerts}) and on (slo_service) {_INFO}"
        yield _Count(
            slug=f"{severity}s",
            title=f"{severity.capitalize()}s firing",
            what=f"Alerts with severity {severity} that fire at this moment.",
            expr=f"count({kept}) or vector(0)",
            then="Open the first look of the service.",
            steps=steps(GREEN, (1, color)),
        )
    stale = f"{_INFO} unless {_PER_SLO} {scope.of(naming.TOTAL)}"
    yield _Count(
        slug="stale",
        title="Without data",
        what="SLOs whose total is not recorded: the rules or their source stopped.",
        expr=f"count({stale}) or vector(0)",
        then="Look at the trust row of their board: their alerts cannot fire.",
        steps=bad,
    )


def _table(project: Project, scope: Scope) -> Panel:
    return Panel(
        slug="fleet:table",
        kind="table",
        title="All SLOs, worst first",
        description=formula(
            "One row per SLO; with `by` labels, its worst series. Joined by service/SLO, "
            "sorted by what is left.",
            queries.left(scope),
            "Click a service for its board, an SLO for the first look.",
        ),
        width=24,
        height=14,
        reads=tuple(rows(expr) for expr in _table_queries(project, scope)),
        look=Look(unit="none", empty="–"),
        grid=Grid(columns=_columns(), key="slo", sort="Budget left"),
    )


def _table_queries(project: Project, scope: Scope) -> Iterator[str]:
    """In the order of the columns `Value #A`, `Value #B` and so on."""
    about = _keyed(_INFO, "max", "slo_service", "slo_name", "owner", "tier", "window", "board")
    yield about.replace(_INFO, _with_board(project))
    yield _keyed(_kept(queries.objective(scope)), "max")
    yield _keyed(_kept(queries.any_period_sli(scope)), "min")
    yield _left(scope)
    yield _keyed(_kept(queries.burn_now(scope)), "max")
    yield _keyed(_kept(queries.burn(scope, HOUR)), "max")
    yield _keyed(_kept(queries.exhaustion(scope)), "min")
    alerts = scope.of("ALERTS").replace("}", ',alertstate="firing"}')
    yield _keyed(_kept(alerts), "count")


def _left(scope: Scope) -> str:
    """What is left; numbers that stand for words where there was no event, or is no budget."""
    known = _keyed(_kept(queries.left(scope)), "min")
    idle = _keyed(_kept(queries.objective(scope)), "group")
    none = _keyed(_INFO, "group")
    return f"{known} or {idle} * {_IDLE} or {none} * {_NO_BUDGET}"


def _keyed(expr: str, aggregation: str, *labels: str) -> str:
    """One series per SLO, with the key of the join as its label `slo`."""
    joined = f'label_join({expr}, "slo", "/", "slo_service", "slo_name")'
    return f"{aggregation} by ({', '.join(('slo', *labels))}) ({joined})"


def _with_board(project: Project) -> str:
    """The uid of each service's board as a label: a long name has another uid than `slo-<name>`."""
    found = f'label_replace({_INFO}, "board", "slo-$1", "slo_service", "(.+)")'
    for service in project.services:
        uid = naming.dashboard_uid(service.name)
        if uid != f"slo-{service.name}":
            found = (
                f'label_replace({found}, "board", "{uid}", "slo_service", {quote(service.name)})'
            )
    return found


def _columns() -> tuple[Column, ...]:
    board = Link(title="Board of ${__value.text}", url="/d/${__data.fields.board}")
    first = Link(
        title="First look",
        url=f"/d/{naming.INCIDENT_UID}?var-service=${{__data.fields.Service}}"
        "&var-slo=${__value.text}",
    )
    share = Look(unit="percentunit", decimals=3, steps=steps(BLUE), empty="none")
    return (
        Column(field="slo_service", title="Service", links=(board,)),
        Column(field="slo_name", title="SLO", links=(first,)),
        Column(field="owner", title="Owner"),
        Column(field="tier", title="Tier", width=60),
        Column(field="window", title="Window", width=80),
        Column(field="Value #B", title="Objective", look=share),
        Column(field="Value #C", title="SLI", look=replace(share, empty="no traffic")),
        Column(field="Value #D", title="Budget left", look=_left_look(), cell="color-background"),
        Column(field="Value #E", title="Burn now", look=BURN_LOOK, cell="color-text"),
        Column(field="Value #F", title="Burn 1h", look=BURN_LOOK, cell="color-text"),
        Column(field="Value #G", title="Time to exhaustion", look=EXHAUSTION_LOOK),
        Column(field="Value #H", title="Alerts", look=_alerts_look(), cell="color-text"),
        Column(field="board", title="board", hidden=True),
    )


def _left_look() -> Look:
    words = (
        Words(text="no traffic yet", color="text", value=Decimal(_IDLE)),
        Words(text="no budget", color="text", value=Decimal(_NO_BUDGET)),
    )
    return replace(BUDGET_LOOK, words=words)


def _alerts_look() -> Look:
    return Look(unit="none", decimals=0, steps=steps(GREEN, (1, RED)), empty="none")


def _lowest(scope: Scope) -> Panel:
    expr = f"bottomk(10, min by (slo_service, slo_name) ({_kept(queries.left(scope))}))"
    return Panel(
        slug="fleet:lowest",
        kind="bargauge",
        title="Which budgets are lowest?",
        description=formula(
            "The ten SLOs with the least budget left.",
            expr,
            "Plan reliability work where the bar is short for weeks.",
        ),
        width=12,
        height=10,
        reads=(instant(expr, "{{slo_service}} {{slo_name}}"),),
        look=replace(BUDGET_LOOK, steps=BUDGET_STEPS, minimum=Decimal(0)),
    )


def _burning(scope: Scope) -> Panel:
    expr = f"max by (slo_service, slo_name) ({_kept(queries.burn(scope, HOUR))}) >= 1"
    return Panel(
        slug="fleet:burning",
        kind="state-timeline",
        title="When did which budget burn?",
        description=formula(
            "The burn rate of the last hour where it is above 1: yellow, from 3 orange, "
            "from 14.4 red.",
            expr,
            "Bands at the same time in several rows have one cause: look for what they share.",
        ),
        width=12,
        height=10,
        reads=(Read(expr=expr, legend="{{slo_service}} {{slo_name}}"),),
        look=replace(BURN_LOOK, words=(), empty="nothing burned"),
    )
