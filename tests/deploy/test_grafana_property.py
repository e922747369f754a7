"""Whatever happens: after a deploy that succeeds, ours is as wanted and nothing else has moved."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.deploy import grafana_world
from tests.deploy.grafana_world import ordered
from tests.grafana_server import Fault

from sloforge.deploy.grafana_board import of_artifact, of_live
from sloforge.errors import Problem

NAMES = ("a", "b", "c", "d")
names = st.sampled_from(NAMES)
titles = st.sampled_from(("One", "Two", "Three"))
builds = st.dictionaries(names, titles, max_size=len(NAMES))
faults = st.lists(
    st.builds(
        Fault,
        method=st.sampled_from(("GET", "POST", "DELETE", "*")),
        path=st.sampled_from((".*", "/api/dashboards/.*", "/api/folders.*", "/api/search")),
        kind=st.sampled_from(("status", "cut", "unframed", "drop")),
        status=st.sampled_from((429, 500, 502, 503, 504, 403, 412)),
        committed=st.booleans(),
        times=st.integers(1, 4),
        skip=st.integers(0, 6),
    ),
    max_size=3,
)
deploys = st.tuples(st.just("deploy"), builds, faults)
crashes = st.tuples(st.just("crash"), builds, st.integers(0, 5))
edits = st.tuples(st.sampled_from(("edit", "delete", "move", "unmark")), names)
others = st.tuples(st.sampled_from(("foreign", "tagged")), names)
searches = st.tuples(st.just("index"))
histories = st.lists(st.one_of(deploys, deploys, crashes, edits, others, searches), max_size=8)
versions = st.sampled_from(("10.4.2", "11.6.0", "12.1.0", "13.0.0"))


class Crash(BaseException):
    """kill -9."""


def is_ours(world, board):
    tagged = world.mark in (board.document.get("tags") or [])
    return tagged and board.uid.startswith("slo-")


def foreign(world):
    boards = world.ours.store.dashboards.values()
    return {board.uid: board.image() for board in boards if not is_ours(world, board)}


def desired(world, build):
    return tuple(world.board(name, title=title + name) for name, title in sorted(build.items()))


def check(world, wanted, before):
    """Live equals desired, and foreign objects are byte for byte what they were."""
    ours = {b.uid: b for b in world.ours.store.dashboards.values() if is_ours(world, b)}
    boards = {b.uid: b for b in (of_artifact(a, world.folder, world.mark) for a in wanted)}
    assert ours.keys() == boards.keys()
    for uid, board in boards.items():
        live = ours[uid]
        assert of_live(live.document, live.folder, world.mark).same(board)
    assert foreign(world) == before


def deploy(world, build, script):
    wanted = desired(world, build)
    before = foreign(world)
    world.ours.script.add(*script)
    try:
        target = world.target(timeout=5)
        steps = target.plan(wanted, world.applied)
        blocked = [step for step in steps if step.verb == "blocked"]
        if blocked:
            # An engine stops here; that dashboard belongs to somebody else now.
            assert all("`--adopt` takes it over" in step.reason for step in blocked), blocked
            return
        world.remember(steps)
        grafana_world.run(target, steps)
    except Problem:
        assert script, "without a fault a deploy succeeds"
        assert foreign(world) == before
        return
    finally:
        world.ours.script.clear()
    check(world, wanted, before)


def crash(world, build, after):
    """Somewhere between two steps, or after a commit whose answer nobody reads any more."""
    target = world.target()
    before = foreign(world)
    steps = target.plan(desired(world, build), world.applied)
    if any(step.verb == "blocked" for step in steps):
        return
    begun = ordered(steps)[:after]
    for step in begun:
        target.apply(step)
    # The journal knows what was begun; the search may not.
    world.remember(tuple(begun))
    assert foreign(world) == before


def act(world, event):
    match event:
        case ("deploy", build, script):
            deploy(world, build, script)
        case ("crash", build, after):
            crash(world, build, after)
        case ("index",):
            world.ours.store.refresh()
        case ("foreign" | "tagged" as kind, name):
            tags = [world.mark] if kind == "tagged" else ["other"]
            uid = f"other-{name}" if kind == "tagged" else world.uid(f"{name}x")
            world.ours.store.put({"uid": uid, "title": f"foreign {name}", "tags": tags})
        case (verb, name):
            uid = world.uid(name)
            board = world.ours.store.dashboards.get(uid)
            if board is None:
                return
            if verb == "delete":
                del world.ours.store.dashboards[uid]
            elif verb == "move":
                world.ours.store.put(board.document, "")
            else:
                tags = ["given away"] if verb == "unmark" else board.document["tags"]
                document = {**board.document, "title": "Edited", "tags": tags}
                world.ours.store.put(document, board.folder)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=histories, last=builds, version=versions, lags=st.booleans())
def test_whatever_happens_a_deploy_that_succeeds_is_right(history, last, version, lags):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        grafana_world.world(monkeypatch, version=version, search_lags=lags) as world,
    ):
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        for event in history:
            act(world, event)
        world.ours.store.refresh()
        deploy(world, last, [])
        # Nothing is left to do, and doing it writes nothing.
        world.ours.seen.clear()
        deploy(world, last, [])
        assert world.ours.writes() == []
