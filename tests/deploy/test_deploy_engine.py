"""What a deploy leaves behind, however it ends: in order, undone, resumed, or told as it is."""

import json
import os
from dataclasses import replace
from typing import Any

import pytest
from tests.deploy.memory import Crash, Folder
from tests.deploy.project import NOW, made

from sloforge.deploy import running, shown
from sloforge.deploy.journal import read, texts_of
from sloforge.deploy.planned import Planned
from sloforge.deploy.planning import Plan, phase
from sloforge.deploy.running import Environment
from sloforge.deploy.state import State
from sloforge.deploy.target import KINDS, Verb
from sloforge.errors import Problem

ONE = made(rules_a="1", rules_b="1")
TWO = made(rules_a="2", rules_c="2")


class World:
    """An environment of one folder, and what it told."""

    def __init__(self, path, concurrency=1):
        (path / "live").mkdir()
        self.root = path
        self.folder = Folder("files", path / "live", concurrency)
        self.told = []

    @property
    def found(self):
        return Environment(
            name="dev", targets={"files": self.folder}, state=State(self.root, "dev")
        )

    @property
    def live(self):
        return {path.name: path.read_text() for path in sorted(self.folder.path.iterdir())}

    def deploy(self, what):
        running.refuse_unfinished(self.found)
        wanted = running.plan(self.found, what)
        return running.carry_out(self.found, what, wanted, (NOW, self.tell))

    def finish(self, *, undo):
        return running.finish(self.found, (NOW, self.tell), undo=undo)

    def tell(self, verb, step):
        self.told.append(f"{verb} {step.key}")

    def fail(self, where, key, error):
        def fault(here, step):
            if here == where and step.key == key:
                raise error

        self.folder.fault = fault

    def mend(self):
        self.folder.fault = lambda _where, _step: None
        self.folder.broken = ""


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_what_is_deleted_for_good_comes_last(world):
    world.deploy(ONE)
    world.told.clear()
    assert world.deploy(TWO).result == "done"
    assert world.told == [
        "apply ours-rules-a.yml",
        "apply ours-rules-c.yml",
        "verify ours-rules-c.yml",
        "apply ours-rules-b.yml",
        "verify ours-rules-b.yml",
    ]


def test_kinds_come_in_the_order_of_their_use():
    def step(kind: str, verb: Verb) -> Planned:
        return Planned(target="t", kind=kind, key="k", verb=verb)

    order = [step(kind, "update") for kind in KINDS]
    order += [step(kind, "delete") for kind in ("dashboard", "folder", "group")]
    backwards = list(reversed(order))
    assert sorted(backwards, key=phase) == order


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("error", [Problem("no"), KeyboardInterrupt(), RuntimeError("bug")])
def test_a_failure_undoes_the_run_and_a_later_deploy_succeeds(world, where, error):
    world.deploy(ONE)
    before = world.live
    world.fail(where, "ours-rules-c.yml", error)
    outcome = world.deploy(TWO)
    assert outcome.result == "undone"
    assert outcome.cause is error
    assert world.live == before
    assert [step.key for step in outcome.untouched] == ["ours-rules-b.yml"]
    world.mend()
    assert world.deploy(TWO).result == "done"
    assert world.live == {"ours-rules-a.yml": "2", "ours-rules-c.yml": "2"}


def test_what_was_done_last_is_undone_first(world):
    world.deploy(ONE)
    world.told.clear()
    world.fail("after", "ours-rules-c.yml", Problem("no"))
    world.deploy(TWO)
    undone = [words for words in world.told if words.startswith("undo")]
    assert undone == ["undo ours-rules-c.yml", "undo ours-rules-a.yml"]


def test_what_does_not_prove_right_is_undone(world):
    world.deploy(ONE)
    world.folder.broken = "2"
    assert world.deploy(TWO).result == "undone"
    assert world.live == {"ours-rules-a.yml": "1", "ours-rules-b.yml": "1"}


def test_what_cannot_be_undone_is_told_and_stays_open(world):
    world.deploy(ONE)

    def fault(where, step):
        if (where, step.key) in (("undo", "ours-rules-a.yml"), ("before", "ours-rules-c.yml")):
            raise Problem("the server is down")

    world.folder.fault = fault
    outcome = world.deploy(TWO)
    assert outcome.result == "stuck"
    text = shown.outcome(outcome, "text")
    assert "in place, perhaps: files/group/ours-rules-a.yml: the server is down" in text
    assert "as before: files/group/ours-rules-c.yml" in text
    with pytest.raises(Problem, match="was cut short; `sloforge deploy --resume` finishes it"):
        world.deploy(TWO)
    world.mend()
    assert world.finish(undo=True).result == "undone"
    assert world.live == {"ours-rules-a.yml": "1", "ours-rules-b.yml": "1"}


def test_what_somebody_has_changed_since_is_left_alone_and_told_and_ends_the_run(world):
    world.deploy(ONE)

    def fault(where, step):
        if (where, step.key) == ("after", "ours-rules-c.yml"):
            (world.folder.path / "ours-rules-a.yml").write_text("by hand")
            raise Problem("no")

    world.folder.fault = fault
    outcome = world.deploy(TWO)
    assert outcome.result == "undone"
    assert world.live == {"ours-rules-a.yml": "by hand", "ours-rules-b.yml": "1"}
    lines = shown.outcome(outcome, "text").splitlines()
    assert lines[1].endswith(
        "was taken back: all but what somebody else has changed since is as it was before"
    )
    assert lines[2] == (
        "  left alone: files/group/ours-rules-a.yml: ours-rules-a.yml was changed by somebody else"
    )
    assert json.loads(shown.outcome(outcome, "json"))["left"] == [
        {"step": "files/group/ours-rules-a.yml", "reason": str(outcome.left[0][1])}
    ]
    world.mend()
    assert world.deploy(TWO).result == "done"


def test_a_second_interrupt_leaves_an_open_journal(world):
    world.deploy(ONE)

    def fault(where, step):
        if where == "undo" or step.key == "ours-rules-c.yml":
            raise KeyboardInterrupt

    world.folder.fault = fault
    with pytest.raises(KeyboardInterrupt):
        world.deploy(TWO)
    world.mend()
    assert world.finish(undo=True).result == "undone"
    assert world.live == {"ours-rules-a.yml": "1", "ours-rules-b.yml": "1"}


@pytest.mark.parametrize("undo", [False, True], ids=["resume", "undo"])
@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("key", ["ours-rules-a.yml", "ours-rules-c.yml", "ours-rules-b.yml"])
def test_a_crash_is_finished_or_undone_by_the_next_run(world, key, where, undo):
    world.deploy(ONE)
    before = world.live
    journal = world.found.state.journal.path
    texts: list[Any] = []

    def fault(here, step):
        if (here, step.key) == (where, key):
            texts.extend((journal.read_text(), texts_of(journal).read_bytes()))
            raise Crash

    world.folder.fault = fault
    with_journal_of_then(world, texts)
    journal.write_text(texts[0])
    texts_of(journal).write_bytes(texts[1])
    world.mend()
    world.folder.path.joinpath("foreign").write_text("theirs")
    with pytest.raises(Problem, match="was cut short"):
        world.deploy(TWO)
    outcome = world.finish(undo=undo)
    assert outcome.result == ("undone" if undo else "done")
    expected = before if undo else {"ours-rules-a.yml": "2", "ours-rules-c.yml": "2"}
    assert world.live == {"foreign": "theirs", **expected}
    assert not running.plan(world.found, ONE if undo else TWO).changes
    with pytest.raises(Problem, match="no deploy was cut short"):
        world.finish(undo=undo)


def with_journal_of_then(world, texts):
    """Deploy up to the crash; what the engine did after it is taken out of the world again."""
    live = {}
    put = world.folder.fault

    def fault(here, step):
        try:
            put(here, step)
        except Crash:
            live.update(world.live)
            raise

    world.folder.fault = fault
    world.deploy(TWO)
    assert texts
    for path in world.folder.path.iterdir():
        path.unlink()
    for name, text in live.items():
        (world.folder.path / name).write_text(text)


def test_a_torn_last_line_of_a_journal_is_no_event(world):
    world.deploy(ONE)
    world.fail("after", "ours-rules-c.yml", Problem("no"))
    world.deploy(TWO)
    past = max((world.found.state.folder / "journals").iterdir())
    lines = past.read_text().splitlines(keepends=True)
    torn = world.root / "torn.jsonl"
    torn.write_text("".join(lines[:3]) + lines[3][:10])
    run = read(torn)
    assert run is not None
    assert run.applied == {"files/group/ours-rules-a.yml"}
    torn.write_text(lines[0][:50])
    assert read(torn) is None
    torn.write_text(lines[0].replace('"version":1', '"version":2'))
    with pytest.raises(Problem, match="another version of sloforge"):
        read(torn)


def test_steps_of_a_kind_go_together_where_the_target_can_and_a_failure_stops_the_rest(tmp_path):
    world = World(tmp_path, concurrency=4)
    many = made(**{f"rules_{at:02}": "1" for at in range(40)})
    world.fail("before", "ours-rules-03.yml", Problem("no"))
    outcome = world.deploy(many)
    assert (outcome.result, str(outcome.cause)) == ("undone", "no")
    assert world.live == {}
    assert len(outcome.untouched) >= 20
    world.mend()
    assert world.deploy(many).result == "done"
    assert len(world.live) == 40


def test_an_edit_between_plan_and_deploy_is_left_as_it_is(world):
    world.deploy(ONE)
    wanted = running.plan(world.found, TWO)
    (world.folder.path / "ours-rules-a.yml").write_text("by hand")
    outcome = running.carry_out(world.found, TWO, wanted, (NOW, world.tell))
    assert outcome.result == "undone"
    assert world.live == {"ours-rules-a.yml": "by hand", "ours-rules-b.yml": "1"}
    # It was refused, and not begun: there is nothing to undo, now or after a crash.
    assert outcome.left == ()
    assert "undo ours-rules-a.yml" not in world.told
    past = read(max((world.found.state.folder / "journals").iterdir()))
    assert past is not None
    assert past.begun == {}


def test_two_deploys_at_once_one_wins_and_the_other_is_told_who(world):
    with (
        world.found.state.lock("2026-01-05 10:15:00 UTC"),
        pytest.raises(Problem, match=r"a deploy by .+@.+, process \d+, since 2026-01-05 10:15"),
        world.found.state.lock("later"),
    ):
        pass
    with world.found.state.lock("later"):
        pass


def test_a_plan_that_deletes_too_much_or_is_blocked_is_refused(world):
    world.deploy(ONE)
    wanted = running.plan(world.found, TWO)
    with pytest.raises(Problem, match=r"deletes 1 objects, expected at most 0.*give --max-prune 1"):
        running.check(wanted, 0)
    running.check(wanted, 1)
    blocked = replace(wanted.steps[0], verb="blocked", reason="provisioned")
    with pytest.raises(Problem, match=r"files/group/ours-rules-a.yml: provisioned"):
        running.check(Plan(environment="dev", build="b", steps=(blocked,)), 1)


def test_the_history_names_builds_that_can_be_brought_back(world):
    for what in (ONE, TWO):
        world.deploy(what)
    state = world.found.state
    assert [one.build for one in state.deploys()] == [ONE.id, TWO.id]
    assert running.earlier(state, "").build == ONE.id
    assert running.earlier(state, TWO.id).build == TWO.id
    assert state.build(ONE.id) == ONE
    with pytest.raises(Problem, match="unknown deploy `x`"):
        running.earlier(state, "x")
    world.deploy(state.build(ONE.id))
    assert world.live == {"ours-rules-a.yml": "1", "ours-rules-b.yml": "1"}


def test_only_so_many_builds_are_kept(world, monkeypatch):
    monkeypatch.setattr("sloforge.deploy.state.KEPT", 2)
    builds = [made(rules_a=str(at)) for at in range(4)]
    for at, what in enumerate(builds):
        wanted = running.plan(world.found, what)
        running.carry_out(world.found, what, wanted, (NOW.replace(second=at), world.tell))
    state = world.found.state
    kept = {path.name for path in (state.folder / "builds").iterdir()}
    assert kept == {f"{what.id}.zip" for what in builds[2:]}
    assert len(list((state.folder / "journals").iterdir())) == 2


def test_without_another_build_there_is_nothing_to_go_back_to(world):
    state = world.found.state
    for _ in range(2):
        with pytest.raises(Problem, match="no earlier deploy"):
            running.earlier(state, "")
        world.deploy(ONE)


def test_a_saved_build_that_was_changed_is_not_deployed(world):
    import zipfile

    world.deploy(ONE)
    state = world.found.state
    (file,) = (state.folder / "builds").iterdir()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("rules/a.yml", "evil")
    with pytest.raises(Problem, match="was changed; check out the commit"):
        state.build(ONE.id)
    file.write_bytes(b"")
    with pytest.raises(Problem, match="cannot read the build"):
        state.build(ONE.id)


def test_what_was_cut_short_is_finished_with_all_its_targets_or_not_at_all(world):
    world.deploy(ONE)
    world.fail("undo", "ours-rules-a.yml", Problem("down"))
    undo = world.folder.fault

    def fault(where, step):
        undo(where, step)
        if (where, step.key) == ("after", "ours-rules-c.yml"):
            raise Problem("no")

    world.folder.fault = fault
    assert world.deploy(TWO).result == "stuck"
    without = replace(world.found, targets={})
    with pytest.raises(Problem, match="is about files, too; do not limit --target"):
        running.finish(without, (NOW, world.tell), undo=True)


def test_the_journal_is_on_the_disk_before_the_deploy_goes_on(world, monkeypatch):
    """A line that is only in the kernel's memory is lost with the power."""
    synced: list[int] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    seen = []

    def fault(where, _step):
        seen.append((where, len(synced)))

    world.folder.fault = fault
    world.deploy(ONE)
    befores = [count for where, count in seen if where == "before"]
    # The start and the first step; then what the first step came to, and the second.
    assert befores[0] >= 3
    assert befores[1] >= befores[0] + 2
    journal = max((world.found.state.folder / "journals").iterdir())
    assert journal.stat().st_mode & 0o077 == 0


def test_state_is_for_its_owner_alone(world):
    state = world.found.state
    with state.lock("now"):
        world.deploy(ONE)
    assert state.folder.stat().st_mode & 0o077 == 0
    for name in ("applied.json", "deploys.jsonl"):
        assert (state.folder / name).stat().st_mode & 0o077 == 0
