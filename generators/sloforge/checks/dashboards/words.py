"""Rules on what a reader sees: titles, descriptions, units, empty panels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloforge.checks.dashboards.view import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.checks.dashboards.view import Json, Look
    from sloforge.errors import Finding

MIN_TITLE = 2
MIN_DESCRIPTION = 10
NUMERIC = ("bargauge", "gauge", "heatmap", "stat", "table", "timeseries")
READING = (*NUMERIC, "state-timeline", "status-history")
# Grafana's own ids (packages/grafana-data/src/valueFormats/categories.ts), by their families.
_UNITS = re.compile(
    r"none|string|short|sishort|percent|percentunit|humidity|dB|hex|hex0x|sci|locale|pixel|"
    r"bytes|decbytes|bits|decbits|(k|m|g|t|p|dec[kmgtp])bytes|"
    r"bps|binbps|binBps|Bps|([KMGTP]|[KMGTPE]i)(B|bit)s|[KMGTP]bits|[KMGTPE]Hs|"
    r"(c|op|req|r|w|io|e|m|p|rec|rows|mp)p?s|cps|ops|reqps|rps|wps|iops|eps|mps|pps|recps|rowsps|"
    r"[cormwe]pm|opm|reqpm|recpm|rowspm|"
    r"hertz|ns|µs|ms|s|m|h|d|dtdurationms|dtdurations|dthms|dtdhms|timeticks|clockms|clocks|"
    r"dateTime\w+|bool|bool_yes_no|bool_on_off|m?watt|kwatt|megwatt|gwatt|watth|kwatth|joule|"
    r"celsius|fahrenheit|kelvin|volt|[km]volt|amp|[km]amp|rotrpm|currency\w+|"
    r"(prefix|suffix|time|si|count|currency|bool):.+"
)


def titles(look: Look) -> Iterator[Finding]:
    """D005: a board or a panel without a title, or a panel without a description."""
    if len(str(look.board.get("title") or "")) < MIN_TITLE:
        yield look.wrong("D005", "the dashboard has no title", "say whose it is")
    for panel in look.panels:
        what = f"panel {panel.get('id')}: the title is missing or too short"
        if len(str(panel.get("title") or "").strip()) < MIN_TITLE:
            yield look.wrong("D005", what, "ask the question that it answers")
        elif len(str(panel.get("description") or "").strip()) < MIN_DESCRIPTION:
            what = f"{named(panel)}: the description is missing or too short"
            yield look.wrong("D005", what, "say how it is computed and what to do about it")


def units(look: Look) -> Iterator[Finding]:
    """D006: numbers without a unit, or with one that Grafana does not know."""
    for panel in look.panels:
        if panel.get("type") not in NUMERIC:
            continue
        config = panel.get("fieldConfig") or {}
        for unit in (config.get("defaults", {}).get("unit"), *_overrides(config)):
            if not isinstance(unit, str) or not _UNITS.fullmatch(unit):
                what = f"{named(panel)}: expected a unit of Grafana's, got `{unit or ''}`"
                yield look.wrong("D006", what, "such as s, percentunit, reqps, short or none")


def _overrides(config: Json) -> Iterator[object]:
    for override in config.get("overrides") or ():
        for one in override.get("properties") or ():
            if one.get("id") == "unit":
                yield one.get("value")


def no_queries(look: Look) -> Iterator[Finding]:
    """D007: a panel that should show data and asks for none."""
    for panel in look.panels:
        asked = [t for t in panel.get("targets") or () if t.get("expr")]
        if panel.get("type") in READING and not asked:
            yield look.wrong("D007", f"{named(panel)}: has no query", "add one or remove it")
