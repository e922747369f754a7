"""The real thing: what is told, in which order, how it ends, and that nothing is left behind."""

import re
from collections.abc import Callable

import pytest
from tests.demo.conftest import FAST, PAGES, Played
from tests.grafana_server.serving import TOKEN
from tests.live import alertmanager as am
from tests.live import prometheus as prom

from sloforge.demo.script import AFTERMATH
from sloforge.demo.services import bad
from sloforge.demo.story import DAY, MINUTE, month

pytestmark = [
    pytest.mark.skipif(prom.binary() is None, reason="no prometheus on PATH"),
    pytest.mark.skipif(am.binary() is None, reason="no alertmanager on PATH"),
    pytest.mark.xdist_group("demo"),
]
SLOW = "AvailabilityHttpVerySlowBurn"


@pytest.fixture(scope="module")
def played(playing: Callable[[], Played]) -> Played:
    """All that is asked of a whole run is asked of this one: an outage that has just been mended."""
    return playing()


def test_a_script_that_has_seen_everything_ends_with_0_and_leaves_nothing(played):
    assert played.run.process.returncode == 0, played.run.text
    assert played.run.of("done") == ["all 6 things that had to happen have happened"]
    assert played.run.left_behind() == []


def test_the_addresses_come_first(played):
    lines = played.run.text.splitlines()
    assert [line.split("  ")[1] for line in lines[2:6]] == [
        "dashboards",
        "Prometheus",
        "Alertmanager",
        "the service",
    ]


def test_it_is_told_in_the_order_in_which_it_happens(played):
    words = [one for one in played.run.words() if one not in ("burn", "heartbeat")]
    assert words[:3] == ["build", "history", "deploy"]
    for earlier, later in (
        ("FIRING", "PAGE"),
        ("FIRING", "inhibited"),
        ("PAGE", "ended"),
        ("ended", "RESOLVED"),
        ("released", "TICKET"),
        ("RESOLVED", "done"),
    ):
        assert words.index(earlier) < words.index(later), played.run.text


def test_the_alerts_are_those_of_this_outage(played):
    names = {re.split(r"[ (:]", text)[0] for text in played.run.of("FIRING")}
    assert names == {FAST, SLOW}
    (held,) = played.run.of("inhibited")
    assert held.startswith(f"{SLOW} (ticket): held back by {FAST}")


def test_the_page_is_what_a_person_gets(played):
    slack = next(text for text in played.run.of("PAGE") if "Slack" in text)
    assert "a message in Slack #runtime-alerts: [PAGE] tensor-wasm/availability-http" in slack
    assert re.search(r"burns its error budget at \d+\.\dx over 1h and \d+\.\dx over 5m", slack)
    desk, boards = played.run.url("the service"), played.run.url("dashboards")
    assert f"Runbook    {desk}{PAGES[0]}" in slack
    assert f"Dashboard  {boards}/d/slo-incident?var-service=tensor-wasm" in slack
    assert any("PagerDuty wakes the on-call, critical" in one for one in played.run.of("PAGE"))
    assert any("PagerDuty" in one for one in played.run.of("RESOLVED"))


def test_the_links_lead_to_pages_and_to_nothing_else(played):
    assert played.pages[PAGES[0]].startswith("# ")
    assert played.pages[PAGES[1]] == "404"


def test_the_heartbeat_arrives(played):
    assert len(played.run.of("heartbeat")) == 1


def test_what_is_left_of_the_budget_is_what_was_not_spent(played):
    """Requests and errors added up minute by minute, without Prometheus."""
    assert AFTERMATH.ended is not None
    story = month(1_750_000_000)
    total = errors = 0.0
    for at in range(story.now - 30 * DAY, story.now, MINUTE):
        middle = at + MINUTE / 2
        state, load, busy = story.state(middle), story.load(middle), story.busyness(middle)
        if story.now - AFTERMATH.began <= at < story.now - AFTERMATH.ended:
            state = "outage"
        total += load
        errors += load * (busy * bad((state, "busy")) + (1 - busy) * bad((state, "brisk")))
    # Of the outage of now, slices of five minutes have not seen the last minute or so.
    minute = story.load(story.now) * bad(("outage", "busy")) / total / 0.005
    spent = errors / total / 0.005
    assert 1 - played.value("left") == pytest.approx(spent, abs=0.01 * spent + 1.5 * minute)


def test_no_budget_is_missing_or_no_number(played):
    found = {one["metric"]["slo_name"]: float(one["value"][1]) for one in played.answers["budgets"]}
    assert len(found) == 8
    assert {name for name, left in found.items() if not 0.2 < left <= 1} == set()


def test_the_day_has_fifty_times_the_traffic_of_the_night(played):
    assert played.value("most") / played.value("least") == pytest.approx(50, rel=0.1)


def episodes(answer, now):
    """When it began and ended, in days before now."""
    ((one),) = answer
    found, before = [], 0.0
    for at, value in one["values"]:
        if float(value) and not before:
            found.append(round((now - at) / DAY, 1))
        before = float(value)
    return found


@pytest.mark.parametrize(
    ("name", "days"),
    [("burning", [22.5, 16.0, 2.0]), ("slow", [9.1]), ("stuck", [2.0])],
)
def test_the_incidents_of_the_month_can_be_seen_where_they_were(played, name, days):
    ((one),) = played.answers[name]
    now = float(one["values"][-1][0])
    old = [day for day in episodes(played.answers[name], now) if day > 0.5]
    # In the first night only a handful were served at all, and any of them is a percentile.
    assert [day for day in old if name == "burning" or day < 22] == days


def test_the_alerts_of_the_month_are_on_record(played):
    assert 10 < played.value("fired") < 100


def test_percentiles_are_numbers(played):
    assert len(played.answers["quantiles"]) == 3
    assert all(0 < float(one["value"][1]) < 1 for one in played.answers["quantiles"])


def test_the_deployed_build_is_live_and_the_service_is_scraped(played):
    assert played.value("build") == 1
    assert played.answers["build"][0]["metric"]["project"] == "sloforge-demo"
    jobs = {one["metric"]["job"]: float(one["value"][1]) for one in played.answers["up"]}
    assert jobs == {"prometheus": 1, "queue-worker": 1, "tensor-wasm": 2}


def test_grafana_gets_the_dashboards_in_a_folder_of_their_own(played):
    (told,) = [text for text in played.run.of("deploy") if text.startswith("Grafana: ")]
    assert re.match(r"Grafana: \d+ changes, verified", told)
    writes = played.grafana.writes()
    (folder,) = [one.body for one in writes if one.path.endswith("/api/folders")]
    assert (folder["title"], folder["uid"]) == ("SLO demo", "slo-demo")
    boards = {one.body["dashboard"]["uid"] for one in writes if one.path.endswith("/dashboards/db")}
    assert boards == {"slo-fleet", "slo-incident", "slo-queue-worker", "slo-tensor-wasm"}
    assert TOKEN not in played.run.text
