"""What a deploy does to a Grafana: the real one of GRAFANA_URL and GRAFANA_TOKEN, or our server."""

from __future__ import annotations

import json

import pytest
from tests.deploy.grafana_world import any_world, run, verbs

from sloforge.deploy.target import Moved, Receipt


@pytest.fixture
def world(monkeypatch):
    with any_world(monkeypatch) as made:
        yield made


def panels(artifact):
    return json.loads(artifact.text)["panels"]


def test_a_first_deploy_creates_the_folder_and_marks_every_dashboard(world):
    steps = world.deploy(world.board("a"), world.board("b"))
    assert verbs(steps, "folder") == {world.folder: "create"}
    assert verbs(steps) == {world.uid("a"): "create", world.uid("b"): "create"}
    live = world.read(world.uid("a"))
    assert live["meta"]["folderUid"] == world.folder
    assert world.mark in live["dashboard"]["tags"]
    assert live["dashboard"]["panels"] == panels(world.board("a"))


def test_a_second_deploy_changes_nothing_and_makes_no_version(world):
    world.deploy(world.board("a"))
    before = world.read(world.uid("a"))["meta"]["version"]
    steps = world.deploy(world.board("a"))
    assert {step.verb for step in steps} == {"unchanged"}
    assert world.read(world.uid("a"))["meta"]["version"] == before


def test_an_update_says_what_changes_in_words(world):
    world.deploy(world.board("a"))
    changed = panels(world.board("a"))
    changed[0]["options"]["content"] = "**99.5 % over 30d**\n\nRequests that are answered."
    changed[1]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = 10
    changed.append({"id": 3, "type": "stat", "title": "Budget left", "gridPos": {}})
    (step,) = (s for s in world.deploy(world.board("a", panels=changed)) if s.kind == "dashboard")
    assert step.verb == "update"
    assert step.summary == (
        "`availability`: objective 99.9 % over 30d -> 99.5 % over 30d",
        "`Burn rate now`: threshold 14.4 -> 10",
        "panel `Budget left` added",
    )
    assert world.read(world.uid("a"))["dashboard"]["panels"] == changed


def test_a_dashboard_that_was_moved_away_is_moved_back(world):
    world.deploy(world.board("a"))
    live = world.read(world.uid("a"))["dashboard"]
    world.ask("POST", "/api/dashboards/db", {"dashboard": live, "folderUid": ""})
    steps = world.deploy(world.board("a"))
    assert verbs(steps) == {world.uid("a"): "move"}
    assert [s.summary for s in steps if s.verb == "move"] == [(f"folder root -> {world.folder}",)]
    assert world.read(world.uid("a"))["meta"]["folderUid"] == world.folder


def test_what_is_no_longer_built_is_deleted(world):
    world.deploy(world.board("a"), world.board("b"))
    steps = world.deploy(world.board("a"))
    assert verbs(steps) == {world.uid("a"): "unchanged", world.uid("b"): "delete"}
    assert world.ask("GET", f"/api/dashboards/uid/{world.uid('b')}")[0] == 404


def test_a_dashboard_without_our_prefix_is_deleted_if_a_deploy_wrote_it(world):
    uid = f"planes-{world.prefix}"
    world.deploy(world.board("a", uid=uid))
    assert verbs(world.target().plan((), {})) == {uid: "delete"}
    assert verbs(world.deploy()) == {uid: "delete"}


def test_a_copy_that_somebody_made_of_such_a_dashboard_is_left_alone(world):
    uid = f"planes-{world.prefix}"
    world.deploy(world.board("a", uid=uid))
    live = world.read(uid)["dashboard"]
    copy = live | {"id": None, "uid": f"copy-{world.prefix}", "title": f"Copy of {uid}"}
    world.ask("POST", "/api/dashboards/db", {"dashboard": copy, "message": "mine"})
    assert verbs(world.target().plan((), {})) == {uid: "delete"}
    world.ask("DELETE", f"/api/dashboards/uid/copy-{world.prefix}")


def test_dashboards_of_others_are_neither_deleted_nor_touched(world):
    world.deploy(world.board("a"))
    tagged = {"uid": f"other-{world.prefix}", "title": "Tagged like ours", "tags": [world.mark]}
    plain = {"uid": world.uid("plain"), "title": "Named like ours", "tags": []}
    world.create(tagged)
    world.create(plain, world.folder)
    before = [world.read(d["uid"]) for d in (tagged, plain)]
    steps = world.deploy(world.board("a"))
    assert verbs(steps) == {world.uid("a"): "unchanged"}
    assert [world.read(d["uid"]) for d in (tagged, plain)] == before
    world.remove(tagged["uid"])


def test_a_dashboard_that_is_not_ours_is_blocked_until_it_is_adopted(world):
    world.create({"uid": world.uid("a"), "title": "By hand", "tags": ["mine"]})
    (blocked,) = (s for s in world.target().plan((world.board("a"),), {}) if s.kind == "dashboard")
    assert blocked.verb == "blocked"
    assert blocked.reason.startswith("does not bear our tag, last saved by `")
    assert blocked.reason.endswith("`; `--adopt` takes it over")
    steps = world.deploy(world.board("a"), adopt=True)
    assert verbs(steps) == {world.uid("a"): "update"}
    assert world.mark in world.read(world.uid("a"))["dashboard"]["tags"]


def test_a_dashboard_of_another_project_names_it(world):
    tags = ["sloforge:payments"]
    world.create({"uid": world.uid("a"), "title": "Theirs", "tags": tags})
    (step,) = (s for s in world.target().plan((world.board("a"),), {}) if s.kind == "dashboard")
    assert step.reason.startswith("belongs to sloforge:payments, last saved by `")


def test_an_edit_in_grafana_is_named_before_it_is_overwritten(world):
    world.deploy(world.board("a"))
    world.edit(world.uid("a"), title="Edited by hand")
    steps = world.target().plan((world.board("a"),), world.applied)
    (step,) = (s for s in steps if s.verb == "update")
    assert len(step.warnings) == 1
    assert step.warnings[0].startswith("overwrites what `")
    assert step.summary == (f"title `Edited by hand` -> `SLO / {world.uid('a')}`",)


def test_a_dashboard_that_was_deleted_in_grafana_is_named(world):
    world.deploy(world.board("a"))
    world.remove(world.uid("a"))
    steps = world.deploy(world.board("a"))
    assert [s.warnings for s in steps if s.verb == "create"] == [
        ("was deleted in Grafana since the last deploy",)
    ]


def test_an_edit_after_the_plan_stops_the_update(world):
    world.deploy(world.board("a"))
    target = world.target()
    steps = target.plan((world.board("a", title="New"),), world.applied)
    world.edit(world.uid("a"), title="Somebody was faster")
    with pytest.raises(
        Moved, match=r"is at version \d+, saved by .* when it was planned; plan again"
    ):
        run(target, steps)
    assert world.read(world.uid("a"))["dashboard"]["title"] == "Somebody was faster"


def test_an_edit_after_the_plan_stops_the_deletion(world):
    world.deploy(world.board("a"), world.board("b"))
    target = world.target()
    steps = target.plan((world.board("a"),), world.applied)
    world.edit(world.uid("b"), title="Still needed")
    with pytest.raises(Moved, match="plan again"):
        run(target, steps)
    assert world.read(world.uid("b"))["dashboard"]["title"] == "Still needed"


def test_a_dashboard_that_appears_after_the_plan_stops_the_creation(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    world.create({"uid": world.uid("a"), "title": "Somebody was faster"})
    with pytest.raises(Moved, match="was not there when it was planned"):
        run(target, steps)
    assert world.read(world.uid("a"))["dashboard"]["title"] == "Somebody was faster"


@pytest.mark.parametrize("change", ["create", "update", "move", "delete"])
def test_every_change_can_be_undone_and_undone_again(world, change):
    target = world.target()
    if change != "create":
        world.deploy(world.board("a"))
    if change == "move":
        live = world.read(world.uid("a"))["dashboard"]
        world.ask("POST", "/api/dashboards/db", {"dashboard": live, "folderUid": ""})
    desired = {"update": (world.board("a", title="New"),), "delete": ()}
    steps = target.plan(desired.get(change, (world.board("a"),)), world.applied)
    # Without this the search would be asked, and may lag behind.
    known = {f"grafana/dashboard/{world.uid('a')}": ""}
    before = target.plan((), known)
    receipts = run(target, steps)
    assert change in verbs(steps).values()
    for _ in range(2):
        for receipt in reversed(receipts):
            target.undo(Receipt(step=receipt.step))
    # The version has grown; everything else is what it was.
    assert [(s.key, s.before) for s in target.plan((), known)] == [
        (s.key, s.before) for s in before
    ]


def test_an_undo_leaves_alone_what_somebody_changed_meanwhile(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    receipts = run(target, steps)
    world.edit(world.uid("a"), title="Worked on")
    with pytest.raises(Moved, match="and not what was deployed; it stays"):
        target.undo(receipts[-1])
    with pytest.raises(Moved, match="holds what is not from this deploy; it stays"):
        target.undo(receipts[0])
    assert world.read(world.uid("a"))["dashboard"]["title"] == "Worked on"


@pytest.mark.parametrize("gone", [False, True], ids=["creation", "deletion"])
def test_a_deploy_undoes_only_what_it_did_itself(world, gone):
    if gone:
        world.deploy(world.board("a"))
    desired = () if gone else (world.board("a"),)
    first, second = world.target(), world.target()
    plans = [target.plan(desired, world.applied) for target in (first, second)]
    run(first, plans[0])
    for receipt in reversed(run(second, plans[1])):
        second.undo(receipt)
    assert world.ask("GET", f"/api/dashboards/uid/{world.uid('a')}")[0] == (404 if gone else 200)
    assert world.ask("GET", f"/api/folders/{world.folder}")[0] == 200


def test_applying_a_step_twice_is_applying_it_once(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    run(target, steps)
    version = world.read(world.uid("a"))["meta"]["version"]
    run(target, steps)
    assert world.read(world.uid("a"))["meta"]["version"] == version


def test_a_folder_that_is_there_under_another_title_is_used_and_renamed_only_on_request(world):
    world.ask("POST", "/api/folders", {"uid": world.folder, "title": "Ours by hand"})
    steps = world.target().plan((world.board("a"),), {})
    (step,) = (s for s in steps if s.kind == "folder")
    assert (step.verb, step.warnings) == (
        "unchanged",
        (f"is called `Ours by hand`; `--adopt` renames it to `{world.folder}`",),
    )
    steps = world.deploy(world.board("a"), adopt=True)
    assert verbs(steps, "folder") == {world.folder: "update"}
    assert world.ask("GET", f"/api/folders/{world.folder}")[1]["title"] == world.folder


def test_a_deploy_is_announced_to_every_dashboard(world):
    assert world.target().announce("12 changes") == ""
