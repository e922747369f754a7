import pickle
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sloforge import alerts, specs
from sloforge.model import Project, Slo

GOOD = Path(__file__).parent / "specs" / "good" / "every-key.yaml"
SETTINGS = Path(__file__).parent / "specs" / "project.yaml"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "project.yaml").write_text(SETTINGS.read_text())
    (tmp_path / "slos" / "shop.yaml").write_text(GOOD.read_text())
    return specs.load(tmp_path, runbooks=False)


@pytest.fixture
def slos(project: Project) -> dict[str, Slo]:
    return {slo.name: slo for slo in project.slos}


def test_an_slo_is_identified_by_service_name_and_its_labels(slos: dict[str, Slo]) -> None:
    slo = slos["availability"]
    assert slo.id == "shop-availability"
    assert slo.labels == {"slo_service": "shop", "slo_name": "availability"}
    assert slo.identity == ("slo_service", "slo_name", "region", "zone")


@pytest.mark.parametrize(
    ("name", "budget"),
    [
        pytest.param("availability", Decimal("0.0005"), id="99.95 %"),
        pytest.param("latency-p95", None, id="a quantile burns none"),
        pytest.param("queue", None, id="tbd has none yet"),
    ],
)
def test_a_budget_is_what_the_objective_leaves(
    slos: dict[str, Slo], name: str, budget: Decimal | None
) -> None:
    assert slos[name].budget == budget


def test_ratios_are_recorded_for_the_windows_of_its_burns_and_for_reading(
    slos: dict[str, Slo],
) -> None:
    wanted = (5 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR)
    assert slos["availability"].ratio_windows == wanted
    assert slos["latency-p95"].ratio_windows == ()


def test_an_slo_knows_where_it_was_written(slos: dict[str, Slo]) -> None:
    lines = GOOD.read_text().splitlines()
    line = lines.index("- name: queue") + 1
    assert str(slos["queue"].source) == f"slos/shop.yaml:{line}:3"


def test_owners_and_texts_are_found_by_name(project: Project) -> None:
    assert project.settings.owner("web").page == "web-page"
    assert project.text("runbooks/shop/none.md") is None


def test_what_follows_from_a_project_is_worked_out_once(project: Project) -> None:
    assert alerts.alerts(project)
    (shop,) = project.services
    assert alerts.service_alerts(project, shop) is alerts.service_alerts(project, shop)


def test_a_changed_project_keeps_nothing_of_what_followed_from_the_old_one(
    project: Project,
) -> None:
    before = alerts.alerts(project)
    (shop,) = project.services
    other = replace(project, services=(replace(shop, owner="infra"),))
    assert {dict(one.labels)["owner"] for one in before} == {"web"}
    assert {dict(one.labels)["owner"] for one in alerts.alerts(other)} == {"infra"}


def test_what_was_worked_out_is_no_part_of_a_project_and_goes_with_it_to_a_worker(
    project: Project,
) -> None:
    fresh = replace(project)
    before = alerts.alerts(project)
    sent = pickle.loads(pickle.dumps(project))
    assert fresh == project == sent
    assert repr(fresh) == repr(project)
    assert alerts.alerts(sent) == before
    assert all(one.service is sent.services[0] for one in alerts.alerts(sent))
