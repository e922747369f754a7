"""A real Prometheus with hours of known numbers, and a dashboard that holds everything odd."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.prometheus import Prometheus, prometheus

from promtool import backfill_openmetrics

Json = dict[str, Any]
# Wednesday, 7 January 2026, 12:00 UTC: what a page is asked for ends here.
END = 1_767_787_200
HOURS, STEP = 6, 60
START = END - HOURS * 3600
RANGE = f"from={START * 1000}&to={END * 1000}"

EVIL = (
    "<img src=x onerror=hacked=1>",
    "</script><script>hacked=1</script>",
    '"><svg onload=hacked=1>',
    "<a href='javascript:hacked=1'>x</a>",
    "<b>{{constructor}}</b>`${hacked=1}`",
    "javascript:hacked=1",
)
SLOS: tuple[tuple[str, str, str, float, float], ...] = (
    # Service, SLO, owner, objective, budget left.
    ("queue-worker", "iteration-freshness", "billing", 0.999, -0.5),
    ("tensor-wasm", "availability-http", "runtime", 0.995, 0.1234),
    ("tensor-wasm", "invoke-latency", "runtime", 0.95, 0.9),
)

Value = Callable[[int], float]


def still(value: float) -> Value:
    return lambda _: value


def stairs(height: float) -> Value:
    return lambda at: height * (1 + (at // 600) % 5)


def series() -> Iterator[tuple[str, dict[str, str], Value]]:
    for service, slo, owner, objective, left in SLOS:
        labels = {"slo_service": service, "slo_name": slo}
        yield "slo_info", labels | {"owner": owner, "tier": "1", "window": "30d"}, still(1)
        yield "slo:objective:ratio", labels, still(objective)
        yield "slo:error_budget:ratio", labels, still(1 - objective)
        yield "slo:period_error_budget_remaining:ratio", labels, still(left)
        yield "slo:period_burn_rate:ratio", labels, still(1 - left)
        yield "slo:current_burn_rate:ratio", labels, still(20 * (1 - left))
        yield "slo:sli_error:ratio_rate1h", labels, still((1 - objective) * 2)
        yield "slo:sli_error:ratio_rate5m", labels, stairs(1 - objective)
        yield "slo:sli_total:rate5m", labels, still(10)
        yield "slo:sli_errors:rate5m", labels, still(0.5)
    alert = {
        "alertname": "FreshBurn",
        "alertstate": "firing",
        "severity": "page",
        "slo_service": "queue-worker",
        "slo_name": "iteration-freshness",
    }
    yield "ALERTS", alert, lambda at: 1 if at >= END - 3600 else float("nan")
    for at, text in enumerate(EVIL):
        yield "evil", {"name": text, "place": f"p{at}"}, still(at + 0.25)
        yield "evil_state", {"name": text}, still(at % 2)
    yield "ramp", {}, lambda at: (at - START) / 100


def write(file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for name, labels, value in series():
            inside = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
            for at in range(START - 3600, END + 1, STEP):
                number = value(at)
                if not math.isnan(number):
                    out.write(f"{name}{{{inside}}} {number!r} {at}\n")
        out.write("# EOF\n")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Prometheus]:
    write(folder / "raw.om")
    backfill_openmetrics(folder / "raw.om", folder / "data")
    with prometheus(folder / "data") as server:
        yield server


@dataclass(frozen=True)
class Target:
    expr: str
    legend: str = "{{name}}"
    instant: bool = True
    table: bool = False

    def json(self, ref: str) -> Json:
        return {
            "refId": ref,
            "expr": self.expr,
            "legendFormat": self.legend,
            "instant": self.instant,
            "range": not self.instant,
            "format": "table" if self.table else "time_series",
        }


def panel(key: int, kind: str, *targets: Target, **more: Any) -> Json:
    at = key - 1
    return {
        "id": key,
        "type": kind,
        "title": f"{kind} {key}",
        "gridPos": {"x": at % 3 * 8, "y": at // 3 * 8, "w": 8, "h": 8},
        "targets": [one.json(chr(65 + n)) for n, one in enumerate(targets)],
        "fieldConfig": {"defaults": {"unit": "none"}, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "legend": {"showLegend": True, "calcs": ["lastNotNull"]}},
        **more,
    }  # fmt: skip


def odd() -> Json:
    """Names that want to be HTML in every place that a name can stand in."""
    links = [
        {"title": EVIL[0], "url": "javascript:hacked=1"},
        {"title": "${__value.text}", "url": "/d/odd?var-name=${__value.text}"},
    ]
    table = {
        "defaults": {},
        "overrides": [
            {
                "matcher": {"id": "byName", "options": "name"},
                "properties": [{"id": "links", "value": links}],
            }
        ],
    }
    words = {
        "unit": f"suffix:{EVIL[0]}",
        "mappings": [{"type": "value", "options": {"0": {"text": EVIL[2], "index": 0}}}],
    }
    prose = (
        "\n\n".join(EVIL)
        + "\n\n[click](javascript:hacked=1) [data](data:text/html,x) [fine](https://example.org/) **"
        + EVIL[0]
        + "**"
    )
    panels = [
        panel(1, "stat", Target("evil"), options={"textMode": "value_and_name", "reduceOptions": {"calcs": ["lastNotNull"]}}),
        panel(2, "timeseries", Target("evil", instant=False), fieldConfig={"defaults": words, "overrides": []}),
        panel(3, "bargauge", Target("evil")),
        panel(4, "table", Target("evil", table=True), fieldConfig=table),
        panel(5, "state-timeline", Target("evil_state", instant=False), fieldConfig={"defaults": words, "overrides": []}),
        panel(6, "text", description=prose, options={"mode": "markdown", "content": prose}),
        panel(7, "flamegraph", title=EVIL[0]),
        panel(8, "stat", Target("sum by (")),
        panel(14, "gauge", Target("evil")),
        panel(15, "stat", Target("up"), datasource={"type": "loki", "uid": "x"}),
        panel(9, "stat", Target("nothing_has_this_name"), fieldConfig={"defaults": {"noValue": "no traffic"}, "overrides": []}),
        panel(10, "timeseries", Target("nothing_has_this_name", instant=False)),
        panel(11, "timeseries", Target("ramp", "ramp", instant=False), Target("broken(", instant=False), Target("ramp * 2", EVIL[1], instant=False)),
        panel(12, "stat", Target('evil{name="$name"}', "$name"), title="of $name"),
        panel(13, "stat", Target('count(evil{place=~"$place"})', "$place"), repeat="place", maxPerRow=3, gridPos={"x": 0, "y": 40, "w": 24, "h": 4}),
    ]  # fmt: skip
    return {
        "uid": "odd",
        "title": EVIL[1],
        "description": EVIL[0],
        "tags": [EVIL[0]],
        "panels": panels,
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {"type": "link", "title": EVIL[0], "url": "javascript:hacked=1"},
            {
                "type": "link",
                "title": "Fine",
                "url": "/d/odd",
                "includeVars": True,
                "keepTime": True,
            },
        ],
        "templating": {
            "list": [
                {
                    "name": "name",
                    "label": EVIL[0],
                    "type": "query",
                    "query": {"query": "label_values(evil, name)"},
                },
                {
                    "name": "place",
                    "type": "query",
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "query": {"query": "label_values(evil, place)"},
                },
                {
                    "name": "broken",
                    "type": "query",
                    "query": {"query": "label_values(evil{, name)"},
                },
            ]
        },
        "annotations": {
            "list": [
                {
                    "name": EVIL[0],
                    "enable": True,
                    "iconColor": "red",
                    "expr": "evil > 4",
                    "titleFormat": "{{name}}",
                    "textFormat": "{{name}}",
                }
            ]
        },
    }
