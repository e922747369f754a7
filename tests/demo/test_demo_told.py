"""What is made of alerts, messages and burn rates before it is printed."""

import io
import re
from datetime import UTC, datetime
from typing import Literal

import pytest
from rich.console import Console
from tests.demo.running import ROOT

from sloforge.demo import burning, messages, watch
from sloforge.demo.burning import Rates, Watched, watched
from sloforge.demo.messages import Link
from sloforge.demo.narration import WIDTH, Narrator
from sloforge.demo.script import OUTAGE, Seen
from sloforge.demo.watch import Alert
from sloforge.specs import load

# With the run that plays beside them.
pytestmark = pytest.mark.xdist_group("demo")
SLACK = {
    "channel": "#runtime-alerts",
    "attachments": [
        {
            "title": "[PAGE] tensor-wasm/availability-http: Error budget burn rate is too high.",
            "text": ":rotating_light: *Act now.* Acknowledge, then follow the runbook.\n\n"
            "*AvailabilityHttpFastBurn (over 1h and 5m)*\nburns at 19.5x, a &lt; b\n"
            "_Since 11:59 UTC, owner runtime_\n"
            ":book: <http://r/a_b.md|Runbook>  :bar_chart: <http://d/x?a=1&amp;b=2|Dashboard>",
        }
    ],
}
PAGER = {"event_action": "trigger", "payload": {"severity": "critical", "summary": "[PAGE] it"}}


def test_a_slack_message_reads_like_one():
    found = messages.slack(SLACK)
    assert found.channel == "Slack #runtime-alerts"
    assert found.lines == (
        "Act now. Acknowledge, then follow the runbook.",
        "",
        "AvailabilityHttpFastBurn (over 1h and 5m)",
        "burns at 19.5x, a < b",
        "Since 11:59 UTC, owner runtime",
        Link(text="Runbook", url="http://r/a_b.md"),
        Link(text="Dashboard", url="http://d/x?a=1&b=2"),
    )
    assert not found.over


def test_pagerduty_wakes_and_lets_sleep():
    assert messages.pagerduty(PAGER).title == "wakes the on-call, critical: [PAGE] it"
    assert messages.pagerduty({"event_action": "resolve"}).over


def alert(name="Fast", state="firing", held_by=(), severity="page"):
    subject = {"service": "tensor-wasm", "slo": "availability-http"}
    return Alert(name=name, state=state, held_by=held_by, severity=severity, **subject)


def keyed(*alerts):
    return {(one.name, one.subject): one for one in alerts}


CHANGES = {
    "nothing": (keyed(alert()), keyed(alert()), []),
    "fires at once": ({}, keyed(alert()), ["firing"]),
    "pends first": ({}, keyed(alert(state="pending")), ["pending"]),
    "has pended": (keyed(alert(state="pending")), keyed(alert()), ["firing"]),
    "is held back": (keyed(alert()), keyed(alert(held_by=("Other",))), ["inhibited"]),
    "held back at once": ({}, keyed(alert(held_by=("Other",))), ["firing", "inhibited"]),
    "is let go": (keyed(alert(held_by=("Other",))), keyed(alert()), ["released"]),
    "ends": (keyed(alert()), {}, ["ended"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_once(name):
    before, after, kinds = CHANGES[name]
    assert [event.kind for event in watch.changes(before, after)] == kinds


WATCHED = watched(load(ROOT, runbooks=False), "tensor-wasm")


def rates(at, long, short, left=0.6):
    return Rates(at=at, rates={"1h": long, "5m": short}, left=left)


def test_the_slo_that_is_watched_is_the_first_that_pages():
    assert isinstance(WATCHED, Watched)
    assert (WATCHED.subject, WATCHED.alert) == (
        "tensor-wasm/availability-http",
        "AvailabilityHttpFastBurn",
    )
    assert (WATCHED.factor, WATCHED.windows) == (14.4, ("1h", "5m"))


RISING = {
    "on its way up": (rates(0, 8.0, 100), rates(10, 9.0, 110), 54),
    "the short window does not burn": (rates(0, 8.0, 9), rates(10, 9.0, 9), None),
    "falling": (rates(0, 10, 20), rates(10, 9, 20), None),
    "standing still": (rates(0, 9, 20), rates(10, 9, 20), None),
    "hours away": (rates(0, 9, 20), rates(10, 9.001, 20), None),
    "above already": (rates(0, 15, 20), rates(10, 16, 20), None),
    "nothing before": (None, rates(10, 9, 20), None),
}


@pytest.mark.parametrize("name", RISING)
def test_an_outage_is_expected_to_go_on_as_it_does(name):
    before, now, seconds = RISING[name]
    assert burning.rising(WATCHED, before, now) == (seconds and pytest.approx(seconds))


def test_the_short_window_forgets_an_outage_as_the_workbook_says():
    # 5 min x (1 - 14.4 / 192), 100 s of which are over.
    found = burning.falling(WATCHED, 192, rates(1100, 17, 150), 1000)
    assert found == pytest.approx(300 * (1 - 14.4 / 192) - 100)
    assert burning.falling(WATCHED, 192, rates(1300, 17, 9), 1000) is None


WORDS = {
    "above": (rates(0, 9.04, 110), 61, "; above in 1 min 10 s"),
    "below": (rates(0, 17, 40), 12, "; below in 20 s"),
    "neither": (rates(0, 9, 8), None, ""),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_burn_is_told_against_its_line(name):
    now, crossing, said = WORDS[name]
    words = burning.words(WATCHED, now, crossing)
    rates = f"1h {now.rates['1h']:.1f}x, 5m {now.rates['5m']:.1f}x"
    assert words == f"{rates} (page above 14.4x), 60.0% budget left{said}"


def test_a_script_wants_the_page_with_links_before_it_is_content():
    seen = Seen(OUTAGE, WATCHED)
    fires = alert(WATCHED.alert)
    for event in watch.changes({}, keyed(fires)):
        seen.alert(event, 1)
    said = {"severity": "critical", "summary": WATCHED.subject}
    bare = messages.pagerduty({"event_action": "trigger", "payload": said})
    seen.message(bare, "page", 2)
    assert seen.missing()[0] == "paged"
    seen.message(messages.slack(SLACK), "page", 3)
    assert seen.missing() == ("held", "mended", "over", "ticket", "proven")
    assert not seen.is_to_be_mended(22)
    assert seen.is_to_be_mended(23)


def test_another_slo_or_another_inhibition_is_not_what_was_waited_for():
    seen = Seen(OUTAGE, WATCHED)
    other = Alert(name=WATCHED.alert, service="a", slo="b", severity="page", state="firing")
    held = alert("Slow", held_by=("SomethingElse",))
    for event in watch.changes({}, keyed(other, held)):
        seen.alert(event, 1)
    assert seen.missing() == OUTAGE.expected


def printed(*, terminal: bool = False) -> str:
    out = io.StringIO()
    colours: Literal["truecolor"] | None = "truecolor" if terminal else None
    console = Console(file=out, width=300, force_terminal=terminal, color_system=colours)
    narrator = Narrator(console, lambda: datetime(2026, 3, 14, 3, 12, tzinfo=UTC))
    narrator.say("burn", "word " * 40)
    narrator.message(messages.slack(SLACK), "page")
    return out.getvalue()


def test_a_pipe_gets_plain_lines_of_a_hundred_columns():
    text = printed()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.splitlines()[0].startswith("03:12:00  burn       word word")
    assert "\n          │ Runbook    http://r/a_b.md\n" in text


def test_a_terminal_gets_the_same_words_in_colours():
    text = re.sub(r"\x1b(\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)", "", printed(terminal=True))
    assert text == printed()
