"""Whether the numbers can be believed: events, coverage, staleness, failures of rules."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards import queries
from sloforge.generate.boards.board import (
    GREEN,
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
from sloforge.generate.boards.common import formula, instant
from sloforge.promql import duration, quote, selector
from sloforge.windows import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sloforge.generate.boards.queries import Scope
    from sloforge.model import Service, Slo


def events(service: Service) -> Section:
    """How much happens, and how much of it is bad."""
    scope = queries.chosen(service.slos)
    panels = [
        _rate(scope, naming.TOTAL, "Events per second", "events:all"),
        _rate(scope, naming.ERRORS, "Bad events per second", "events:bad"),
        *_spent(service),
    ]
    return Section(slug="events", title="Events", panels=tuple(panels), collapsed=True)


def trust(service: Service) -> Section:
    """What would make every panel above wrong."""
    panels = [_coverage(service), _age(service), _failures(service), *_targets(service)]
    return Section(
        slug="trust", title="Can these numbers be trusted?", panels=tuple(panels), collapsed=True
    )


def _rate(scope: Scope, metric: str, title: str, slug: str) -> Panel:
    return Panel(
        slug=slug,
        kind="timeseries",
        title=title,
        description=formula(
            "Recorded over five minutes. For an SLO that counts time, an event is a slice of it.",
            scope.of(metric),
            "Few events make a jumpy ratio: a handful of errors is not a trend.",
        ),
        width=8,
        height=8,
        reads=(Read(expr=scope.of(metric), legend=f"{{{{slo_name}}}} {scope.legend}".strip()),),
        look=Look(unit="cps", decimals=2, empty="no traffic"),
        graph=Graph(),
    )


def _spent(service: Service) -> Iterator[Panel]:
    budgets = [slo for slo in service.slos if slo.budget is not None]
    if not budgets:
        return
    reads = [
        Read(
            expr=queries.spent_per_day(queries.one(slo), slo),
            legend=f"{slo.name} {queries.one(slo).legend}".strip(),
        )
        for slo in budgets
    ]
    yield Panel(
        slug="events:spent",
        kind="timeseries",
        title="What did a day cost?",
        description=formula(
            "Bad events of the day before each point / bad events that the whole window allows.",
            reads[0].expr,
            "Half of the budget in a day: roll back what was deployed last.",
        ),
        width=8,
        height=8,
        reads=tuple(reads),
        look=Look(
            unit="percentunit",
            decimals=1,
            steps=steps(GREEN, ("0.5", RED)),
            empty="no traffic yet",
        ),
        graph=Graph(thresholds="dashed", interval="1h"),
    )


def _coverage(service: Service) -> Panel:
    reads = tuple(
        instant(queries.coverage(slo, _covered(slo)), f"{slo.name}, {duration(_covered(slo))}")
        for slo in service.slos
    )
    return Panel(
        slug="trust:coverage",
        kind="bargauge",
        title="How much of the window is recorded?",
        description=formula(
            "Five-minute samples that exist / five-minute samples of the window.",
            reads[0].expr,
            "Less than all: the budget speaks for the recorded part only. New SLOs start low.",
        ),
        width=9,
        height=8,
        reads=reads,
        look=Look(
            unit="percentunit",
            decimals=1,
            steps=steps(RED, ("0.5", ORANGE), ("0.9", YELLOW), ("0.99", GREEN)),
            empty="nothing recorded",
            minimum=Decimal(0),
            maximum=Decimal(1),
        ),
    )


def _covered(slo: Slo) -> timedelta:
    return slo.window if slo.sli.has_budget else DAY


def _age(service: Service) -> Panel:
    expr = queries.age(queries.chosen(service.slos))
    return Panel(
        slug="trust:age",
        kind="bargauge",
        title="How old is the newest value?",
        description=formula(
            "Now - the time of the newest recorded total, at most an hour back.",
            expr,
            "Above five minutes: Prometheus evaluates no rules, or their source is gone.",
        ),
        width=9,
        height=8,
        reads=(instant(expr, "{{slo_name}}"),),
        look=Look(
            unit="s",
            decimals=0,
            steps=steps(GREEN, (180, ORANGE), (300, RED)),
            empty="older than an hour",
            minimum=Decimal(0),
        ),
    )


def _failures(service: Service) -> Panel:
    groups = [naming.service_alert_group(service.name), naming.http_group(service.name)]
    for slo in service.slos:
        groups += [
            f(slo) for f in (naming.recording_group, naming.period_group, naming.alert_group)
        ]
    # The label is `file;group`.
    pattern = quote(f".*;({'|'.join(map(re.escape, groups))})".replace("\\-", "-"))
    expr = f"sum(increase(prometheus_rule_evaluation_failures_total{{rule_group=~{pattern}}}[1h]))"
    return Panel(
        slug="trust:failures",
        kind="stat",
        title="Failed evaluations",
        description=formula(
            "Evaluations of this service's rules that failed within the last hour.",
            expr,
            "More than none: the reason stands on Prometheus' page of rules.",
        ),
        width=3,
        height=8,
        reads=(instant(expr),),
        look=Look(
            unit="none",
            decimals=0,
            steps=steps(GREEN, (1, RED)),
            words=(Words(text="none", value=Decimal(0)),),
            empty="Prometheus does not scrape itself",
        ),
    )


def _targets(service: Service) -> Iterator[Panel]:
    if service.job is None:
        return
    up = selector("up", {"job": service.job})
    expr = f"sum({up}) / count({up})"
    yield Panel(
        slug="trust:targets",
        kind="stat",
        title="Targets up",
        description=formula(
            "Targets of the job that answer their scrapes / all of them.",
            expr,
            "A target that is down counts no errors: its outage is missing from the SLIs.",
        ),
        width=3,
        height=8,
        reads=(instant(expr),),
        look=Look(
            unit="percentunit",
            decimals=0,
            steps=steps(RED, ("0.5", ORANGE), (1, GREEN)),
            empty="no target",
        ),
    )
