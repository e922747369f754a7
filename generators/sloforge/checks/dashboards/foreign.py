"""Dashboards of mixins: whether Grafana can show them, and not whether we would draw them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sloforge.checks.dashboards import reads, shape
from sloforge.checks.dashboards.view import NAME, Json, Look

if TYPE_CHECKING:
    from sloforge.errors import Finding

PROMETHEUS = "prometheus"
# Grafana shows a board with these all the same, and somebody else wrote it.
_LENIENT = (shape.grid, shape.ids, reads.unknown_variables)


def foreign_findings(path: str, board: Json) -> Iterator[Finding]:
    """Errors for queries that no Prometheus takes, warnings for what Grafana works around."""
    board = _present(board)
    legacy = "rows" in board and not board.get("panels")
    seen = {**board, "panels": [_panel(p, board) for p in _panels(board, legacy=legacy)]}
    look = Look(path=path, board=seen, known=frozenset())
    yield from reads.parses(look)
    for rule in _LENIENT:
        if not (legacy and rule in (shape.grid, shape.ids)):
            yield from (replace(one, severity="warning") for one in rule(look))


def _present(part: Json) -> Json:
    """Without keys that hold nothing."""
    return {key: value for key, value in part.items() if value is not None}


def _panels(board: Json, *, legacy: bool) -> list[Json]:
    """Before Grafana 5 panels stood in rows, without a place and often without an id."""
    if legacy:
        return [panel for row in board["rows"] for panel in row.get("panels") or ()]
    return list(board.get("panels") or ())


def _panel(panel: Json, board: Json) -> dict[str, Any]:
    """With the queries alone that a Prometheus answers."""
    asked = [one for one in panel.get("targets") or () if _is_ours(one, panel, board)]
    inner = [_panel(one, board) for one in panel.get("panels") or ()]
    return {**_present(panel), "targets": asked} | ({"panels": inner} if inner else {})


def _is_ours(target: Json, panel: Json, board: Json) -> bool:
    if not target.get("expr"):
        return False
    source = target.get("datasource") or panel.get("datasource")
    if isinstance(source, Mapping):
        kind = source.get("type")
        if kind is not None:
            return bool(kind == PROMETHEUS)
        source = source.get("uid")
    named = NAME.fullmatch(str(source or ""))
    chosen = [
        one.get("query")
        for one in board.get("templating", {}).get("list") or ()
        if named and one.get("name") in (named[1], named[2]) and one.get("type") == "datasource"
    ]
    return chosen == [PROMETHEUS]
