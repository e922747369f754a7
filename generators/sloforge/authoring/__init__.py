"""The specs' own language in Python: `from sloforge import Service, Slo, ratio`."""

from __future__ import annotations

from sloforge.authoring.parts import (
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
    Step,
    freshness,
    latency,
    quantile,
    ratio,
    threshold,
    up,
    use,
)

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
    "Step",
    "freshness",
    "latency",
    "quantile",
    "ratio",
    "threshold",
    "up",
    "use",
]
