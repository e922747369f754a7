"""Two repositories that deploy to the same servers: neither touches what the other has put there."""

import copy
import json

import pytest
from tests.deploy.grafana_world import VARIABLE
from tests.deploy.project import ROUTES, Repository, alert, made, record, rule_file
from tests.deploy.ruler_server import ruler
from tests.deploy.servers import (
    NEEDS_ALERTMANAGER,
    NEEDS_PROMETHEUS,
    alertmanager,
    prometheus,
)
from tests.grafana_server import GrafanaServer
from tests.grafana_server.serving import TOKEN

ONE = made(
    recording_a=rule_file(record("a:b", "vector(1)", slo_service="a"), group="one"),
    rules_a=rule_file(alert("Burning", "vector(1) > 2"), group="two"),
)
OTHER = made(rules_b=rule_file(alert("Smoking", "vector(1) > 2"), group="two"))


@pytest.fixture
def pair(tmp_path):
    """Whose names begin alike, which is worse than none alike."""
    found = []
    for project in ("shop", "shop-web"):
        (tmp_path / project).mkdir()
        found.append(Repository(tmp_path / project, project=project))
    return found


def board(uid: str, title: str) -> str:
    return json.dumps({"uid": uid, "title": title, "tags": ["slo"], "panels": []})


def test_in_a_ruler_each_has_its_namespaces(pair):
    with ruler() as server:
        for repo in pair:
            repo.targets(ruler={"kind": "ruler", "url": server.url, "tenant": "team", "wait": "3s"})
        one, other = pair
        one.done(ONE)
        before = copy.deepcopy(server.of("team"))
        other.done(OTHER)
        other.done(made(rules_c=rule_file(alert("Glowing", "vector(1) > 2"), group="two")))
        assert {k: v for k, v in server.of("team").items() if k in before} == before
        assert not one.plan(ONE).changes
        one.done(OTHER)
        assert "sloforge.shop-web.rules-c" in server.of("team")


def test_in_one_folder_of_manifests_each_has_its_files(pair, tmp_path):
    for repo in pair:
        repo.targets(cluster={"kind": "kubernetes", "folder": str(tmp_path / "manifests")})
    one, other = pair
    one.done(ONE)
    texts = {path.name: path.read_text() for path in (tmp_path / "manifests").iterdir()}
    other.done(OTHER)
    other.done(made(rules_a=rule_file(alert("Burning", "vector(1) > 9"), group="two")))
    found = {path.name: path.read_text() for path in (tmp_path / "manifests").iterdir()}
    assert texts.items() < found.items()
    names = [line for text in found.values() for line in text.splitlines() if "  name: " in line]
    objects = [line for line in names if line.startswith("  name: ")]
    assert len(set(objects)) == len(found) == len(texts) + 2
    assert not one.plan(ONE).changes


@NEEDS_PROMETHEUS
def test_a_release_folder_has_one_owner(pair, tmp_path):
    with prometheus(tmp_path / "prometheus") as server:
        folder = str(server.folder / "slo")
        for repo in pair:
            repo.targets(prometheus={"kind": "prometheus", "url": server.url, "folder": folder})
        one, other = pair
        one.done(ONE)
        before = server.get("/api/v1/rules")
        (step,) = other.plan(OTHER).steps
        assert (step.verb, step.reason) == (
            "blocked",
            (
                "belongs to project shop; give this target a folder of its own, "
                "or take this one over with `--adopt`"
            ),
        )
        assert json.loads(server.get("/api/v1/rules"))["data"]["groups"][0]["rules"][0]["name"]
        assert "Burning" in before
        assert not one.plan(ONE).changes
        other.done(OTHER, adopt=True)
        assert "Smoking" in server.get("/api/v1/rules")
        assert "belongs to project shop-web" in one.plan(ONE).blocked[0].reason


@NEEDS_PROMETHEUS
def test_rules_that_no_deploy_put_there_are_not_replaced(pair, tmp_path):
    with prometheus(tmp_path / "prometheus") as server:
        release = server.folder / "slo" / "releases" / "mine"
        release.mkdir(parents=True)
        (release / "mine.yml").write_text(rule_file(record("x:y", "vector(1)")))
        (server.folder / "slo" / "current").symlink_to("releases/mine")
        repo, _ = pair
        folder = str(server.folder / "slo")
        repo.targets(prometheus={"kind": "prometheus", "url": server.url, "folder": folder})
        (step,) = repo.plan(ONE).blocked
        assert step.reason.startswith("belongs to another tool; give this target a folder")


@NEEDS_PROMETHEUS
@pytest.mark.parametrize("project", ["shop", "shop-web"])
def test_two_folders_of_the_same_name_beside_one_prometheus_are_kept_apart(pair, tmp_path, project):
    """Of two projects, or of two environments of one."""
    with prometheus(tmp_path / "prometheus") as server:
        second = server.folder / "second" / "slo"
        text = server.config.read_text()
        glob = f"- {server.folder}/other/*.yml\n"
        server.config.write_text(text.replace(glob, f"{glob}- {second}/current/*.yml\n"))
        one, other = pair
        other.project = project
        found = {"kind": "prometheus", "url": server.url, "config": str(server.config)}
        one.targets(prometheus=found | {"folder": str(server.folder / "slo")})
        other.targets(prometheus=found | {"folder": str(second)})
        one.done(ONE)
        other.done(OTHER)
        assert not one.plan(ONE).changes
        assert not other.plan(OTHER).changes
        one.done(OTHER)
        assert "Smoking" in server.get("/api/v1/rules")


@NEEDS_PROMETHEUS
def test_folders_that_the_server_sees_under_other_paths_are_told_by_their_project(pair, tmp_path):
    """As a server in a container does, of which a deploy knows no more than the end of the path."""
    with prometheus(tmp_path / "prometheus") as server:
        globs = ""
        for repo, place in zip(pair, ("a", "b"), strict=True):
            (server.folder / place).mkdir()
            (server.folder / f"mounted-{place}").symlink_to(place)
            globs += f"- {server.folder}/mounted-{place}/slo/current/*.yml\n"
            folder = str(server.folder / place / "slo")
            repo.targets(prometheus={"kind": "prometheus", "url": server.url, "folder": folder})
        server.config.write_text(f"{server.config.read_text()}{globs}")
        one, other = pair
        one.done(ONE)
        other.done(OTHER)
        assert not one.plan(ONE).changes
        assert not other.plan(OTHER).changes
        one.done(OTHER)
        assert server.get("/api/v1/rules").count("Smoking") >= 2


@NEEDS_ALERTMANAGER
def test_an_alertmanager_has_one_owner(pair, tmp_path):
    routes = made(routes=ROUTES)
    with alertmanager(tmp_path / "alertmanager", ROUTES) as server:
        for repo in pair:
            repo.targets(
                alertmanager={
                    "kind": "alertmanager",
                    "url": server.url,
                    "config": str(server.config),
                }
            )
        one, other = pair
        one.done(routes, adopt=True)
        text = server.config.read_text()
        (step,) = other.plan(routes).steps
        assert step.verb == "blocked"
        assert step.reason == (
            "belongs to project shop, and an Alertmanager has one configuration; "
            "route its alerts in that repository's base.yml, or replace it with `--adopt`"
        )
        assert server.config.read_text() == text
        assert not one.plan(routes).changes


def test_in_a_grafana_each_has_its_dashboards_and_the_fleet_s_is_one(pair, monkeypatch):
    monkeypatch.setenv(VARIABLE, TOKEN)
    with GrafanaServer() as server:
        for repo in pair:
            repo.targets(grafana={"kind": "grafana", "url": server.url, "token_env": VARIABLE})
        one, other = pair
        fleet = board("slo-fleet", "SLO / Fleet")
        first = made(dashboards_fleet=fleet, dashboards_a=board("slo-a", "SLO / a"))
        second = made(
            dashboards_fleet=board("slo-fleet", "SLO / Fleet of another version"),
            dashboards_b=board("slo-b", "SLO / b"),
        )
        one.done(first)
        steps = {step.key: step for step in other.plan(second).steps}
        assert steps["slo-fleet"].verb == "unchanged"
        assert steps["slo-fleet"].warnings == (
            "is kept by sloforge:shop: one of it is enough for all repositories",
        )
        other.done(second)
        assert not one.plan(first).changes
        assert not other.plan(second).changes
        # What goes from the one does not go from the other, and the fleet's stays with its keeper.
        other.done(made(dashboards_b=board("slo-b", "SLO / b")))
        assert not one.plan(first).changes
        taken = other.plan(made(dashboards_a=board("slo-a", "SLO / a of shop-web")))
        assert [(step.key, step.reason) for step in taken.blocked] == [
            (
                "slo-a",
                ("belongs to sloforge:shop, last saved by `sa-deployer`; `--adopt` takes it over"),
            )
        ]
