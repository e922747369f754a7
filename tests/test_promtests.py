"""The generated tests pass the real promtool for everything that a spec can ask for."""

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from tests import core_project as core

import promtool
from promtool.report import as_text
from sloforge.errors import Problem
from sloforge.model import Project

# Extremes of what a spec may ask for: key of the SLO, of the service, of the project.
EXTREMES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str]]] = {
    "400 days": ({"window": "400d"}, {}, {}),
    "90 days, four windows": ({"window": "90d", "alerting": "{burns: four-windows}"}, {}, {}),
    "a period as long as a burn": ({"window": "3d"}, {}, {}),
    "one day": ({"window": "1d", "alerting": "{burns: short-period}"}, {}, {}),
    "seven nines": ({"objective": "99.99999"}, {}, {}),
    "half of all may fail": (
        {
            "objective": "50",
            "alerting": "{burns: [{name: b, severity: page, long: 1h, short: 5m, factor: 1.5}]}",
        },
        {},
        {},
    ),
    "one error is enough": ({"alerting": "{min_errors: 0}"}, {}, {}),
    "undecided": ({"objective": "tbd"}, {}, {}),
    "odd windows, a for": (
        {
            "alerting": "{burns: [{name: a, severity: page, long: 45m, short: 7m, factor: 5, for: 7m}, {name: b, severity: ticket, long: 1d, short: 2h, factor: 15}]}"
        },
        {},
        {},
    ),
    "scraped every second": ({}, {"scrape_interval": "1s"}, {}),
    "scraped every 75 seconds": ({}, {"scrape_interval": "75s"}, {}),
    "scraped at odd times": ({}, {"scrape_interval": "7s"}, {}),
    "evaluated every five minutes": ({}, {}, {"interval": "5m"}),
    "evaluated every ten seconds": ({}, {}, {"interval": "10s"}),
    "windows of no round number of samples": (
        {
            "objective": "95",
            "alerting": "{burns: [{name: a, severity: page, long: 1545m, short: 130m, factor: 7}, {name: b, severity: ticket, long: 64m, short: 5m, factor: 14}]}",
        },
        {},
        {},
    ),
    "one name, and texts of the team's": (
        {
            "alerting": "{names: {fast-burn: Burning, slow-burn: Burning, half-budget-in-a-day: Burning}, annotations: {description: '{{ $labels.slo_name }} at {{ $value | humanizePercentage }}', more: '{{ $labels.nope }}'}}"
        },
        {},
        {},
    ),
    "one name for the same windows": (
        {
            "alerting": "{names: {a: Burning, b: Burning}, burns: [{name: a, severity: page, long: 1h, short: 5m, factor: 14}, {name: b, severity: ticket, long: 1h, short: 5m, factor: 6}]}"
        },
        {},
        {},
    ),
    "a text that only Prometheus knows": (
        {"alerting": "{annotations: {more: '{{ with query `up` }}some{{ end }}'}}"},
        {},
        {},
    ),
    "without a job": ({}, {"job": ""}, {}),
}


def documents(project: Project) -> dict[str, dict[str, Any]]:
    return {p: yaml.safe_load(t) for p, t in core.generated(project, "tests").items()}


def passes(root: Path, project: Project) -> None:
    files = [f for f in core.write(root, project) if f.name.endswith(".promtest.yml")]
    suite = promtool.run_tests(files)
    assert suite.ok, as_text(suite)[:3000]


# Every kind as it usually is; a few stand for their family where only labels or modes differ.
EVERYTHING: dict[str, tuple[tuple[str, ...], str, str]] = {
    "hybrid": (tuple(core.SLIS), "", "hybrid"),
    "hybrid, by two labels": (
        ("ratio-bad", "latency", "quantile", "freshness"),
        "[region, zone]",
        "hybrid",
    ),
    "derived": (("ratio-good", "up"), "", "derived"),
    "exact, by a label": (("ratio-bad", "latency-native", "threshold"), "[region]", "exact"),
}


@pytest.mark.parametrize("what", EVERYTHING)
def test_every_kind_of_sli_passes(what: str, tmp_path: Path) -> None:
    kinds, by, mode = EVERYTHING[what]
    more = {"by": by} if by else {}
    text = core.service("shop", [core.slo(k, core.SLIS[k], **more) for k in kinds])
    passes(tmp_path, core.load(tmp_path, text, mode=mode))


@pytest.mark.parametrize("extreme", EXTREMES)
def test_extremes_pass(extreme: str, tmp_path: Path) -> None:
    slo, service, project = EXTREMES[extreme]
    # Slices are as long as a scrape; events are the same for any.
    kind = "freshness" if service else "ratio-good"
    text = core.service("shop", [core.slo(kind, core.SLIS[kind], **slo)], **service)
    passes(tmp_path, core.load(tmp_path, text, **project))


@st.composite
def odd(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    """Windows, factors and intervals that nobody would choose."""
    burns = []
    for at in range(draw(st.integers(1, 3))):
        long = draw(st.integers(11, 200) | st.integers(1000, 9000))
        short, factor = draw(st.integers(5, max(5, long // 2))), draw(st.sampled_from([1, 2, 14.4]))
        rest = draw(st.sampled_from(["", ", for: 7m", ", for: 90s, keep_firing_for: 1h"]))
        windows = f"long: {long}m, short: {short}m, factor: {factor}"
        burns.append(f"{{name: b{at}, severity: page, {windows}{rest}}}")
    least = draw(st.sampled_from([0, 1, 5, 50]))
    return {
        "slo": {
            "window": f"{draw(st.sampled_from([7, 30, 45, 101]))}d",
            "objective": draw(st.sampled_from(["95", "99.5", "99.99"])),
            "alerting": f"{{burns: [{', '.join(burns)}], min_errors: {least}}}",
        },
        "service": {"scrape_interval": draw(st.sampled_from(["5s", "15s", "1m"]))},
        "project": {
            "interval": draw(st.sampled_from(["10s", "30s", "45s", "1m", "90s", "5m"])),
            "mode": draw(st.sampled_from(["hybrid", "derived", "exact"])),
        },
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(asked=odd(), kind=st.sampled_from(["ratio-bad", "latency", "up"]))
def test_odd_windows_and_intervals_pass(asked: dict[str, dict[str, str]], kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            text = core.service(
                "shop", [core.slo("x", core.SLIS[kind], **asked["slo"])], **asked["service"]
            )
            project = core.load(Path(folder), text, **asked["project"])
        except Problem:
            reject()
        passes(Path(folder), project)


def test_the_same_project_gives_the_same_bytes(tmp_path: Path) -> None:
    text = core.service("shop", [core.slo(k, s) for k, s in core.SLIS.items()])
    first = core.generated(core.load(tmp_path / "a", text), "tests")
    assert core.generated(core.load(tmp_path / "b", text), "tests") == first
    assert len(first) > 40


@pytest.mark.parametrize("kind", core.SLIS)
def test_the_tests_of_an_slo_stay_small(kind: str, tmp_path: Path) -> None:
    if "native" in kind:
        pytest.skip("a native histogram is spelled out sample by sample")
    found = core.generated(core.one(tmp_path, core.SLIS[kind]), "tests")
    assert sum(len(t) for p, t in found.items() if "service" not in p) < 24_000


def test_every_test_group_has_a_name_of_its_own_and_looks_at_something(tmp_path: Path) -> None:
    text = core.service("shop", [core.slo(k, s) for k, s in core.SLIS.items()])
    for path, document in documents(core.load(tmp_path, text)).items():
        names = Counter(group["name"] for group in document["tests"])
        assert [name for name, count in names.items() if count > 1] == [], path
        for group in document["tests"]:
            assert group.get("promql_expr_test") or group.get("alert_rule_test"), (
                path,
                group["name"],
            )


def test_every_alert_is_seen_firing_and_quiet(tmp_path: Path) -> None:
    kinds = [k for k in core.SLIS if "promql" not in k]
    project = core.load(tmp_path, core.service("shop", [core.slo(k, core.SLIS[k]) for k in kinds]))
    texts = core.generated(project, "rules", "tests")
    tests = "\n".join(t for p, t in texts.items() if p.startswith("tests/"))
    for name in core.rules(texts["rules/shop.yml"]):
        assert re.search(rf"alertname(: |=\\?\"){name}\b", tests), name


def test_what_the_texts_say_is_unambiguous_for_every_factor(tmp_path: Path) -> None:
    """A burn rate that ends in 5 behind the rounded digit is rounded one way here, another there."""
    factors = (1, 1.5, 2, 2.5, 5, 7, 10, 13.44, 15, 25, 50, 99)
    burns = ", ".join(
        f"{{name: b{at}, severity: page, long: 1h, short: 5m, factor: {factor}}}"
        for at, factor in enumerate(factors)
    )
    slos = [
        core.slo(
            f"w{window}",
            core.SLIS["ratio-good"],
            window=f"{window}d",
            alerting=f"{{burns: [{burns}]}}",
        )
        for window in (7, 101)
    ]
    project = core.load(tmp_path, core.service("shop", slos))
    files = [f for f in core.write(tmp_path, project) if f.name.endswith("-alerts.promtest.yml")]
    suite = promtool.run_tests(files)
    assert suite.ok, as_text(suite)[:3000]
