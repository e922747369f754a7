"""Each shipped template: its generated tests pass, and numbers made by hand come out of its SLI."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests import core_project as core

import promtool
from promtool.report import as_text
from sloforge.cli import main
from sloforge.promql import Matcher
from sloforge.specs import expressions, templates
from sloforge.specs.templates_forms import Kind, ParameterForm, TemplateForm
from sloforge.specs.words import Wrong

PAGE = (Path(__file__).parents[1] / "docs" / "library.md").read_text()
TEXT = (Path(__file__).parent / "library" / "cases.yaml").read_text()
CASES = yaml.safe_load(TEXT)
# Here every value is a text: 0x240 is 240 times 0, and no number of YAML's.
SERIES = yaml.load(TEXT, yaml.BaseLoader)
RATIO = "slo:sli_error:ratio_rate1h"
NAMES = sorted(templates.shipped())
# Expressions have no series that can be made up: only tests by hand feed them.
WITHOUT_SERIES = {"postgres-connections", "postgres-transactions", "redis-memory"}


def use(name: str, given: dict[str, Any]) -> str:
    return (
        f"use: {name}, with: {yaml.safe_dump(given, default_flow_style=True, width=9999).strip()}"
    )


def template(name: str) -> templates.Template:
    found = templates.Library().find(name)
    assert found is not None
    return found


def test_there_is_a_case_by_hand_for_each_template() -> None:
    assert sorted(CASES) == NAMES
    assert len(NAMES) >= 38


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_told_in_full(name: str) -> None:
    form = template(name).form
    assert form.source
    for text in (form.description, form.needs, *(p.description for p in form.parameters.values())):
        assert not text or text[0].isupper() or text.startswith("gRPC"), text
        assert not text or text.endswith((".", '".')), text


def test_the_generated_tests_of_every_sli_pass(tmp_path: Path) -> None:
    slos = [core.slo(name, use(name, template(name).form.example)) for name in NAMES]
    project = core.load(tmp_path, core.service("shop", slos))
    files = [f for f in core.write(tmp_path, project) if f.name.endswith("-sli.promtest.yml")]
    suite = promtool.run_tests(files)
    assert suite.ok, as_text(suite)[:3000]
    fed = {s.name for s in project.slos if s.sli.series(_fixture())}
    assert set(NAMES) - fed == WITHOUT_SERIES


def _fixture() -> Any:
    from datetime import timedelta
    from decimal import Decimal

    from sloforge.sli import Fixture, Phase

    phase = Phase(steps=2, bad=Decimal("0.5"))
    return Fixture(phases=(phase,), step=timedelta(seconds=30), events=10, labels=())


def test_numbers_made_by_hand_come_out(tmp_path: Path) -> None:
    cases = {f"{name}-{at}": case for name in NAMES for at, case in enumerate(CASES[name])}
    slos = [core.slo(k, use(k[:-2], case["with"])) for k, case in cases.items()]
    project = core.load(tmp_path, core.service("app", slos, scrape_interval="30s"))
    (text,) = core.generated(project, "recording").values()
    files = [_write(tmp_path, group, cases) for group in core.groups(text) if _slo(group) in cases]
    assert len(files) == len(cases)
    suite = promtool.run_tests(files)
    assert suite.ok, as_text(suite)


def _slo(group: dict[str, Any]) -> str:
    return str(group["name"]).removeprefix("slo-app-")


def _write(root: Path, group: dict[str, Any], cases: dict[str, dict[str, Any]]) -> Path:
    """A test of one case, with no more rules than it needs."""
    name, wanted = _slo(group), ("slo:sli_total:rate5m", "slo:sli_errors:rate5m", RATIO)
    rules = [rule for rule in group["rules"] if rule["record"] in wanted]
    (root / f"{name}.yml").write_text(yaml.safe_dump({"groups": [{**group, "rules": rules}]}))
    series = SERIES[name[:-2]][int(name[-1])]["series"].items()
    labels = f'{{slo_service="app",slo_name="{name}"}}'
    expected = {
        "expr": f"round({RATIO}, 0.000001)",
        "eval_time": "1h50m",
        "exp_samples": [{"labels": labels, "value": cases[name]["ratio"]}],
    }
    test = {
        "name": name,
        "interval": "30s",
        "input_series": [{"series": key, "values": values} for key, values in series],
        "promql_expr_test": [expected],
    }
    document = {"rule_files": [f"{name}.yml"], "evaluation_interval": "1m", "tests": [test]}
    file = root / f"{name}.promtest.yml"
    file.write_text(yaml.safe_dump(document))
    return file


# Mistakes, and values that would break out


def expanded(root: Path, sli: str) -> Any:
    (slo,) = core.one(root, sli).slos
    return slo.sli


# What a PromQL lexer minds, and anything else.
TRICKY = st.text("\"\\{}=~!,()[]$|`'# ax0", max_size=20) | st.text(max_size=40)


@given(text=TRICKY.filter(bool))
def test_a_text_is_one_value_whatever_is_in_it(text: str) -> None:
    found = template("nginx-ingress-availability")
    values = found.spelled({"ingress": text})
    total = found.filled(found.sli.value["ratio"].value["total"].value, values)
    assert expressions.selector(total).matchers == (Matcher("ingress", "=", text),)


@given(where=TRICKY, failed=TRICKY)
def test_no_value_makes_an_expression_of_another_metric(where: str, failed: str) -> None:
    found = template("kubernetes-apiserver-availability")
    try:
        values = found.spelled({"where": where, "failed": failed})
    except Wrong:
        return
    bad = expressions.selector(found.filled(found.sli.value["ratio"].value["bad"].value, values))
    assert bad.name == "apiserver_request_total"
    assert [m.value for m in bad.matchers if m.op == "=~"][:2] == [
        found.form.parameters["verbs"].default,
        failed,
    ]


def test_a_time_is_in_the_unit_of_the_metric(tmp_path: Path) -> None:
    given = "{service: a, namespace: b, threshold: 2.5s}"
    assert expanded(tmp_path, f"use: istio-latency, with: {given}").threshold == Decimal(2500)
    assert expanded(tmp_path, "use: coredns-latency, with: {threshold: 16ms}").threshold == Decimal(
        "0.016"
    )


def test_an_optional_matcher_is_left_out_and_the_job_is_put_in(tmp_path: Path) -> None:
    total = expanded(tmp_path, "use: celery-task-success, with: {queue: a}").whole
    assert str(total) == 'celery_task_started_total{job="shop",queue_name="a"}'
    found = expanded(tmp_path, "use: postgres-connections").expression
    assert 'pg_settings_max_connections{job="shop"})' in str(found)


def test_a_template_of_the_project_stands_before_a_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "slos" / "library"
    folder.mkdir(parents=True)
    (folder / "postgres-up.yaml").write_text(OWN)
    (folder / "mine.yml").write_text(OWN)
    own, mine = (core.one(tmp_path, f"use: {name}").slos[0].sli for name in ("postgres-up", "mine"))
    assert own == mine
    assert own.inputs()[0].name == "pg_is_up"
    assert "mine" in CliRunner().invoke(main, ["-C", str(tmp_path), "library"]).output


OWN = """\
version: sloforge-template/v1
description: Time in which our own exporter says so.
sli: {up: {gauge: pg_is_up}}
"""


# The command and its documentation


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_shown_with_all_of_its_parameters(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["-C", str(tmp_path), "library", name])
    assert done.exit_code == 0, done.output
    form = template(name).form
    for text in (form.description, form.source, *form.parameters, *map(str, form.example.values())):
        assert text in done.output
    shown = yaml.safe_load(done.output.split("In a service file:\n")[1].split("which comes to:")[0])
    assert shown == {"sli": {"use": name} | ({"with": form.example} if form.example else {})}


def test_the_list_is_for_programs_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["-C", str(tmp_path), "library", "--format", "json"])
    listed = {one["name"]: one for one in json.loads(done.output)}
    assert sorted(listed) == NAMES
    assert listed["celery-queue-length"]["parameters"]["most"]["default"] == 100


def test_a_copy_is_edited_in_place_of_the_shipped_one(tmp_path: Path) -> None:
    command = ["-C", str(tmp_path), "library", "postgres-up"]
    done = CliRunner().invoke(main, [*command, "--copy"])
    assert done.output == "create slos/library/postgres-up.yaml\n"
    assert "file     slos/library/postgres-up.yaml" in CliRunner().invoke(main, command).output
    again = CliRunner().invoke(main, [*command, "--copy"])
    assert (again.exit_code, again.output.strip()) == (
        1,
        "slos/library/postgres-up.yaml is there already; edit it",
    )


def test_an_unknown_template_is_no_traceback(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["-C", str(tmp_path), "library", "postgres-upp"])
    assert (done.exit_code, done.output.strip()) == (
        1,
        "no template `postgres-upp`; did you mean `postgres-up`?",
    )


def test_the_page_lists_every_template_and_every_key() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    for name in NAMES:
        whose, _, _ = template(name).form.source.partition(", ")
        assert rows[name] == whose
    keys = set(re.findall(r"^\| `(?:parameters\.\*\.)?([a-z]+)` \|", PAGE, re.MULTILINE))
    assert {*TemplateForm.model_fields, *ParameterForm.model_fields} <= keys
    kinds = re.findall(
        r"^\| ((?:`[a-z]+`(?:, )?)+) \|", PAGE.split("| type | a value")[1], re.MULTILINE
    )
    assert {k for row in kinds for k in re.findall("[a-z]+", row)} == set(get_args(Kind))


def test_the_examples_of_the_page_load(tmp_path: Path) -> None:
    service, own = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    folder = tmp_path / "slos" / "library"
    folder.mkdir(parents=True)
    (folder / "jobs.yaml").write_text(own)
    more = core.slo("jobs", "use: jobs, with: {queue: payments, tier: gold}")
    project = core.load(tmp_path, service + more)
    assert len(project.slos) == 3
    whole = 'jobs_total{job="ingress-nginx",queue="payments",tier="gold"}'
    assert str(project.slos[2].sli.whole) == whole  # type: ignore[attr-defined]
