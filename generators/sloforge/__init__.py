"""SLO specs in; recording rules, alerts, tests, dashboards, routes and runbooks out.

Its names are for specs in Python: `from sloforge import Service, Slo, ratio`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloforge.authoring import (
        Alerting,
        Burn,
        Dashboard,
        Http,
        Links,
        More,
        Panel,
        Query,
        Row,
        Service,
        Sli,
        Slo,
        Sloth,
        Step,
        freshness,
        latency,
        quantile,
        ratio,
        threshold,
        up,
        use,
    )

__version__ = "0.1.0"
__all__ = [
    "Alerting",
    "Burn",
    "Dashboard",
    "Http",
    "Links",
    "More",
    "Panel",
    "Query",
    "Row",
    "Service",
    "Sli",
    "Slo",
    "Sloth",
    "Step",
    "freshness",
    "latency",
    "quantile",
    "ratio",
    "threshold",
    "up",
    "use",
]


def __getattr__(name: str) -> object:
    """What specs in Python import, loaded with the first of its names: nothing else pays for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module("sloforge.authoring"), name)
    return found
