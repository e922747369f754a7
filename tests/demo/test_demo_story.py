"""The story that history and service tell: its traffic, its incidents, and that it goes on."""

import math
from itertools import pairwise

import pytest

from sloforge.demo import services
from sloforge.demo.openmetrics import scraped
from sloforge.demo.script import AFTERMATH, OUTAGE
from sloforge.demo.service import Service
from sloforge.demo.services import INSTANCES, ROUTES, answers
from sloforge.demo.spreads import BOUNDS, KERNEL_BOUNDS
from sloforge.demo.story import (
    CONDITIONS,
    DAY,
    HOUR,
    INCIDENTS,
    MINUTE,
    State,
    Tally,
    Times,
    chunks,
    month,
)

# With the run that plays beside them.
pytestmark = pytest.mark.xdist_group("demo")
NOW = 1_750_000_000
STORY = month(NOW)


def test_the_day_has_fifty_times_the_traffic_of_the_night():
    loads = [STORY.load(NOW - at) for at in range(0, DAY, MINUTE)]
    assert max(loads) / min(loads) == pytest.approx(50, rel=0.1)
    assert max(loads) == pytest.approx(STORY.load(NOW), rel=0.1)


def test_there_are_four_incidents_in_the_month_and_none_now():
    assert len(INCIDENTS) == 4
    assert [STORY.state(NOW - one.before + 1) for one in INCIDENTS] == [
        one.state for one in INCIDENTS
    ]
    assert STORY.state(NOW) == "calm"
    assert all(one.before - one.length > DAY for one in INCIDENTS)


@pytest.mark.parametrize("days", [1, 4, 20])
def test_one_calm_day_is_like_the_other(days):
    for at in range(0, DAY, 601):
        assert STORY.load(NOW - at - days * DAY) == pytest.approx(STORY.load(NOW - at))
        assert STORY.busyness(NOW - at - days * DAY) == pytest.approx(STORY.busyness(NOW - at))


def test_a_tally_counts_what_an_integral_counts():
    start, end = NOW - 20 * MINUTE, NOW
    story = STORY.broken(NOW - 7 * MINUTE).mended(NOW - 2 * MINUTE)
    tally = Tally(start)
    for at in range(start, end, 15):
        tally.advance(story, at + 15)
    seconds: dict[State, float] = {"calm": 0.0, "outage": 0.0}
    for at in range(start, end):
        seconds[story.state(at + 0.5)] += story.load(at + 0.5)
    for state, requests in seconds.items():
        counted = tally.seen[state, "brisk"] + tally.seen[state, "busy"]
        assert counted == pytest.approx(requests, rel=1e-4)


def test_all_answers_of_a_route_are_all_of_its_requests():
    for route in ROUTES:
        for condition in CONDITIONS:
            total = sum(shares[condition] for shares in answers(route).values())
            assert total == pytest.approx(route.share)
    assert sum(route.share for route in ROUTES) == pytest.approx(1)


def test_in_an_outage_users_fail_and_probes_do_not():
    for route in ROUTES:
        shares = answers(route)
        failing = shares.get("503", dict.fromkeys(CONDITIONS, 0.0))["outage", "busy"] / route.share
        assert failing == (0 if route.probes else pytest.approx(0.96))


def test_buckets_only_grow():
    for instance in INSTANCES:
        rows: dict[str, list[float]] = {}
        text = scraped(instance, dict.fromkeys(CONDITIONS, 1e6), STORY.moment(NOW))
        for line in text.splitlines():
            if "_bucket{" in line:
                series, value = line.rsplit(" ", 1)
                rows.setdefault(series.split("le=")[0], []).append(float(value))
        assert all(row == sorted(row) for row in rows.values())
        assert all(len(row) in (len(BOUNDS), len(KERNEL_BOUNDS)) for row in rows.values())


def test_the_exposition_can_be_read_by_another_client():
    parser = pytest.importorskip("prometheus_client.parser")
    service = Service(STORY, Tally(NOW))
    for instance in INSTANCES:
        text = service.scraped(instance.name)
        assert text is not None
        families = list(parser.text_string_to_metric_families(text))
        kinds = {family.name: family.type for family in families}
        assert len(kinds) == len(families)
        if instance.job == services.TENSOR_WASM:
            assert kinds["tensor_wasm_http_requests"] == "counter"
            assert kinds["tensor_wasm_kernel_latency_seconds"] == "histogram"
    assert service.scraped("somebody-else") is None


def test_a_service_goes_on_where_the_history_ends(monkeypatch):
    tally = Tally(NOW - HOUR)
    times = Times(far=range(NOW - HOUR, NOW + 1, 300), zones=((NOW - HOUR, NOW),), now=NOW)
    *_, last = chunks(STORY, times, tally)
    service = Service(STORY, tally)
    clock = [NOW + 15.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    before = last.brisk[-1] + last.busy[-1]
    first = requests(service)
    assert first - before == pytest.approx(15 * STORY.load(NOW), rel=0.02)
    service.shatter()
    clock[0] += 60
    assert broken(service)
    assert requests(service, status="503") > 0.9 * 60 * STORY.load(NOW) * 0.95 * 0.96
    service.mend()
    failed = requests(service, status="503")
    clock[0] += 60
    assert not broken(service)
    assert requests(service, status="503") - failed < 10


def broken(service: Service) -> bool:
    return service.is_broken


def requests(service, status=""):
    text = service.scraped("tensor-wasm-1")
    lines = [
        line for line in text.splitlines() if line.startswith("tensor_wasm_http_requests_total")
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if f'status="{status}' in line)


@pytest.mark.parametrize("script", [OUTAGE, AFTERMATH], ids=lambda script: script.name)
def test_a_script_has_its_outage_in_the_past(script):
    story = script.story(NOW)
    assert story.state(NOW - script.began + 1) == "outage"
    assert story.state(NOW) == ("outage" if script.ended is None else "calm")
    assert math.isinf(story.episodes[-1].end) is (script.ended is None)


def test_samples_stand_evenly_where_a_rate_looks():
    day = (NOW - DAY - HOUR, NOW)
    incident = (NOW - 3 * DAY, NOW - 3 * DAY + HOUR)
    times = Times(far=range(NOW - 4 * DAY, NOW + 1, 300), zones=(incident, day), now=NOW)
    inside = [at for at in times.all() if incident[0] <= at <= incident[1]]
    assert {b - a for a, b in pairwise(inside)} == {120}
    last = [at for at in times.all() if at >= day[0]]
    assert {b - a for a, b in pairwise(last)} == {60, 30}
    assert last[-1] == NOW
    between = [at for at in times.all() if incident[1] + 300 < at < day[0]]
    assert {b - a for a, b in pairwise(between)} == {300}
