"""From planes.yaml to rules, routes, runbooks and a dashboard: what follows what."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sloforge import generate, specs
from sloforge.alerts import alerts, state_alerts
from sloforge.errors import SpecProblem
from sloforge.generate.boards.planes import plane_dashboards
from sloforge.generate.planes import plane_recording, plane_rules
from sloforge.generate.promtests.planes import plane_tests
from sloforge.planes import STATUSES
from sloforge.planestates import condition, state_rules, window

ROOT = Path(__file__).parents[2]
GENERATORS = (plane_recording, plane_rules, plane_tests, plane_dashboards)


@pytest.fixture(scope="module")
def project():
    return specs.load(ROOT)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda one: one.__name__)
def test_without_a_file_nothing_is_written(project, generator):
    assert list(generator(replace(project, planes=None))) == []


def test_without_a_file_no_route_speaks_of_planes(project):
    without = replace(project, planes=None)
    (written,) = (
        a for a in generate.artifacts(without) if a.path == "alertmanager/alertmanager.yml"
    )
    assert "WorkloadPlane" not in written.text
    assert state_alerts(without) == ()


def test_each_alert_has_a_runbook_a_condition_and_a_place_in_the_table(project):
    table = (ROOT / "runbooks/README.md").read_text(encoding="utf-8")
    found = [alert for alert in alerts(project) if alert.kind == "state"]
    assert len(found) == 12
    for alert in found:
        assert (ROOT / alert.runbook).is_file()
        assert condition(alert.name)
        assert f"`{alert.name}`" in table


def test_a_failure_is_known_by_its_latest_moment_which_the_runbook_prints(project):
    # An interval, a check, a scrape, an evaluation, and the two minutes of the rule:
    # 60 + 30 + 30 + 60 + 120 s.
    service = next(one for one in project.services if one.name == "workload-planes")
    failed = state_rules(project.planes, service)[0]
    assert failed.detection(service, project.settings.interval) == timedelta(seconds=300)
    text = (ROOT / "runbooks/workload-planes/failed.md").read_text(encoding="utf-8")
    assert "| `WorkloadPlaneFailed` | 2m | 5m |" in text


@pytest.mark.parametrize(
    ("scrape", "interval", "minutes"),
    [(15, 60, 3), (60, 60, 4), (15, 300, 15)],
    ids=["usual", "slow scrapes", "slow checks"],
)
def test_a_state_is_remembered_over_lost_scrapes_and_between_checks(
    project, scrape, interval, minutes
):
    service = replace(project.services[0], scrape_interval=timedelta(seconds=scrape))
    planes = replace(project.planes, interval=timedelta(seconds=interval))
    assert window(planes, service) == timedelta(minutes=minutes)


def test_slow_checks_are_waited_for(project):
    service = project.services[0]
    planes = replace(project.planes, interval=timedelta(minutes=5))
    waits = {rule.name: rule.wait for rule in state_rules(planes, service)}
    assert waits["WorkloadPlaneFailed"] == timedelta(minutes=10)


def test_the_timeline_has_a_word_and_a_colour_for_every_status(project):
    (board,) = plane_dashboards(project)
    for status in STATUSES:
        assert f'"text": "{status}"' in board.text


@pytest.fixture
def copy(tmp_path):
    for name in ("slos", "runbooks", "alertmanager"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "planes.yaml", tmp_path)
    return tmp_path


def test_a_service_that_is_not_there_is_told_with_its_place(copy):
    file = copy / "planes.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("service: workload-planes", "service: workload-plane"), "utf-8")
    with pytest.raises(SpecProblem) as told:
        specs.load(copy)
    (line,) = str(told.value).splitlines()
    assert (
        line
        == "planes.yaml:5:10: service: unknown service `workload-plane`; did you mean `workload-planes`?"
    )


def test_a_build_that_remembers_sees_a_change_of_the_planes(copy):
    from sloforge import pipeline

    pipeline.apply(copy, pipeline.build(copy))
    assert not pipeline.build(copy).changes
    file = copy / "planes.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("deadline: 30s", "deadline: 20s"), encoding="utf-8")
    changed = {change.path for change in pipeline.build(copy).changes}
    assert "runbooks/workload-planes/failed.md" in changed
    pipeline.apply(copy, pipeline.build(copy))
    file.unlink()
    gone = {change.path for change in pipeline.build(copy).changes if change.after is None}
    assert {"rules/_planes.yml", "recording/_planes.yml", "dashboards/workload-planes.json"} <= gone
