"""Boards -> Grafana's JSON by way of grafanalib, put right for Grafana 10.4 and later.

grafanalib's own panels emit options from before Grafana 7. The subclasses here replace them, and
`modern` removes what the base classes still add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafanalib import core

from sloforge.generate.boards import fields
from sloforge.generate.boards.board import Section
from sloforge.generate.boards.layout import placed
from sloforge.generate.boards.modern import modern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sloforge.generate.boards.board import Board, Grid, Link, Mark, Panel, Read, Variable
    from sloforge.generate.boards.layout import Placed

Json = dict[str, Any]

# What Grafana 10.4 exports. Every later version migrates it; some refuse an older number.
SCHEMA_VERSION = 39
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}

_VARIABLE_REF = "PrometheusVariableQueryEditor-VariableQuery"


def dashboard(board: Board) -> Json:
    """One JSON for import by hand, for the API and for provisioning from files."""
    made = core.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.description,
        tags=list(board.tags),
        editable=False,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        schemaVersion=SCHEMA_VERSION,
        timezone="browser",
        refresh=board.refresh,
        time=core.Time(board.start, "now"),
        timePicker=core.TimePicker(["30s", "1m", "5m", "15m", "1h"], []),
        annotations=core.Annotations([_built_in(), *map(_mark, board.marks)]),
        templating=core.Templating(
            [_Datasource(board.datasource), *map(_variable, board.variables)]
        ),
        links=[_link(link) for link in board.links],
        panels=[_panel(one) for one in placed(board.sections)],
    )
    return modern(made)


class Target(core.Target):
    """A Prometheus query: an instant or a range, never both."""

    def to_json_data(self) -> Json:
        ours = {"editorMode": "code", "hide": None, "interval": None, "range": not self.instant}
        return dict(super().to_json_data()) | ours


class _Own(core.Panel):
    """A panel that says itself what stands in `fieldConfig` and `options`."""

    type = ""

    def __init__(self, of: Panel, **rest: Any) -> None:
        super().__init__(**rest)
        self.of = of

    def to_json_data(self) -> Json:
        config = {"defaults": self.defaults(), "overrides": self.overrides()}
        ours = {"type": self.type, "fieldConfig": config, "options": self.options()}
        return dict(self.panel_json(ours))

    def defaults(self) -> Json:
        return fields.defaults(self.of.look)

    def overrides(self) -> list[Json]:
        return []

    def options(self) -> Json:
        raise NotImplementedError


class Stat(_Own):
    type = "stat"

    def options(self) -> Json:
        return {
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": _last(),
            "showPercentChange": False,
            "textMode": "value_and_name" if any(r.legend for r in self.of.reads) else "value",
            "wideLayout": True,
        }


class BarGauge(_Own):
    type = "bargauge"

    def options(self) -> Json:
        return {
            "displayMode": "gradient",
            "legend": _legend(shown=False),
            "maxVizHeight": 300,
            "minVizHeight": 16,
            "minVizWidth": 8,
            "namePlacement": "auto",
            "orientation": "horizontal",
            "reduceOptions": _last(),
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        }


class TimeSeries(_Own):
    type = "timeseries"

    def defaults(self) -> Json:
        return super().defaults() | fields.graph(self.of.graph)

    def overrides(self) -> list[Json]:
        return [fields.dashed(read) for read in self.of.reads if read.dashed]

    def options(self) -> Json:
        return {
            "legend": _legend(calcs=["lastNotNull", "max"], mode="table"),
            "tooltip": {"mode": "multi", "sort": "desc"},
        }


class StateTimeline(_Own):
    type = "state-timeline"

    def defaults(self) -> Json:
        return super().defaults() | {"custom": {"fillOpacity": 80, "lineWidth": 0}}

    def options(self) -> Json:
        return {
            "alignValue": "left",
            "legend": _legend(shown=False),
            "mergeValues": True,
            "rowHeight": 0.9,
            "showValue": "never",
            "tooltip": {"mode": "single", "sort": "none"},
        }


class Table(_Own):
    type = "table"

    def defaults(self) -> Json:
        custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}
        return super().defaults() | {"custom": custom}

    def overrides(self) -> list[Json]:
        found = map(fields.column, self.of.grid.columns)
        return [override for override in found if override["properties"]]

    def options(self) -> Json:
        grid = self.of.grid
        order = [{"displayName": grid.sort, "desc": grid.descending}] if grid.sort else []
        return {"cellHeight": "sm", "frameIndex": 0, "showHeader": True, "sortBy": order}


class Text(_Own):
    type = "text"

    def defaults(self) -> Json:
        return {}

    def options(self) -> Json:
        return {"mode": "markdown", "content": self.of.content}


_KINDS: dict[str, type[_Own]] = {
    cls.type: cls for cls in (BarGauge, StateTimeline, Stat, Table, Text, TimeSeries)
}


class _Datasource(core.Template):
    """The first variable: the organisation's default Prometheus, unless the project names one."""

    def __init__(self, chosen: str) -> None:
        super().__init__(
            name="datasource", query="prometheus", label="Data source", type="datasource"
        )
        self.chosen = chosen

    def to_json_data(self) -> Json:
        # Grafana takes the default one only where both are `default`.
        current = {"text": self.chosen, "value": self.chosen}
        return dict(super().to_json_data()) | {"current": current, "regex": ""}


class _Query(core.Template):
    """A variable with the values that a query finds, asked again when the time range changes."""

    def __init__(self, of: Variable) -> None:
        super().__init__(
            name=of.name,
            label=of.label,
            query=of.query,
            dataSource=DATASOURCE,
            multi=of.many,
            includeAll=of.many,
            allValue=".*" if of.many else None,
            refresh=core.REFRESH_ON_TIME_RANGE_CHANGE,
        )

    def to_json_data(self) -> Json:
        everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
        return dict(super().to_json_data()) | {
            "current": everything if self.multi else None,
            "definition": self.query,
            "query": {"query": self.query, "refId": _VARIABLE_REF},
            "regex": "",
        }


def _variable(variable: Variable) -> Any:
    if not variable.fixed:
        return _Query(variable)
    return {
        "current": {"selected": False, "text": variable.query, "value": variable.query},
        "hide": core.HIDE_VARIABLE,
        "label": variable.label,
        "name": variable.name,
        "query": variable.query,
        "skipUrlSync": True,
        "type": "constant",
    }


def _panel(one: Placed) -> Any:
    box = one.box
    place = {"id": one.id, "gridPos": core.GridPos(box.height, box.width, box.x, box.y)}
    if isinstance(one.what, Section):
        under = [_panel(panel) for panel in one.under]
        collapsed = one.what.collapsed
        return core.RowPanel(title=one.what.title, collapsed=collapsed, panels=under, **place)
    panel = one.what
    return _KINDS[panel.kind](
        of=panel,
        title=panel.title,
        description=panel.description,
        dataSource=None if panel.kind == "text" else DATASOURCE,
        targets=[_target(at, read) for at, read in enumerate(panel.reads)],
        thresholds=[] if panel.kind == "text" else fields.steps(panel.look.steps),
        interval=panel.graph.interval or None,
        transformations=_transformations(panel.grid, panel.reads),
        maxDataPoints=None,  # grafanalib's 100 points are coarse; Grafana counts pixels
        **place,
    )


def _target(at: int, read: Read) -> Target:
    return Target(
        expr=read.expr,
        refId=ref_id(at),
        legendFormat=read.legend or "__auto",
        instant=read.instant,
        format="table" if read.table else "time_series",
        datasource=DATASOURCE,
    )


def ref_id(at: int) -> str:
    """A to Z, then AA, AB and so on, as Grafana's editor counts."""
    letter = chr(ord("A") + at % 26)
    return letter if at < 26 else ref_id(at // 26 - 1) + letter  # noqa: PLR2004 - the alphabet


def _transformations(grid: Grid, reads: Iterable[Read]) -> list[Json]:
    """Join by the key, keep and order the columns, sort."""
    if not grid.columns:
        return []
    names = [column.field for column in grid.columns]
    found: list[Json] = []
    if grid.key and len(list(reads)) > 1:
        found.append({"id": "joinByField", "options": {"byField": grid.key, "mode": "outer"}})
    found.append({"id": "filterFieldsByName", "options": {"include": {"names": names}}})
    titles = {column.field: column.title for column in grid.columns}
    order = {name: at for at, name in enumerate(names)}
    organize = {"excludeByName": {}, "indexByName": order, "renameByName": titles}
    found.append({"id": "organize", "options": organize})
    if grid.sort:
        by = [{"field": grid.sort, "desc": grid.descending}]
        found.append({"id": "sortBy", "options": {"fields": {}, "sort": by}})
    return found


def _last() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _legend(*, shown: bool = True, calcs: Iterable[str] = (), mode: str = "list") -> Json:
    return {"calcs": list(calcs), "displayMode": mode, "placement": "bottom", "showLegend": shown}


def _built_in() -> Json:
    return {
        "builtIn": 1,
        "datasource": _GRAFANA,
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }


def _mark(mark: Mark) -> Json:
    shown = {"enable": True, "hide": False, "iconColor": mark.color, "name": mark.name}
    if mark.tags:
        target = {"limit": 100, "matchAny": False, "tags": list(mark.tags), "type": "tags"}
        return shown | {"datasource": _GRAFANA, "target": target}
    return shown | {
        "datasource": DATASOURCE,
        "expr": mark.expr,
        "step": "60s",
        "tagKeys": "severity,slo_name",
        "textFormat": "{{slo_service}} {{slo_name}}",
        "titleFormat": "{{alertname}}",
        "useValueForTime": False,
    }


def _link(link: Link) -> Any:
    return core.DashboardLink(
        title=link.title,
        uri=link.url,
        type="link",
        keepTime=link.url.startswith("/"),
        icon="dashboard" if link.url.startswith("/") else "external link",
        targetBlank=not link.url.startswith("/"),
    )
