"""Whatever goes wrong on the way: the deploy succeeds once, or says why and leaves nothing behind."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from tests.deploy import grafana_world
from tests.deploy.grafana_world import verbs
from tests.grafana_server import Fault, GrafanaServer
from tests.grafana_server.store import EVERYTHING

from sloforge.deploy.target import Moved
from sloforge.errors import Problem

SAVE = "/api/dashboards/db"
FOLDERS = "/api/folders"
HTML = "<html><title>Sign in</title></html>"


def saving(**more: Any) -> Fault:
    return Fault(method="POST", path=SAVE, **more)


def reading(**more: Any) -> Fault:
    return Fault(method="GET", path="/api/dashboards/uid/.*", **more)


def deleting(**more: Any) -> Fault:
    return Fault(method="DELETE", path="/api/dashboards/uid/.*", **more)


def making_a_folder(**more: Any) -> Fault:
    return Fault(method="POST", path=FOLDERS, **more)


@pytest.fixture
def pauses(monkeypatch):
    """Nobody waits; what would have been waited for is told."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


@pytest.fixture
def world(monkeypatch, pauses):
    with grafana_world.world(monkeypatch) as made:
        yield made


def image(world):
    """All that Grafana holds but the search index and annotations."""
    store = world.ours.store
    boards = {uid: board.image() for uid, board in store.dashboards.items()}
    return boards, {uid: folder.title for uid, folder in store.folders.items()}


def saves(world):
    return [s for s in world.ours.seen if s.method == "POST" and s.path == "/api/dashboards/db"]


PASSING = {
    "429": saving(status=429, headers={"Retry-After": "3"}),
    "502": saving(status=502, body=HTML),
    "503": saving(status=503),
    "504": saving(status=504),
    "503 twice": saving(status=503, times=2),
    "503 after the commit": saving(status=503, committed=True),
    "500 after the commit": saving(status=500, committed=True),
    "time-out": saving(kind="silent"),
    "time-out after the commit": saving(kind="silent", committed=True),
    "a cut body": saving(kind="cut"),
    "half a body without a length": saving(kind="unframed"),
    "a lost connection": saving(kind="drop"),
    "a lost connection after the commit": saving(kind="drop", committed=True),
    "reading 503": reading(status=503),
    "reading 429": reading(status=429, headers={"Retry-After": "3"}),
    "reading a cut body": reading(kind="cut"),
    "reading half a body": reading(kind="unframed"),
    "reading times out": reading(kind="silent"),
    "reading loses the connection": reading(kind="drop"),
    "the folder 503": making_a_folder(status=503),
    "the folder 503 after the commit": making_a_folder(status=503, committed=True),
    "the folder times out after the commit": making_a_folder(kind="silent", committed=True),
    "the folder times out": making_a_folder(kind="silent"),
    "the search 503": Fault(path="/api/search", status=503),
    "the health 502": Fault(path="/api/health", status=502, body=HTML),
}


# The folder is there by the time of an update.
CASES = [("create", name) for name in PASSING]
CASES += [("update", name) for name, fault in PASSING.items() if fault.path != FOLDERS]


@pytest.mark.parametrize(("change", "name"), CASES)
def test_what_passes_is_waited_out_and_saved_once(world, pauses, change, name):
    fault = PASSING[name]
    if change == "update":
        world.deploy(world.board("a"))
    fault = replace(fault)
    world.ours.script.add(fault)
    world.ours.seen.clear()
    world.deploy(world.board("a", title="Wanted"), timeout=1.0 if fault.kind == "silent" else 10.0)
    assert world.ours.script.left == 0
    live = world.ours.store.dashboards[world.uid("a")]
    assert (live.title, live.version) == ("Wanted", 2 if change == "update" else 1)
    if fault.headers:
        assert max(pauses) >= 3
    if fault.committed:
        assert len(saves(world)) == 1
    steps = world.target().plan((world.board("a", title="Wanted"),), world.applied)
    assert {step.verb for step in steps} == {"unchanged"}


def test_retry_after_is_followed_only_up_to_a_cap(world, pauses):
    world.ours.script.add(saving(status=429, headers={"Retry-After": "86400"}))
    with pytest.raises(
        Problem, match=r"answered 429 .*asks for fewer requests: deploy again later"
    ):
        world.deploy(world.board("a"))
    assert sum(pauses) < 60


REFUSED = {
    "401": (saving(status=401), "answered 401 .* check the token or the password"),
    "403": (
        saving(status=403),
        "no permission to create this dashboard: `dashboards:create`",
    ),
    "404": (saving(status=404), "answered 404 .* check the URL, with the sub-path"),
    "413": (saving(status=413, body=HTML), "answered 413 .* refuses large bodies"),
    "422": (saving(status=422), "answered 422 .* run `make check`"),
    "500": (saving(status=500), "answered 500 `out of order`; read Grafana's log"),
    "503 for good": (saving(status=503, times=99), "answered 503"),
    "202": (
        saving(status=202, body='{"status":"pending","message":"broadcast"}'),
        "answered 202 `broadcast`; a listener holds changes back for review: deploy through it",
    ),
    "412 though nothing moved": (
        saving(status=412, body='{"status":"version-mismatch","message":"changed"}'),
        "answered 412 `changed`",
    ),
    "412 of a plugin": (
        saving(status=412, body='{"status":"plugin-dashboard","message":"belongs to x"}'),
        "Grafana says `belongs to x`; a plugin owns it",
    ),
    "412 without a word": (saving(status=412, body="{}"), "answered 412"),
    "400": (
        saving(status=400, body='{"message":"uid too long, max 40 characters"}'),
        "answered 400 `uid too long, max 40 characters`; this is what Grafana asks for",
    ),
    "a redirect": (
        saving(status=302, headers={"Location": "/login"}),
        "must not be redirected, was sent to `/login`",
    ),
    "time-outs for good": (saving(kind="silent", times=99), "no answer in time"),
    "the folder 403": (
        making_a_folder(status=403),
        "no permission on this folder: `folders:create`",
    ),
    "the folder 500": (making_a_folder(status=500), "answered 500"),
    "the folder 503 for good": (making_a_folder(status=503, times=99), "answered 503"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_pass_is_told_and_undone(world, name):
    fault, words = REFUSED[name]
    fault = replace(fault)
    before = image(world)
    if fault.path == SAVE and fault.times == 1:
        # The first dashboard is saved, the second one refused.
        fault.skip = 1
    world.ours.script.add(fault)
    with pytest.raises(Problem, match=words):
        world.deploy(
            world.board("a"), world.board("b"), timeout=0.3 if fault.kind == "silent" else 10.0
        )
    assert image(world) == before


@pytest.mark.parametrize(
    "fault",
    [
        deleting(status=503),
        deleting(status=503, committed=True),
        deleting(status=500, committed=True),
        deleting(kind="silent", committed=True),
        deleting(kind="silent"),
        deleting(kind="cut"),
        deleting(status=404, committed=True),
    ],
    ids=lambda f: f"{f.kind}-{f.status}-{f.committed}",
)
def test_a_deletion_survives_a_lost_answer(world, fault):
    world.deploy(world.board("a"), world.board("b"))
    world.ours.script.add(fault)
    world.deploy(world.board("a"), timeout=1.0)
    assert world.ours.script.left == 0
    assert set(world.ours.store.dashboards) == {world.uid("a")}
    if fault.committed:
        # A second one could meet what somebody has put there in between.
        assert len([seen for seen in world.ours.seen if seen.method == "DELETE"]) == 1


@pytest.mark.parametrize(("status", "words"), [(403, "`dashboards:delete`"), (500, "answered 500")])
def test_a_refused_deletion_brings_back_what_went_before_it(world, status, words):
    world.deploy(world.board("a"), world.board("b"))
    world.ours.script.add(deleting(status=status, times=99))
    with pytest.raises(Problem, match=words):
        world.deploy(world.board("a", title="New"))
    titles = {uid: board.title for uid, board in world.ours.store.dashboards.items()}
    assert titles[world.uid("a")] == f"SLO / {world.uid('a')}"
    assert world.uid("b") in titles


def edit(world, name):
    """Somebody who is at work in the user interface."""
    return lambda path: world.edit(world.uid(name), title="Faster")


def test_an_edit_between_the_last_look_and_the_save_wins(world):
    world.deploy(world.board("a"))
    world.ours.script.add(saving(kind="only", before=edit(world, "a")))
    with pytest.raises(
        Moved, match=r"is at version 2, saved by `sa-deployer`, and was at version 1"
    ):
        world.deploy(world.board("a", title="New"))
    assert world.read(world.uid("a"))["dashboard"]["title"] == "Faster"


def test_an_edit_right_after_a_lost_answer_wins(world):
    world.deploy(world.board("a"))
    world.ours.script.add(saving(kind="drop", committed=True))
    world.ours.script.add(reading(kind="only", skip=1, before=edit(world, "a")))
    with pytest.raises(Moved, match="is at version 3"):
        world.deploy(world.board("a", title="New"))
    assert world.read(world.uid("a"))["dashboard"]["title"] == "Faster"


def test_two_deploys_of_the_same_build_at_once_both_succeed(world):
    first, second = world.target(), world.target()
    plans = [target.plan((world.board("a"),), {}) for target in (first, second)]
    for target, steps in zip((first, second), plans, strict=True):
        grafana_world.run(target, steps)
    assert world.ours.store.dashboards[world.uid("a")].version == 1


def test_two_deploys_of_different_builds_at_once_one_is_told(world):
    first, second = world.target(), world.target()
    one = first.plan((world.board("a"),), {})
    other = second.plan((world.board("a", title="Other"),), {})
    grafana_world.run(first, one)
    with pytest.raises(Moved, match="was not there when it was planned"):
        grafana_world.run(second, other)


def test_a_search_that_lags_deletes_nothing_that_is_not_ours_any_more(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, search_lags=True) as world:
        world.deploy(world.board("a"), world.board("b"), world.board("c"))
        world.ours.store.refresh()
        # The search still finds both with our mark; one is gone, one was given away.
        world.remove(world.uid("b"))
        world.edit(world.uid("c"), tags=["given away"])
        steps = world.deploy(world.board("a"))
        assert verbs(steps) == {world.uid("a"): "unchanged"}
        assert world.uid("c") in world.ours.store.dashboards


def test_a_search_that_lags_does_not_hide_what_is_to_be_deleted(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, search_lags=True) as world:
        world.deploy(world.board("a"), world.board("b"))
        assert world.ours.store.index == []
        steps = world.deploy(world.board("a"))
        assert verbs(steps)[world.uid("b")] == "delete"


def test_a_search_that_ignores_its_parameters_deletes_nothing_of_others(world):
    world.deploy(world.board("a"))
    world.create({"uid": world.uid("theirs"), "title": "Theirs", "tags": ["x"]})
    hits = json.dumps([{"uid": world.uid("theirs"), "tags": ["x"]}] * 1000)
    world.ours.script.add(Fault(path="/api/search", status=200, body=hits, times=99))
    world.ours.seen.clear()
    steps = world.deploy(world.board("a"))
    assert verbs(steps) == {world.uid("a"): "unchanged"}
    # The same page again is the last one, and who does not bear our tag is not even looked at.
    assert len([seen for seen in world.ours.seen if seen.path.startswith("/api/search")]) == 2
    assert not [seen for seen in world.ours.seen if seen.path.endswith(world.uid("theirs"))]


def test_a_search_of_many_pages_is_read_to_its_end(world):
    page = [{"uid": f"{world.uid('x')}{n}", "tags": [world.mark]} for n in range(1000)]
    answers = [json.dumps(page), json.dumps([{"uid": world.uid("b"), "tags": [world.mark]}])]
    world.deploy(world.board("a"), world.board("b"))
    world.applied.clear()
    for answer in answers:
        world.ours.script.add(Fault(path="/api/search", status=200, body=answer))
    assert verbs(world.target().plan((world.board("a"),), {}))[world.uid("b")] == "delete"
    assert world.ours.script.left == 0


@pytest.mark.parametrize("version", ["10.4.2", "11.6.0", "12.1.0", "13.3.0"])
def test_every_supported_version_ends_in_the_folder_and_never_hears_of_a_folder_number(
    monkeypatch, pauses, version
):
    with grafana_world.world(monkeypatch, version=version) as world:
        world.deploy(world.board("a"))
        world.deploy(world.board("a", title="New"))
        world.deploy()
        world.deploy(world.board("a"))
        assert world.ours.store.dashboards[world.uid("a")].folder == world.folder
        bodies = [seen.body for seen in world.ours.writes() if seen.body]
        assert all("folderId" not in body for body in bodies)
        sent = [body for body in bodies if "dashboard" in body]
        assert all(body["folderUid"] == world.folder for body in sent)
        assert all(body["overwrite"] is False for body in sent)


def test_a_title_that_is_taken_is_told_where_titles_are_unique(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, version="10.4.2") as world:
        world.ours.store.put_folder(world.folder, world.folder)
        world.ours.store.put({"uid": "by-hand", "title": "Taken"}, world.folder)
        with pytest.raises(Problem, match="another dashboard of this title is in the folder"):
            world.deploy(world.board("a", title="Taken"))
        assert set(world.ours.store.dashboards) == {"by-hand"}


def test_a_new_folder_is_waited_for(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, folder_lag=3) as world:
        world.deploy(world.board("a"))
        assert world.ours.store.dashboards[world.uid("a")].folder == world.folder


@pytest.mark.parametrize("version", ["10.4.2", "11.6.0"])
def test_a_folder_that_somebody_else_makes_at_the_same_time_is_used(monkeypatch, pauses, version):
    with grafana_world.world(monkeypatch, version=version) as world:

        def make(path: str) -> None:
            world.ours.store.put_folder(world.folder, world.folder)

        world.ours.script.add(making_a_folder(kind="only", before=make))
        target = world.target()
        receipts = grafana_world.run(target, target.plan((world.board("a"),), {}))
        assert world.ours.store.dashboards[world.uid("a")].folder == world.folder
        for receipt in reversed(receipts):
            target.undo(receipt)
        assert world.ours.store.dashboards == {}
        assert world.folder in world.ours.store.folders


def test_a_folder_that_somebody_renames_at_the_same_time_is_left_alone(world):
    world.ours.store.put_folder(world.folder, "By hand")

    def rename(path: str) -> None:
        folder = world.ours.store.folders[world.folder]
        folder.title, folder.version = "Faster", folder.version + 1

    world.ours.script.add(Fault(method="PUT", kind="only", before=rename))
    with pytest.raises(Moved, match="is called `Faster`, and was planned otherwise; plan again"):
        world.deploy(adopt=True)
    assert world.ours.store.folders[world.folder].title == "Faster"


def test_a_folder_that_was_renamed_since_the_plan_is_left_alone(world):
    world.ours.store.put_folder(world.folder, "By hand")
    target = world.target(adopt=True)
    (step,) = target.plan((), {})
    assert step.verb == "update"
    folder = world.ours.store.folders[world.folder]
    folder.title, folder.version = "Faster", folder.version + 1
    with pytest.raises(Moved, match="is called `Faster`, and was planned otherwise; plan again"):
        target.apply(step)
    assert folder.title == "Faster"


def test_a_folder_of_another_title_does_not_become_ours_by_being_used(world):
    world.ours.store.put_folder(world.folder, "By hand")
    target = world.target()
    steps = target.plan((), {})
    assert [(step.verb, step.after) for step in steps] == [("unchanged", None)]
    # What a deploy remembers is what it has left: nothing of this folder.
    assert [step.verb for step in target.plan((), {})] == ["unchanged"]


def test_a_login_page_is_no_sign_that_a_dashboard_was_saved(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    target.apply(steps[0])
    world.ours.script.add(saving(status=200, body=HTML, times=9))
    with pytest.raises(Problem, match=r"answered 200 `<html>"):
        target.apply(steps[1])


def test_a_read_from_a_replica_that_lags_is_repeated_before_it_is_believed(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    grafana_world.run(target, steps)
    world.ours.script.add(reading(status=404, times=2))
    assert target.verify(steps) == ()
    assert world.ours.script.left == 0


def test_a_refresh_that_grafana_raises_is_planned_as_grafana_stores_it(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, min_refresh="5m") as world:
        world.deploy(world.board("a"))
        assert world.read(world.uid("a"))["dashboard"]["refresh"] == "5m"
        steps = world.deploy(world.board("a"))
        assert {step.verb for step in steps} == {"unchanged"}


def test_what_grafana_stores_otherwise_than_it_was_sent_is_told_and_undone(world, pauses):
    def spoil(path):
        world.ours.store.dashboards[world.uid("a")].document["title"] = "Mangled"

    world.ours.script.add(reading(kind="only", skip=1, before=spoil))
    with pytest.raises(Moved):
        world.deploy(world.board("a"))
    with pytest.raises(Problem, match=r"Grafana does not hold what was saved: title `SLO.*Mangled"):
        world.target().verify(tuple(world.target().plan((world.board("a"),), {})))


BLOCKED = {
    "provisioned": (
        {"provisioned": "slo/a.json", "manager": ""},
        (
            "provisioned from slo/a.json: Grafana refuses to save it; "
            "take it out of the provisioning, or out of slos/"
        ),
    ),
    "another tool": (
        {"manager": "terraform prod"},
        "owned by another tool: terraform prod; let that one go of it first",
    ),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_what_grafana_would_refuse_is_blocked_in_the_plan(monkeypatch, pauses, name):
    more, reason = BLOCKED[name]
    with grafana_world.world(monkeypatch, version="12.1.0") as world:
        world.ours.store.put({"uid": world.uid("a"), "title": "Theirs"}, **more)
        before = image(world)
        plan = world.target(adopt=True).plan((world.board("a"),), {})
        (step,) = (s for s in plan if s.kind == "dashboard")
        assert (step.verb, step.reason) == ("blocked", reason)
        assert image(world) == before


def test_what_is_provisioned_and_bears_our_mark_is_not_deleted(world):
    tagged = {"uid": world.uid("a"), "title": "Ours, from a file", "tags": [world.mark]}
    world.ours.store.put(tagged, provisioned="slo/a.json")
    (step,) = (s for s in world.target().plan((), {}) if s.kind == "dashboard")
    assert (step.verb, step.reason) == ("blocked", "provisioned from slo/a.json: remove it there")


RIGHTS = {
    "folders:create": ("folder", "create"),
    "dashboards:create": ("dashboard", "create"),
    "dashboards:write": ("dashboard", "update"),
    "dashboards:delete": ("dashboard", "delete"),
}


@pytest.mark.parametrize("endpoint", [True, False], ids=["permissions told", "not told"])
@pytest.mark.parametrize("missing", RIGHTS)
def test_a_missing_permission_is_named(monkeypatch, pauses, missing, endpoint):
    kind, verb = RIGHTS[missing]
    with grafana_world.world(monkeypatch, permissions_endpoint=endpoint) as world:
        if verb != "create":
            world.deploy(world.board("a"))
        store = world.ours.store
        rights = dict(next(iter(store.tokens.values())))
        store.tokens = {token: {**rights, missing: ()} for token in store.tokens}
        for held in store.tokens.values():
            del held[missing]
        desired = {"update": (world.board("a", title="New"),), "delete": ()}
        target = world.target()
        steps = target.plan(desired.get(verb, (world.board("a"),)), {})
        blocked = [step for step in steps if step.verb == "blocked" and step.kind == kind]
        if endpoint or verb != "create":
            reason = f"no permission: `{missing}`; grant it to the service account"
            assert [step.reason for step in blocked] == [reason]
        else:
            with pytest.raises(Problem, match=f"no permission .*`{missing}`"):
                grafana_world.run(target, steps)
            assert store.dashboards == {}


def limited(world, *scopes):
    """An editor: may make folders, and sees those that he was given."""
    rights = dict.fromkeys(EVERYTHING, scopes) | {"folders:create": ("folders:*",)}
    world.ours.store.tokens = dict.fromkeys(world.ours.store.tokens, rights)


def test_a_folder_that_is_not_there_is_forbidden_to_an_editor_and_is_made(world):
    limited(world, "folders:uid:another")
    assert world.ask("GET", f"/api/folders/{world.folder}")[0] == 403
    world.deploy(world.board("a"))
    assert world.ours.store.dashboards[world.uid("a")].folder == world.folder


def test_a_folder_that_nobody_may_see_is_told(world):
    world.ours.store.put_folder(world.folder, world.folder)
    limited(world, "folders:uid:another")
    with pytest.raises(Problem, match=r"cannot be read as .*grant `folders:read`"):
        world.deploy(world.board("a"))
    assert world.ours.store.dashboards == {}


def test_a_plan_reads_and_never_writes(world):
    world.deploy(world.board("a"), world.board("b"))
    world.edit(world.uid("a"), title="Edited")
    world.ours.seen.clear()
    steps = world.target().plan((world.board("a"), world.board("c")), world.applied)
    assert verbs(steps) == {
        world.uid("a"): "update",
        world.uid("b"): "delete",
        world.uid("c"): "create",
    }
    assert world.ours.writes() == []


@pytest.mark.parametrize("hidden", [True, False])
def test_a_grafana_that_is_too_old_is_refused_even_if_it_hides_its_version(
    monkeypatch, pauses, hidden
):
    with (
        grafana_world.world(monkeypatch, version="9.5.2", hide_version=hidden) as world,
        pytest.raises(Problem, match=r"must be Grafana 10\.4 or newer, got 9\.5\.2; upgrade it"),
    ):
        world.target().plan((), {})


def test_a_version_that_nobody_tells_is_no_obstacle(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, hide_version=True) as world:
        world.ours.script.add(Fault(path="/api/frontend/settings", status=404, times=99))
        world.deploy(world.board("a"))
        assert world.uid("a") in world.ours.store.dashboards


def test_a_login_page_instead_of_an_answer_is_told(world):
    world.ours.script.add(Fault(path="/api/health", status=200, body=HTML))
    with pytest.raises(Problem, match=r"expected JSON, got `<html><title>Sign in.*login page"):
        world.target().plan((), {})


def test_another_server_at_this_url_is_told(world):
    world.ours.script.add(Fault(path="/api/dashboards/uid/.*", status=200, body='{"status":"ok"}'))
    with pytest.raises(Problem, match="is the URL that of a Grafana, with its sub-path"):
        world.target().plan((world.board("a"),), {})


def test_a_wrong_token_is_told(world, monkeypatch):
    monkeypatch.setenv(grafana_world.VARIABLE, "glsa_wrong")
    with pytest.raises(Problem, match="answered 401 `Invalid API key`; check the token"):
        world.target().plan((), {})


def test_a_sub_path_and_an_organisation_are_kept(monkeypatch, pauses):
    with grafana_world.world(monkeypatch, sub_path="/grafana", org_id=7) as world:
        world.deploy(world.board("a"), org_id=7)
        assert world.uid("a") in world.ours.store.dashboards
        with pytest.raises(Problem, match="answered 401"):
            world.target(org_id=8).plan((), {})


def test_nobody_at_the_address_is_told(world, pauses):
    with GrafanaServer() as other:
        url = other.url
    with pytest.raises(Problem, match=r"refused; check that the server runs and that the URL"):
        world.target(endpoint={"url": url}).plan((), {})
    # Retried before it was told.
    assert len(pauses) == 2
