"""dist/provisioning and dist/import: planned, written at once, pruned of what is ours alone."""

import json
from dataclasses import replace

import pytest
import yaml
from tests.deploy.project import Repository, made, verbs

from sloforge.deploy import drift
from sloforge.deploy.target import Moved
from sloforge.errors import Problem


def board(name: str, title: str) -> str:
    source = {"type": "datasource", "name": "datasource", "current": {"value": "default"}}
    found = {"uid": f"slo-{name}", "title": title, "templating": {"list": [source]}, "panels": []}
    return json.dumps(found)


ONE = made(dashboards_a=board("a", "A"), dashboards_b=board("b", "B"), rules_a="groups: []")
OTHER = made(dashboards_a=board("a", "A, renamed"))


@pytest.fixture
def repo(tmp_path):
    found = Repository(tmp_path)
    found.targets(files={"kind": "provisioning"}, sharing={"kind": "import"})
    return found


def names(repo: Repository, kind: str) -> list[str]:
    folder = repo.root / "dist" / kind
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_a_server_s_files_and_those_to_share_are_written_once(repo):
    plan = repo.plan(ONE)
    assert names(repo, "provisioning") == []
    assert verbs(plan.steps) == {
        "file .sloforge": "create",
        "dashboard shop.yaml": "create",
        "dashboard dashboards/a.json": "create",
        "dashboard dashboards/b.json": "create",
        "dashboard a.json": "create",
        "dashboard b.json": "create",
    }
    repo.done(ONE)
    assert names(repo, "provisioning") == [
        ".sloforge",
        "dashboards/a.json",
        "dashboards/b.json",
        "shop.yaml",
    ]
    assert names(repo, "import") == [".sloforge", "a.json", "b.json"]
    (provider,) = yaml.safe_load((repo.root / "dist/provisioning/shop.yaml").read_text())[
        "providers"
    ]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/shop"
    shared = json.loads((repo.root / "dist/import/a.json").read_text())
    assert shared["__inputs"][0]["name"] == "DS_PROMETHEUS"
    assert not repo.plan(ONE).changes


def test_what_is_gone_is_removed_and_what_others_have_put_there_is_not(repo):
    repo.done(ONE)
    theirs = repo.root / "dist" / "provisioning" / "dashboards" / "theirs.json"
    theirs.write_text("{}")
    plan = repo.plan(OTHER)
    found = {step.id: step for step in plan.changes}
    assert {key: step.verb for key, step in found.items()} == {
        "files/file/.sloforge": "update",
        "files/dashboard/dashboards/a.json": "update",
        "files/dashboard/dashboards/b.json": "delete",
        "sharing/file/.sloforge": "update",
        "sharing/dashboard/a.json": "update",
        "sharing/dashboard/b.json": "delete",
    }
    summary = ("title `A` -> `A, renamed`",)
    assert found["files/dashboard/dashboards/a.json"].summary == summary
    repo.done(OTHER)
    assert theirs.read_text() == "{}"
    assert names(repo, "import") == [".sloforge", "a.json"]
    assert not repo.plan(OTHER).changes


def test_a_file_that_is_not_ours_blocks(repo):
    file = repo.root / "dist" / "import" / "a.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    (step,) = repo.plan(ONE).blocked
    assert (step.id, step.reason) == (
        "sharing/dashboard/a.json",
        "a file of this name is there, and not by us; move it away, or `--adopt` it",
    )
    repo.done(ONE, adopt=True)
    assert not repo.plan(ONE).changes


def test_an_edit_of_a_file_is_drift_and_is_put_back(repo):
    repo.done(ONE)
    file = repo.root / "dist" / "provisioning" / "dashboards" / "a.json"
    file.write_text("not json")
    plan = repo.plan(ONE)
    (found,) = drift.drift(plan, repo.environment().state.applied())
    assert (found.step.key, found.state) == ("dashboards/a.json", "edited")
    assert found.step.summary == ("what is there is no JSON",)
    repo.done(ONE)
    assert json.loads(file.read_text())["title"] == "A"


def test_an_undo_leaves_a_file_that_somebody_has_changed(repo):
    repo.done(ONE)
    found = repo.environment().targets["sharing"]
    step = next(step for step in found.plan(OTHER, {}) if step.key == "a.json")
    receipt = found.apply(step)
    file = repo.root / "dist" / "import" / "a.json"
    with pytest.raises(Problem, match="is not what was written a moment ago"):
        found.verify([replace(step, after="{}")])
    file.write_text("by hand")
    with pytest.raises(Moved, match="was changed by somebody else; left as it is"):
        found.undo(receipt)
    assert file.read_text() == "by hand"


def test_another_project_s_folder_is_refused(repo):
    repo.done(ONE)
    repo.project = "other"
    repo.targets(sharing={"kind": "import"})
    with pytest.raises(Problem, match=r"belongs to another project, as `\.sloforge` in it says"):
        repo.plan(ONE)


def test_a_write_that_fails_leaves_the_folder_as_it_was(repo):
    repo.done(ONE)
    before = {n: (repo.root / "dist/import" / n).read_text() for n in names(repo, "import")}
    blocked = repo.root / "dist" / "import" / "b.json"

    class Failing(Repository):
        def tell(self, verb, step):
            # Somebody puts a folder where the last file goes, right before it is removed.
            if (verb, step.id) == ("apply", "sharing/dashboard/b.json"):
                blocked.unlink()
                blocked.mkdir()

    assert Failing(repo.root).deploy(OTHER).result != "done"
    blocked.rmdir()
    blocked.write_text(before["b.json"])
    found = {n: (repo.root / "dist/import" / n).read_text() for n in names(repo, "import")}
    assert found == before
