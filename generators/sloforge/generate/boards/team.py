"""The rows that a team wrote itself, below the generated ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloforge.generate.boards.board import (
    GREEN,
    Column,
    Graph,
    Grid,
    Look,
    Panel,
    Read,
    Section,
    Variable,
    steps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Query, Service, TeamPanel

_WIDTHS = {"stat": 6, "text": 24, "table": 24}
_HEIGHTS = {"stat": 4, "text": 4}
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def variables(service: Service) -> Iterator[Variable]:
    """The team's own variables, each with all values chosen."""
    for name, query in service.variables:
        label = name.replace("_", " ").capitalize()
        yield Variable(name=name, label=label, query=query, many=True)


def team(service: Service) -> Iterator[Section]:
    """Row by row, as written."""
    for row in service.rows:
        slug = f"team:{row.title}"
        panels = tuple(_panel(slug, service, panel) for panel in row.panels)
        yield Section(slug=slug, title=row.title, panels=panels, collapsed=row.collapsed)


def _panel(row: str, service: Service, panel: TeamPanel) -> Panel:
    return Panel(
        slug=f"{row}:{panel.title}",
        kind=panel.kind,
        title=panel.title,
        description=panel.description or _description(service, panel),
        width=_WIDTHS.get(panel.kind, 12),
        height=_HEIGHTS.get(panel.kind, 8),
        reads=tuple(_read(panel, query) for query in panel.queries),
        look=Look(
            unit=panel.unit,
            decimals=panel.decimals,
            steps=panel.thresholds or steps(GREEN),
            empty="no data",
        ),
        graph=Graph(
            thresholds="dashed" if panel.thresholds else "off",
            log=10 if panel.logarithmic else 0,
            stacked=panel.stacked,
        ),
        grid=_grid(panel),
        content=panel.content,
    )


def _description(service: Service, panel: TeamPanel) -> str:
    queries = "\n".join(f"`{query.expr}`" for query in panel.queries)
    return f"From {service.source.path}.\n\n{queries}".strip()


def _read(panel: TeamPanel, query: Query) -> Read:
    graph = panel.kind in ("timeseries", "state-timeline")
    return Read(
        expr=query.expr, legend=query.legend, instant=not graph, table=panel.kind == "table"
    )


def _grid(panel: TeamPanel) -> Grid:
    """The labels that the legend names become the columns, before the value."""
    if panel.kind != "table" or len(panel.queries) != 1:
        return Grid(columns=())
    labels = [Column(field=name, title=name) for name in _LABEL.findall(panel.queries[0].legend)]
    return Grid(columns=(*labels, Column(field="Value", title="Value")) if labels else ())
