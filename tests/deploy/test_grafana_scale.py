"""What a deploy costs: requests are counted here, time is measured in bench/grafana.py."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.deploy import grafana_world
from tests.grafana_server import Dashboard

from sloforge.deploy.grafana_board import of_artifact

MANY = 1000
# Health, settings, permissions, the folder, and the pages of the search.
LISTING = 4 + 2


@pytest.fixture
def world(monkeypatch):
    with grafana_world.world(monkeypatch) as made:
        yield made


def asked(world):
    return Counter((seen.method, seen.path.split("?")[0]) for seen in world.ours.seen)


def test_a_plan_without_changes_asks_once_for_each_dashboard_and_writes_nothing(world):
    store = world.ours.store
    store.put_folder(world.folder, world.folder)
    boards = [world.board(str(number), panels=[]) for number in range(MANY)]
    target = world.target()
    for board in (of_artifact(board, world.folder, world.mark) for board in boards):
        document = board.body | {"id": store.number(), "version": 1}
        store.dashboards[board.uid] = Dashboard(
            uid=board.uid, id=document["id"], document=document, folder=world.folder
        )
    store.refresh()
    world.ours.seen.clear()
    steps = target.plan(tuple(boards), {})
    assert {step.verb for step in steps} == {"unchanged"}
    assert len(steps) == MANY + 1
    assert world.ours.writes() == []
    assert len(world.ours.seen) <= MANY + LISTING
    assert max(asked(world).values()) <= 2


def test_a_first_deploy_asks_three_times_for_each_dashboard(world):
    world.deploy(world.board("warm"))
    world.ours.seen.clear()
    boards = [world.board(str(number)) for number in range(20)]
    world.deploy(world.board("warm"), *boards)
    # Plan, save, verify.
    assert len(world.ours.writes()) == 20
    assert len(world.ours.seen) <= 3 * 20 + 1 + LISTING
