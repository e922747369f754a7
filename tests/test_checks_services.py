"""Services that are well formed and yet watched badly."""

from pathlib import Path

import pytest
from tests import core_project as core

from sloforge.checks.services import service_findings

QUANTILE = core.slo("p95", core.SLIS["quantile"])


def said(root: Path, *slos: str, **service: str) -> list[str]:
    project = core.load(root, core.service("shop", slos, **service))
    return [f"{f.id} {f.severity} {f.what}; {f.remedy}" for f in service_findings(project)]


def test_a_service_that_is_watched_well_has_no_findings(tmp_path: Path) -> None:
    twin = core.slo("slow", "latency: {histogram: took_seconds, threshold: 500ms}", objective="95")
    assert said(tmp_path, QUANTILE, twin) == []


def test_a_service_without_a_job_cannot_be_told_from_an_idle_one(tmp_path: Path) -> None:
    assert said(tmp_path, core.slo("x", core.SLIS["up"]), job="") == [
        (
            "S012 warning service `shop` has no `job`; "
            "name its scrape job, so that an outage without samples pages, too"
        )
    ]


@pytest.mark.parametrize(
    "twin",
    [
        pytest.param((), id="none"),
        pytest.param(
            ("latency: {histogram: took_seconds, threshold: 1s}",), id="another threshold"
        ),
        pytest.param(
            ("latency: {histogram: other_seconds, threshold: 500ms}",), id="another histogram"
        ),
    ],
)
def test_a_quantile_wants_a_twin_that_burns_a_budget(twin: tuple[str, ...], tmp_path: Path) -> None:
    assert said(tmp_path, QUANTILE, *(core.slo("slow", t) for t in twin)) == [
        (
            "S011 warning quantile `p95` burns no budget and has no `latency` twin; "
            "add an SLO with `latency` over the same histogram and threshold"
        )
    ]
