"""What the verbs of a deploy say and ask, and the codes they exit with."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from promtool import PromtoolError
from sloforge.deploy import planning, running, shown
from sloforge.deploy.build import Build
from sloforge.deploy.drift import drift as drifted
from sloforge.deploy.engine import Outcome
from sloforge.deploy.planned import Planned
from sloforge.deploy.planning import Plan
from sloforge.deploy.running import Chosen, Environment, Repository
from sloforge.deploy.shown import Format
from sloforge.deploy.state import State
from sloforge.errors import Problem

CHANGES, INTERRUPTED = 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How much may be done without asking, and how it is told."""

    form: Format
    max_prune: int = 0
    yes: bool = False
    verbose: bool = False


def plan(repository: Repository, chosen: Chosen, out: Path | None, manner: Manner) -> int:
    """0 nothing to do, 2 changes, 1 something is blocked."""
    _, found = running.planned(repository, chosen)
    if out:
        planning.write(out, found)
    _show_plan(found, manner)
    if found.blocked:
        return 1
    return CHANGES if found.changes else 0


def deploy(repository: Repository, chosen: Chosen, saved: Path | None, manner: Manner) -> int:
    """The plan of the repository; `saved` must still be that plan."""
    loaded = planning.load(saved) if saved else None
    if loaded is not None:
        named = tuple(dict.fromkeys(step.target for step in loaded.steps))
        chosen = Chosen(
            environment=chosen.environment or loaded.environment,
            targets=chosen.targets or named,
            adopt=chosen.adopt,
        )
    found = running.environment(repository.root, chosen)
    what = repository.build()
    with _locked(found.state):
        running.refuse_unfinished(found)
        wanted = running.plan(found, what)
        if loaded is not None:
            planning.still_holds(loaded, wanted)
        return _carry_out(found, what, wanted, manner)


def finish(root: Path, chosen: Chosen, manner: Manner, *, undo: bool) -> int:
    """Resume, or undo, what was cut short."""
    found = running.environment(root, chosen)
    with _locked(found.state):
        run = found.state.unfinished()
        telling = _Telling(len(run.steps) if run else 0)
        outcome = running.finish(found, (datetime.now(UTC), telling), undo=undo)
    return _show_outcome(outcome, manner, wanted="undone" if undo else "done")


def drift(repository: Repository, chosen: Chosen, manner: Manner) -> int:
    """0 all agree, 2 they do not, 1 some cannot be told."""
    found, compared = running.planned(repository, chosen)
    differing = drifted(compared, found.state.applied())
    if differing or manner.form == "json":
        click.echo(shown.drift(differing, manner.form))
    click.echo(shown.drifted(len(differing), len(compared.steps)), err=True)
    if any(one.state == "blocked" for one in differing):
        return 1
    return CHANGES if differing else 0


def rollback(root: Path, chosen: Chosen, deploy_id: str, manner: Manner) -> int:
    found = running.environment(root, chosen)
    with _locked(found.state):
        running.refuse_unfinished(found)
        back = running.earlier(found.state, deploy_id)
        what = found.state.build(back.build)
        click.echo(f"back to deploy {back.id} of {back.at} by {back.who}", err=True)
        return _carry_out(found, what, running.plan(found, what), manner)


def deploys(root: Path, chosen: Chosen, manner: Manner) -> int:
    found = running.environment(root, chosen)
    click.echo(shown.deploys(found.state.deploys(), manner.form))
    if run := found.state.unfinished():
        click.echo(f"{run.title} was cut short; {running.CUT_SHORT}", err=True)
    return 0


def _carry_out(found: Environment, what: Build, wanted: Plan, manner: Manner) -> int:
    if not wanted.changes and not wanted.blocked:
        if manner.form == "json":
            click.echo(shown.plan(wanted, manner.form))
        click.echo(f"nothing to do: {found.name} is build {what.id}", err=True)
        return 0
    if manner.form == "text" or wanted.blocked:
        _show_plan(wanted, manner)
    running.check(wanted, manner.max_prune)
    _confirm(wanted, yes=manner.yes)
    telling = _Telling(len(wanted.changes))
    outcome = running.carry_out(found, what, wanted, (datetime.now(UTC), telling))
    for words in running.announce(found, outcome):
        click.echo(f"warning: {words}", err=True)
    return _show_outcome(outcome, manner, wanted="done")


def _confirm(wanted: Plan, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem("expected a yes, and there is nobody to ask; give --yes")
    deletions = len(wanted.deletions)
    loss = f", {deletions} of them deletions" if deletions else ""
    question = f"carry out {len(wanted.changes)} changes{loss}?"
    if not click.confirm(question, err=True):
        raise Problem("nothing was changed")


def _show_plan(found: Plan, manner: Manner) -> None:
    text = shown.plan(found, manner.form, verbose=manner.verbose)
    if text:
        click.echo(text)
    click.echo(f"{found.environment}, build {found.build}: {shown.count(found)}", err=True)


def _show_outcome(outcome: Outcome, manner: Manner, *, wanted: str) -> int:
    text = shown.outcome(outcome, manner.form)
    click.echo(text, err=outcome.result != wanted and manner.form == "text")
    if isinstance(outcome.cause, KeyboardInterrupt):
        return INTERRUPTED
    if outcome.cause is not None and not _is_expected(outcome.cause):
        raise outcome.cause
    return 0 if outcome.result == wanted else 1


def _is_expected(cause: BaseException) -> bool:
    """What is not is a bug, and shows its traceback once everything is taken back."""
    return isinstance(cause, Problem | PromtoolError)


class _Telling:
    """Progress, a line for each event: `[ 3/17] update grafana/dashboard/slo-fleet`."""

    def __init__(self, steps: int) -> None:
        self._steps, self._at = steps, 0
        self._lock = threading.Lock()

    def __call__(self, verb: str, step: Planned) -> None:
        told = f"{step.verb if verb == 'apply' else verb} {step.id}"
        with self._lock:
            self._at += verb == "apply"
            at = f"{self._at:{len(str(self._steps))}}/{self._steps}"
        whole = f"verify {step.target}: {step.kind}"
        click.echo(f"[{at}] {whole if verb == 'verify' else told}", err=True)


@contextlib.contextmanager
def _locked(state: State) -> Iterator[None]:
    """The lock of an environment; a request to end is taken as an interrupt."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with state.lock(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
