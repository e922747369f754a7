"""Random deploys, edits by hand, faults and crashes: ours is as wanted, theirs is as it was."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.deploy.memory import Crash, Folder
from tests.deploy.project import NOW, made

from sloforge.deploy import running
from sloforge.deploy.journal import texts_of
from sloforge.deploy.running import Environment
from sloforge.deploy.state import State
from sloforge.errors import Problem

NAMES = st.sampled_from(["rules_a", "rules_b", "rules_c", "recording_a"])
TEXTS = st.sampled_from(["1", "2", "3"])
BUILDS = st.dictionaries(NAMES, TEXTS).map(lambda texts: made(**texts))
PLACES = st.sampled_from(["before", "after", "undo"])


class Deploys(RuleBasedStateMachine):
    """The folder is the live system; a crash is a journal that was never ended."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / "live").mkdir()
        self.foreign = {"theirs": "0"}
        (self.root / "live" / "theirs").write_text("0")
        self.folder = Folder("files", self.root / "live")
        self.crashed = False

    def teardown(self):
        shutil.rmtree(self.root)

    @property
    def found(self):
        state = State(self.root, "dev")
        return Environment(name="dev", targets={"files": self.folder}, state=state)

    def live(self):
        return {path.name: path.read_text() for path in self.folder.path.iterdir()}

    def deploy(self, build):
        wanted = running.plan(self.found, build)
        return running.carry_out(self.found, build, wanted, (NOW, lambda _verb, _step: None))

    def in_place(self, build):
        texts = {f"ours-{one.path.replace('/', '-')}": one.text for one in build.under("")}
        assert self.live() == {**self.foreign, **texts}
        self.folder.writes.clear()
        assert not running.plan(self.found, build).changes

    @precondition(lambda self: not self.crashed)
    @rule(build=BUILDS)
    def deploy_all(self, build):
        assert self.deploy(build).result == "done"
        self.in_place(build)

    @precondition(lambda self: not self.crashed)
    @rule(build=BUILDS, at=st.integers(0, 3), where=PLACES)
    def deploy_with_a_fault(self, build, at, where):
        before, count = self.live(), [at]

        def fault(here, _step):
            if here == where and where != "undo":
                count[0] -= 1
                if count[0] < 0:
                    raise Problem("fault")

        self.folder.fault = fault
        outcome = self.deploy(build)
        self.folder.fault = lambda _where, _step: None
        if outcome.result == "done":
            self.in_place(build)
        else:
            assert outcome.result == "undone"
            assert self.live() == before

    @precondition(lambda self: not self.crashed)
    @rule(build=BUILDS, at=st.integers(0, 3), where=st.sampled_from(["before", "after"]))
    def deploy_with_a_crash(self, build, at, where):
        """The engine would undo, as it does on an interrupt: a killed process cannot."""
        count, kept = [at], {}
        state = self.found.state

        def fault(here, _step):
            if here == where:
                count[0] -= 1
                if count[0] < 0:
                    kept["live"] = self.live()
                    kept["journal"] = state.journal.path.read_text()
                    kept["texts"] = texts_of(state.journal.path).read_bytes()
                    self.before = self.planned
                    raise Crash

        self.planned, self.build = self.live(), build
        self.folder.fault = fault
        outcome = self.deploy(build)
        self.folder.fault = lambda _where, _step: None
        if outcome.result == "done":
            self.in_place(build)
            return
        self.crashed = True
        for path in self.folder.path.iterdir():
            path.unlink()
        for name, text in kept["live"].items():
            (self.folder.path / name).write_text(text)
        state.journal.path.write_text(kept["journal"])
        texts_of(state.journal.path).write_bytes(kept["texts"])

    @precondition(lambda self: self.crashed)
    @rule(undo=st.booleans())
    def finish(self, undo):
        outcome = running.finish(self.found, (NOW, lambda _verb, _step: None), undo=undo)
        assert outcome.result == ("undone" if undo else "done")
        self.crashed = False
        if undo:
            ours = {k: v for k, v in self.before.items() if k.startswith("ours-")}
            assert self.live() == {**self.foreign, **ours}
        else:
            self.in_place(self.build)

    @precondition(lambda self: not self.crashed)
    @rule(name=st.sampled_from(["ours-rules-a.yml", "ours-rules-z.yml"]), text=TEXTS)
    def edit_ours(self, name, text):
        (self.folder.path / name).write_text(f"by hand {text}")

    @rule(name=st.sampled_from(["theirs", "other"]), text=TEXTS)
    def edit_theirs(self, name, text):
        self.foreign[name] = text
        (self.folder.path / name).write_text(text)

    @invariant()
    def foreign_objects_are_as_they_were(self):
        live = self.live()
        assert {name: live.get(name) for name in self.foreign} == self.foreign


TestDeploys = Deploys.TestCase
TestDeploys.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
