"""Panels, variables and marks that more than one board has."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards.board import (
    BUDGET_STEPS,
    BURN_STEPS,
    GREEN,
    NO_DATA,
    NO_TRAFFIC,
    ORANGE,
    RED,
    YELLOW,
    Link,
    Look,
    Mark,
    Read,
    Variable,
    Words,
    steps,
)
from sloforge.promql import duration, number

if TYPE_CHECKING:
    from sloforge.model import Slo

FLEET = Link(title="All SLOs", url=f"/d/{naming.FLEET_UID}")
TAGS = ("slo", "sloforge")
REFRESH = "1m"

BUDGET_LOOK = Look(
    unit="percentunit",
    decimals=2,
    steps=BUDGET_STEPS,
    words=(NO_DATA,),
    empty="no traffic yet",
    maximum=Decimal(1),
)
BURN_LOOK = Look(unit="none", decimals=2, steps=BURN_STEPS, words=(NO_TRAFFIC,), empty="no traffic")
EXHAUSTION_LOOK = Look(
    unit="dtdurations",
    decimals=1,
    steps=steps(RED, (86_400, ORANGE), (259_200, YELLOW), (604_800, GREEN)),
    words=(
        Words(text="spent", color=RED, value=Decimal(0)),
        Words(text="not burning", color=GREEN),
    ),
    empty="not burning",
)


def instant(expr: str, legend: str = "") -> Read:
    """What a stat reads: the newest value and nothing else."""
    return Read(expr=expr, legend=legend, instant=True)


def rows(expr: str) -> Read:
    """What a table reads."""
    return Read(expr=expr, instant=True, table=True)


def places(slo: Slo) -> int:
    """Decimals that show a percentage one digit finer than its objective: 99.95 for 99.9."""
    if slo.objective is None:
        return 2
    exponent = (slo.objective * 100).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(2, 1 - exponent)


def percent(slo: Slo) -> str:
    """`99.5 %`."""
    return f"{number(slo.objective * 100)} %" if slo.objective is not None else "no objective"


def promise(slo: Slo) -> str:
    """`99.5 % over 30d`."""
    return f"{percent(slo)} over {duration(slo.window)}"


def slo_variable(*, many: bool) -> Variable:
    query = f'label_values({naming.INFO}{{slo_service="$service"}}, slo_name)'
    return Variable(name="slo", label="SLO", query=query, many=many)


def marks(service: str, *deploy_tags: str) -> tuple[Mark, ...]:
    """Firing alerts in the colour of their severity, and deploys; `service` is a matcher."""
    return (
        Mark(name="Pages", color=RED, expr=_firing(service, "page")),
        Mark(name="Tickets", color=ORANGE, expr=_firing(service, "ticket")),
        Mark(name="Deploys", color="blue", tags=("deploy", *deploy_tags)),
    )


def _firing(service: str, severity: str) -> str:
    return f'ALERTS{{{service},alertstate="firing",severity="{severity}"}}'


def incident_link(service: str) -> Link:
    url = f"/d/{naming.INCIDENT_UID}?var-service={service}"
    return Link(title="First look", url=url)


def formula(what: str, expr: str, then: str) -> str:
    """A description: what is shown, how it is computed, and what to do about it."""
    return f"{what}\n\n`{expr}`\n\n{then}"
