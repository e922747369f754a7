"""Rules on queries and variables: that they parse, what they read, over how long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import promql_parser as parser

from sloforge.checks.dashboards.view import (
    NAME,
    about,
    is_counter,
    named,
    parsable,
    selectors,
)
from sloforge.specs import expressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.checks.dashboards.view import Json, Look
    from sloforge.errors import Finding

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}
ON_TIME_CHANGE = 2
MAX_RAW_RANGE = timedelta(hours=1)
_CALL = re.compile(r"(label_names|label_values|metrics|query_result)\((.*)\)", re.DOTALL)
_RATES = ("rate", "irate")
_INCREASES = (*_RATES, "increase", "resets", "changes", "absent", "absent_over_time")
_RATE_RANGE = re.compile(r"\[\s*\$(?:__rate_interval\b|\{__rate_interval\})\s*\]")


def datasource_variable(look: Look) -> Iterator[Finding]:
    """D001: no variable `datasource`, so that nobody can choose where the board reads."""
    found = [v for v in look.variables if v.get("type") == "datasource"]
    wanted = {"label": "Data source", "name": "datasource", "query": "prometheus"}
    if not found:
        remedy = "add a variable `datasource` of type datasource"
        yield look.wrong("D001", "the dashboard has no datasource variable", remedy)
    for variable in found:
        for key, value in wanted.items():
            if variable.get(key) != value:
                what = f"datasource variable: expected {key} `{value}`, got `{variable.get(key)}`"
                yield look.wrong("D001", what, "one name on all boards lets links carry it")


def variable_queries(look: Look) -> Iterator[Finding]:
    """D002: a variable whose query Grafana or Prometheus cannot read."""
    for variable in _queried(look):
        text = _variable_query(variable)
        call = _CALL.fullmatch(text.strip())
        if call is None:
            what = f"variable `{variable.get('name')}`: expected label_values(...), got `{text}`"
            yield look.wrong("D002", what, "or label_names, metrics, query_result")
            continue
        first = call[2].rpartition(",")[0] if call[1] == "label_values" else call[2]
        if first and call[1] in ("label_values", "query_result"):
            try:
                expressions.parse(parsable(first))
            except expressions.Unparsable as error:
                what = f"variable `{variable.get('name')}`: {error}"
                yield look.wrong("D002", what, "put the expression right")


def variable_refresh(look: Look) -> Iterator[Finding]:
    """D003: a variable that is not asked again when the time range changes."""
    for variable in _queried(look):
        if variable.get("refresh") != ON_TIME_CHANGE:
            what = f"variable `{variable.get('name')}`: refresh is {variable.get('refresh')}"
            yield look.wrong("D003", what, f"set {ON_TIME_CHANGE}, on time range change")


def _queried(look: Look) -> Iterator[Json]:
    yield from (v for v in look.variables if v.get("type") == "query")


def _variable_query(variable: Json) -> str:
    query = variable.get("query")
    return str(query.get("query", "") if isinstance(query, dict) else query or "")


def datasources(look: Look) -> Iterator[Finding]:
    """D004: a panel, query or variable that reads elsewhere than the chosen datasource."""
    remedy = "read `${datasource}`"
    for panel in look.panels:
        asked = [panel, *(panel.get("targets") or ())]
        if panel.get("type") != "text" and any(a.get("datasource") != DATASOURCE for a in asked):
            yield look.wrong("D004", f"{named(panel)}: reads another datasource", remedy)
    for variable in _queried(look):
        if variable.get("datasource") != DATASOURCE:
            what = f"variable `{variable.get('name')}`: reads another datasource"
            yield look.wrong("D004", what, remedy)
    for mark in look.marks:
        if mark.get("datasource") not in (DATASOURCE, GRAFANA):
            what = f"annotation `{mark.get('name')}`: reads another datasource"
            yield look.wrong("D004", what, remedy)


def parses(look: Look) -> Iterator[Finding]:
    """D008: a query that Prometheus would refuse."""
    for query in look.queries:
        try:
            expressions.parse(parsable(query.expr))
        except expressions.Unparsable as error:
            yield look.wrong("D008", f"{about(query)}: {error}", "put the expression right")


def rate_interval(look: Look) -> Iterator[Finding]:
    """D009: a rate over a fixed range, which is blind or coarse on another zoom."""
    for query, tree in look.parsed:
        calls = [part for part in expressions.walk(tree) if _is_call(part, _RATES)]
        raw = any(":" not in one.name for call in calls for one in selectors(call))
        if raw and len(_RATE_RANGE.findall(query.expr)) < len(calls):
            what = f"{about(query)}: a rate over another range than $__rate_interval"
            yield look.wrong("D009", what, "write [$__rate_interval]", severity="warning")


def counters(look: Look) -> Iterator[Finding]:
    """D010: the value of a counter itself, which only says when the process started."""
    for query, tree in look.parsed:
        for name in _bare(tree):
            what = f"{about(query)}: reads the counter {name} without rate or increase"
            yield look.wrong("D010", what, "write rate(...[$__rate_interval])")


def _bare(tree: Any) -> Iterator[str]:
    """Names ending in _total that stand in no rate, increase or the like."""
    if _is_call(tree, _INCREASES):
        return
    if isinstance(tree, parser.VectorSelector):
        if tree.name and ":" not in tree.name and tree.name.endswith("_total"):
            yield tree.name
        return
    for child in expressions.children(tree):
        yield from _bare(child)


def _is_call(part: Any, names: tuple[str, ...]) -> bool:
    return isinstance(part, parser.Call) and part.func.name in names


def unknown_variables(look: Look) -> Iterator[Finding]:
    """D013: `$name` where no variable has this name, which is sent as it stands."""
    known = {str(variable.get("name")) for variable in look.variables}
    for where, text in _with_variables(look):
        for found in dict.fromkeys(a or b for a, b in NAME.findall(text)):
            if found not in known and not found.startswith("__") and not found.isdigit():
                what = f"{where}: unknown variable `${found}`"
                names = ", ".join(sorted(known)) or "none"
                yield look.wrong("D013", what, f"known are {names}")


def _with_variables(look: Look) -> Iterator[tuple[str, str]]:
    for query in look.queries:
        yield about(query), query.expr
    for variable in _queried(look):
        yield f"variable `{variable.get('name')}`", _variable_query(variable)
    for panel in look.panels:
        yield named(panel), str(panel.get("title") or "")
        yield named(panel), str((panel.get("options") or {}).get("content") or "")
    for link in look.board.get("links") or ():
        yield f"link `{link.get('title')}`", str(link.get("url") or "")


def unrecorded(look: Look) -> Iterator[Finding]:
    """D014: a query on a series that neither a rule records nor any spec names."""
    for query, tree in look.parsed:
        for name in sorted({one.name for one in selectors(tree)} - look.known):
            what = f"{about(query)}: reads {name}, a series that nothing records"
            yield look.wrong("D014", what, "a panel on nothing stays empty")


def raw_ranges(look: Look) -> Iterator[Finding]:
    """D018: a scraped counter over more than an hour, at every refresh of every viewer."""
    for query, tree in look.parsed:
        for name in dict.fromkeys(_long(tree)):
            what = f"{about(query)}: reads the raw counter {name} over more than an hour"
            yield look.wrong("D018", what, "read what is recorded")


def _long(tree: Any) -> Iterator[str]:
    for part in expressions.walk(tree):
        if isinstance(part, parser.MatrixSelector) and _is_long(part.range):
            yield from _raw(part.vector_selector)
        if isinstance(part, parser.SubqueryExpr) and _is_long(part.range):
            yield from (name for one in selectors(part.expr) for name in _raw(one))


def _is_long(over: timedelta | None) -> bool:
    return over is not None and over > MAX_RAW_RANGE


def _raw(selector: Any) -> Iterator[str]:
    if selector.name and is_counter(selector.name):
        yield selector.name
