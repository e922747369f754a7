"""Sloth's alert windows: the catalogue that is built in, and files that replace it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sloforge.located.tree import Node
from sloforge.promql import duration, number, seconds
from sloforge.specs.foreign import Told, made
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.project import Context
from sloforge.specs.sloth_forms import WindowForm, WindowsForm
from sloforge.windows import FOUR_WINDOWS

KINDS = ("PrometheusServiceLevel", "AlertWindows")
BURNS = tuple(burn.name for burn in FOUR_WINDOWS.burns)
PAGE, TICKET = BURNS[:2], BURNS[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What an AlertWindows document comes to: a list of burns, and the period they are for."""

    period: str
    burns: Node


def is_windows(document: Node) -> bool:
    """Whether it is such a file."""
    kind = document.value.get("kind")
    return kind is not None and kind.value == KINDS[1]


def catalogue(documents: Sequence[Node], context: Context, told: Told) -> Windows | None:
    """The one catalogue, or among several the one for the project's window."""
    found: dict[str, Windows] = {}
    for document in filter(is_windows, documents):
        form = validated(WindowsForm, document, told.wrong)
        if isinstance(form, tuple):
            continue
        place = Place(document).at("spec")
        period = duration(form.spec.sloPeriod)
        if period in found:
            here = place.at("sloPeriod")
            told.wrong.append(here.wrong(f"duplicate windows for {period}", id_="S004"))
        found[period] = Windows(period=period, burns=_burns(form, place, told))
    wanted = duration(context.defaults.window)
    return found.get(wanted) or (next(iter(found.values())) if len(found) == 1 else None)


def _burns(form: WindowsForm, place: Place, told: Told) -> Node:
    burns = []
    names = iter(BURNS)
    for tier, part in (("page", form.spec.page), ("ticket", form.spec.ticket)):
        for speed, window in (("quick", part.quick), ("slow", part.slow)):
            here = place.at(tier, speed)
            burn = {
                "name": next(names),
                "severity": tier,
                "long": made(duration(window.longWindow), here.at("longWindow")),
                "short": made(duration(window.shortWindow), here.at("shortWindow")),
            } | _height(window, form.spec.sloPeriod, here, told)
            burns.append(made(burn, here))
    return made(burns, place)


def _height(window: WindowForm, period: timedelta, place: Place, told: Told) -> dict[str, Node]:
    """The share of the budget; a factor of 1 where that share goes while the SLO is met."""
    spend = Decimal(number(window.errorBudgetPercent / 100))
    factor = spend * seconds(period) / seconds(window.longWindow)
    here = place.at("errorBudgetPercent")
    if factor >= 1:
        return {"spend": made(spend, here)}
    shown = number(factor.quantize(Decimal("0.01")))
    told.change(here, f"a factor of {shown} fires while the SLO is met: it becomes 1")
    return {"factor": made(1, here)}
