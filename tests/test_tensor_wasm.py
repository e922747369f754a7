"""What the real input promises, typed by hand, and the mistakes it must not make again."""

import re
import shutil
from pathlib import Path

import promql_parser
import pytest
import yaml

from sloforge import specs
from sloforge.alerts import alerts
from sloforge.checks.runbooks import runbook_findings
from sloforge.errors import SpecProblem
from sloforge.generate.runbooks import runbooks
from sloforge.model import Project, Slo

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> Project:
    return specs.load(ROOT)


@pytest.fixture(scope="module")
def slos(project: Project) -> dict[str, Slo]:
    return {slo.name: slo for slo in project.slos if slo.service == "tensor-wasm"}


def test_the_seven_targets_are_promised(slos: dict[str, Slo]):
    found = {name: str(slo.objective and slo.objective * 100) for name, slo in slos.items()}
    assert found == {
        "availability-http": "99.500",
        "error-rate-invoke": "99.00",
        "healthz-p95": "None",
        "healthz-latency": "95.00",
        "invoke-p95": "None",
        "invoke-latency": "95.00",
        "invoke-latency-host": "95.00",
        "dispatch-p95": "None",
        "dispatch-latency-host": "95.00",
        "dispatch-latency-cuda": "None",
    }
    assert [name for name, slo in slos.items() if not slo.decided] == ["dispatch-latency-cuda"]


# Name, severity, runbook: the six alerts that were asked for, and that of the invocations.
ALERTS = {
    "AvailabilityHttpFastBurn": ("page", "availability-fast-burn"),
    "AvailabilityHttpSlowBurn": ("page", "availability-slow-burn"),
    "AvailabilityHttpVerySlowBurn": ("ticket", "availability-very-slow-burn"),
    "InvokeP95High": ("page", "invoke-latency-spike"),
    "HealthzP95High": ("ticket", "healthz-slow"),
    "DispatchP95High": ("page", "dispatch-latency-spike"),
    "ErrorRateInvokeFastBurn": ("page", "invoke-errors"),
}


@pytest.mark.parametrize(("name", "expected"), ALERTS.items(), ids=ALERTS)
def test_each_alert_has_its_severity_and_runbook(
    project: Project, name: str, expected: tuple[str, str]
):
    alert = next(one for one in alerts(project) if one.name == name)
    severity, runbook = expected
    assert (alert.severity, alert.runbook) == (severity, f"runbooks/tensor-wasm/{runbook}.md")


def test_one_cause_pages_once(project: Project):
    pages = {
        one.name
        for one in alerts(project)
        if one.severity == "page" and one.service.name == "tensor-wasm"
    }
    assert pages == {
        "TensorWasmDown",
        "AvailabilityHttpFastBurn",
        "AvailabilityHttpSlowBurn",
        "AvailabilityHttpHalfBudgetInADay",
        "ErrorRateInvokeFastBurn",
        "ErrorRateInvokeHalfBudgetInADay",
        "InvokeP95High",
        "DispatchP95High",
    }


def test_an_undecided_target_alerts_nobody(project: Project):
    found = [one for one in alerts(project) if one.slo and one.slo.name == "dispatch-latency-cuda"]
    assert found == []


@pytest.mark.parametrize("name", ["healthz-latency", "invoke-latency", "invoke-latency-host"])
def test_http_latency_counts_successes_only(slos: dict[str, Slo], name: str):
    assert 'status=~"2.."' in slos[name].sli.describe()


def edited(tmp_path: Path, before: str, after: str) -> Path:
    """The real specs with one edit in tensor-wasm.yaml."""
    shutil.copytree(ROOT / "slos", tmp_path / "slos")
    path = tmp_path / "slos" / "tensor-wasm.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return tmp_path


def test_a_target_equal_to_its_own_median_is_refused(tmp_path: Path):
    root = edited(tmp_path, "threshold: 100us\n      windows", "threshold: 50us\n      windows")
    with pytest.raises(SpecProblem) as caught:
        specs.load(root, runbooks=False)
    line = 1 + (root / "slos/tensor-wasm.yaml").read_text("utf-8").split("\n").index(
        "  measured: {p50: 50us}"
    )
    assert str(caught.value) == (
        f"slos/tensor-wasm.yaml:{line}:19: slos[7].measured.p50: the target (P95 below 0.00005) is "
        "already missed by the measured p50 of 0.00005; "
        "take a threshold above what is measured, or a lower quantile"
    )


def panels() -> dict[str, list[str]]:
    text = (ROOT / "slos/tensor-wasm.yaml").read_text(encoding="utf-8")
    rows = yaml.safe_load(text)["dashboard"]["rows"]
    return {p["title"]: [q["expr"] for q in p["queries"]] for row in rows for p in row["panels"]}


def test_the_panels_hold_the_formulas_that_are_tested_with_promtool():
    tests = (ROOT / "tests/promtool/tensor-wasm-panels.promtest.yml").read_text(encoding="utf-8")
    (formula,) = panels()["How full are the permits?"]
    assert formula in tests


def test_no_panel_filters_inside_a_percentile():
    expressions = [expr for found in panels().values() for expr in found]
    assert [expr for expr in expressions if "histogram_quantile" in expr and "> 0" in expr] == []


def test_the_runbooks_are_without_findings(project: Project):
    assert [str(one) for one in runbook_findings(project)] == []


def test_the_runbooks_are_built(project: Project):
    stale = [
        one.path
        for one in runbooks(project)
        if (ROOT / one.path).read_text(encoding="utf-8") != one.text
    ]
    assert stale == []


def runbook_queries() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "runbooks").rglob("*.md")]
    return [query for text in texts for query in re.findall(r"```promql\n(.+?)\n\s*```", text)]


def test_every_query_of_a_runbook_parses_and_reads_what_is_recorded():
    recorded = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "recording").glob("*.yml"))
    known = set(re.findall(r"record: (\S+)", recorded))
    queries = runbook_queries()
    assert len(queries) > 50
    for query in queries:
        promql_parser.parse(query)
        assert set(re.findall(r"(?:slo|service):\w+:\w+", query)) <= known


def test_every_procedure_is_linked_from_the_table():
    table = (ROOT / "runbooks/README.md").read_text(encoding="utf-8")
    assert "(tensor-wasm/rollback.md)" in table
    assert "(tensor-wasm/oncall-paging.md)" in table
