"""The verbs as functions: plan, deploy, finish or undo what was cut short, roll back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sloforge.artifacts import Change
from sloforge.deploy import build, config, planning
from sloforge.deploy.build import Build
from sloforge.deploy.engine import Engine, Outcome, Progress
from sloforge.deploy.journal import Run
from sloforge.deploy.planning import Plan
from sloforge.deploy.state import Deploy, State, who
from sloforge.deploy.target import Announces, Target
from sloforge.deploy.targets import make
from sloforge.errors import Problem
from sloforge.specs.words import did_you_mean

CUT_SHORT = (
    "`sloforge deploy --resume` finishes it, `sloforge deploy --undo` takes back what it did"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What is deployed from; `changes` is what a build would change in its files."""

    root: Path
    changes: Callable[[Path], Iterable[Change]]

    def build(self) -> Build:
        """Raises Problem where its generated files are out of date."""
        return build.current(self.root, self.changes(self.root))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the command line chose; an empty tuple of targets means all of them."""

    environment: str = ""
    targets: tuple[str, ...] = ()
    adopt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment with its targets, ready to be asked."""

    name: str
    targets: Mapping[str, Target]
    state: State


def environment(root: Path, chosen: Chosen) -> Environment:
    """Raises Problem with the mistakes of deploy.yaml, or for a target that it has not."""
    configs = config.load(root, chosen.environment)
    known = [one.name for one in configs]
    for name in chosen.targets:
        if name not in known:
            raise Problem(f"{config.FILE}: unknown target `{name}`; {did_you_mean(name, known)}")
    targets = {
        one.name: make(replace(one, adopt=chosen.adopt))
        for one in configs
        if not chosen.targets or one.name in chosen.targets
    }
    name = configs[0].environment
    return Environment(name=name, targets=targets, state=State(root, name))


def plan(found: Environment, what: Build) -> Plan:
    """Reads only."""
    return planning.make(found.name, found.targets.values(), what, found.state.applied())


def planned(repository: Repository, chosen: Chosen) -> tuple[Environment, Plan]:
    """What a deploy of the repository would do."""
    found = environment(repository.root, chosen)
    return found, plan(found, repository.build())


def check(wanted: Plan, most_deletions: int) -> None:
    """Raises Problem where a plan must not be carried out."""
    if wanted.blocked:
        lines = [f"{step.id}: {step.reason}" for step in wanted.blocked]
        raise Problem("\n".join(["nothing was changed: some objects are blocked", *lines]))
    count = len(wanted.deletions)
    if count > most_deletions:
        what = f"the plan deletes {count} objects, expected at most {most_deletions}"
        raise Problem(f"{what}; if that is meant, give --max-prune {count}")


def refuse_unfinished(found: Environment) -> None:
    if run := found.state.unfinished():
        raise Problem(f"{run.title} was cut short; {CUT_SHORT}")


def carry_out(
    found: Environment, what: Build, wanted: Plan, told: tuple[datetime, Progress]
) -> Outcome:
    """Under the lock: the changes of a plan, then the state that the next plan compares with."""
    now, tell = told
    found.state.keep(what)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    run = Run(
        id=f"{stamp}-{what.id}",
        environment=found.name,
        build=what.id,
        steps=wanted.changes,
        texts=wanted.texts,
    )
    found.state.journal.path.unlink(missing_ok=True)
    found.state.journal.start(run)
    outcome = Engine(found.targets, found.state.journal, tell).carry_out(run)
    if outcome.result == "done":
        _remember(found, wanted)
    _record(found.state, outcome, now)
    return outcome


def announce(found: Environment, outcome: Outcome) -> tuple[str, ...]:
    """Mark the deploy in every target that can; what kept any from it, which is no failure."""
    if outcome.result != "done":
        return ()
    text = f"sloforge: build {outcome.run.build} deployed to {found.name}"
    targets = (one for one in found.targets.values() if isinstance(one, Announces))
    return tuple(words for target in targets if (words := target.announce(text)))


def finish(found: Environment, told: tuple[datetime, Progress], *, undo: bool) -> Outcome:
    """Resume, or undo, the deploy that was cut short. Raises Problem where there is none."""
    now, tell = told
    run = found.state.unfinished()
    if run is None:
        raise Problem("no deploy was cut short; there is nothing to resume or to undo")
    missing = {step.target for step in run.steps} - found.targets.keys()
    if missing:
        names = ", ".join(sorted(missing))
        raise Problem(f"{run.title} is about {names}, too; do not limit --target")
    engine = Engine(found.targets, found.state.journal, tell)
    outcome = engine.take_back(run) if undo else engine.carry_out(run)
    if outcome.result == "done":
        wanted = Plan(environment=run.environment, build=run.build, steps=run.steps)
        _remember(found, wanted, partial=True)
    _record(found.state, outcome, now)
    return outcome


def _remember(found: Environment, wanted: Plan, *, partial: bool = False) -> None:
    """Forget what the targets held before; a partial plan says nothing of the rest."""
    gone = {step.id for step in wanted.steps}
    kept = {
        key: value
        for key, value in found.state.applied().items()
        if key not in gone and (partial or key.split("/")[0] not in found.targets)
    }
    found.state.remember(kept | wanted.applied())


def _record(state: State, outcome: Outcome, now: datetime) -> None:
    """A deploy that is stuck stays open: its journal is what the next run needs."""
    if outcome.result == "stuck":
        return
    run = outcome.run
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    changes = len(outcome.applied)
    state.record(
        Deploy(
            id=run.id, at=at, who=who(), build=run.build, outcome=outcome.result, changes=changes
        )
    )


def earlier(state: State, name: str) -> Deploy:
    """A deploy by its id or the start of it; without a name the one before the last good one."""
    done = [one for one in state.deploys() if one.outcome == "done"]
    if not name:
        builds = [one for one in done if one.build != done[-1].build]
        if not builds:
            raise Problem("there is no earlier deploy of another build to go back to")
        return builds[-1]
    found = [one for one in done if one.id.startswith(name) or one.build == name]
    if not found:
        known = _ids(done) or "none"
        raise Problem(f"unknown deploy `{name}`; `sloforge deploys` lists them: {known}")
    return found[-1]


def _ids(deploys: Iterable[Deploy]) -> str:
    return ", ".join(one.id for one in list(deploys)[-5:])
