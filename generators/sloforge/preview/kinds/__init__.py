"""Panels by their type -> what the page draws; a type that is not known is shown as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sloforge.errors import Problem
from sloforge.preview.asking import Results, results
from sloforge.preview.context import Context
from sloforge.preview.kinds.bars import bars, gauge
from sloforge.preview.kinds.graph import graph
from sloforge.preview.kinds.stat import stat
from sloforge.preview.kinds.table import table
from sloforge.preview.kinds.timeline import timeline

Json = dict[str, Any]
Kind = Callable[[Json, Results, Context], Json]

KINDS: Mapping[str, Kind] = {
    "bargauge": bars,
    "gauge": gauge,
    "stat": stat,
    "state-timeline": timeline,
    "table": table,
    "timeseries": graph,
}


def drawn(panel: Json, context: Context) -> Json:
    """What is drawn, with the queries as they were sent, notes, and failures in words."""
    kind = str(panel.get("type"))
    if kind == "text":
        return _text(panel, context)
    if kind not in KINDS:
        what = f"panels of the type `{kind}` are not previewed; Grafana shows this one"
        return {"kind": "unknown", "message": what}
    found = results(panel, context)
    asked = {
        "queries": [query.as_json() for query in found.queries],
        "failures": list(found.failures),
        "notes": list(found.notes),
    }
    if not found.queries and not found.failures:
        return asked | {"kind": "words", "message": "this panel asks nothing"}
    if found.failures and not found.series:
        return asked | {"kind": "failed", "message": "\n".join(found.failures)}
    try:
        return asked | KINDS[kind](panel, found, context)
    except Problem as problem:
        return asked | {"kind": "failed", "message": str(problem)}


def _text(panel: Json, context: Context) -> Json:
    options = panel.get("options") or {}
    if options.get("mode", "markdown") == "markdown":
        return {"kind": "text", "nodes": context.prose(str(options.get("content") or ""))}
    content = context.text(str(options.get("content") or ""))
    return {"kind": "text", "nodes": [["pre", {}, content]]}
