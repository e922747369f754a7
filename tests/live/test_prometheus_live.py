"""The generated rules and dashboards on a real Prometheus that has seen three days and an outage."""

import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.live import history as past
from tests.live.alertmanager import until
from tests.live.boards import Board, Query
from tests.live.history import DAY, HOUR, INVOKE, MINUTE, PROBES, History
from tests.live.layers import Layer, backfill, depths, hastened, recorded
from tests.live.prometheus import SELF, Prometheus, RefusedError, Span, binary, prometheus

from promtool import backfill_openmetrics
from sloforge import specs
from sloforge.generate import GENERATORS, artifacts

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no prometheus on PATH"),
    pytest.mark.xdist_group("prometheus"),
]

# Base series that are recorded too often would outweigh those of the history; alerts weigh nothing.
INTERVAL, ALERT_INTERVAL, PATIENCE = "10s", "1s", 40.0
# How far back the windows and the budget are recorded, and a dashboard is opened.
RECENT = 3 * HOUR
BASE = ("slo:sli_total:rate5m", "slo:sli_errors:rate5m")

# Worked out by hand from the incidents of the history and the workbook's factors.
FIRING = {
    "Watchdog",
    "AvailabilityHttpFastBurn",
    "AvailabilityHttpSlowBurn",
    "AvailabilityHttpVerySlowBurn",
    "AvailabilityHttpBudgetExhausted",
    "ErrorRateInvokeFastBurn",
    "ErrorRateInvokeVerySlowBurn",
    "ErrorRateInvokeBudgetExhausted",
    "InvokeP95High",
    "IterationFreshnessFastBurn",
    "IterationFreshnessSlowBurn",
    "IterationFreshnessVerySlowBurn",
    "IterationFreshnessBudgetExhausted",
}
PAGING = {
    "AvailabilityHttpFastBurn",
    "AvailabilityHttpSlowBurn",
    "ErrorRateInvokeFastBurn",
    "InvokeP95High",
    "IterationFreshnessFastBurn",
    "IterationFreshnessSlowBurn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A server, what happened before it started, and when it was asked."""

    server: Prometheus
    past: History

    @property
    def end(self) -> int:
        return self.past.end


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("prometheus")
    happened = past.history(int(time.time()))
    past.write(happened, folder / "raw.om")
    backfill_openmetrics(folder / "raw.om", folder / "data")
    files = _generated("recording"), _generated("rules")
    backfill(folder / "data", _layers(recorded(files[0]), happened))
    copies = hastened(files[0], folder, INTERVAL) + hastened(files[1], folder, ALERT_INTERVAL)
    with prometheus(folder / "data", _config(copies)) as server:
        until(lambda: _evaluated(server), lambda: f"not evaluated: {_pending(server)}", PATIENCE)
        yield World(server=server, past=happened)


def _generated(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).glob("*.yml"))
    assert found, f"nothing in {folder}/; run `make build`"
    return found


def _layers(rules: tuple[Mapping[str, Any], ...], happened: History) -> Iterator[Layer]:
    """What long windows add up, over the whole history; the rest, for as long as boards show it."""
    depth = depths(rules)
    for level in sorted(set(depth.values())):
        for long in (True, False):
            minutes = 5 if level and long else 1
            mine = [
                rule
                for rule in rules
                if depth[rule["record"]] == level
                and rule["record"].removesuffix("_5m").startswith(BASE) is long
            ]
            if mine:
                yield Layer(
                    name=f"layer-{level}-{'long' if long else 'recent'}",
                    rules=tuple(mine),
                    span=Span(
                        start=happened.start if long else happened.end - RECENT,
                        end=happened.end,
                        step=minutes * MINUTE,
                    ),
                )


def _config(rule_files: list[str]) -> dict[str, Any]:
    """Prometheus' own metrics are scraped, as a board asks for failed evaluations."""
    return {
        "global": {"evaluation_interval": INTERVAL, "scrape_interval": "1s"},
        "rule_files": rule_files,
        "scrape_configs": [{"job_name": "prometheus", "static_configs": [{"targets": [SELF]}]}],
    }


def _evaluated(server: Prometheus) -> bool:
    """Each rule once, and alerts so often that they are on record: not before the third time."""
    firing = [one for one in server.alerts() if one["state"] == "firing"]
    recorded_now = server.instant('ALERTS{alertstate="firing"}', time.time()).series
    return not _pending(server) and len(firing) == len(recorded_now) > 0


def _pending(server: Prometheus) -> list[str]:
    return [rule["name"] for rule in server.rules() if rule["health"] == "unknown"]


def test_every_rule_is_healthy_after_an_evaluation(world):
    rules = world.server.rules()
    assert len(rules) > 200
    sick = [(r["name"], r["health"], r.get("lastError", "")) for r in rules if r["health"] != "ok"]
    assert sick == []


# What each SLI counts, and the bad part of it, in shares of the history's traffic.
def _users(route):
    return route.path not in PROBES


def _invocations(route):
    return route.path == INVOKE


COUNTED = {
    "availability-http": (past.failed_requests(_users), past.all_requests(_users)),
    "error-rate-invoke": (past.failed_requests(_invocations), past.all_requests(_invocations)),
    "invoke-latency": (past.slow_invocations("0.5"), past.answered_invocations()),
    "invoke-latency-host": (past.slow_invocations("0.1"), past.answered_invocations()),
}
BUDGETS = {
    "availability-http": 0.005,
    "error-rate-invoke": 0.01,
    "invoke-latency": 0.05,
    "invoke-latency-host": 0.05,
}
WINDOWS = {"5m": 5 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "1d": DAY, "3d": 3 * DAY, "30d": 30 * DAY}


@pytest.mark.parametrize("slo", COUNTED)
@pytest.mark.parametrize("window", WINDOWS)
def test_an_error_ratio_is_what_happened(world, slo, window):
    bad, total = COUNTED[slo]
    # Six hours are added up from samples that each look five minutes back: half of that is late.
    late = 2.5 * MINUTE if window == "6h" else 0
    truth = world.past.ratio(bad, total, WINDOWS[window], world.end - late)
    query = f'slo:sli_error:ratio_rate{window}{{slo_name="{slo}"}}'
    assert world.server.value(query, world.end) == pytest.approx(truth, rel=0.02)


def test_a_quiet_night_does_not_weigh_as_much_as_a_day(world):
    bad, total = COUNTED["error-rate-invoke"]
    truth = world.past.ratio(bad, total, past.LENGTH, world.end)
    rate = '{slo_name="error-rate-invoke"}'
    averaged = f"avg_over_time(({BASE[1]}{rate} / {BASE[0]}{rate})[3d:5m])"
    assert world.server.value(averaged, world.end) > 1.4 * truth


@pytest.mark.parametrize("slo", COUNTED)
def test_the_budget_that_is_left_is_what_was_not_spent(world, slo):
    bad, total = COUNTED[slo]
    burnt = world.past.ratio(bad, total, past.LENGTH, world.end) / BUDGETS[slo]
    query = f'slo:period_error_budget_remaining:ratio{{slo_name="{slo}"}}'
    assert 1 - world.server.value(query, world.end) == pytest.approx(burnt, rel=0.02)


@pytest.mark.parametrize(("window", "seconds"), [("1h", HOUR), ("6h", 6 * HOUR), ("1d", DAY)])
def test_a_stuck_worker_is_bad_from_its_fifth_minute_on(world, window, seconds):
    truth = (past.STUCK - 5 * MINUTE) / seconds
    query = f'slo:sli_error:ratio_rate{window}{{slo_name="iteration-freshness"}}'
    # The base is recorded over five minutes: the newest errors are not yet in all of its samples.
    late = 2.5 * MINUTE / seconds
    assert truth - late - 0.001 < world.server.value(query, world.end) < truth + 0.01


def test_a_percentile_lies_where_the_buckets_say(world):
    # 85 % take at most 1 s and all at most 2.5 s: the 95th percentile is two thirds of the way.
    query = 'slo:sli_quantile:rate5m{slo_name="invoke-p95"}'
    assert world.server.value(query, world.end) == pytest.approx(2.0, rel=0.01)


def test_the_alerts_of_this_outage_fire_and_no_other(world):
    firing = [one["labels"] for one in world.server.alerts() if one["state"] == "firing"]
    assert {one["alertname"] for one in firing} == FIRING
    assert {one["alertname"] for one in firing if one["severity"] == "page"} == PAGING
    assert len(firing) == len(FIRING)


def test_what_an_alert_says_is_complete(world):
    said = {
        one["labels"]["alertname"]: one["annotations"]
        for one in world.server.alerts()
        if one["state"] == "firing"
    }
    holes = ("<no value>", "error expanding template", "unknown", "NaN", "Inf", "{{")
    texts = [(name, text) for name, texts in said.items() for text in texts.values()]
    assert [one for one in texts if any(hole in one[1] for hole in holes)] == []
    burn = said["AvailabilityHttpFastBurn"]["description"]
    assert burn.startswith("tensor-wasm/availability-http burns its error budget at ")
    assert re.search(
        r" over 1h and 59\.\dx over 5m \(alert above 14\.4x\)\. Budget left: -\d{3}", burn
    )
    assert burn.endswith("At this rate it is gone in 0s.")


# Panels.

SHOWN_AT_ONCE = ("stat", "bargauge", "table", "gauge")
# Of a percentunit that is no share of anything but may exceed a budget.
BEYOND_ONE = {
    "Budget left",
    "Which budgets are lowest?",
    "Is the budget spent faster than it should be?",
    "Spent in this view",
    "What did a day cost?",
}
NEVER_FIRED = (
    "healthz-p95",
    "healthz-latency",
    "invoke-latency",
    "invoke-latency-host",
    "dispatch-p95",
    "dispatch-latency-host",
    "dispatch-latency-cuda",
    "service-state",
)
# The prober's planes have tests of their own; this history does not play them.
UNPLAYED = 'slo_service="workload-planes"'
# What has no data in this history: a panel, and a part of the query.
EMPTY = (
    *(("When did its alerts fire?", f'slo_name="{slo}"') for slo in NEVER_FIRED),
    ("Time to exhaustion", 'slo_name="service-state"'),  # burns nothing
    ("Is traffic as it was a week ago?", "offset 1w"),  # three days are not a week
    ("Which routes fail?", 'slo_service="queue-worker"'),  # speaks no HTTP
)


@pytest.fixture(scope="session")
def boards(tmp_path_factory) -> Path:
    """The folder of the dashboards; generated where they have not been."""
    if any((ROOT / "dashboards").glob("*.json")):
        return ROOT / "dashboards"
    folder: Path = tmp_path_factory.mktemp("boards")
    project = specs.load(ROOT, runbooks=False)
    for artifact in artifacts(project, [g for g in GENERATORS if g.name == "dashboards"]):
        (folder / Path(artifact.path).name).write_text(artifact.text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "uid", ["slo-tensor-wasm", "slo-queue-worker", "slo-fleet", "slo-incident"]
)
def test_every_query_of_a_dashboard_answers(world, boards, uid):
    now = time.time()
    span = Span(start=now - RECENT, end=now, step=MINUTE)
    board = Board(boards / f"{uid}.json", span)
    asked = [one for chosen in board.choices(world.server) for one in board.queries(chosen)]
    assert asked
    wrong = [f"{one}\n  {what}" for one in asked for what in _wrong(world.server, one, span)]
    assert "\n".join(wrong) == ""


def _wrong(server: Prometheus, query: Query, span: Span) -> Iterator[str]:
    """What is wrong with the answer."""
    try:
        at_once = query.instant
        answer = server.instant(query.expr, span.end) if at_once else server.over(query.expr, span)
    except RefusedError as refused:
        yield str(refused)
        return
    if answer.warnings:
        yield f"warned: {answer.warnings}"
    yield from _wrong_points(query, list(answer.points()))


def _wrong_points(query: Query, points: list[float]) -> Iterator[str]:
    known = any(panel == query.panel and part in query.expr for panel, part in EMPTY)
    known = known or UNPLAYED in query.expr
    if not points and not known:
        yield "nothing"
    if query.kind in SHOWN_AT_ONCE and not all(map(math.isfinite, points)):
        yield f"not a number: {points}"
    shares = query.unit == "percentunit" and query.panel not in BEYOND_ONE
    if shares and not all(0 <= point <= 1 for point in points):
        yield f"not a share: {min(points)} to {max(points)}"
