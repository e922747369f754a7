"""The page in a real Chromium over a real Prometheus: numbers, choices, links, and nothing else."""

import re
import time

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from tests.live.prometheus import Span, binary
from tests.preview import chrome
from tests.preview.world import END, EVIL, RANGE, SLOS, START

pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no prometheus on PATH"),
    pytest.mark.skipif(not (chrome.CHROMIUM and chrome.DRIVER), reason="no chromium on PATH"),
    pytest.mark.xdist_group("preview"),
]
BOARDS = (
    "slo-fleet",
    "slo-incident",
    "slo-queue-worker",
    "slo-tensor-wasm",
    "slo-workload-planes",
    "workload-planes",
)


@pytest.mark.parametrize("uid", BOARDS)
def test_a_generated_dashboard_is_drawn_whole_and_asks_nobody_else(shown, page, uid):
    page.open(shown.board(uid))
    kinds = page.run(
        "return [...document.querySelectorAll('.row:not(.folded) .content')].map((one) => one.dataset.kind)"
    )
    assert kinds
    assert set(kinds) <= {"bars", "graph", "stat", "table", "text", "timeline"}
    assert all(
        page.run(
            "return [...document.querySelectorAll('.row:not(.folded) .content')].map((one) => one.childElementCount)"
        )
    )
    asked = page.requests()
    assert asked
    assert [url for url in asked if not url.startswith((shown.serving.url, "data:"))] == []


def test_the_start_page_lists_every_dashboard_and_leads_to_it(shown, page):
    page.open(shown.serving.url)
    titles = page.texts(".start strong")
    assert {"SLO / Fleet", "SLO / tensor-wasm", EVIL[1]} <= set(titles)
    next(one for one in page.all(".start a") if "SLO / Fleet" in one.text).click()
    page.until(
        "return document.querySelector('.top h1') && document.querySelector('.top h1').textContent === 'SLO / Fleet'"
    )
    page.drawn()
    assert page.driver.current_url == f"{shown.serving.url}/d/slo-fleet"


def test_the_numbers_of_the_page_are_those_of_prometheus(shown, page):
    page.open(shown.board("slo-fleet"))
    spent = shown.prometheus.value("count(slo:period_error_budget_remaining:ratio < 0)", END)
    assert (
        page.panel("Budgets spent").find_element("css selector", ".stat-value").text
        == f"{spent:.0f}"
    )
    total = shown.prometheus.value("count(slo_info)", END)
    assert page.panel("SLOs").find_element("css selector", ".stat-value").text == f"{total:.0f}"
    firing = shown.prometheus.value('count(ALERTS{alertstate="firing"})', END)
    assert (
        page.panel("Pages firing").find_element("css selector", ".stat-value").text
        == f"{firing:.0f}"
    )
    head = page.texts(".grid th button")
    cells = page.run(
        "return [...document.querySelectorAll('.grid tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    rows = {row[head.index("SLO")]: dict(zip(head, row, strict=True)) for row in cells}
    # Worst first.
    assert list(rows) == [slo for _, slo, *_ in sorted(SLOS, key=lambda one: one[-1])]
    for service, slo, owner, *_ in SLOS:
        labels = f'{{slo_service="{service}",slo_name="{slo}"}}'
        left = shown.prometheus.value(f"slo:period_error_budget_remaining:ratio{labels}", END)
        burn = shown.prometheus.value(f"slo:current_burn_rate:ratio{labels}", END)
        row = rows[slo]
        assert row["Service"] == service
        assert row["Owner"] == owner
        assert row["Budget left"] == f"{left * 100:.2f}%"
        assert row["Burn now"] == f"{burn:.2f}"
    bars = dict(zip(page.texts(".bar-name"), page.texts(".bar-value"), strict=True))
    assert bars["tensor-wasm availability-http"] == "12.34%"


def test_a_graph_says_under_the_crosshair_what_prometheus_says(shown, page):
    page.open(shown.board("odd"))
    page.run("arguments[0].scrollIntoView()", page.panel("timeseries 11"))
    sheet = page.panel("timeseries 11").find_element("css selector", ".sheet")
    page.run("arguments[0].focus()", sheet)
    for _ in range(20):
        sheet.send_keys(Keys.ARROW_LEFT)
    lines = page.texts(".tip-row")
    moment = page.texts(".tip-time")[0]
    at = time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M:%S"))
    assert START < at < END
    expected = shown.prometheus.over("ramp", Span(start=at, end=at, step=60)).series[0]["values"][
        0
    ][1]
    assert lines[0].startswith(EVIL[1])
    ramp = next(line for line in lines if line.startswith("ramp"))
    assert float(ramp.removeprefix("ramp")) == pytest.approx(float(expected), rel=0.006)


def test_the_legend_shows_one_series_alone_and_all_again(shown, page):
    page.open(shown.board("odd"))
    panel = page.panel("timeseries 11")
    page.run("arguments[0].querySelector('.legend-name').click()", panel)
    page.until(
        "return [...document.querySelectorAll('.panel[aria-label=\"timeseries 11\"] .legend tr.off')].length === 1"
    )
    page.run("arguments[0].querySelector('.legend-name').click()", panel)
    page.until(
        "return [...document.querySelectorAll('.panel[aria-label=\"timeseries 11\"] .legend tr.off')].length === 0"
    )


def test_a_choice_changes_the_numbers_and_stands_in_the_address(shown, page):
    page.open(shown.board("slo-incident"))
    picker = Select(page.one("#var-service"))
    assert [option.text for option in picker.options] == ["queue-worker", "tensor-wasm"]
    assert "iteration-freshness" in page.panel("Budget left").text
    picker.select_by_visible_text("tensor-wasm")
    page.until(
        "return document.querySelector('#var-service').value === 'tensor-wasm' && location.search.includes('var-service=tensor-wasm')"
    )
    page.drawn()
    text = page.panel("Budget left").text
    assert "12.34%" in text
    assert "90.00%" in text
    assert "iteration-freshness" not in text
    page.driver.back()
    page.until("return document.querySelector('#var-service').value === 'queue-worker'")
    page.drawn()
    assert "-50.00%" in page.panel("Budget left").text


def test_several_may_be_chosen_and_all_again(shown, page):
    page.open(shown.board("slo-fleet"))
    page.run("document.querySelector('#var-service').parentNode.open = true")
    box = next(one for one in page.all(".boxes label") if one.text == "queue-worker")
    box.click()
    page.until(
        "return location.search.includes('var-service=queue-worker') && document.querySelector('#var-service').textContent === 'queue-worker'"
    )
    page.drawn()
    assert page.panel("SLOs").find_element("css selector", ".stat-value").text == "1"
    page.open(shown.board("slo-fleet", "var-service=queue-worker&var-service=tensor-wasm"))
    assert page.one("#var-service").text.startswith("queue-worker + tensor-wasm")
    assert page.panel("SLOs").find_element("css selector", ".stat-value").text == "3"


def test_links_carry_the_time_and_the_row(shown, page):
    page.open(shown.board("slo-fleet"))
    first = next(one for one in page.all("nav a") if one.text == "First look")
    assert first.get_attribute("href") == f"{shown.serving.url}/d/slo-incident?{RANGE}"
    cell = next(one for one in page.all(".grid td a") if one.text == "availability-http")
    cell.click()
    page.until("return document.querySelector('.top h1').textContent === 'SLO / Incident'")
    page.drawn()
    assert "var-service=tensor-wasm&var-slo=availability-http" in page.driver.current_url
    assert Select(page.one("#var-service")).first_selected_option.text == "tensor-wasm"
    assert page.one("#var-slo").text.startswith("availability-http")


def test_a_refresh_keeps_what_was_sorted_and_waits_for_an_open_menu(shown, page):
    page.open(shown.board("slo-fleet", "refresh=1s"))
    cells = "return [...document.querySelectorAll('.grid tbody tr')].map((row) => row.cells[1].textContent)"
    assert page.run(cells)[0] == "iteration-freshness"
    page.run(
        "[...document.querySelectorAll('.grid th button')].find((one) => one.textContent === 'SLO').click()"
    )
    assert page.run(cells) == sorted(slo for _, slo, *_ in SLOS)
    page.run(
        "document.addEventListener('sloforge:drawn', () => { window.rounds = (window.rounds || 0) + 1; })"
    )
    page.until("return window.rounds >= 2")
    page.drawn()
    assert page.run(cells) == sorted(slo for _, slo, *_ in SLOS)
    page.run(
        "document.querySelector('.menu.range').open = true; document.querySelector('input[name=from]').value = 'now-2'; window.rounds = 0"
    )
    page.until("return new Promise((done) => setTimeout(() => done(true), 2500))")
    assert page.run(
        "return [window.rounds <= 1, document.querySelector('input[name=from]').value]"
    ) == [True, "now-2"]


def test_a_folded_row_is_asked_for_once_it_is_opened(shown, page):
    page.open(shown.board("slo-queue-worker"))
    folded = page.one(".row.folded .row-title")
    assert folded.get_attribute("aria-expanded") == "false"
    before = page.run("return document.querySelectorAll('.row.folded').length")
    page.run("arguments[0].focus()", folded)
    folded.send_keys(Keys.ENTER)
    page.until(f"return document.querySelectorAll('.row.folded').length === {before - 1}")
    page.drawn()
    assert not page.run(
        "return [...document.querySelectorAll('.row:not(.folded) .content')].some((one) => !one.dataset.kind)"
    )


def test_a_time_range_is_typed_or_taken(shown, page):
    page.open(shown.board("slo-fleet"))
    page.run("document.querySelector('.menu.range').open = true")
    field = page.one("input[name=from]")
    field.clear()
    field.send_keys("now-5m", Keys.TAB)
    page.one("input[name=to]").clear()
    page.one("input[name=to]").send_keys("now", Keys.ENTER)
    page.until(
        "return document.querySelector('.menu.range summary').textContent === 'Last 5 minutes'"
    )
    page.drawn()
    # Nothing is recorded at this time, and that is no 0.
    assert page.panel("All SLOs, worst first").find_element("css selector", ".words").text
    page.open(f"{shown.serving.board('slo-fleet')}?from=yesterday")
    assert "expected such as now-7d" in page.one("[role=alert]").text


def test_a_stretch_of_a_graph_is_zoomed_into(shown, page):
    page.open(shown.board("odd"))
    sheet = page.panel("timeseries 11").find_element("css selector", ".sheet")
    page.run("arguments[0].scrollIntoView({ block: 'center' })", sheet)
    page.run(
        """const box = arguments[0].getBoundingClientRect();
        for (const [name, share] of [["pointerdown", 0.4], ["pointermove", 0.6], ["pointerup", 0.6]])
          arguments[0].dispatchEvent(new PointerEvent(name, { clientX: box.left + box.width * share, clientY: box.top + 20, bubbles: true }));""",
        sheet,
    )
    page.until(f"return !location.search.includes('from={START * 1000}')")
    page.drawn()
    start, end = (int(found) for found in re.findall(r"(?:from|to)=(\d+)", page.driver.current_url))
    assert START * 1000 < start < end < END * 1000


def test_light_and_dark_are_switched_and_kept(shown, page):
    page.open(f"{shown.serving.url}?theme=dark")
    back = "return getComputedStyle(document.body.parentNode).backgroundColor"
    dark = page.run(back)
    page.one(".theme").click()
    assert page.run(back) != dark
    page.open(shown.serving.url)
    assert page.run("return document.documentElement.dataset.theme") == "light"
    page.run("localStorage.clear()")


# What is not as it should be


def test_hostile_names_are_text_in_every_place(shown, page):
    page.open(shown.board("odd"))
    for one in page.all(".sheet"):
        page.run("arguments[0].focus()", one)
        one.send_keys(Keys.ARROW_LEFT)
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.run("return typeof hacked") == "undefined"
    assert (
        page.run(
            "return document.querySelectorAll('main img, main script, main iframe, main [onload], main [onerror], header img, .tip img').length"
        )
        == 0
    )
    assert (
        page.run(
            "return [...document.querySelectorAll('a[href]')].filter((one) => !/^https?:/.test(one.href)).length"
        )
        == 0
    )
    for text in EVIL:
        assert text in page.texts(".panel[aria-label='stat 1'] .stat-name")
        assert text in page.texts(".panel[aria-label='timeseries 2'] .legend-name span:last-child")
        assert text in page.texts(".panel[aria-label='bargauge 3'] .bar-name")
        assert text in page.texts(".panel[aria-label='table 4'] td")
        assert text in page.texts(".panel[aria-label='gauge 14'] .gauge-name")
        # Backticks are Markdown.
        assert text.replace("`", "") in page.texts(".panel[aria-label='text 6'] .content .prose")[0]
    assert page.one(".top h1").text == EVIL[1]
    assert EVIL[0] in page.texts(".variable > label")
    assert page.panel(EVIL[0])


def test_hostile_names_in_the_address_stay_within_their_strings(shown, page):
    page.open(shown.board("odd", "var-name=x%22%7D%20or%20vector(1)%20%23"))
    assert (
        page.panel('of x"} or vector(1) #').find_element("css selector", ".stat-value").text
        == "no data"
    )


def test_what_cannot_be_shown_says_so_in_its_place(shown, page):
    page.open(shown.board("odd"))
    assert (
        page.panel(EVIL[0]).find_element("css selector", ".unknown").text
        == "panels of the type `flamegraph` are not previewed; Grafana shows this one"
    )
    assert (
        page.panel("stat 15").find_element("css selector", ".failed").text
        == "this asks loki, and only Prometheus is asked here"
    )
    assert "parse error" in page.panel("stat 8").find_element("css selector", ".failed").text
    assert page.panel("stat 9").find_element("css selector", ".stat-value").text == "no traffic"
    assert page.panel("timeseries 10").find_element("css selector", ".words").text == "no data"
    half = page.panel("timeseries 11")
    assert half.find_element("css selector", ".plot .scatterlayer")
    page.run("arguments[0].querySelector('.warning').open = true", half)
    assert half.find_element("css selector", ".warning .pop").text.startswith(
        "query B: Prometheus refused the query"
    )
    page.run("for (const one of document.querySelectorAll('.variable .warning')) one.open = true")
    assert "parse error" in page.one(".variable .warning .pop").text


def test_a_repeated_panel_is_there_once_for_each_value(shown, page):
    page.open(shown.board("odd", "var-place=p1&var-place=p2"))
    found = [one for one in page.all(".panel") if one.get_attribute("data-key").startswith("13")]
    assert [one.find_element("css selector", ".stat-value").text for one in found] == ["1", "1"]
    assert len({one.location["x"] for one in found}) == 2


def test_alerts_are_marked_in_the_graphs_and_counted(shown, page):
    page.open(shown.board("slo-incident"))
    assert "Pages 1" in page.one(".kinds").text
    assert "Tickets 0" in page.one(".kinds").text
    shapes = page.run(
        "return [...document.querySelectorAll('.plot')].flatMap((one) => one.layout.shapes).filter((one) => one.x0 && one.type === 'rect').map((one) => [one.x0, one.x1])"
    )
    assert [(END - 3600) * 1000, END * 1000] in shapes
    page.run("document.querySelector('.kinds .warning').open = true")
    assert (
        page.one(".kinds .pop").text
        == "Deploys: kept by Grafana itself, not by Prometheus, and not shown here"
    )


def test_the_queries_are_shown_as_they_were_sent(shown, page):
    page.open(shown.board("odd", "var-place=p1"))
    assert page.texts(".panel[data-key='13'] .queries code") == ['count(evil{place=~"p1"})']
