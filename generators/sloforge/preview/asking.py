"""The queries of a panel -> series, with every failure in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sloforge.errors import Problem
from sloforge.preview import source
from sloforge.preview.choosing import built_in
from sloforge.preview.context import COLUMNS, Context
from sloforge.preview.filling import filled, in_query, in_text
from sloforge.preview.moments import SCRAPE, duration, rate_interval, step
from sloforge.preview.series import Answered, Grid, Series, answered, named

Json = dict[str, Any]
# A panel's frame and its axis take this many pixels from its width.
MARGIN = 70
LEAST_POINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as it was sent, for people who want to ask it themselves."""

    ref: str
    expr: str
    step: float

    def as_json(self) -> Json:
        return {"ref": self.ref, "expr": self.expr, "step": self.step}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What the queries of a panel came to; `failures` and `notes` are sentences."""

    series: tuple[Series, ...] = ()
    grid: Grid
    queries: tuple[Query, ...] = ()
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()

    def of(self, ref: str) -> tuple[Series, ...]:
        return tuple(one for one in self.series if one.ref == ref)


def results(panel: Json, context: Context) -> Results:
    """Asks every query of the panel that is not hidden."""
    grid = _grid(panel, context)
    targets = [one for one in panel.get("targets") or () if _is_asked(one)]
    series: list[Series] = []
    queries: list[Query] = []
    failures: list[str] = []
    notes: list[str] = list(_unknown(panel))
    for target in targets:
        instant = bool(target.get("instant")) and not target.get("range")
        if other := _other_source(target, panel):
            failures.append(f"this asks {other}, and only Prometheus is asked here")
            continue
        ref, size = str(target.get("refId") or "A"), 0.0 if instant else grid.step
        expr = _expr(target, context, grid)
        queries.append(Query(ref=ref, expr=expr, step=size))
        try:
            found = _asked(expr, context, None if instant else grid, ref)
        except Problem as problem:
            failures.append(f"query {ref}: {problem}" if len(targets) > 1 else str(problem))
            continue
        legend = filled(str(target.get("legendFormat") or ""), context.scope, in_text)
        series += named(found, legend, expr)
        notes += found.notes
    return Results(
        series=tuple(series),
        grid=grid,
        queries=tuple(queries),
        failures=tuple(dict.fromkeys(failures)),
        notes=tuple(dict.fromkeys(notes)),
        refs=tuple(query.ref for query in queries),
    )


def _is_asked(target: object) -> bool:
    return isinstance(target, dict) and bool(target.get("expr")) and not target.get("hide")


def _other_source(target: Json, panel: Json) -> str:
    """The type of a data source that is no Prometheus, where the dashboard names one."""
    found = target.get("datasource") or panel.get("datasource")
    kind = str(found.get("type") or "") if isinstance(found, dict) else ""
    return kind if kind not in ("", "prometheus", "datasource", "mixed") else ""


def _unknown(panel: Json) -> Iterator[str]:
    for key in ("timeFrom", "timeShift"):
        if panel.get(key):
            yield f"`{key}` is not previewed: the panel shows the range of the dashboard"


def _grid(panel: Json, context: Context) -> Grid:
    """Steps as Grafana chooses them; both ends are multiples of a step, so that caches hit."""
    width = int((panel.get("gridPos") or {}).get("w", COLUMNS))
    points = panel.get("maxDataPoints") or context.width * width // COLUMNS - MARGIN
    size = step(context.over.seconds, max(int(points), LEAST_POINTS), _least(panel))
    start = context.over.start // size * size
    count = int((context.over.end // size * size - start) // size) + 1
    return Grid(start=start, step=size, count=max(count, 1))


def _least(panel: Json) -> float:
    text = str(panel.get("interval") or "").removeprefix(">")
    return duration(text) or SCRAPE


def _expr(target: Json, context: Context, grid: Grid) -> str:
    scrape = duration(str(target.get("interval") or "")) or SCRAPE
    known = built_in(context.over, grid.step, rate_interval(grid.step, scrape))
    return filled(str(target["expr"]), {**context.scope, **known}, in_query)


def _asked(expr: str, context: Context, grid: Grid | None, ref: str) -> Answered:
    if grid is None:
        at = context.over.end
        return answered(
            context.numbers.ask(source.instant(expr, at)), Grid(start=at, step=1, count=1), ref
        )
    end = grid.start + (grid.count - 1) * grid.step
    return answered(context.numbers.ask(source.over(expr, grid.start, end, grid.step)), grid, ref)
