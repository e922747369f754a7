import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import yaml
from tests.dashboard_project import (
    AVAILABILITY,
    CHECKOUT,
    FRESH,
    LONG,
    PROJECT,
    REGIONAL,
)

from sloforge.artifacts import yaml_text
from sloforge.generate.boards import queries
from sloforge.generate.boards.service import service_board
from sloforge.generate.dashboards import dashboards, service_dashboards
from sloforge.generate.recording import recording
from sloforge.promql import number

FILES = {
    "dashboards/slo-checkout.json",
    # sha256("slo-" + LONG), cut to 40 characters together with the name
    "dashboards/slo-a-service-with-a-name-of-qu-4f621021.json",
    "dashboards/slo-fleet.json",
    "dashboards/slo-incident.json",
}


@pytest.fixture(scope="module")
def texts():
    return {one.path: one.text for one in dashboards(PROJECT)}


@pytest.fixture(scope="module")
def boards(texts):
    return {path.split("/")[1].removesuffix(".json"): json.loads(t) for path, t in texts.items()}


@pytest.fixture(scope="module")
def checkout(boards):
    return boards["slo-checkout"]


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def panel(board, title):
    (found,) = [one for one in panels(board) if one["title"] == title]
    return found


def row(board, title):
    """The panels of a row, collapsed or not."""
    at = next(i for i, one in enumerate(board["panels"]) if one["title"] == title)
    head, rest = board["panels"][at], board["panels"][at + 1 :]
    end = next((i for i, one in enumerate(rest) if one["type"] == "row"), len(rest))
    return head["panels"] + rest[:end]


def steps(found):
    return [
        (s["value"], s["color"]) for s in found["fieldConfig"]["defaults"]["thresholds"]["steps"]
    ]


def test_there_is_a_board_per_service_one_for_the_fleet_and_one_for_incidents(texts):
    assert set(texts) == FILES


def test_the_same_project_gives_the_same_bytes(texts):
    assert {one.path: one.text for one in dashboards(PROJECT)} == texts


def test_the_board_of_a_service_depends_on_no_other_service(texts):
    alone = replace(PROJECT, services=(CHECKOUT,))
    (found,) = service_dashboards(alone)
    assert found.text == texts["dashboards/slo-checkout.json"]


def test_every_board_can_be_imported_provisioned_and_posted(boards):
    for uid, board in boards.items():
        assert board["uid"] == uid
        assert re.fullmatch(r"[a-z0-9-]{1,40}", uid)
        assert board["id"] is None
        assert board["schemaVersion"] == 39
        assert board["editable"] is False
        assert "version" not in board
        assert "__inputs" not in board
        assert all(len(tag) <= 50 for tag in board["tags"])
        first = board["templating"]["list"][0]
        assert (first["name"], first["type"]) == ("datasource", "datasource")
        assert first["current"] == {"text": "default", "value": "default"}


def test_the_project_can_name_the_datasource_that_is_chosen_first():
    settings = replace(PROJECT.settings, datasource="thanos")
    for one in dashboards(replace(PROJECT, settings=settings)):
        first = json.loads(one.text)["templating"]["list"][0]
        assert first["current"] == {"text": "thanos", "value": "thanos"}


def test_the_rows_of_a_service_stand_in_the_order_of_the_questions(checkout):
    assert [one["title"] for one in checkout["panels"] if one["type"] == "row"] == [
        "Are the promises kept?",
        "availability: 99.95 % over 30d",
        "regional: 99 % over 30d",
        "fast: 99 % over 30d",
        "p95: P95 at most 0.5",
        "fresh: 99.9 % over 7d",
        "undecided: not decided yet",
        "HTTP traffic",
        "HTTP latency",
        "Events",
        "Can these numbers be trusted?",
        "Kernel",
    ]


def stat_rows(checkout):
    rows: dict[str, list[str]] = {}
    for one in row(checkout, "Are the promises kept?"):
        if one["type"] == "text":
            current = rows.setdefault(one["title"], [])
        else:
            current.append(one["title"])
    return rows


def test_each_kind_of_slo_has_its_own_stat_row(checkout):
    events = ["Objective", "SLI over 30d", "Budget left", "Bad events left"]
    rest = ["Burn rate now", "Time to exhaustion", "Firing alerts"]
    assert stat_rows(checkout) == {
        "availability": events + rest,
        "regional": events + rest,
        "fast": events + rest,
        "p95": ["Threshold", "P95 over 5m", "P95 over 1h", "Firing alerts"],
        "fresh": ["Objective", "SLI over 7d", "Budget left", "Bad time left", *rest],
        "undecided": ["SLI over 7d", "SLI over 1d", "SLI over 1h"],
    }


def test_every_line_of_stats_fills_the_width(checkout):
    widths: dict[int, int] = {}
    for one in row(checkout, "Are the promises kept?"):
        place = one["gridPos"]
        widths[place["y"]] = widths.get(place["y"], 0) + place["w"]
    assert set(widths.values()) == {24}


def test_decimals_show_an_objective_of_99_95(checkout):
    stats = [one for one in row(checkout, "Are the promises kept?") if one["type"] == "stat"]
    objective, sli = stats[0], stats[1]
    assert objective["fieldConfig"]["defaults"]["decimals"] == 2
    assert sli["fieldConfig"]["defaults"]["decimals"] == 3
    assert steps(sli) == [(None, "red"), (0.9995, "green")]


def test_stats_ask_for_the_newest_value_only(boards):
    for board in boards.values():
        for one in panels(board):
            for target in one.get("targets", ()):
                assert target["instant"] is not target["range"]
                assert target["instant"] is (one["type"] in ("stat", "bargauge", "table"))


def test_no_data_is_said_in_words(boards):
    for board in boards.values():
        for one in panels(board):
            if one["type"] not in ("row", "text"):
                assert one["fieldConfig"]["defaults"]["noValue"]


def test_the_burn_rates_have_the_lines_of_the_workbook(checkout):
    """1, 6 and 14.4: table 5-8 of the workbook."""
    found = row(checkout, "availability: 99.95 % over 30d")[1]
    assert [one["legendFormat"] for one in found["targets"]] == [
        "5m",
        "30m",
        "1h",
        "6h",
        "1d",
        "3d",
    ]
    assert steps(found) == [(None, "green"), (1, "orange"), (6, "red"), (14.4, "red")]
    custom = found["fieldConfig"]["defaults"]["custom"]
    assert custom["thresholdsStyle"] == {"mode": "dashed"}
    assert custom["scaleDistribution"] == {"type": "log", "log": 2}


def test_the_burn_down_has_an_ideal_line(checkout):
    found = row(checkout, "availability: 99.95 % over 30d")[0]
    assert [one["legendFormat"] for one in found["targets"]] == ["burn-down", "ideal", "left"]
    (override,) = found["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byName", "options": "ideal"}


def test_http_panels_use_the_label_names_of_the_service(checkout):
    by_route, by_status, errors = row(checkout, "HTTP traffic")
    metric = 'service:http_requests:rate5m{slo_service="checkout",path=~"$route"}'
    assert by_route["targets"][0]["expr"] == f"sum by (path) ({metric})"
    assert by_status["targets"][0]["expr"] == f"sum by (code) ({metric})"
    assert 'code=~"5.."' in errors["targets"][0]["expr"]
    # What the two ratio SLOs on the same counter allow: 0.05 % and 1 %.
    assert steps(errors) == [(None, "green"), (0.0005, "red"), (0.01, "red")]


def test_latency_has_p50_p95_p99_by_route_with_the_lines_of_the_slos(checkout):
    p50, p95, p99 = row(checkout, "HTTP latency")
    assert [one["title"] for one in (p50, p95, p99)] == [
        "P50 by route",
        "P95 by route",
        "P99 by route",
    ]
    buckets = (
        "sum by (le, path) (service:http_request_duration_bucket:rate5m"
        '{slo_service="checkout",path=~"$route"})'
    )
    for one, quantile in ((p50, "0.5"), (p95, "0.95"), (p99, "0.99")):
        (target,) = one["targets"]
        assert target["expr"] == f"histogram_quantile({quantile}, {buckets}) >= -Inf"
        assert target["legendFormat"] == "{{path}}"
        assert one["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "dashed"
        assert one["fieldConfig"]["defaults"]["unit"] == "s"
    # `fast` is 99 % within 0.3 s; `p95` is 95 % within 0.5 s, which P99 above it does not break.
    assert steps(p50) == [(None, "green"), (0.3, "red"), (0.5, "red")]
    assert steps(p95) == [(None, "green"), (0.3, "red"), (0.5, "red")]
    assert steps(p99) == [(None, "green"), (0.3, "red"), (0.5, "orange")]


def test_a_quantile_is_shown_with_its_threshold_and_without_a_budget(checkout):
    chart, alerts = row(checkout, "p95: P95 at most 0.5")
    assert [one["expr"] for one in chart["targets"]] == [
        'slo:sli_quantile:rate5m{slo_service="checkout",slo_name="p95"}',
        'slo:sli_quantile:rate1h{slo_service="checkout",slo_name="p95"}',
    ]
    assert steps(chart) == [(None, "green"), (0.5, "red")]
    assert alerts["type"] == "state-timeline"


def test_an_undecided_slo_is_shown_without_a_target(checkout):
    found = row(checkout, "undecided: not decided yet")
    assert [one["title"] for one in found] == ["When were events bad?"]
    assert steps(found[0]) == [(None, "green")]
    assert found[0]["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "off"


def test_the_rows_of_the_team_come_last_with_their_own_units_lines_and_words(checkout):
    queue, notes, builds = row(checkout, "Kernel")
    assert queue["fieldConfig"]["defaults"]["unit"] == "short"
    assert steps(queue) == [(None, "green"), (80, "red")]
    assert queue["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    assert notes["options"] == {"mode": "markdown", "content": "# Hello"}
    assert builds["targets"][0]["format"] == "table"
    (keep, _) = builds["transformations"]
    assert keep["options"]["include"]["names"] == ["version", "Value"]


def test_variables_chain_from_the_datasource_to_the_route(checkout):
    found = checkout["templating"]["list"]
    assert [one["name"] for one in found] == ["datasource", "service", "slo", "route", "zone"]
    assert [one.get("definition") for one in found[2:]] == [
        'label_values(slo_info{slo_service="$service"}, slo_name)',
        'label_values(service:http_requests:rate5m{slo_service="$service"}, path)',
        "label_values(queue_length, zone)",
    ]
    assert found[1]["type"] == "constant"
    assert found[1]["query"] == "checkout"


def test_alerts_and_deploys_are_marked(boards):
    built_in, pages, tickets, deploys = boards["slo-checkout"]["annotations"]["list"]
    assert built_in["builtIn"] == 1
    assert (pages["iconColor"], tickets["iconColor"]) == ("red", "orange")
    assert pages["expr"] == 'ALERTS{slo_service="checkout",alertstate="firing",severity="page"}'
    assert deploys["target"] == {
        "type": "tags",
        "tags": ["deploy", "service:checkout"],
        "matchAny": False,
        "limit": 100,
    }


def test_the_fleet_has_one_table_of_all_slos_worst_first(boards):
    board = boards["slo-fleet"]
    found = panel(board, "All SLOs, worst first")
    join, keep, organize, sort = found["transformations"]
    assert join["options"] == {"byField": "slo", "mode": "outer"}
    assert organize["options"]["renameByName"]["Value #D"] == "Budget left"
    assert sort["options"]["sort"] == [{"field": "Budget left", "desc": False}]
    refs = [f"Value #{one['refId']}" for one in found["targets"][1:]]
    assert [
        name for name in keep["options"]["include"]["names"] if name.startswith("Value")
    ] == refs
    stats = [one["title"] for one in row(board, "Who needs somebody now?")]
    assert stats == [
        "SLOs",
        "Budgets spent",
        "At risk",
        "Pages firing",
        "Tickets firing",
        "Without data",
    ]


def test_each_row_of_the_fleet_leads_to_the_board_of_its_service(boards):
    found = panel(boards["slo-fleet"], "All SLOs, worst first")
    links = {
        override["matcher"]["options"]: one["value"][0]["url"]
        for override in found["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "links"
    }
    assert links["Service"] == "/d/${__data.fields.board}"
    assert links["SLO"].startswith("/d/slo-incident?var-service=")
    # A long name has another uid than slo-<name>, which the query puts in its place.
    assert (
        f'"slo-a-service-with-a-name-of-qu-4f621021", "slo_service", "{LONG}"'
        in (found["targets"][0]["expr"])
    )


def test_the_incident_board_is_what_an_alert_links_to(boards):
    board = boards["slo-incident"]
    assert board["time"] == {"from": "now-3h", "to": "now"}
    assert board["refresh"] == "30s"
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "service", "slo"]
    titles = [one["title"] for one in board["panels"] if one["type"] == "row"]
    assert titles == [
        "Is it still firing, and since when?",
        "How bad is it now?",
        "How long will the budget last?",
        "Is traffic normal, and where does it fail?",
        "Who else is affected?",
    ]


def test_a_panel_keeps_its_id_when_another_comes_before_it(checkout):
    grown = replace(CHECKOUT, slos=(FRESH, AVAILABILITY, *CHECKOUT.slos[1:4], CHECKOUT.slos[5]))
    (again,) = service_dashboards(replace(PROJECT, services=(grown,)))
    after = {one["title"]: one["id"] for one in panels(json.loads(again.text)) if unique(one)}
    before = {one["title"]: one["id"] for one in panels(checkout) if unique(one)}
    assert before == after
    places = {one["title"]: one["gridPos"] for one in panels(json.loads(again.text))}
    assert places["HTTP traffic"] == panel(checkout, "HTTP traffic")["gridPos"]
    assert [one["id"] for one in panels(json.loads(again.text))] != [
        one["id"] for one in panels(checkout)
    ]


def unique(one):
    """Titles that only one panel of the board has."""
    return one["type"] == "row" or one["title"].endswith("route") or one["title"] == "Queue length"


def test_no_series_is_read_but_recorded_ones_and_prometheus_own(boards):
    recorded = {
        rule["record"]
        for one in recording(PROJECT)
        for group in yaml.safe_load(one.text)["groups"]
        for rule in group["rules"]
    }
    own = {"ALERTS", "ALERTS_FOR_STATE", "up", "prometheus_rule_evaluation_failures_total"}
    team = {"queue_length", "build_info"}
    read = set()
    for board in boards.values():
        for one in panels(board):
            for target in one.get("targets", ()):
                bare = re.sub(r'"(\\.|[^"\\])*"|\[[^]]*\]', "", target["expr"])
                read |= set(re.findall(r"[A-Za-z_][\w]*(?::\w+)+", bare))
                read |= set(
                    re.findall(r"\b(?:ALERTS\w*|up|prometheus_\w+|queue_\w+|build_\w+)\b", bare)
                )
    assert read <= recorded | own | team
    assert {"slo:period_error_budget_remaining:ratio", "up", "build_info"} <= read


def evaluated(tmp_path, cases, series, at):
    """What real promtool makes of queries: (query, value it must have) over input series."""
    (tmp_path / "empty.yml").write_text("groups: []\n")
    tests = [
        {
            "expr": expr.replace("$__from", "0")
            .replace("$__range_s", "21600")
            .replace("$__range", "6h"),
            "eval_time": at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in expected],
        }
        for expr, expected in cases
    ]
    test = {
        "interval": "5m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": tests,
    }
    file = tmp_path / "queries.test.yml"
    file.write_text(yaml_text({"rule_files": ["empty.yml"], "tests": [test]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def test_queries_have_the_values_of_budget_arithmetic(tmp_path):
    """A week at 10 events/s of which 0.02 are bad, at 99.9 %: burn 2, so that nothing is left.

    The week allows 6,048 bad events of 6,048,000; a day has 864,000, of which 1,728 were bad.
    """
    slo = replace(FRESH, name="x")
    scope = queries.one(slo)
    label = key = '{slo_service="checkout",slo_name="x"}'
    week = 7 * 288
    series = {
        f"slo:sli_total:rate5m_5m{label}": f"10x{week}",
        f"slo:sli_errors:rate5m_5m{label}": f"0.02x{week}",
        f"slo:error_budget:ratio{label}": f"0.001x{week}",
        f"slo:time_period:days{label}": f"7x{week}",
        f"slo:sli_error:ratio_rate1h{label}": f"0.002x{week}",
        f"slo:sli_error:ratio_rate5m{label}": f"0.002x{week}",
        f"slo:period_burn_rate:ratio{label}": f"0.5x{week}",
        f"slo:period_error_budget_remaining:ratio{label}": f"0.5x{week}",
        f"slo:sli_total:rate5m{label}": f"10x{week}",
    }
    cases = [
        (queries.burn(scope, timedelta(hours=1)), [(key, 2)]),
        # Half a budget at twice the allowed speed: a quarter of the week.
        (queries.exhaustion(scope), [(key, 604800 / 4)]),
        (f"round({queries.left_seconds(scope)}, 0.1)", [(key, 302.4)]),
        # Half of 6,048; before 3.0 a range has one sample more, hence the rounding.
        (f"round({queries.left_events(scope, slo.window)}, 100)", [(key, 3000)]),
        (f"round({queries.spent_per_day(scope, slo)}, 0.01)", [(key, 0.29)]),
        # Twice as fast as allowed from the left edge on: after the week, one budget too many.
        (f"round({queries.burn_down(scope, slo)}, 0.01)", [(key, -1)]),
        (queries.ideal(slo), [("{}", 0)]),
        # Six hours at burn 2: 2 x 6 / 168.
        (f"round({queries.spent_in_view(scope)}, 0.0001)", [(key, 0.0714)]),
        (queries.any_period_sli(scope), [(key, 0.9995)]),
        (queries.coverage(slo, slo.window), [("{}", 1)]),
        (queries.age(scope), [(key, 0)]),
        (queries.firing(scope), [("{}", 0)]),
    ]
    assert "SUCCESS" in evaluated(tmp_path, cases, series, f"{week * 5}m")


def test_queries_keep_the_series_of_one_slo_apart(tmp_path):
    scope, week = queries.one(REGIONAL), replace(REGIONAL, window=timedelta(days=7))
    slo = '{slo_service="checkout",slo_name="regional"}'
    eu, us = (slo.replace("}", f',region="{region}"}}') for region in ("eu", "us"))
    series = {
        f"slo:sli_error:ratio_rate1h{eu}": "0.02x10",
        f"slo:sli_error:ratio_rate1h{us}": "0.01x10",
        f"slo:period_error_budget_remaining:ratio{eu}": "0.5x10",
        f"slo:period_error_budget_remaining:ratio{us}": "-1x10",
        f"slo:error_budget:ratio{slo}": "0.01x10",
        f"slo:time_period:days{slo}": "30x10",
        f"slo:sli_total:rate5m_5m{eu}": "1x10",
        f"slo:sli_total:rate5m_5m{us}": "1x10",
        f"slo:sli_errors:rate5m_5m{eu}": "0.01x10",
        f"slo:sli_errors:rate5m_5m{us}": "0x10",
    }
    burn = queries.burn(scope, timedelta(hours=1))
    cases = [
        (burn, [(eu, 2), (us, 1)]),
        # 0.5 x 30 days / 2; overspent is 0 and never a negative time.
        (queries.exhaustion(scope), [(eu, 648000), (us, 0)]),
        # Seconds that are left: 0.5 x 1 % x 30 days, and as many overspent twice.
        (f"round({queries.left_seconds(scope)})", [(eu, 12960), (us, -25920)]),
        (f"round({queries.burn_down(scope, week)}, 0.01)", [(eu, 0), (us, 1)]),
        # Eleven of 2,016 samples on each side: coverage is a mean over series, not their sum.
        (f"round({queries.coverage(week, week.window)}, 0.0001)", [("{}", 0.0055)]),
    ]
    assert "SUCCESS" in evaluated(tmp_path, cases, series, "50m")
    # The same over the variables of a board, where other SLOs have other labels.
    wide = queries.chosen([REGIONAL, AVAILABILITY])
    expr = queries.exhaustion(wide).replace("$service", "checkout").replace("$slo", ".*")
    assert "SUCCESS" in evaluated(tmp_path, [(expr, [(eu, 648000), (us, 0)])], series, "50m")


def test_the_table_of_the_fleet_says_idle_and_no_budget_apart(tmp_path, boards):
    found = panel(boards["slo-fleet"], "All SLOs, worst first")["targets"][3]["expr"]
    expr = re.sub(r"\$(service|owner|tier)", ".*", found)
    info = 'slo_info{slo_service="a",slo_name="NAME",owner="o",tier="1"}'
    series = {info.replace("NAME", name): "1x2" for name in ("spent", "idle", "p95")}
    series['slo:period_error_budget_remaining:ratio{slo_service="a",slo_name="spent"}'] = "-1x2"
    series['slo:objective:ratio{slo_service="a",slo_name="spent"}'] = "0.99x2"
    series['slo:objective:ratio{slo_service="a",slo_name="idle"}'] = "0.99x2"
    expected = [('{slo="a/spent"}', -1), ('{slo="a/idle"}', 2), ('{slo="a/p95"}', 3)]
    assert "SUCCESS" in evaluated(tmp_path, [(expr, expected)], series, "5m")


@pytest.mark.parametrize(
    ("objective", "spoken", "shown"),
    [("0.99", 0, 2), ("0.995", 1, 2), ("0.9995", 2, 3), ("0.99999", 3, 4)],
)
def test_decimals_follow_the_objective(objective, spoken, shown):
    slo = replace(AVAILABILITY, objective=Decimal(objective))
    board = service_board(PROJECT, replace(CHECKOUT, slos=(slo,)))
    first, second = board.sections[0].panels[1:3]
    assert (first.look.decimals, second.look.decimals) == (spoken, shown)
    assert board.sections[1].title == f"availability: {number(Decimal(objective) * 100)} % over 30d"
