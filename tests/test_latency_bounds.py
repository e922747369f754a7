"""A release changes the buckets of some targets: no request is called slow that nobody can judge."""

from pathlib import Path

import pytest
import yaml
from tests import core_project as core

import promtool
from promtool.report import as_text

SLI = "latency: {histogram: took_seconds, threshold: 300ms}"
MINUTES = 120
# The second target is replaced after an hour.
CHANGE = 60
ALERTS = 'count by (alertname) (ALERTS{alertstate="firing"})'
RECORDED = {"slo_service": "shop", "slo_name": "x"}


def histogram(instance: str, bound: str, start: int, end: int) -> list[dict[str, str]]:
    """60 requests a minute while it lives, all of them within each bound."""
    values = f"_x{start} 0+60x{end - start} stale" if start else f"0+60x{end} stale"
    labels = f'job="shop",instance="{instance}"'
    buckets = [f'took_seconds_bucket{{{labels},le="{le}"}}' for le in (bound, "+Inf")]
    names = [f"took_seconds_count{{{labels}}}", *buckets]
    return [{"series": name, "values": values} for name in names]


def firing(at: int, *names: str) -> dict[str, object]:
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names]
    return {"expr": ALERTS, "eval_time": f"{at}m", "exp_samples": samples}


def value(metric: str, at: int, number: float) -> dict[str, object]:
    labels = ",".join(f'{key}="{one}"' for key, one in RECORDED.items())
    samples = [{"labels": f"{metric}{{{labels}}}", "value": number}]
    return {"expr": metric, "eval_time": f"{at}m", "exp_samples": samples}


def passes(root: Path, changed: str, checks: list[dict[str, object]]) -> None:
    core.write(root, core.one(root, SLI), "recording", "rules")
    up = {"series": 'up{job="shop",instance="a"}', "values": f"1x{MINUTES}"}
    series = [
        up,
        *histogram("a", "0.3", 0, MINUTES),
        *histogram("b", "0.3", 0, CHANGE),
        *histogram("c", changed, CHANGE, MINUTES),
    ]
    document = {
        "rule_files": ["recording/shop.yml", "rules/shop.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": [
            "service-shop-alerts",
            "slo-shop-x",
            "slo-shop-x-period",
            "slo-shop-x-alerts",
        ],
        "tests": [
            {"name": "change", "interval": "1m", "input_series": series, "promql_expr_test": checks}
        ],
    }
    file = root / "change.promtest.yml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    suite = promtool.run_tests([file])
    assert suite.ok, as_text(suite)[:4000]


@pytest.mark.parametrize("at", [62, 65, 75, 90, 119])
def test_a_target_without_the_bound_is_not_counted_and_told(tmp_path: Path, at: int) -> None:
    checks = [value("slo:sli_errors:rate5m", at, 0), value("slo:sli_error:ratio_rate1h", at, 0)]
    if at > CHANGE + 10:
        # One target is left of two: a request a second.
        checks += [value("slo:sli_total:rate5m", at, 1), firing(at, "ShopInstrumentationGone")]
    else:
        checks += [firing(at)]
    passes(tmp_path, "0.25", checks)


def test_a_release_that_keeps_the_bound_is_counted_in_full(tmp_path: Path) -> None:
    passes(tmp_path, "0.3", [value("slo:sli_total:rate5m", 90, 2), firing(90)])
