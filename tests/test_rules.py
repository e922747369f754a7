"""What alerts: expressions, thresholds, names, labels and texts, typed by hand."""

from pathlib import Path
from typing import Any

import pytest
from tests import core_project as core

import promtool
from sloforge.model import Project

ME = '{slo_service="shop",slo_name="x"}'
RATIO = core.SLIS["ratio-bad"]


def alerting(project: Project) -> dict[str, dict[str, Any]]:
    return core.rules(core.generated(project, "rules")["rules/shop.yml"])


def burn(windows: str, threshold: str, on: str = "slo_service, slo_name", guard: str = "") -> str:
    long, short = windows.split()
    parts = [f"slo:sli_error:ratio_rate{w}{ME} > {threshold}" for w in (long, short)]
    return f"\nand on ({on})\n".join([*parts, *([guard] if guard else [])])


def test_the_alerts_of_a_ratio_by_the_workbook(tmp_path: Path) -> None:
    found = {name: rule["expr"] for name, rule in alerting(core.one(tmp_path, RATIO)).items()}
    base, sampled = (
        f"sum_over_time(slo:sli_errors:rate5m{ME}",
        f"sum_over_time(slo:sli_errors:rate5m_5m{ME}",
    )
    assert found == {
        "ShopDown": 'max(up{job="shop"}) == 0\nor\nabsent(up{job="shop"})',
        "ShopInstrumentationGone": (
            '(\n  label_replace(absent(req_total{job="shop"}), "missing", "req_total{job=\\"shop\\"}", "", "")\n)'
            '\nand on ()\n(max(up{job="shop"}) == 1)'
        ),
        # 14.4, 6 and 1 times a budget of 0.001.
        "XFastBurn": burn("1h 5m", "0.0144", guard=f"{base}[1h]) * 60 >= 5"),
        "XSlowBurn": burn("6h 30m", "0.006", guard=f"{base}[6h]) * 60 >= 5"),
        "XVerySlowBurn": burn("3d 6h", "0.001", guard=f"{sampled}[3d]) * 300 >= 5"),
        "XBudgetExhausted": f"last_over_time(slo:period_error_budget_remaining:ratio{ME}[15m]) <= 0",
        # Half of 30 days of budget in one: 15 times 0.001.
        "XHalfBudgetInADay": (
            f"slo:sli_error:ratio_rate1d{ME} > 0.015\nand on (slo_service, slo_name)\n{sampled}[1d]) * 300 >= 5"
        ),
        "XRulesStale": (
            'count(sum(rate(req_total{job="shop",route!="/healthz"}[5m])))\n'
            f"unless on ()\ncount(slo:sli_total:rate5m{ME})"
        ),
    }


def test_each_value_of_by_burns_alone(tmp_path: Path) -> None:
    found = alerting(core.one(tmp_path, RATIO, by="[region, zone]", alerting="{min_errors: 0}"))
    expected = burn("1h 5m", "0.0144", on="slo_service, slo_name, region, zone")
    assert found["XFastBurn"]["expr"] == expected


@pytest.mark.parametrize(
    ("objective", "window", "thresholds"),
    [
        # 14.4, 6 and 1 times the budget, whatever the period: the workbook's factors are kept.
        ("99.9", "7d", ("0.0144", "0.006", "0.001")),
        ("99.5", "28d", ("0.072", "0.03", "0.005")),
        ("99", "30d", ("0.144", "0.06", "0.01")),
        ("99.99999", "90d", ("0.00000144", "0.0000006", "0.0000001")),
        ("93.3", "30d", ("0.9648", "0.402", "0.067")),
    ],
)
def test_thresholds_are_exact_decimals(
    objective: str, window: str, thresholds: tuple[str, ...], tmp_path: Path
) -> None:
    found = alerting(core.one(tmp_path, RATIO, objective=objective, window=window))
    names = ("XFastBurn", "XSlowBurn", "XVerySlowBurn")
    lines = [found[name]["expr"].splitlines()[0] for name in names]
    assert tuple(line.rpartition(" > ")[2] for line in lines) == thresholds


@pytest.mark.parametrize(
    ("window", "threshold"),
    [
        ("7d", "0.0035"),
        ("28d", "0.014"),
        ("90d", "0.045"),
        ("3d", "0.0015"),
        ("2d", None),
        ("1d", None),
    ],
)
def test_half_the_budget_in_a_day_is_watched_where_that_is_faster_than_allowed(
    window: str, threshold: str | None, tmp_path: Path
) -> None:
    burns = "{burns: [{name: b, severity: page, long: 1h, short: 5m, factor: 2}]}"
    found = alerting(core.one(tmp_path, RATIO, window=window, alerting=burns))
    if threshold is None:
        assert "XHalfBudgetInADay" not in found
    else:
        first = found["XHalfBudgetInADay"]["expr"].splitlines()[0]
        assert first == f"slo:sli_error:ratio_rate1d{ME} > {threshold}"


def test_half_the_budget_is_not_watched_where_no_ratio_is_high_enough(tmp_path: Path) -> None:
    burns = "{burns: [{name: b, severity: page, long: 1h, short: 5m, factor: 2}]}"
    # 15 times a budget of 0.1 is more than all events.
    assert "XHalfBudgetInADay" not in alerting(
        core.one(tmp_path, RATIO, objective="90", alerting=burns)
    )


def test_custom_burns_say_their_factor_or_what_they_spend(tmp_path: Path) -> None:
    burns = (
        "[{name: quick, severity: page, long: 30m, short: 5m, factor: 20, for: 2m, keep_firing_for: 3m},"
        " {name: steady, severity: ticket, long: 1d, short: 2h, spend: 0.1}]"
    )
    found = alerting(core.one(tmp_path, RATIO, alerting=f"{{burns: {burns}, min_errors: 0}}"))
    assert found["XQuick"]["expr"] == burn("30m 5m", "0.02")
    assert (found["XQuick"]["for"], found["XQuick"]["keep_firing_for"]) == ("2m", "3m")
    # 10 % of 30 days of budget in one day: 3 times 0.001.
    assert found["XSteady"]["expr"] == burn("1d 2h", "0.003")
    assert "for" not in found["XSteady"]
    assert "XFastBurn" not in found


def test_labels_say_who_what_and_over_which_windows(tmp_path: Path) -> None:
    found = alerting(core.one(tmp_path, RATIO, alerting="{labels: {team: web}}"))
    labels = {name: rule["labels"] for name, rule in found.items()}
    assert labels["XFastBurn"] == {
        "team": "web",
        "severity": "page",
        "slo_service": "shop",
        "slo_name": "x",
        "owner": "web",
        "burn": "fast-burn",
        "long": "1h",
        "short": "5m",
    }
    assert {name: one["severity"] for name, one in labels.items()} == {
        "ShopDown": "page",
        "ShopInstrumentationGone": "ticket",
        "XFastBurn": "page",
        "XSlowBurn": "page",
        "XVerySlowBurn": "ticket",
        "XBudgetExhausted": "ticket",
        "XHalfBudgetInADay": "page",
        "XRulesStale": "ticket",
    }
    assert labels["ShopDown"] == {"severity": "page", "slo_service": "shop", "owner": "web"}


def test_what_a_severity_and_a_burn_say_stands_on_their_alerts_alone(tmp_path: Path) -> None:
    alerting_ = """
    labels: {channel: all, team: web}
    annotations: {hint: anything}
    page: {labels: {channel: pages, key: k1}, annotations: {hint: hurry}}
    ticket: {labels: {channel: tickets}}
    burns:
    - {name: quick, severity: page, long: 1h, short: 5m, factor: 14.4}
    - {name: slow, severity: page, long: 6h, short: 30m, factor: 6, labels: {channel: own}, annotations: {more: slow one}}
    - {name: steady, severity: ticket, long: 1d, short: 2h, factor: 3, annotations: {hint: later}}"""
    found = alerting(core.one(tmp_path, RATIO, alerting=alerting_))
    said = {
        name: (
            rule["labels"]["team"],
            rule["labels"]["channel"],
            rule["labels"].get("key"),
            rule["annotations"]["hint"],
            rule["annotations"].get("more"),
        )
        for name, rule in found.items()
        if name.startswith("X")
    }
    assert said == {
        "XQuick": ("web", "pages", "k1", "hurry", None),
        "XSlow": ("web", "own", "k1", "hurry", "slow one"),
        "XSteady": ("web", "tickets", None, "later", None),
        "XBudgetExhausted": ("web", "tickets", None, "anything", None),
        "XHalfBudgetInADay": ("web", "pages", "k1", "hurry", None),
        "XRulesStale": ("web", "tickets", None, "anything", None),
    }


def test_labels_of_the_project_are_on_every_alert(tmp_path: Path) -> None:
    text = core.service("shop", [core.slo("x", RATIO)])
    project = core.load(tmp_path, text, extra="labels: {cluster: eu-1}\n")
    rules = alerting(project) | core.rules(core.generated(project, "rules")["rules/_watchdog.yml"])
    assert {
        name for name, rule in rules.items() if rule["labels"].get("cluster") != "eu-1"
    } == set()


def test_names_and_annotations_can_be_overridden_and_alerts_left_out(tmp_path: Path) -> None:
    text = core.service(
        "shop",
        [
            core.slo(
                "check-out",
                RATIO,
                alerting="{names: {fast-burn: ShopIsBurning, rules-stale: ShopIsBlind}, "
                "annotations: {hint: 'in {{ $labels.slo_name }}'}, "
                "disable: [slow-burn, half-budget-in-a-day, budget-exhausted], runbook: 'shop-{burn}'}",
            )
        ],
        disable="[instrumentation-gone]",
    )
    found = alerting(core.load(tmp_path, text))
    assert list(found) == ["ShopDown", "ShopIsBurning", "CheckOutVerySlowBurn", "ShopIsBlind"]
    annotations = found["ShopIsBurning"]["annotations"]
    assert annotations["hint"] == "in {{ $labels.slo_name }}"
    assert annotations["runbook_url"] == "https://runbooks.example.org/shop/shop-fast-burn.md"
    assert annotations["dashboard_url"] == (
        "https://grafana.example.org/d/slo-incident?var-service=shop&var-slo=check-out&from=now-3h&to=now"
    )
    assert (
        found["ShopDown"]["annotations"]["runbook_url"]
        == "https://runbooks.example.org/common/down.md"
    )


def test_the_summary_is_fixed_and_the_description_asks_when_it_fires(tmp_path: Path) -> None:
    annotations = alerting(core.one(tmp_path, RATIO))["XFastBurn"]["annotations"]
    assert annotations["summary"] == "Error budget burn rate is too high."
    asked = '{{ with query `slo:sli_error:ratio_rate1h{slo_service="shop",slo_name="x"} / 0.001` }}'
    shown = '{{ . | first | value | printf "%.1f" }}x{{ else }}unknown{{ end }} over 1h'
    assert annotations["description"].startswith(
        f"shop/x burns its error budget at {asked}{shown} and "
    )


def test_an_undecided_objective_never_alerts(tmp_path: Path) -> None:
    found = alerting(core.one(tmp_path, RATIO, objective="tbd"))
    assert list(found) == ["ShopDown", "ShopInstrumentationGone"]


def test_a_service_without_a_job_has_no_alerts_of_its_own(tmp_path: Path) -> None:
    text = core.service("shop", [core.slo("x", RATIO)], job="")
    assert next(iter(alerting(core.load(tmp_path, text)))) == "XFastBurn"


def test_instrumentation_is_gone_with_any_family_that_an_sli_reads(tmp_path: Path) -> None:
    slos = [
        core.slo(n, core.SLIS[n]) for n in ("ratio-good", "latency-whole", "up", "ratio-promql")
    ]
    found = alerting(core.load(tmp_path, core.service("shop", slos)))
    missing = [
        line for line in found["ShopInstrumentationGone"]["expr"].splitlines() if "absent" in line
    ]
    # Matchers of values that come with a request are left out, and so are expressions of the user.
    assert [line.split("absent(")[1].split(")),")[0].split("), ")[0] for line in missing] == [
        'broker_connected{job="shop"}',
        'sent_total{job="shop"}',
        'took_seconds_bucket{job="shop",le=~"1(\\\\.0)?"}',
    ]


def test_a_quantile_alerts_over_all_of_its_windows(tmp_path: Path) -> None:
    found = alerting(
        core.one(tmp_path, core.SLIS["quantile"], alerting="{severity: ticket, for: 1m}")
    )
    rule = found["XHigh"]
    # A twentieth of the events lies above the 95th percentile: 60 s times 0.05.
    assert rule["expr"] == (
        f"slo:sli_quantile:rate1h{ME} > 0.5\nand on (slo_service, slo_name)\n"
        f"slo:sli_quantile:rate5m{ME} > 0.5\nand on (slo_service, slo_name)\n"
        f"sum_over_time(slo:sli_total:rate5m{ME}[1h]) * 3 >= 5"
    )
    assert (rule["for"], rule["labels"]["severity"], rule["labels"]["long"]) == (
        "1m",
        "ticket",
        "1h",
    )
    assert "XBudgetExhausted" not in found


@pytest.mark.parametrize("sli", ["freshness", "up", "threshold"])
def test_one_bad_slice_is_enough_unless_the_spec_says_otherwise(sli: str, tmp_path: Path) -> None:
    found = alerting(core.one(tmp_path / "a", core.SLIS[sli]))
    assert found["XFastBurn"]["expr"] == burn("1h 5m", "0.0144")
    asked = alerting(core.one(tmp_path / "b", core.SLIS[sli], alerting="{min_errors: 7}"))
    assert asked["XFastBurn"]["expr"].endswith("[1h]) * 60 >= 7")


def test_the_guard_counts_each_rate_for_one_interval(tmp_path: Path) -> None:
    found = alerting(core.one(tmp_path, RATIO, interval="30s"))
    assert found["XFastBurn"]["expr"].endswith("[1h]) * 30 >= 5")
    assert found["XVerySlowBurn"]["expr"].endswith("[3d]) * 300 >= 5")


def test_the_watchdog_always_fires_and_goes_to_nobody(tmp_path: Path) -> None:
    found = core.generated(core.one(tmp_path, RATIO), "rules")["rules/_watchdog.yml"]
    (rule,) = core.rules(found).values()
    assert (rule["expr"], rule["labels"]) == ("vector(1)", {"severity": "none"})


def test_promtool_takes_alerts_with_everything_overridden(tmp_path: Path) -> None:
    text = core.service(
        "shop",
        [
            core.slo(
                "x",
                RATIO,
                by="[region]",
                window="7d",
                alerting="{names: {fast-burn: A, slow-burn: B}}",
            ),
            core.slo(
                "y",
                core.SLIS["up"],
                objective="50",
                alerting="{burns: [{name: b, severity: page, long: 1h, short: 5m, factor: 1.5}]}",
            ),
            core.slo(
                "z", core.SLIS["quantile"], alerting="{annotations: {hint: 'see {{ $value }}'}}"
            ),
        ],
    )
    core.write(tmp_path, core.load(tmp_path, text), "recording", "rules")
    checked = promtool.check_rules([tmp_path / "rules/*.yml", tmp_path / "recording/*.yml"])
    assert checked.ok, checked.findings
