"""The month that is written: what the last calm day stands for is what the rules would record."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.demo.running import ROOT
from tests.live import prometheus as prom

from promtool import backfill_openmetrics
from sloforge.demo import layers, openmetrics
from sloforge.demo.history import STEP, Past, Recorder
from sloforge.demo.layers import Rule
from sloforge.demo.processes import Brood, free_ports
from sloforge.demo.servers import Place, Prometheus, Span, prometheus
from sloforge.demo.services import INSTANCES, series
from sloforge.demo.story import DAY, HOUR, MINUTE, Tally, Times, chunks, month

pytestmark = pytest.mark.xdist_group("demo")
NOW = 1_750_000_000
# Four calm days and the last incident.
PAST = Past(story=month(NOW), interval=60, length=4 * DAY)
RULES = layers.rules([(ROOT / "recording/tensor-wasm.yml").read_text(encoding="utf-8")])
READ = "tensor_wasm_http_requests_total"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Prometheus]:
    """Has the requests of all four days, close together."""
    if prom.binary() is None:
        pytest.skip("no prometheus on PATH")
    folder: Path = tmp_path_factory.mktemp("history")
    start = PAST.grid[0]
    times = Times(far=PAST.grid, zones=((start, NOW),), now=NOW)
    runs = tuple(chunks(PAST.story, times, Tally(start)))
    with (folder / "raw.om").open("w", encoding="utf-8") as file:
        for instance in INSTANCES:
            for one in series(instance):
                if one.name == READ:
                    file.writelines(openmetrics.past(instance, one, runs))
        file.write(openmetrics.END)
    backfill_openmetrics(folder / "raw.om", folder / "data")
    place = Place(port=free_ports((0,))[0], folder=folder)
    with prometheus(place, "{}", Brood(contextlib.nullcontext)) as (_, api):
        yield api


def rule(name: str) -> Rule:
    return next(r for r in RULES if r.name == name and r.labels["slo_name"] == "availability-http")


@pytest.mark.parametrize(
    "name",
    ["slo:sli_total:rate5m", "slo:sli_errors:rate5m", "slo:sli_error:ratio_rate1h"],
)
def test_a_day_that_is_copied_is_what_the_rule_records_on_it(server, name):
    mine = rule(name)
    assert mine.raw
    (points,) = Recorder(server, PAST).recorded(mine).values()
    recorded = dict(points)
    (whole,) = server.over(mine.expr, Span(start=PAST.grid[0], end=PAST.grid[-1], step=STEP))
    truth = {at: float(value) for at, value in whole["values"]}
    # What the longest window of a rule reads has to be there.
    shared = [at for at in recorded if at in truth and at > PAST.grid[0] + HOUR + STEP]
    copied = [at for at in shared if PAST.calm(at) != at]
    assert len(copied) > 2 * DAY / STEP
    # Counters are whole: at night a five minutes' rate is a few requests more or less.
    most = max(truth.values())
    for at in shared:
        assert float(recorded[at]) == pytest.approx(truth[at], rel=0.02, abs=0.01 * most), at


def test_an_incident_is_evaluated_where_it_was():
    (broker,) = PAST.incidents
    assert broker.start < NOW - 2 * DAY - 10 * MINUTE - 4 * MINUTE
    assert broker.end >= NOW - 2 * DAY + 6 * MINUTE + HOUR
    assert PAST.calm(broker.start) - broker.start == DAY


def test_every_moment_of_the_month_has_a_calm_one_on_the_grid():
    whole = Past(story=month(NOW), interval=10)
    day = whole.last_day
    for at in whole.grid:
        calm = whole.calm(at)
        assert (calm - at) % DAY == 0
        assert day.start <= calm <= NOW
        assert calm in whole.grid
        if calm != at:
            assert calm < NOW - 15 * MINUTE


def test_rules_stand_on_one_another_in_layers():
    found = {r.name: r.layer for r in RULES if r.labels.get("slo_name") == "availability-http"}
    assert found["slo:sli_total:rate5m"] == 0
    assert found["slo:sli_total:rate5m_5m"] == 1
    assert found["slo:sli_error:ratio_rate30d"] == 2
    assert found["slo:period_error_budget_remaining:ratio"] == 4
    assert rule("slo:sli_error:ratio_rate30d").period
    assert not rule("slo:sli_error:ratio_rate6h").raw
