"""`slo-incident`: what an alert links to, as the questions of the first five minutes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards import queries
from sloforge.generate.boards.board import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    Board,
    Column,
    Graph,
    Grid,
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
    FLEET,
    TAGS,
    formula,
    instant,
    marks,
    rows,
    slo_variable,
)
from sloforge.windows import BASE, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.generate.boards.queries import Scope
    from sloforge.model import Http, Project

_SERVICE = 'slo_service="$service"'


def incident_board(project: Project) -> Board:
    """One service, the SLO of the alert."""
    scope = queries.chosen(project.slos)
    service = f"label_values({naming.INFO}, slo_service)"
    return Board(
        uid=naming.INCIDENT_UID,
        title="SLO / Incident",
        description="The first look: what an alert links to.",
        tags=TAGS,
        sections=tuple(_sections(project, scope)),
        variables=(
            Variable(name="service", label="Service", query=service),
            slo_variable(many=True),
        ),
        marks=marks(_SERVICE),
        links=(FLEET,),
        datasource=project.settings.datasource,
        start="now-3h",
        refresh="30s",
    )


def _sections(project: Project, scope: Scope) -> Iterator[Section]:
    yield _section("firing", "Is it still firing, and since when?", _firing(), _timeline())
    yield _section("bad", "How bad is it now?", *_bad(scope))
    yield _section("left", "How long will the budget last?", *_left(scope))
    yield _section("where", "Is traffic normal, and where does it fail?", *_where(project, scope))
    yield _section("others", "Who else is affected?", _others(project), _next(project))


def _section(slug: str, title: str, *panels: Panel) -> Section:
    return Section(slug=slug, title=title, panels=panels)


def _firing() -> Panel:
    """A service's own alerts, which name no SLO, count too: both sides lack the label."""
    alerts = f'ALERTS{{{_SERVICE},alertstate="firing"}}'
    match = "on (alertname, slo_service, slo_name)"
    expr = f"time() - ALERTS_FOR_STATE{{{_SERVICE}}} and {match} {alerts}"
    age = Look(unit="dtdurations", decimals=1, empty="just now")
    return Panel(
        slug="incident:firing",
        kind="table",
        title="Firing alerts",
        description=formula(
            "Alerts of the service that fire, and how long their condition has held.",
            expr,
            "Empty: it is over, or flaps; see the timeline. Open the runbook of the oldest page.",
        ),
        width=12,
        height=7,
        reads=(rows(expr),),
        look=Look(unit="none", empty="nothing fires"),
        grid=Grid(
            columns=(
                Column(field="alertname", title="Alert"),
                Column(field="severity", title="Severity", width=90),
                Column(field="slo_name", title="SLO"),
                Column(field="burn", title="Burn"),
                Column(field="owner", title="Owner"),
                Column(field="Value", title="For", look=age),
            ),
            sort="For",
            descending=True,
        ),
    )


def _timeline() -> Panel:
    expr = f'max by (alertname) (ALERTS{{{_SERVICE},alertstate="firing"}})'
    return Panel(
        slug="incident:timeline",
        kind="state-timeline",
        title="When did each alert fire?",
        description=formula(
            "One band per alert while it fires.",
            expr,
            "The first band is the nearest to the cause.",
        ),
        width=12,
        height=7,
        reads=(Read(expr=expr, legend="{{alertname}}"),),
        look=Look(
            unit="none",
            decimals=0,
            steps=steps(RED),
            words=(Words(text="firing", color=RED, value=Decimal(1)),),
            empty="nothing fired",
        ),
    )


def _bad(scope: Scope) -> Iterator[Panel]:
    legend = f"{{{{slo_name}}}} {scope.legend}".strip()
    share = scope.of(naming.error_ratio(BASE))
    yield Panel(
        slug="incident:share",
        kind="timeseries",
        title="Which share of events is bad?",
        description=formula(
            "Bad events / all events over five minutes. A gap is a time without traffic.",
            share,
            "1 is an outage: restart or roll back before you search.",
        ),
        width=12,
        height=8,
        reads=(Read(expr=share, legend=legend),),
        look=Look(unit="percentunit", decimals=2, empty="no traffic"),
        graph=Graph(draw="area"),
    )
    yield Panel(
        slug="incident:burn",
        kind="timeseries",
        title="How fast does the budget burn?",
        description=formula(
            "Bad share / allowed share, over five minutes and over an hour; logarithmic, 0 is not "
            "drawn. The lines are the workbook's 1, 6 and 14.4.",
            queries.burn(scope, HOUR),
            "5m under 1h: it is getting better. 5m above 1h: it is getting worse.",
        ),
        width=12,
        height=8,
        reads=(
            Read(expr=queries.burn(scope, BASE), legend=f"5m {legend}"),
            Read(expr=queries.burn(scope, HOUR), legend=f"1h {legend}"),
        ),
        look=Look(
            unit="none",
            decimals=2,
            steps=steps(GREEN, (1, YELLOW), (6, ORANGE), ("14.4", RED)),
            empty="no traffic",
        ),
        graph=Graph(thresholds="dashed", log=2),
    )


def _left(scope: Scope) -> Iterator[Panel]:
    cells = (
        (
            "left",
            "Budget left",
            "1 - (bad share over the window / allowed share).",
            queries.left(scope),
            "Spent: stop everything that does not restore reliability.",
            BUDGET_LOOK,
        ),
        (
            "exhaustion",
            "Time to exhaustion",
            "Budget left x window / burn rate of the last hour.",
            queries.exhaustion(scope),
            "Less than the time of a fix: roll back first.",
            EXHAUSTION_LOOK,
        ),
        (
            "spent",
            "Spent in this view",
            "Mean bad share of the view / allowed share x view / window.",
            queries.spent_in_view(scope),
            "For the postmortem: set the view to the incident and note the number.",
            replace(BUDGET_LOOK, steps=steps(GREEN, ("0.02", YELLOW), ("0.1", RED))),
        ),
    )
    for key, title, what, expr, then, look in cells:
        yield Panel(
            slug=f"incident:{key}",
            kind="stat",
            title=title,
            description=formula(what, expr, then),
            width=8,
            height=5,
            reads=(instant(expr, f"{{{{slo_name}}}} {scope.legend}".strip()),),
            look=look,
        )


def _where(project: Project, scope: Scope) -> Iterator[Panel]:
    legend = f"{{{{slo_name}}}} {scope.legend}".strip()
    total = scope.of(naming.TOTAL)
    services = project.services
    https = sorted({_spelling(s.http) for s in services if s.http.requests is not None})
    yield Panel(
        slug="incident:traffic",
        kind="timeseries",
        title="Is traffic as it was a week ago?",
        description=formula(
            "Events per second over five minutes, now and a week before.",
            total,
            "Much less: users do not reach the service. Much more: it is overload.",
        ),
        width=12 if https else 24,
        height=8,
        reads=(
            Read(expr=total, legend=legend),
            Read(expr=f"{total} offset 1w", legend=f"{legend}, week ago"),
        ),
        look=Look(unit="cps", decimals=2, empty="no traffic"),
        graph=Graph(),
    )
    if https:
        yield _failing(https)


def _spelling(http: Http) -> tuple[str, str, str]:
    return http.route, http.status, http.errors


def _failing(https: list[tuple[str, str, str]]) -> Panel:
    """One query per spelling of the labels: a service has one of them, the others give nothing."""
    reads = []
    for route, status, errors in https:
        metric = f'{naming.HTTP_REQUESTS}{{{_SERVICE},{status}=~"{errors}"}}'
        expr = f"topk(10, sum by ({route}, {status}) ({metric}) > 0)"
        reads.append(Read(expr=expr, legend=f"{{{{{route}}}}} {{{{{status}}}}}"))
    return Panel(
        slug="incident:failing",
        kind="timeseries",
        title="Which routes fail?",
        description=formula(
            "Failed responses per second by route and status, the ten highest.",
            reads[0].expr,
            "One route: its last change. All: what they share, such as a database.",
        ),
        width=12,
        height=8,
        reads=tuple(reads),
        look=Look(unit="reqps", decimals=2, empty="no route fails"),
        graph=Graph(),
    )


def _others(project: Project) -> Panel:
    scope = replace(queries.fleet(project.slos), matchers='slo_service!=""')
    expr = f"topk(10, max by (slo_service, slo_name) ({queries.burn(scope, HOUR)}))"
    return Panel(
        slug="incident:others",
        kind="bargauge",
        title="Which budgets burn fastest?",
        description=formula(
            "The ten highest burn rates of the last hour, of all services.",
            expr,
            "Others burn too: the cause is likely shared. Join their incident.",
        ),
        width=12,
        height=9,
        reads=(instant(expr, "{{slo_service}} {{slo_name}}"),),
        look=BURN_LOOK,
    )


def _next(project: Project) -> Panel:
    runbooks = project.settings.runbook_base_url
    where = f"[the runbooks]({runbooks})" if "://" in runbooks else f"`{runbooks}`"
    return Panel(
        slug="incident:next",
        kind="text",
        title="What next?",
        description="The steps after the first look.",
        width=12,
        height=9,
        content=_STEPS.format(runbooks=where, fleet=naming.FLEET_UID),
    )


_STEPS = """\
1. Open the runbook that the alert names; all are under {runbooks}.
2. A deploy is marked just before the first band: **roll back first**, search later.
3. Traffic is gone: look in front of the service (DNS, load balancer, certificates).
4. One route fails: its last change. All fail: what they share.
5. Others burn too ([the fleet](d/{fleet})): join their incident.
6. Budget spent: only changes that restore reliability are deployed until it has grown back.
"""
