"""Burns of another format that can never fire: other tools write them all the same, we leave out.

Only those are touched: what else is wrong with a burn is found when the native tree is read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sloforge.located import tree
from sloforge.located.tree import Node
from sloforge.promql import parse_duration
from sloforge.specs import burns
from sloforge.specs.foreign import Told, made
from sloforge.specs.forms import BurnForm
from sloforge.specs.mistakes import Place
from sloforge.specs.project import Context
from sloforge.windows import Burn

_BURNS = TypeAdapter(list[BurnForm])
_PERCENT = 100


def fitted(slo: Node, context: Context, told: Told) -> Node:
    """The SLO without the burns whose threshold is an error ratio of 1 or more."""
    objective = _number(slo.value.get("objective"))
    window = _window(slo.value.get("window"), context)
    alerting = slo.value.get("alerting")
    if objective is None or not 0 < objective < _PERCENT or window is None or alerting is None:
        return slo
    off = tree.plain(alerting).get("disable", [])
    budget = 1 - objective / _PERCENT
    never = [
        one.name
        for one in _burns(alerting, context)
        if one.name not in off and one.factor(window) * budget >= 1
    ]
    if not never:
        return slo
    for name in never:
        what = f"`{name}` can never fire with this objective and is left out"
        told.change(Place(slo.value["objective"]), what)
    here = Place(replace(alerting, value={}))
    names = {
        key: one
        for key, one in alerting.value.get("names", made({}, here)).value.items()
        if key not in never
    }
    rest = {key: one for key, one in alerting.value.items() if key != "names"}
    changed = rest | {"disable": made([*off, *never], here)}
    if names:
        changed["names"] = made(names, here)
    return replace(slo, value={**slo.value, "alerting": made(changed, here)})


def _burns(alerting: Node, context: Context) -> tuple[Burn, ...]:
    given: Any = tree.plain(alerting).get("burns", context.defaults.burns)
    if isinstance(given, str):
        policy = context.policies.get(given)
        return policy.burns if policy is not None else ()
    try:
        forms = _BURNS.validate_python(given)
    except ValidationError:
        return ()
    return tuple(
        burns.burn(form) for form in forms if (form.factor is None) != (form.spend is None)
    )


def _number(node: Node | None) -> Decimal | None:
    value = None if node is None else node.value
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _window(node: Node | None, context: Context) -> timedelta | None:
    if node is None:
        return context.defaults.window
    try:
        return parse_duration(str(node.value))
    except ValueError:
        return None
