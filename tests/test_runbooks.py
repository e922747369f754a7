import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.toy_project import load

from sloforge.errors import Problem
from sloforge.generate.runbooks import BLOCKS, REQUIRED, SECTIONS, markers, runbooks, skeleton
from sloforge.model import Project

CART = """\
version: sloforge/v1
service: cart
owner: sales
job: cart
scrape_interval: 15s
http: {requests: requests_total, duration: seconds}
slos:
- name: answers
  objective: 99.5
  window: 30d
  sli: {ratio: {total: 'requests_total{route!~"/a|/b"}', bad: 'requests_total{route!~"/a|/b",code="500"}'}}
  alerting: {runbook: 'answers-{burn}'}
- name: p95
  sli: {quantile: {histogram: 'seconds{route="/buy"}', quantile: 0.95, threshold: 500ms}}
  alerting: {runbook: slow}
- name: speed
  objective: 95
  window: 30d
  sli: {latency: {histogram: 'seconds{route="/buy"}', threshold: 500ms}}
  alerting: {runbook: slow, disable: [fast-burn]}
- name: fresh
  objective: 99.9
  window: 30d
  sli: {freshness: {timestamp: last_sale, max_age: 5m}}
  alerting: {runbook: stuck}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load(tmp_path, cart=CART)


def authored(project: Project, **texts: str) -> Project:
    """With runbooks: `cart__slow` is runbooks/cart/slow.md."""
    pairs = [(f"runbooks/{key.replace('__', '/')}.md", text) for key, text in texts.items()]
    return dataclasses.replace(project, authored=tuple(sorted(pairs)))


def written(project: Project, path: str) -> str:
    return next(one.text for one in runbooks(project) if one.path == path)


def block(project: Project, name: str, key: str = "cart__answers-fast-burn") -> str:
    """What the build writes between a pair of markers."""
    pair = f"{markers.begin(name)}\n{markers.end(name)}\n"
    path = f"runbooks/{key.replace('__', '/')}.md"
    text = written(authored(project, **{key: pair}), path)
    return text.removeprefix(f"{markers.begin(name)}\n").removesuffix(f"{markers.end(name)}\n")


# What stands outside of the markers

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=20)
OUTSIDE = st.lists(LINE | st.just("\r") | st.just("## Related"), max_size=5).map("\n".join)


@given(st.lists(OUTSIDE, min_size=2, max_size=4), st.lists(st.text("abc \n", max_size=9)))
def test_text_outside_of_the_markers_is_kept_byte_for_byte(outside: list[str], inside: list[str]):
    stale = "".join(inside)
    gap = f"\n{markers.begin('alert')}\n{stale}\n{markers.end('alert')}\n"
    found = markers.marked("a.md", gap.join(outside), BLOCKS)

    text = markers.refreshed(found, lambda name: "new")

    fresh = f"\n{markers.begin('alert')}\n\nnew\n\n{markers.end('alert')}\n"
    assert not found.findings
    assert text == fresh.join(outside)


@given(st.text(max_size=200))
def test_a_text_without_markers_is_kept_whatever_it_holds(text: str):
    found = markers.marked("a.md", text, BLOCKS)
    assert markers.refreshed(found, lambda name: "new") == text


def test_a_file_with_windows_line_ends_keeps_them():
    text = f"# A\r\n{markers.begin('alert')}\r\n{markers.end('alert')}\r\nB\r\n"
    found = markers.marked("a.md", text, BLOCKS)
    expected = f"# A\r\n{markers.begin('alert')}\r\n\nnew\n\n{markers.end('alert')}\r\nB\r\n"
    assert markers.refreshed(found, lambda name: "new") == expected


def test_a_second_build_changes_nothing(project: Project):
    names = ("cart/answers-fast-burn", "cart/slow", "cart/stuck", "common/down")
    texts = {name.replace("/", "__"): skeleton(project, name) for name in names}
    once = tuple((one.path, one.text) for one in runbooks(authored(project, **texts)))
    again = tuple(
        (one.path, one.text) for one in runbooks(dataclasses.replace(project, authored=once))
    )
    assert again == once


# Markers that are out of order

BAD = {
    "unknown": (
        "<!-- sloforge:begin mening -->\n<!-- sloforge:end mening -->\n",
        [
            (
                "runbooks/cart/slow.md:1: unknown block `mening`; "
                "known are alert, alerts, budget, links, meaning, planes, queries, timing"
            )
        ],
    ),
    "unclosed": (
        "one\n<!-- sloforge:begin meaning -->\ntwo\n",
        [
            (
                "runbooks/cart/slow.md:2: block `meaning` never ends; "
                "put `<!-- sloforge:end meaning -->` after it"
            )
        ],
    ),
    "nested": (
        "<!-- sloforge:begin meaning -->\n<!-- sloforge:begin alert -->\n<!-- sloforge:end alert -->\n",
        [
            (
                "runbooks/cart/slow.md:2: block `alert` begins inside block `meaning`, "
                "which began in line 1; put `<!-- sloforge:end meaning -->` before it"
            )
        ],
    ),
    "crossed": (
        "<!-- sloforge:begin meaning -->\n<!-- sloforge:end alert -->\n",
        [
            (
                "runbooks/cart/slow.md:2: block `meaning` began in line 1, got the end of `alert`; "
                "write `<!-- sloforge:end meaning -->`"
            )
        ],
    ),
    "not begun": (
        "\n\n<!-- sloforge:end alert -->\n",
        [
            (
                "runbooks/cart/slow.md:3: block `alert` ends but never began; "
                "put `<!-- sloforge:begin alert -->` before it, or remove it"
            )
        ],
    ),
    "not alone": (
        "see <!-- sloforge:begin alert -->\n",
        [
            (
                "runbooks/cart/slow.md:1: a marker that cannot be read; "
                "write `<!-- sloforge:begin meaning -->` alone on its line"
            )
        ],
    ),
}


@pytest.mark.parametrize(("text", "messages"), BAD.values(), ids=BAD)
def test_a_marker_out_of_order_stops_the_build(project: Project, text: str, messages: list[str]):
    with pytest.raises(Problem) as caught:
        list(runbooks(authored(project, cart__slow=text)))
    assert str(caught.value).splitlines() == messages
    assert {finding.id for finding in caught.value.findings} == {"R002"}


def test_every_runbook_with_a_wrong_marker_is_named_in_one_run(project: Project):
    text = "<!-- sloforge:end alert -->\n"
    with pytest.raises(Problem) as caught:
        list(runbooks(authored(project, cart__slow=text, cart__stuck=text)))
    assert [finding.where.path for finding in caught.value.findings] == [
        "runbooks/cart/slow.md",
        "runbooks/cart/stuck.md",
    ]


# Numbers. 99.5 % over 30 days leaves 216 minutes; the factors are the workbook's.


def test_the_head_names_each_alert_with_its_severity_and_owner(project: Project):
    assert block(project, "alert").strip() == (
        "- Alert: `AnswersFastBurn` · Severity: page · Of: `cart/answers` · Owner: sales"
    )


MEANING = {
    "answers-fast-burn": (
        "more than 7.2 % of the events are bad (14.4 x budget), over 1h and still over 5m, "
        "with at least 5 bad events in 1h | 2 % of the budget in 1h; a full one lasts 2d 2h"
    ),
    "answers-slow-burn": (
        "more than 3 % of the events are bad (6 x budget), over 6h and still over 30m, "
        "with at least 5 bad events in 6h | 5 % of the budget in 6h; a full one lasts 5d"
    ),
    "answers-very-slow-burn": (
        "more than 0.5 % of the events are bad (1 x budget), over 3d and still over 6h, "
        "with at least 5 bad events in 3d | 10 % of the budget in 3d; a full one lasts 30d"
    ),
}


@pytest.mark.parametrize(("name", "expected"), MEANING.items(), ids=MEANING)
def test_the_meaning_of_a_burn_is_in_numbers(project: Project, name: str, expected: str):
    assert expected in block(project, "meaning", f"cart__{name}")


def test_the_promise_is_said_as_time(project: Project):
    text = block(project, "meaning")
    assert (
        "promises 99.5 % good events over 30d: 0.5 % may be bad, which is as much as 3h 36m" in text
    )


def test_a_percentile_says_how_many_events_it_needs_and_that_it_has_no_budget(project: Project):
    text = block(project, "meaning", "cart__slow")
    assert "P95 is above 500 ms over 1h and still over 5m, with at least 100 events in 1h" in text
    assert "A percentile burns no budget." in text


# threshold x long / share of bad events; a percentile of 95 is a burn of 1 with a budget of 5 %.
TIMES = {
    "answers-fast-burn": "| `AnswersFastBurn` | 4m 19s | 43m 12s | 54m 32s at 7.92 % | 9m 38s | 6m 24s |",
    "answers-slow-burn": "| `AnswersSlowBurn` | 10m 48s | 1h 48m | 5h 27m at 3.3 % | 39m 6s | 31m |",
    "answers-very-slow-burn": "| `AnswersVerySlowBurn` | 21m 36s | 3h 36m | 2d 17h at 0.55 % | 6h 8m | 5h 52m |",
    "slow": "| `P95High` | 3m | 30m | 54m 32s at 5.5 % | 9m 45s | 7m 30s |",
    # 0.0144 x 3600 s of bad slices, however few they are.
    "stuck": "| `FreshFastBurn` | 51s | 8m 38s | 54m 32s at 1.584 % | 9m 55s | 9m 16s |",
}


@pytest.mark.parametrize(("name", "expected"), TIMES.items(), ids=TIMES)
def test_detection_and_reset_times_are_those_of_the_workbook(
    project: Project, name: str, expected: str
):
    assert expected in block(project, "timing", f"cart__{name}").splitlines()


def test_times_say_what_they_leave_out(project: Project):
    fast = block(project, "timing")
    slow = block(project, "timing", "cart__answers-slow-burn")
    assert "add up to one scrape (15s) and one evaluation (1m)" in fast
    assert "Windows of more than" not in fast
    assert "Windows of more than 1h add up 5m rates and lag by 2m 30s more." in slow
    assert "`fresh` the first bad moment is 5m after" in block(project, "timing", "cart__stuck")


def test_half_of_the_budget_in_a_day_has_its_share_and_its_time(project: Project):
    key = "common__half-budget-in-a-day"
    assert "more than 7.5 % of the events of the last day are bad" in block(project, "meaning", key)
    assert (
        "| `AnswersHalfBudgetInADay` | 1h 48m of all bad, 18h of 10 % bad | as bad events leave the day |"
        in block(project, "timing", key)
    )


def test_a_spent_budget_says_how_long_an_outage_that_was(project: Project):
    text = block(project, "timing", "common__budget-exhausted")
    assert "`AnswersBudgetExhausted` | 3h 36m of all bad, from a full budget" in text


def test_the_budget_of_each_slo_is_said_for_a_procedure(project: Project):
    text = block(project, "budget", "cart__rollback")
    row = "| `cart/answers` | 99.5 % | 30d | 0.5 % of the events | 3h 36m, 7m 12s a day | 7.5 % bad (1h 48m) |"
    assert row in text
    assert "stock" not in text


# Queries and links


def test_queries_read_the_recorded_series_of_the_slo(project: Project):
    text = block(project, "queries")
    assert 'slo:current_burn_rate:ratio{slo_service="cart",slo_name="answers"}' in text
    assert 'service:http_requests:rate5m{slo_service="cart",route!~"/a|/b"}' in text, (
        "labels that are not recorded are left out"
    )
    assert 'up{job="cart"}' in text


def test_each_query_says_what_its_answers_mean(project: Project):
    for key in ("cart__answers-fast-burn", "cart__slow", "cart__stuck", "common__down"):
        questions = re.split(r"^\d+\. ", block(project, "queries", key), flags=re.MULTILINE)[1:]
        assert 1 < len(questions) <= 6
        for question in questions:
            assert question.count("```") == 2
            assert re.search(r"^   - .+: .+", question, flags=re.MULTILINE)


def test_a_runbook_of_several_alerts_shows_all_of_them(project: Project):
    head = block(project, "alert", "cart__slow")
    assert re.findall(r"`(\w+)` ·", head) == ["P95High", "SpeedSlowBurn", "SpeedVerySlowBurn"]
    assert 'slo_name="speed"' in block(project, "queries", "cart__slow")


def test_a_common_runbook_speaks_of_all_services(project: Project):
    assert 'up{job=~"cart|stock"}' in block(project, "queries", "common__down")
    links = block(project, "links", "common__down")
    assert "| cart |" in links
    assert "| stock |" in links


def test_links_name_siblings_owner_and_promise(project: Project):
    texts = {"cart__slow": "", "cart__rollback": "", "common__down": ""}
    pair = f"{markers.begin('links')}\n{markers.end('links')}\n"
    found = authored(project, **(texts | {"cart__stuck": pair}))
    text = written(found, "runbooks/cart/stuck.md")
    assert "- promise: [slos/cart.yaml](../../slos/cart.yaml)" in text
    assert "- owner: sales (pages reach `sales-page`, tickets `sales-ticket`)" in text
    assert "- runbooks beside this one: [slow](slow.md)" in text
    assert "- procedures beside this one: [rollback](rollback.md)" in text


def test_a_bar_inside_a_table_is_escaped(project: Project):
    meaning = block(project, "meaning", "common__instrumentation-gone")
    row = next(line for line in meaning.splitlines() if "`CartInstrumentationGone`" in line)
    assert row.replace("\\|", "").count("|") == 5


# The table of all alerts


def test_the_table_leads_from_each_alert_to_its_runbook(project: Project):
    text = written(authored(project, cart__rollback="# A\n"), "runbooks/README.md")
    assert (
        "| `AnswersFastBurn` | page | `cart/answers` | sales | `sales-page` | "
        "[cart/answers-fast-burn](cart/answers-fast-burn.md) |" in text
    )
    assert (
        "| `StockDown` | page | `stock` | store | `store-page` | [common/down](common/down.md) |"
        in text
    )
    assert "- [cart: rollback](cart/rollback.md)" in text


def test_the_table_is_not_taken_for_a_runbook(project: Project):
    found = authored(project, README="<!-- sloforge:begin nonsense -->\n")
    assert [one.path for one in runbooks(found)] == ["runbooks/README.md"]


# New runbooks


def test_a_skeleton_has_the_sections_in_order_and_every_block(project: Project):
    text = skeleton(project, "cart/answers-fast-burn")
    assert tuple(re.findall(r"^## (.+)$", text, flags=re.MULTILINE)) == SECTIONS
    found = markers.marked("a.md", text, BLOCKS)
    assert not found.findings
    assert sorted(one.name for one in found.blocks) == sorted(REQUIRED)
    assert "# cart: answers fast burn\n" in text


def test_a_skeleton_is_what_the_build_would_write(project: Project):
    text = skeleton(project, "cart/slow.md")
    assert written(authored(project, cart__slow=text), "runbooks/cart/slow.md") == text


def test_a_skeleton_for_no_alert_names_those_without_a_runbook(project: Project):
    names = ("answers-slow-burn", "answers-very-slow-burn", "slow", "stuck")
    written_ones = {f"cart__{name}": "" for name in names}
    common = ("down", "instrumentation-gone", "budget-exhausted", "half-budget-in-a-day")
    written_ones |= {f"common__{name}": "" for name in (*common, "rules-stale")}
    stock = ("fast-burn", "slow-burn", "very-slow-burn")
    written_ones |= {f"stock__updates-{name}": "" for name in stock}
    with pytest.raises(Problem) as caught:
        skeleton(authored(project, **written_ones), "cart/answer-fast-burn")
    assert str(caught.value) == (
        "expected the runbook of an alert as `service/name`, got `cart/answer-fast-burn`; "
        "without one are `cart/answers-fast-burn`"
    )
