"""The kinds of service level indicator: each is one small type that answers the same questions."""

from __future__ import annotations

from sloforge.sli.base import Fixture, Phase, Series, Sli
from sloforge.sli.latency import Latency
from sloforge.sli.quantile import Quantile
from sloforge.sli.ratio import Ratio
from sloforge.sli.slices import Freshness, Threshold, Up

__all__ = [
    "Fixture",
    "Freshness",
    "Latency",
    "Phase",
    "Quantile",
    "Ratio",
    "Series",
    "Sli",
    "Threshold",
    "Up",
]
