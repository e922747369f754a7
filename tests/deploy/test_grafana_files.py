"""What is written for those who do not push, and what must never be pushed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from sloforge.artifacts import Artifact
from sloforge.deploy.build import of
from sloforge.deploy.grafana_board import of_artifact
from sloforge.deploy.grafana_files import imports, provisioning
from sloforge.deploy.target import Config, Endpoint
from sloforge.errors import Problem

ROOT = Path(__file__).parents[2]
OURS = tuple(
    Artifact(f"dashboards/{file.name}", file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "dashboards").glob("*.json"))
)


OPTIONS = {
    "provisioning": {"grafana_folder": "SLO", "grafana_folder_uid": "slo", "org_id": 1, "path": ""},
    "import": {},
}


def written(kind, artifacts=OURS, **more):
    """What a target would write, by its name."""
    config = Config(
        project="shop",
        name="files",
        kind=kind,
        environment="dev",
        root=Path("/nowhere"),
        endpoint=Endpoint(),
        options={"folder": "x"} | OPTIONS[kind] | more,
    )
    make = provisioning if kind == "provisioning" else imports
    steps = make(config).plan(of(artifacts), {})
    return {step.key: step.after for step in steps if step.key != ".sloforge"}


def test_a_foreign_dashboard_asks_for_a_prometheus_alone_and_may_lack_what_ours_have():
    loki = {"name": "logs", "type": "datasource", "query": "loki", "current": {"value": "l"}}
    mine = loki | {"name": "datasource", "query": "prometheus"}
    board = {"title": "X", "uid": "x", "panels": [{"title": "old"}]}
    for templating in ({"list": [loki, mine]}, {"list": None}, None):
        artifact = Artifact(
            "dashboards/mixins/m/x.json", json.dumps(board | {"templating": templating})
        )
        assert "dashboards/mixins/m/x.json" in written("provisioning", [artifact])
        found = json.loads(written("import", [artifact])["mixins/m/x.json"])
        asked = [one["current"]["value"] for one in found["templating"]["list"]]
        assert asked == (["l", "${DS_PROMETHEUS}"] if templating and templating["list"] else [])


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def panels(holder):
    for panel in holder.get("panels") or ():
        yield panel
        yield from panels(panel)


def test_there_are_dashboards_to_look_at():
    assert len(OURS) >= 4


@pytest.mark.parametrize("artifact", OURS, ids=lambda artifact: artifact.path)
def test_nothing_that_is_deployed_waits_for_the_import_dialog(artifact):
    board = of_artifact(artifact, "slo", "sloforge:ours")
    assert "${DS_" not in json.dumps(board.body)
    assert "__inputs" not in board.body


def test_nothing_that_is_provisioned_waits_for_the_import_dialog():
    found = written("provisioning")
    assert len(found) == len(OURS) + 1
    for text in found.values():
        assert "${DS_" not in text
        assert "__inputs" not in text


@pytest.mark.parametrize("kind", ["provisioning", "import"])
def test_a_dashboard_with_the_placeholder_is_refused(kind):
    bad = Artifact("dashboards/slo-x.json", '{"uid": "slo-x", "x": "${DS_PROMETHEUS}"}')
    with pytest.raises(Problem, match=r"^dashboards/slo-x\.json: must not hold `\$\{DS_\.\.\.\}`"):
        written(kind, (bad,))
    with pytest.raises(Problem, match="must not hold"):
        of_artifact(bad, "slo", "sloforge:ours")


def test_a_provider_reads_the_dashboards_as_they_are():
    more = {"grafana_folder": "Promises", "grafana_folder_uid": "promises", "org_id": 3}
    given = (*OURS, Artifact("rules/x.yml", ""))
    found = written("provisioning", given, path="/srv/boards", **more)
    (provider,) = yaml.safe_load(found.pop("shop.yaml"))["providers"]
    assert provider == {
        "name": "sloforge shop",
        "orgId": 3,
        "folder": "Promises",
        "folderUid": "promises",
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": "/srv/boards", "foldersFromFilesStructure": False},
    }
    assert found == {a.path: a.text for a in OURS}


@pytest.mark.parametrize("before", OURS, ids=lambda artifact: artifact.path)
def test_an_import_differs_only_in_what_it_asks_for(before):
    found = written("import", (before,))
    old, new = json.loads(before.text), json.loads(found[before.path.removeprefix("dashboards/")])
    changed = ("__inputs", "__requires", "editable", "templating")
    assert without(new, *changed) == without(old, *changed)
    assert [one["name"] for one in new["__inputs"]] == ["DS_PROMETHEUS"]
    assert new["editable"] is True
    (source,) = (v for v in new["templating"]["list"] if v["type"] == "datasource")
    assert source["current"]["value"] == "${DS_PROMETHEUS}"
    # The newest importer does not look into collapsed rows, so no panel may need replacing.
    assert all("${DS_" not in json.dumps(panel) for panel in panels(new))


@pytest.mark.parametrize("artifact", OURS, ids=lambda artifact: artifact.path)
def test_an_import_names_every_panel_plugin_it_needs(artifact):
    (text,) = written("import", (artifact,)).values()
    document = json.loads(text)
    kinds = {panel["type"] for panel in panels(document)} - {"row"}
    required = document["__requires"]
    assert {one["id"] for one in required if one["type"] == "panel"} == kinds
    assert [one["id"] for one in required] == sorted(one["id"] for one in required)


@pytest.mark.parametrize("kind", ["provisioning", "import"])
def test_the_same_input_gives_the_same_bytes(kind):
    assert written(kind, tuple(reversed(OURS))) == written(kind)
