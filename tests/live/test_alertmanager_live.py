import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import toy_project
from tests.live import alertmanager as live

from sloforge import amtool, specs
from sloforge.checks.alertmanager import alertmanager_findings
from sloforge.generate import GENERATORS, artifacts
from sloforge.generate.alertmanager import FILE, alertmanager, config
from sloforge.model import Project

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "alertmanager" / "templates"
pytestmark = pytest.mark.skipif(live.binary() is None, reason="no alertmanager on PATH")

# Who is told of what, typed by hand.
RECEIVERS = {
    ("runtime", "page"): "runtime-page",
    ("runtime", "ticket"): "runtime-ticket",
    ("billing", "page"): "billing-page",
    ("billing", "ticket"): "billing-ticket",
}
BURN_TEXT = (
    "tensor-wasm/availability-http burns its error budget at 20.0x over 1h and 15.0x over 5m "
    "(alert above 14.4x). Budget left: 61.2%. At this rate it is gone in 22h 1m 55s."
)


@pytest.fixture(scope="module")
def project() -> Project:
    return specs.load(ROOT, runbooks=False)


@pytest.fixture(scope="module")
def alerts(project) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Every generated alert as Prometheus sends it, by service, SLO and name."""
    return _alerts(project)


def _alerts(project: Project) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {}
    for artifact in artifacts(project, [one for one in GENERATORS if one.name == "rules"]):
        for group in yaml.safe_load(artifact.text)["groups"]:
            for rule in group["rules"]:
                labels = rule["labels"] | {"alertname": rule["alert"]}
                key = (labels.get("slo_service", ""), labels.get("slo_name", ""), rule["alert"])
                found[key] = {"labels": labels, "annotations": rule["annotations"]}
    return found


@pytest.fixture
def server(project, tmp_path):
    with live.alertmanager(config(project), TEMPLATES, tmp_path) as running:
        yield running


def test_what_is_generated_passes_amtool_and_our_own_rules(project, tmp_path):
    (artifact,) = alertmanager(project)
    file = tmp_path / FILE
    file.parent.mkdir()
    file.write_text(artifact.text)
    shutil.copytree(TEMPLATES, file.parent / "templates")
    assert list(alertmanager_findings(tmp_path, project)) == []


def test_every_alert_goes_to_its_owner_by_severity(project, alerts, tmp_path):
    tool = amtool.locate()
    (artifact,) = alertmanager(project)
    file = tmp_path / "alertmanager.yml"
    file.write_text(artifact.text)
    cases = [one["labels"] for one in alerts.values()]
    assert len(cases) > 20
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda labels: tool.routes(file, labels), cases))
    wanted = [
        ("watchdog",)
        if labels["alertname"] == "Watchdog"
        else (RECEIVERS[labels["owner"], labels["severity"]],)
        for labels in cases
    ]
    assert got == wanted


TW, HTTP = "tensor-wasm", "availability-http"
FAST, SLOW, VERY_SLOW = (
    (TW, HTTP, f"AvailabilityHttp{speed}Burn") for speed in ("Fast", "Slow", "VerySlow")
)
HALF, SPENT, STALE = (
    (TW, HTTP, f"AvailabilityHttp{kind}")
    for kind in ("HalfBudgetInADay", "BudgetExhausted", "RulesStale")
)
DOWN = (TW, "", "TensorWasmDown")
GONE = (TW, "", "TensorWasmInstrumentationGone")
QUANTILE = (TW, "invoke-p95", "InvokeP95High")
SPENT_ELSEWHERE = (TW, "error-rate-invoke", "ErrorRateInvokeBudgetExhausted")
OTHER_FAST = ("queue-worker", "iteration-freshness", "IterationFreshnessFastBurn")
OTHER_VERY_SLOW = ("queue-worker", "iteration-freshness", "IterationFreshnessVerySlowBurn")
OTHER_DOWN = ("queue-worker", "", "QueueWorkerDown")


@pytest.mark.parametrize(
    ("firing", "silenced"),
    [
        pytest.param([FAST, SLOW, VERY_SLOW], [SLOW, VERY_SLOW], id="the fastest burn is enough"),
        pytest.param([SLOW, VERY_SLOW], [VERY_SLOW], id="a page is enough"),
        pytest.param([VERY_SLOW], [], id="a ticket alone"),
        pytest.param([FAST, HALF, SPENT], [SPENT], id="a page over the spent budget"),
        pytest.param([SPENT, VERY_SLOW], [VERY_SLOW], id="the spent budget over its burn"),
        pytest.param([FAST, STALE], [], id="stale rules are always told"),
        pytest.param([DOWN, FAST, SLOW, VERY_SLOW, QUANTILE], "all but the first", id="down"),
        pytest.param([DOWN, HALF, SPENT, GONE], [SPENT], id="down leaves what the budget is like"),
        pytest.param([DOWN, OTHER_FAST, OTHER_DOWN], [OTHER_FAST], id="each service for itself"),
        pytest.param([OTHER_DOWN, FAST], [], id="another service is down"),
        pytest.param([FAST, OTHER_VERY_SLOW], [], id="another service burns"),
        pytest.param([FAST, SPENT_ELSEWHERE], [], id="another SLO of the service is spent"),
        pytest.param([GONE, FAST], [], id="a ticket silences no page"),
        pytest.param([("", "", "Watchdog"), FAST, DOWN], [FAST], id="the watchdog is never silent"),
    ],
)
def test_one_incident_wakes_once(server, alerts, firing, silenced):
    quiet = {key[2] for key in (firing[1:] if silenced == "all but the first" else silenced)}
    loud = {key[2] for key in firing} - quiet
    server.post(*(alerts[key] for key in firing))
    assert server.sink.wait_until_told(loud) == loud
    states = {one["labels"]["alertname"]: one["status"]["state"] for one in server.alerts()}
    assert states == dict.fromkeys(quiet, "suppressed") | dict.fromkeys(loud, "active")


def test_an_inhibited_alert_says_by_whom_and_is_not_sent(server, alerts):
    server.post(alerts[FAST], alerts[VERY_SLOW])
    server.sink.wait_for("webhook", "runtime-page")
    # Posted later, it is sent later than the other ticket would have been.
    server.post(alerts[GONE])
    server.sink.wait_for("webhook", "runtime-ticket")
    by_name = {one["labels"]["alertname"]: one for one in server.alerts()}
    status = by_name[VERY_SLOW[2]]["status"]
    assert status["state"] == "suppressed"
    assert status["inhibitedBy"] == [by_name[FAST[2]]["fingerprint"]]
    told = [(one.receiver, one.alerts) for one in server.sink.of("webhook")]
    assert told == [("runtime-page", {FAST[2]}), ("runtime-ticket", {GONE[2]})]


def test_everybody_is_told_of_their_own(server, alerts):
    foreign = {"labels": {"alertname": "DiskFull", "severity": "page"}, "annotations": {}}
    stale = alerts["queue-worker", "iteration-freshness", "IterationFreshnessRulesStale"]
    watchdog = alerts["", "", "Watchdog"]
    server.post(alerts[DOWN], alerts[GONE], alerts[OTHER_DOWN], stale, watchdog, foreign)
    told = {
        receiver: {name for one in server.sink.wait_for("webhook", receiver) for name in one.alerts}
        for receiver in (*RECEIVERS.values(), "fallback", "watchdog")
    }
    assert told == {
        "runtime-page": {"TensorWasmDown"},
        "runtime-ticket": {"TensorWasmInstrumentationGone"},
        "billing-page": {"QueueWorkerDown"},
        "billing-ticket": {"IterationFreshnessRulesStale"},
        "fallback": {"DiskFull"},
        "watchdog": {"Watchdog"},
    }


def test_the_watchdog_keeps_calling(server, alerts):
    server.post(alerts["", "", "Watchdog"])
    assert len(server.sink.wait_for("webhook", "watchdog", count=3)) >= 3


def test_an_slo_and_a_severity_make_one_message(server, alerts):
    other = (TW, "dispatch-p95", "DispatchP95High")
    server.post(alerts[FAST], alerts[HALF], alerts[other])
    messages = server.sink.wait_for("webhook", "runtime-page", count=2)
    assert {one.body["groupLabels"]["slo_name"]: one.alerts for one in messages} == {
        HTTP: {FAST[2], HALF[2]},
        "dispatch-p95": {other[2]},
    }
    groups = {one.body["groupLabels"]["slo_name"]: one.body["groupLabels"] for one in messages}
    assert groups[HTTP] == {"slo_service": TW, "slo_name": HTTP, "severity": "page"}


def test_a_page_of_one_region_hides_only_its_own_ticket(tmp_path):
    project = toy_project.load(tmp_path)
    found = _alerts(project)
    fast, slow, very_slow = (
        found["cart", "answers", f"Answers{speed}Burn"] for speed in ("Fast", "Slow", "VerySlow")
    )

    def there(alert: dict[str, Any], region: str) -> dict[str, Any]:
        return alert | {"labels": alert["labels"] | {"region": region}}

    posted = [there(fast, "eu"), there(slow, "eu"), there(very_slow, "eu")]
    posted += [there(slow, "us"), there(very_slow, "asia")]
    with live.alertmanager(config(project), TEMPLATES, tmp_path) as server:
        server.post(*posted)
        told = server.sink.wait_for("webhook", "sales-page")[0]
        server.sink.wait_for("webhook", "sales-ticket")
        sent = server.alerts()
    silent = [one["labels"] for one in sent if one["status"]["state"] == "suppressed"]
    assert {(one["alertname"], one["region"]) for one in silent} == {
        ("AnswersSlowBurn", "eu"),
        ("AnswersVerySlowBurn", "eu"),
    }
    assert {
        (one["labels"]["alertname"], one["labels"]["region"]) for one in told.body["alerts"]
    } == {
        ("AnswersFastBurn", "eu"),
        ("AnswersSlowBurn", "us"),
    }


RUNBOOK = "https://runbooks.example.org/tensor-wasm/availability-fast-burn.md"
BOARD = "https://grafana.example.org/d/slo-incident?var-service=tensor-wasm"
BOARD += "&var-slo=availability-http&from=now-3h&to=now"
QUERY = "http://prometheus.example.org/graph?g0.expr=x"
SILENCE = (
    "http://alerts.example.org/#/silences/new?filter=%7Bslo_service%3D%22tensor-wasm%22%2C"
    "slo_name%3D%22availability-http%22%2Cseverity%3D%22page%22%7D"
)
SLACK = f"""\
:rotating_light: *Act now.* Acknowledge, then follow the runbook.

*AvailabilityHttpFastBurn (over 1h and 5m)*
{BURN_TEXT}
_Since 03:12 UTC, owner runtime_
:book: <{RUNBOOK}|Runbook>  :bar_chart: <{BOARD}|Dashboard>  :mag: <{QUERY}|Query>

:no_bell: <{SILENCE}|Silence>"""
PAGER = f"""\
AvailabilityHttpFastBurn (over 1h and 5m)
{BURN_TEXT}
Since 2026-03-14 03:12 UTC
Runbook: {RUNBOOK}
Dashboard: {BOARD}"""


def _fired(alert: dict[str, Any], description: str, **more: str) -> dict[str, Any]:
    """As Prometheus sends it: the templates of the description are rendered by then."""
    annotations = alert["annotations"] | {"description": description}
    return alert | {"annotations": annotations, "generatorURL": QUERY, **more}


def test_a_page_says_what_burns_and_what_to_do_first(server, alerts):
    server.post(_fired(alerts[FAST], BURN_TEXT, startsAt="2026-03-14T03:12:00Z"))
    (slack,) = server.sink.wait_for("slack", "runtime-page")[0].body["attachments"]
    assert (
        slack["title"]
        == "[PAGE] tensor-wasm/availability-http: Error budget burn rate is too high."
    )
    assert slack["text"] == SLACK
    assert (slack["color"], slack["title_link"]) == ("danger", BOARD)
    body = server.sink.wait_for("pagerduty", "runtime-page")[0].body
    assert body["event_action"] == "trigger"
    assert body["client_url"] == BOARD
    payload = body["payload"]
    assert payload["summary"] == slack["title"]
    assert payload["severity"] == "critical"
    assert payload["class"] == "AvailabilityHttpFastBurn"
    details = payload["custom_details"]
    assert details["firing"] == PAGER
    assert (details["runbook"], details["dashboard"]) == (RUNBOOK, BOARD)
    assert (details["owner"], details["num_firing"], details["resolved"]) == ("runtime", "1", "")


def test_a_ticket_says_that_it_can_wait_and_escapes_what_slack_would_read(server, alerts):
    text = "Job tensor-wasm is scraped, but x{a<b, c>d & e} is not there."
    server.post(_fired(alerts[GONE], text, startsAt="2026-03-14T03:12:00Z"))
    (slack,) = server.sink.wait_for("slack", "runtime-ticket")[0].body["attachments"]
    assert slack["title"] == "[TICKET] tensor-wasm: A metric that an SLO reads is gone."
    assert slack["color"] == "warning"
    lines = slack["text"].splitlines()
    assert lines[0] == ":ticket: *In working hours.* Nobody was woken."
    assert lines[3] == ("Job tensor-wasm is scraped, but x{a&lt;b, c&gt;d &amp; e} is not there.")


def test_two_alerts_of_an_slo_are_counted_in_the_title(server, alerts):
    server.post(_fired(alerts[FAST], "first"), _fired(alerts[HALF], "second"))
    (slack,) = server.sink.wait_for("slack", "runtime-page")[0].body["attachments"]
    assert slack["title"].endswith(" (2 of 2 firing)")
    assert "first" in slack["text"]
    assert "second" in slack["text"]


def test_when_it_is_over_that_is_said(server, alerts):
    alert = _fired(alerts[FAST], BURN_TEXT, startsAt="2026-03-14T03:12:00Z")
    server.post(alert)
    server.sink.wait_for("slack", "runtime-page")
    server.post(alert | {"endsAt": "2026-03-14T03:40:00Z"})
    last = server.sink.wait_for("slack", "runtime-page", count=2)[1]
    (slack,) = last.body["attachments"]
    assert slack["title"].startswith("[RESOLVED] tensor-wasm/availability-http: ")
    assert slack["color"] == "good"
    assert slack["text"] == (
        "Over. Nothing to do now; note what it was.\n\n"
        ":white_check_mark: Over: AvailabilityHttpFastBurn"
    )
    body = server.sink.wait_for("pagerduty", "runtime-page", count=2)[1].body
    assert body["event_action"] == "resolve"


def test_an_alert_that_nobody_claims_is_read_by_somebody(server):
    server.post({"labels": {"alertname": "DiskFull", "instance": "a"}, "annotations": {}})
    (slack,) = server.sink.wait_for("slack", "fallback")[0].body["attachments"]
    assert slack["title"] == "[ALERT] DiskFull: DiskFull"
    assert slack["text"].startswith("*No route took this.* Find out whose it is.\n\n*DiskFull*\n")
    assert "owner unknown" in slack["text"]


def test_a_hundred_regions_do_not_bury_the_first(server, alerts):
    many = [
        _fired(
            alerts[FAST] | {"labels": alerts[FAST]["labels"] | {"region": f"r{n:03}"}},
            f"in r{n:03}",
        )
        for n in range(100)
    ]
    server.post(*many)
    (slack,) = server.sink.wait_for("slack", "runtime-page")[0].body["attachments"]
    assert slack["title"].endswith(" (100 of 100 firing)")
    assert slack["text"].count("*AvailabilityHttpFastBurn") == 10
    assert "The first 10 of 100 that fire." in slack["text"]
    details = server.sink.wait_for("pagerduty", "runtime-page")[0].body["payload"]["custom_details"]
    assert details["firing"].endswith("\n\nThe first 10 of 100 that fire.")
