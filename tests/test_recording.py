"""What is recorded: the PromQL of every SLI kind in every mode, typed by hand."""

from pathlib import Path
from typing import Any

import pytest
from tests import core_project as core

import promtool
from sloforge.model import Project

ME = '{slo_service="shop",slo_name="x"}'
ALL_5M = 'sum(rate(req_total{job="shop",route!="/healthz"}[5m]))'
BAD = 'req_total{job="shop",route!="/healthz",code=~"5.."}'
AGE = 'time() - max(backup_last_success_seconds{job="shop"})'


def recorded(project: Project) -> dict[str, dict[str, Any]]:
    return core.rules(core.generated(project, "recording")["recording/shop.yml"])


def expressions(project: Project) -> dict[str, str]:
    return {name: rule["expr"] for name, rule in recorded(project).items()}


# Total and errors over the base window, and the ratio over an hour from the raw series.
HYBRID = {
    "ratio-bad": (
        ALL_5M,
        f"sum(rate({BAD}[5m])) or 0 * {ALL_5M}",
        (
            f"(sum(rate({BAD}[1h])) or 0 * sum(slo:sli_total:rate5m{ME})) / "
            '(sum(rate(req_total{job="shop",route!="/healthz"}[1h])) > 0)'
        ),
    ),
    "ratio-good": (
        'sum(rate(sent_total{job="shop"}[5m]))',
        (
            'clamp_min(sum(rate(sent_total{job="shop"}[5m])) - '
            '(sum(rate(delivered_total{job="shop"}[5m])) or 0 * sum(rate(sent_total{job="shop"}[5m]))), 0)'
        ),
        (
            '(clamp_min(sum(rate(sent_total{job="shop"}[1h])) - (sum(rate(delivered_total{job="shop"}[1h])) '
            f'or 0 * sum(slo:sli_total:rate5m{ME})), 0)) / (sum(rate(sent_total{{job="shop"}}[1h])) > 0)'
        ),
    ),
    "ratio-promql": (
        "(sum(rate(in_total[5m])) >= 0)",
        "(sum(rate(lost_total[5m])) >= 0) or 0 * (sum(rate(in_total[5m])) >= 0)",
        (
            f"((sum(rate(lost_total[1h])) >= 0) or 0 * sum(slo:sli_total:rate5m{ME})) / "
            "((sum(rate(in_total[1h])) >= 0) > 0)"
        ),
    ),
    "latency": (
        'sum(rate(took_seconds_count{job="shop",route="/buy"}[5m]) and ignoring (le) rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[5m]))',
        (
            'clamp_min(sum(rate(took_seconds_count{job="shop",route="/buy"}[5m]) and ignoring (le) rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[5m])) - '
            'sum(rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[5m])), 0)'
        ),
        (
            '(clamp_min(sum(rate(took_seconds_count{job="shop",route="/buy"}[1h]) and ignoring (le) rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[1h])) - '
            'sum(rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[1h])), 0)) / '
            '(sum(rate(took_seconds_count{job="shop",route="/buy"}[1h]) and ignoring (le) rate(took_seconds_bucket{job="shop",route="/buy",le="0.3"}[1h])) > 0)'
        ),
    ),
    "latency-whole": (
        r'sum(rate(took_seconds_count{job="shop"}[5m]) and ignoring (le) rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[5m]))',
        (
            r'clamp_min(sum(rate(took_seconds_count{job="shop"}[5m]) and ignoring (le) rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[5m])) - '
            r'sum(rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[5m])), 0)'
        ),
        (
            r'(clamp_min(sum(rate(took_seconds_count{job="shop"}[1h]) and ignoring (le) rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[1h])) - '
            r'sum(rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[1h])), 0)) / '
            r'(sum(rate(took_seconds_count{job="shop"}[1h]) and ignoring (le) rate(took_seconds_bucket{job="shop",le=~"1(\\.0)?"}[1h])) > 0)'
        ),
    ),
    "latency-native": (
        'histogram_count(sum(rate(felt_seconds{job="shop"}[5m])))',
        (
            '(histogram_count(sum(rate(felt_seconds{job="shop"}[5m]))) * (1 - histogram_fraction(-Inf, 0.25, '
            'sum(rate(felt_seconds{job="shop"}[5m])))) >= 0) or 0 * histogram_count(sum(rate(felt_seconds{job="shop"}[5m])))'
        ),
        (
            '((histogram_count(sum(rate(felt_seconds{job="shop"}[1h]))) * (1 - histogram_fraction(-Inf, 0.25, '
            f'sum(rate(felt_seconds{{job="shop"}}[1h])))) >= 0) or 0 * sum(slo:sli_total:rate5m{ME})) / '
            '(histogram_count(sum(rate(felt_seconds{job="shop"}[1h]))) > 0)'
        ),
    ),
    "freshness": (
        'sum(count_over_time((max(backup_last_success_seconds{job="shop"}))[5m:15s])) / 300',
        f"sum(sum_over_time((({AGE} > bool 300) + ({AGE} < bool -60))[5m:15s])) / 300",
        (
            f"(sum(sum_over_time((({AGE} > bool 300) + ({AGE} < bool -60))[1h:15s])) / 3600) / "
            '(sum(count_over_time((max(backup_last_success_seconds{job="shop"}))[1h:15s])) / 3600 > 0)'
        ),
    ),
    "up": (
        'sum(count_over_time((broker_connected{job="shop"})[5m:15s])) / 300',
        'sum(sum_over_time((broker_connected{job="shop"} != bool 1)[5m:15s])) / 300',
        (
            '(sum(sum_over_time((broker_connected{job="shop"} != bool 1)[1h:15s])) / 3600) / '
            '(sum(count_over_time((broker_connected{job="shop"})[1h:15s])) / 3600 > 0)'
        ),
    ),
    "threshold": (
        'sum(count_over_time((queue_length{job="shop"} >= -Inf)[5m:15s])) / 300',
        'sum(sum_over_time(((queue_length{job="shop"} >= -Inf) > bool 100)[5m:15s])) / 300',
        (
            '(sum(sum_over_time(((queue_length{job="shop"} >= -Inf) > bool 100)[1h:15s])) / 3600) / '
            '(sum(count_over_time((queue_length{job="shop"} >= -Inf)[1h:15s])) / 3600 > 0)'
        ),
    ),
    "threshold-promql": (
        "sum(count_over_time(((sum(queue_length) / sum(workers)) >= -Inf)[5m:15s])) / 300",
        "sum(sum_over_time((((sum(queue_length) / sum(workers)) >= -Inf) >= bool 2.5)[5m:15s])) / 300",
        (
            "(sum(sum_over_time((((sum(queue_length) / sum(workers)) >= -Inf) >= bool 2.5)[1h:15s])) / 3600) / "
            "(sum(count_over_time(((sum(queue_length) / sum(workers)) >= -Inf)[1h:15s])) / 3600 > 0)"
        ),
    ),
}


@pytest.mark.parametrize("kind", HYBRID)
def test_total_errors_and_the_ratio_over_an_hour(kind: str, tmp_path: Path) -> None:
    found = expressions(core.one(tmp_path, core.SLIS[kind]))
    names = ("slo:sli_total:rate5m", "slo:sli_errors:rate5m", "slo:sli_error:ratio_rate1h")
    assert tuple(found[name] for name in names) == HYBRID[kind]


def summed(window: str, suffix: str = "") -> str:
    return (
        f"sum_over_time(slo:sli_errors:rate5m{suffix}{ME}[{window}]) / "
        f"(sum_over_time(slo:sli_total:rate5m{suffix}{ME}[{window}]) > 0)"
    )


def raw(window: str) -> str:
    return (
        f"(sum(rate({BAD}[{window}])) or 0 * sum(slo:sli_total:rate5m{ME})) / "
        f'(sum(rate(req_total{{job="shop",route!="/healthz"}}[{window}])) > 0)'
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(
            "hybrid", {"30m": raw("30m"), "1h": raw("1h"), "6h": summed("6h")}, id="hybrid"
        ),
        pytest.param(
            "derived", {"30m": summed("30m"), "1h": summed("1h"), "6h": summed("6h")}, id="derived"
        ),
        pytest.param(
            "exact",
            {"30m": raw("30m"), "6h": raw("6h"), "1d": raw("1d"), "3d": raw("3d")},
            id="exact",
        ),
    ],
)
def test_the_mode_says_which_ratios_are_taken_from_raw_series(
    mode: str, expected: dict[str, str], tmp_path: Path
) -> None:
    found = expressions(core.one(tmp_path, core.SLIS["ratio-bad"], mode=mode))
    assert {w: found[f"slo:sli_error:ratio_rate{w}"] for w in expected} == expected
    # In every mode the base ratio and the period come from what is recorded.
    assert (
        found["slo:sli_error:ratio_rate5m"]
        == f"slo:sli_errors:rate5m{ME} / (slo:sli_total:rate5m{ME} > 0)"
    )
    assert found["slo:sli_error:ratio_rate30d"] == summed("30d", "_5m")


def test_slices_are_added_up_beyond_an_hour_even_in_mode_exact(tmp_path: Path) -> None:
    found = expressions(core.one(tmp_path, core.SLIS["up"], mode="exact"))
    assert "[1h:15s]" in found["slo:sli_error:ratio_rate1h"]
    assert found["slo:sli_error:ratio_rate6h"] == summed("6h")
    assert found["slo:sli_error:ratio_rate3d"] == summed("3d", "_5m")


def test_slices_of_a_second_are_added_up_where_a_rule_test_could_not_hold_them(
    tmp_path: Path,
) -> None:
    text = core.service("shop", [core.slo("x", core.SLIS["up"])], scrape_interval="1s")
    found = expressions(core.load(tmp_path, text))
    assert "[30m:1s]" in found["slo:sli_error:ratio_rate30m"]
    assert found["slo:sli_error:ratio_rate1h"] == summed("1h")


def test_labels_of_by_are_kept_in_every_sum(tmp_path: Path) -> None:
    found = expressions(core.one(tmp_path, core.SLIS["ratio-bad"], by="[region, zone]"))
    total = 'sum by (region, zone) (rate(req_total{job="shop",route!="/healthz"}[5m]))'
    assert found["slo:sli_total:rate5m"] == total
    assert found["slo:sli_errors:rate5m"] == (
        f"sum by (region, zone) (rate({BAD}[5m])) or 0 * {total}"
    )
    assert found["slo:sli_error:ratio_rate1h"] == (
        f"(sum by (region, zone) (rate({BAD}[1h])) or 0 * sum by (region, zone) (slo:sli_total:rate5m{ME})) / "
        '(sum by (region, zone) (rate(req_total{job="shop",route!="/healthz"}[1h])) > 0)'
    )


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        pytest.param(
            "quantile",
            'histogram_quantile(0.95, sum by (le, region) (rate(took_seconds_bucket{job="shop"}[1h]))) >= -Inf',
            id="classic",
        ),
        pytest.param(
            "quantile-native",
            'histogram_quantile(0.95, sum by (region) (rate(felt_seconds{job="shop"}[1h]))) >= -Inf',
            id="native",
        ),
    ],
)
def test_a_quantile_is_recorded_over_its_windows_and_has_no_budget(
    sli: str, expected: str, tmp_path: Path
) -> None:
    found = expressions(core.one(tmp_path, core.SLIS[sli], by="[region]"))
    assert found["slo:sli_quantile:rate1h"] == expected
    assert found["slo:sli_quantile:rate5m"] == expected.replace("[1h]", "[5m]")
    assert list(found) == [
        "slo:sli_total:rate5m",
        "slo:sli_quantile:rate5m",
        "slo:sli_quantile:rate1h",
        "slo:time_period:days",
        "slo_info",
    ]


@pytest.mark.parametrize(
    ("window", "burns", "ratios", "in_the_period_group"),
    [
        pytest.param("7d", "workbook", "5m 30m 1h 6h 1d 3d 7d", ["7d"], id="7d"),
        pytest.param("28d", "workbook", "5m 30m 1h 6h 1d 3d 28d", ["28d"], id="28d"),
        pytest.param(
            "30d", "four-windows", "5m 30m 1h 2h 6h 1d 3d 30d", ["30d"], id="30d, four windows"
        ),
        pytest.param("90d", "workbook", "5m 30m 1h 6h 1d 3d 90d", ["90d"], id="90d"),
        pytest.param("3d", "workbook", "5m 30m 1h 6h 1d 3d", [], id="3d, as long as a burn"),
        pytest.param("1d", "short-period", "5m 30m 1h 6h 1d", [], id="1d"),
    ],
)
def test_every_window_is_recorded_once(
    window: str, burns: str, ratios: str, in_the_period_group: list[str], tmp_path: Path
) -> None:
    project = core.one(
        tmp_path, core.SLIS["ratio-bad"], window=window, alerting=f"{{burns: {burns}}}"
    )
    main, period = core.groups(core.generated(project, "recording")["recording/shop.yml"])
    names = [r["record"] for r in (*main["rules"], *period["rules"])]
    prefix = "slo:sli_error:ratio_rate"
    assert [n.removeprefix(prefix) for n in names if n.startswith(prefix)] == ratios.split()
    assert [r["record"] for r in period["rules"]] == [
        "slo:sli_total:rate5m_5m",
        "slo:sli_errors:rate5m_5m",
        *(prefix + w for w in in_the_period_group),
    ]
    assert [n for n in names if names.count(n) > 1] == []
    assert (main["interval"], period["interval"]) == ("1m", "5m")
    # Mimir refuses groups of more than 20 rules.
    assert len(main["rules"]) <= 20


@pytest.mark.parametrize(
    ("objective", "window", "ratio", "budget", "days"),
    [
        ("99.9", "30d", "0.999", "0.001", "30"),
        ("99.99999", "28d", "0.9999999", "0.0000001", "28"),
        ("95", "7d", "0.95", "0.05", "7"),
        ("99.95", "90d", "0.9995", "0.0005", "90"),
        ("92.3", "400d", "0.923", "0.077", "400"),
    ],
)
def test_the_budget_is_an_exact_decimal(
    objective: str, window: str, ratio: str, budget: str, days: str, tmp_path: Path
) -> None:
    burns = "{burns: [{name: b, severity: page, long: 1h, short: 5m, factor: 2}]}"
    found = expressions(
        core.one(
            tmp_path, core.SLIS["ratio-bad"], objective=objective, window=window, alerting=burns
        )
    )
    assert found["slo:objective:ratio"] == f"vector({ratio})"
    assert found["slo:error_budget:ratio"] == f"vector({budget})"
    assert found["slo:time_period:days"] == f"vector({days})"


def test_the_burn_rates_and_what_is_left_follow_from_ratio_and_budget(tmp_path: Path) -> None:
    found = expressions(core.one(tmp_path, core.SLIS["ratio-bad"]))
    over = f" / on (slo_service, slo_name) group_left () slo:error_budget:ratio{ME}"
    assert found["slo:current_burn_rate:ratio"] == f"slo:sli_error:ratio_rate5m{ME}{over}"
    assert found["slo:period_burn_rate:ratio"] == (
        f"last_over_time(slo:sli_error:ratio_rate30d{ME}[15m]){over}"
    )
    assert found["slo:period_error_budget_remaining:ratio"] == f"1 - slo:period_burn_rate:ratio{ME}"


def test_an_undecided_objective_is_recorded_without_a_budget(tmp_path: Path) -> None:
    found = recorded(core.one(tmp_path, core.SLIS["ratio-bad"], objective="tbd"))
    assert "slo:sli_error:ratio_rate30d" in found
    assert (
        not {"slo:objective:ratio", "slo:error_budget:ratio", "slo:current_burn_rate:ratio"}
        & found.keys()
    )
    assert found["slo_info"]["labels"]["objective"] == "tbd"


def test_only_slo_info_knows_what_an_edit_may_change(tmp_path: Path) -> None:
    found = recorded(core.one(tmp_path, core.SLIS["ratio-bad"]))
    info = found.pop("slo_info")
    assert info["labels"] == {
        "slo_service": "shop",
        "slo_name": "x",
        "owner": "web",
        "tier": "1",
        "objective": "99.9",
        "window": "30d",
        "sli": "ratio",
    }
    identity = {"slo_service": "shop", "slo_name": "x"}
    assert {name for name, rule in found.items() if rule["labels"] != identity} == set()


def test_an_edited_owner_leaves_every_summed_series_alone(tmp_path: Path) -> None:
    before = recorded(core.one(tmp_path / "before", core.SLIS["ratio-bad"]))
    other = core.service("shop", [core.slo("x", core.SLIS["ratio-bad"])], owner="web", tier="3")
    after = recorded(core.load(tmp_path / "after", other))
    assert [name for name in before if before[name] != after[name]] == ["slo_info"]


@pytest.mark.parametrize("mode", ["hybrid", "derived", "exact"])
def test_promtool_takes_every_kind_in_every_mode(mode: str, tmp_path: Path) -> None:
    slos = [core.slo(name, sli) for name, sli in core.SLIS.items()]
    by = [core.slo(n, s, by="[region]") for n, s in core.SLIS.items() if n != "threshold-promql"]
    project = core.load(tmp_path, core.service("shop", slos), core.service("mall", by), mode=mode)
    core.write(tmp_path, project, "recording", "rules")
    checked = promtool.check_rules([tmp_path / "recording/*.yml", tmp_path / "rules/*.yml"])
    assert checked.ok, checked.findings
