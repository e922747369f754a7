"""What a run prints, what it suppresses, what --fix changes, and how it ends."""

import json
import subprocess
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from sloforge.cli import _Cli
from sloforge.errors import Location, Problem
from sloforge.health.lint import command, fixing
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.run import gather, lint

FIXTURES = Path(__file__).parent / "fixtures"
TENSOR_WASM = (FIXTURES / "tensor-wasm.yaml").read_text()
DEPLOYMENT = (FIXTURES / "kubernetes/good/deployment.yaml").read_text()


def slo_of(root, name):
    if name != "tensor-wasm/availability":
        raise Problem(f"no SLO {name} under {root}")
    return SimpleNamespace(
        service="tensor-wasm",
        name="availability",
        objective=Decimal("0.995"),
        budget=Decimal("0.005"),
        window=timedelta(days=30),
        source=Location("slos/tensor-wasm.yaml", 3),
    )


@click.group(cls=_Cli)
@click.pass_context
def cli(context):
    context.obj = Path("repository")


cli.add_command(command.command(slo_of))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.yaml").write_text(TENSOR_WASM)
    return tmp_path


def run(*arguments, text=None):
    return CliRunner().invoke(cli, ["lint-health", *map(str, arguments)], input=text)


def hits(name="k.yaml"):
    return lint(gather([name])).hits


def test_the_text_has_findings_then_the_numbers_of_each_check(here):
    done = run("k.yaml", "--objective", "99.5")
    assert done.exit_code == 1
    assert (
        "k.yaml:27:29: error[HC201]: Deployment/tensor-wasm-api tensor-wasm-api readinessProbe: timeoutSeconds is 2 s: one slow answer counts as a failure; set 5\n"
        in done.stdout
    )
    assert done.stdout.endswith(
        """
k.yaml:30:11: Deployment/tensor-wasm-api tensor-wasm-api livenessProbe
  detection  63 s worst, 40 s best
  restart    93 s worst, 30 s grace included
  budget     0.486 % for one failure of 1/1 that lasts 63 s, of 216 min (99.5 % over 30 d)

k.yaml:23:11: Deployment/tensor-wasm-api tensor-wasm-api readinessProbe
  detection  17 s worst, 10 s best
  recovery   5 s worst
  to traffic start + 7 s worst
  rollout    1 x start + 7 s worst, 1 wave of 1, down all the while
  budget     0.131 % for one failure of 1/1 that lasts 17 s, of 216 min (99.5 % over 30 d)

k.yaml:37:11: Deployment/tensor-wasm-api tensor-wasm-api startupProbe
  start      60 s allowed, restarted after 63 s worst
"""
    )
    assert done.stderr == "3 health checks in 1 file: 1 error, 2 warnings, 2 remarks\n"


def test_an_slo_of_the_repository_gives_the_budget(here):
    assert "0.131 % for one failure" in run("k.yaml", "--slo", "tensor-wasm/availability").stdout
    done = run("k.yaml", "--slo", "gone/x")
    assert (done.exit_code, done.stderr) == (1, "no SLO gone/x under repository\n")
    assert run("k.yaml", "--slo", "a/b", "--objective", "99").exit_code == 2


def test_an_slo_without_a_budget_is_refused():
    slo = slo_of("", "tensor-wasm/availability")
    slo.budget = None
    with pytest.raises(
        Problem,
        match=r"slos/tensor-wasm\.yaml:3: tensor-wasm/availability has no error budget; name another SLO",
    ):
        command.promise_of(slo)


def test_the_command_alone_says_that_it_knows_no_specs(here):
    with pytest.raises(Problem, match="--slo a/b: no specs are read here"):
        CliRunner().invoke(command.lint_health, ["k.yaml", "--slo", "a/b"], catch_exceptions=False)


@pytest.mark.parametrize("wrong", ["100", "0", "x", "-1", "1.2.3", "99.5.", "nan"])
def test_an_objective_is_a_percentage(here, wrong):
    assert run("k.yaml", "--objective", wrong).exit_code == 2


def test_standard_input_is_read_as_what_it_is(here):
    done = run("-", text=TENSOR_WASM)
    assert "<stdin>:27:29: error[HC201]" in done.stdout


def test_warnings_fail_where_it_is_wanted(here):
    (here / "k.yaml").write_text(TENSOR_WASM.replace("timeoutSeconds: 2", "timeoutSeconds: 5"))
    assert run("k.yaml").exit_code == 0
    assert run("k.yaml", "--fail-on", "warning").exit_code == 1


def test_json_has_findings_and_checks(here):
    found = json.loads(run("k.yaml", "--objective", "99.5", "--format", "json").stdout)
    assert found["findings"][1] == {
        "id": "HC201",
        "severity": "error",
        "path": "k.yaml",
        "line": 27,
        "column": 29,
        "what": "Deployment/tensor-wasm-api tensor-wasm-api readinessProbe: timeoutSeconds is 2 s: one slow answer counts as a failure",
        "remedy": "set 5",
        "fixable": True,
    }
    ready = found["checks"][1]
    assert ready["seconds"] == {
        "detection_worst": 17,
        "detection_best": 10,
        "recovery_worst": 5,
        "to_traffic_worst": 7,
        "rollout_worst": 7,
    }
    assert ready["budget_share"] == pytest.approx(17 / 12960)
    assert found["checks"][2]["implicit"] == ["initialDelaySeconds", "successThreshold"]


def test_sarif_has_every_rule_and_a_region_for_each_result(here):
    found = json.loads(run("k.yaml", "gone.yaml", "--format", "sarif").stdout)
    (one,) = found["runs"]
    assert found["version"] == "2.1.0"
    assert [rule["id"] for rule in one["tool"]["driver"]["rules"]] == sorted(CATALOG)
    first, second = one["results"][:2]
    assert first["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "gone.yaml"}}}]
    assert second["level"] == "note"
    assert second["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 25,
        "startColumn": 34,
    }
    assert {result["level"] for result in one["results"]} == {"error", "warning", "note"}
    for result in one["results"]:
        assert one["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_github_gets_one_annotation_for_each(here):
    lines = run("k.yaml", "--format", "github").stdout.splitlines()
    assert (
        lines[1]
        == "::error file=k.yaml,line=27,col=29::HC201 Deployment/tensor-wasm-api tensor-wasm-api readinessProbe: timeoutSeconds is 2 s: one slow answer counts as a failure; set 5"
    )
    assert [line.split(" ")[0] for line in lines] == [
        "::notice",
        "::error",
        "::notice",
        "::warning",
        "::warning",
    ]


def test_a_diff_changes_the_numbers_and_nothing_else(here):
    (here / "k.yaml").write_text(
        TENSOR_WASM.replace("timeoutSeconds: 2\n", "timeoutSeconds: 2 # quick\n")
    )
    done = run("k.yaml", "--fix")
    changed = [line for line in done.stdout.splitlines() if line[:1] in "+-"]
    assert changed == [
        "--- a/k.yaml",
        "+++ b/k.yaml",
        "-            initialDelaySeconds: 2",
        "+            initialDelaySeconds: 0",
        "-            timeoutSeconds: 2 # quick",
        "+            timeoutSeconds: 5 # quick",
        "-            initialDelaySeconds: 15",
        "+            initialDelaySeconds: 0",
        "-            timeoutSeconds: 3",
        "+            timeoutSeconds: 8",
        "-            timeoutSeconds: 3",
        "+            timeoutSeconds: 5",
    ]
    subprocess.run(["patch", "-p1"], input=done.stdout.encode(), check=True, capture_output=True)
    assert hits() == ()


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/bad/*"))
)
def test_what_a_diff_fixes_is_not_found_again(here, path):
    before = (FIXTURES / path).read_text()
    name = Path(path).name
    (here / name).write_text(before)
    first = hits(name)
    fixable = {hit.id for hit in first if hit.edits}
    (here / name).write_text(fixing.applied(before, [edit for hit in first for edit in hit.edits]))
    again = {hit.id for hit in hits(name)}
    assert not again & fixable
    # A longer time-out is seen later, and one above a short deadline needs none: nothing else is new.
    assert again <= {hit.id for hit in first} | {"HC404"}


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "k.yaml",
            "{apiVersion: v1, kind: Pod, spec: {containers: [{livenessProbe: {tcpSocket: {port: 1}}}]}}",
            '"timeoutSeconds": 8, tcpSocket',
        ),
        ("Dockerfile", "FROM a\nHEALTHCHECK CMD x\n", "HEALTHCHECK --timeout=8s CMD x"),
        (
            "haproxy.cfg",
            "backend a\n  server b c check inter 5s fall 3 # kept\n",
            "fall 3 rise 1 # kept",
        ),
        ("nginx.conf", "upstream a { server b; }\n", "server b max_fails=3;"),
        (
            "main.tf",
            'resource "google_compute_health_check" "a" {\n  check_interval_sec = 10\n}\n',
            "  timeout_sec = 8\n  healthy_threshold = 1\n  check_interval_sec = 10\n",
        ),
        (
            "c.yaml",
            "services:\n  a:\n    image: b\n    healthcheck:\n      test: [CMD, x]\n",
            "      timeout: 8s\n      test:",
        ),
        (
            "i.yaml",
            "apiVersion: v1\nkind: Ingress\nmetadata:\n  annotations:\n    alb.ingress.kubernetes.io/healthcheck-timeout-seconds: '2'\n",
            'timeout-seconds: "8"\n',
        ),
    ],
)
def test_a_missing_setting_is_inserted_in_the_words_of_its_file(here, name, text, wanted):
    (here / name).write_text(text)
    assert wanted in fixing.applied(text, [edit for hit in hits(name) for edit in hit.edits])


def test_an_anchor_that_others_use_is_not_edited(here):
    text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - livenessProbe: &p {tcpSocket: {port: 1}, timeoutSeconds: 1}\n    readinessProbe: *p\n"
    (here / "k.yaml").write_text(text)
    assert all(not hit.edits for hit in hits() if hit.where.line == 6)


SUPPRESSED = [
    ("timeoutSeconds: 2", "timeoutSeconds: 2 # sloforge:ignore HC201 from memory"),
    (
        "            timeoutSeconds: 2",
        "            # sloforge:ignore HC201 from memory\n            timeoutSeconds: 2",
    ),
    (
        "            timeoutSeconds: 2",
        "            # sloforge:ignore HC201 from memory\n            # more of it\n            timeoutSeconds: 2",
    ),
    ("readinessProbe:", "readinessProbe: # sloforge:ignore HC201 from memory"),
]


@pytest.mark.parametrize(("before", "after"), SUPPRESSED)
def test_a_comment_with_a_reason_suppresses_where_it_stands(here, before, after):
    (here / "k.yaml").write_text(TENSOR_WASM.replace(before, after, 1))
    assert [hit.id for hit in hits()] == ["HC303", "HC303", "HC201", "HC201"]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (
            "HC201",
            "error k.yaml:27:31: sloforge:ignore HC201: expected a reason, got none; say why the rule does not hold here",
        ),
        (
            "HC999 x",
            "error k.yaml:27:31: sloforge:ignore: expected the id of a rule, got `HC999`; such as HC201; each has a page in docs/checks",
        ),
        (
            "HC003 x",
            "error k.yaml:27:31: sloforge:ignore HC003: it cannot be suppressed; put the file right",
        ),
        ("HC401 x", "warning k.yaml:27:31: sloforge:ignore HC401: suppresses nothing; remove it"),
    ],
)
def test_a_comment_that_does_not_hold_is_a_finding_itself(here, comment, said):
    (here / "k.yaml").write_text(
        TENSOR_WASM.replace("timeoutSeconds: 2", f"timeoutSeconds: 2 # sloforge:ignore {comment}")
    )
    found = [f"{hit.level} {hit}" for hit in hits() if hit.id == "HC005"]
    assert found == [said]
    assert "HC201" in {hit.id for hit in hits()}


def test_an_annotation_suppresses_for_its_workload(here):
    note = '  annotations:\n    sloforge.dev/ignore: "HC201=from memory; HC303=harmless"\n'
    (here / "k.yaml").write_text(TENSOR_WASM.replace("metadata:\n", f"metadata:\n{note}", 1))
    assert hits() == ()


def test_a_rule_is_suppressed_for_a_run_with_a_reason(here):
    done = run("k.yaml", "--ignore", "HC201=from memory")
    assert done.exit_code == 0
    assert "HC201" not in done.stdout
    for wrong in ("HC201", "HC201=", "HC003=x", "X=y"):
        assert run("k.yaml", "--ignore", wrong).exit_code == 2


def test_a_bad_file_ends_with_one_and_no_traceback(here):
    (here / "b.yaml").write_bytes(b"\xff\xfe\x00")
    done = run("b.yaml")
    assert (done.exit_code, done.stdout) == (
        1,
        "b.yaml:1:1: error[HC001]: expected UTF-8, got byte 0xff; save the file as UTF-8\n",
    )


def test_a_run_is_the_same_twice(here):
    paths = sorted(str(path) for path in FIXTURES.glob("*/bad/*"))
    assert run(*paths).stdout == run(*paths).stdout
