"""`compat: sloth`: the series that Sloth recorded, as v0.16.0 itself recorded them for these files.

The `.series` files are what a real Sloth's rules came to, evaluated over the same input series.
"""

import re
from pathlib import Path

import pytest
import yaml
from tests.formats_project import PROJECT, SPECS, load, repository

from promtool import run_tests
from sloforge import generate
from sloforge.alerts import service_alerts
from sloforge.errors import SpecProblem
from sloforge.formats import importing
from sloforge.generate.boards import queries
from sloforge.generate.recording import recording
from sloforge.model import Project
from sloforge.windows import HOUR

COMPAT = SPECS / "sloth" / "compat"
WITH = PROJECT + "compat: sloth\n"
# The error ratios are always the same: 0.02, 0.25 and 0.25.
INPUTS = {
    'desk_calls_total{ok="no"}': "0+2x1000",
    'desk_calls_total{ok="yes"}': "0+98x1000",
    "desk_late_total": "0+25x1000",
    "desk_sent_total": "0+100x1000",
    'till_sums_total{right="no"}': "0+1x1000",
    'till_sums_total{right="yes"}': "0+3x1000",
}
SAMPLE = re.compile(r"(\{.*?\}) ([-+0-9.eE]+|NaN)(?=, \{|$)")


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> dict[str, Project]:
    found = {}
    for path in sorted(COMPAT.glob("*.yaml")):
        root = repository(tmp_path_factory.mktemp(path.stem), WITH)
        importing.write(root / "slos", importing.convert(root, [path]))
        found[path.stem] = load(root)
    return found


def recorded(project: Project, folder: Path, asked: tuple[str, ...]) -> list[str]:
    """What promtool says of each query, after three hours."""
    groups = [g for a in recording(project) for g in yaml.safe_load(a.text)["groups"]]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
    case = {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in INPUTS.items()],
        "promql_expr_test": [
            {"expr": one, "eval_time": "3h", "exp_samples": [{"labels": "{none='1'}", "value": 0}]}
            for one in asked
        ],
    }
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "5m", "tests": [case]}
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    (file,) = run_tests([folder / "test.yml"]).files
    return [one.got for group in file.groups for one in group.assertions]


def samples(text: str) -> dict[str, float]:
    return {labels: float(value) for labels, value in SAMPLE.findall(text)}


@pytest.mark.parametrize("name", ["names", "windows"])
def test_the_series_are_sloths_to_the_letter_and_its_values(name, converted, tmp_path):
    wanted = samples(
        "\n".join((COMPAT / f"{name}.series").read_text().splitlines()).replace("\n", ", ")
    )
    (text,) = recorded(converted[name], tmp_path, ('{sloth_id!=""}',))
    found = samples(text)
    assert set(found) == set(wanted)
    assert len(found) == {"names": 30, "windows": 16}[name]
    assert found == pytest.approx(wanted, abs=1e-9)  # fmt: skip


def test_our_own_queries_see_nothing_of_them(converted, tmp_path):
    project = converted["names"]
    fleet = queries.burn(queries.fleet(project.slos), HOUR).replace("$service", ".*")
    texts = recorded(project, tmp_path, (fleet, "count by (slo_name) (slo:error_budget:ratio)"))
    assert sorted(samples(texts[0])) == [
        '{slo_name="answers-quickly", slo_service="card-desk"}',
        '{slo_name="ratio", slo_service="card-desk"}',
    ]
    assert list(samples(texts[0]).values()) == pytest.approx([40, 2.5])
    # Without a matcher both are there: ours by name, and Sloth's.
    assert samples(texts[1]) == {"{}": 2, '{slo_name="answers-quickly"}': 1, '{slo_name="ratio"}': 1}  # fmt: skip


def test_what_is_generated_for_them_passes_promtool(converted, tmp_path):
    written = []
    for name, project in converted.items():
        chosen = [g for g in generate.GENERATORS if g.name in ("recording", "rules", "tests")]
        for artifact in generate.artifacts(project, chosen):
            path = tmp_path / name / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artifact.text)
            written += [path] if path.name.endswith("-sloth.promtest.yml") else []
    suite = run_tests(written)
    assert len(suite.files) == 3
    groups = [group.name for file in suite.files for group in file.groups]
    assert groups.count("since they do: our own") == 3
    assert [case.difference for file in suite.files for group in file.groups
            for case in group.assertions if case.status != "passed"] == []  # fmt: skip


def test_alerts_of_burns_carry_what_sloths_alerts_carried(converted):
    project = converted["names"]
    (service,) = project.services
    labels = {alert.name: dict(alert.labels) for alert in service_alerts(project, service)}
    assert labels["DeskErrorsFastBurn"].items() >= {
        "sloth_id": "Card_Desk-answers.quickly",
        "sloth_service": "Card_Desk",
        "sloth_slo": "answers.quickly",
        "sloth_severity": "page",
        "routing_key": "desk",
        "tier": "1",
        "rate": "0.5",
        "slo_name": "answers-quickly",
    }.items()  # fmt: skip
    assert labels["DeskErrorsSteadyBurn"]["sloth_severity"] == "ticket"
    assert "sloth_id" not in labels["AnswersQuicklyBudgetExhausted"]


def test_without_it_nothing_of_sloths_is_recorded(tmp_path):
    root = repository(tmp_path)
    found = importing.convert(root, [COMPAT / "windows.yaml"])
    assert "sloth" not in found.texts["till.yaml"]
    assert all("sloth_" not in one.text for one in recording(found.project))


BAD = """\
version: sloforge/v1
service: shop
owner: web
slos:
- name: answers
  objective: 99
  by: [zone]
  sli: {ratio: {total: calls_total, bad: 'calls_total{ok="no"}'}}
  alerting: {labels: {sloth_id: mine}, page: {labels: {sloth_team: web}}}
  sloth: {service: -x, labels: {sloth_window: 1h, slo_name: a, zone: b, empty: ''}}
"""


def test_what_only_sloth_may_say_is_refused(tmp_path):
    with pytest.raises(SpecProblem) as caught:
        load(repository(tmp_path, WITH, shop=BAD))
    assert [str(one).split(": ", 1)[1] for one in caught.value.findings] == [
        "slos[0].sloth.service: expected a name of letters, digits and inner hyphens, underscores and dots, got `-x`"
    ]
    with pytest.raises(SpecProblem) as caught:
        load(repository(tmp_path, WITH, shop=BAD.replace("service: -x, ", "")))
    assert [str(one).split(": ", 1)[1] for one in caught.value.findings] == [
        "slos[0].alerting.labels.sloth_id: is set by `compat: sloth`; take another name",
        "slos[0].alerting.page.labels.sloth_team: is set by `compat: sloth`; take another name",
        "slos[0].sloth.labels.sloth_window: is set by sloforge; remove it",
        "slos[0].sloth.labels.slo_name: is set by sloforge; remove it",
        "slos[0].sloth.labels.zone: is a label of `by`: all its series would become one; remove it",
        "slos[0].sloth.labels.empty: expected fixed text, got ``; remove it",
    ]


def test_what_sloth_called_it_needs_compat(tmp_path):
    text = BAD.replace(
        "  alerting: {labels: {sloth_id: mine}, page: {labels: {sloth_team: web}}}\n", ""
    )
    with pytest.raises(SpecProblem, match="is read with `compat: sloth`"):
        load(repository(tmp_path, shop=text.replace("service: -x, ", "")))
