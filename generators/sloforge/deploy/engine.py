"""Applies the steps of a run, proves them, and takes back what it did when one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from promtool import PromtoolError
from sloforge.deploy.journal import Journal, Run, Undo
from sloforge.deploy.planned import Planned, whole
from sloforge.deploy.planning import phase
from sloforge.deploy.target import Moved, Receipt, Target
from sloforge.deploy.texts import Texts
from sloforge.errors import Problem

Result = Literal["done", "undone", "stuck"]
Progress = Callable[[str, Planned], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is in place after a run, and what is not; `cause` is why it did not end as planned.

    `stuck` are steps that could not be taken back, with the reason; `left` those that must not be,
    for somebody else has changed the object since. `notes` is what no proof could be had of yet.
    """

    run: Run
    result: Result
    applied: tuple[Planned, ...]
    undone: tuple[Planned, ...] = ()
    left: tuple[tuple[Planned, str], ...] = ()
    stuck: tuple[tuple[Planned, str], ...] = ()
    notes: tuple[str, ...] = ()
    cause: BaseException | None = None

    @property
    def untouched(self) -> tuple[Planned, ...]:
        """The steps that were never begun, or changed nothing."""
        touched = {step.id for step in (*self.applied, *self.undone)}
        touched |= {step.id for step, _ in (*self.left, *self.stuck)}
        return tuple(step for step in self.run.steps if step.id not in touched)


@dataclass(slots=True)
class _State:
    """What a run has done; the order of `begun` is the order of beginning."""

    texts: Texts
    begun: dict[str, Undo] = field(default_factory=dict)
    applied: dict[str, Planned] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Engine:
    """Carries out runs on targets, writing every event down before and after it."""

    def __init__(self, targets: Mapping[str, Target], journal: Journal, tell: Progress) -> None:
        self._targets, self._journal, self._tell = targets, journal, tell

    def carry_out(self, run: Run) -> Outcome:
        """Apply what is not applied yet; the journal of the run has been started.

        A failure undoes the run and is the outcome's cause. KeyboardInterrupt, too, and a second
        one leaves the journal open: the next run can go on from there.
        """
        state = _State(
            texts=run.texts,
            begun=dict(run.begun),
            applied={step.id: step for step in run.steps if step.id in run.applied},
        )
        try:
            for batch in batches(run.steps):
                self._batch(batch, state)
        except BaseException as cause:  # noqa: BLE001 - whatever it was, nothing is left half done
            return self._take_back(run, state, cause)
        self._journal.end("done")
        applied, notes = tuple(state.applied.values()), tuple(state.notes)
        return Outcome(run=run, result="done", applied=applied, notes=notes)

    def take_back(self, run: Run) -> Outcome:
        """Undo what a run that was cut short has done."""
        left = {key: undo for key, undo in run.begun.items() if key not in run.undone}
        return self._take_back(run, _State(texts=run.texts, begun=left), None)

    def _batch(self, batch: tuple[Planned, ...], state: _State) -> None:
        """Steps of one kind for one target, then the proof that they are in place."""
        target = self._targets[batch[0].target]
        todo = [step for step in batch if step.id not in state.applied]
        if target.concurrency > 1 and len(todo) > 1:
            self._together(target, todo, state)
        else:
            for step in todo:
                self._apply(target, step, state)
        self._tell("verify", batch[-1])
        state.notes += target.verify(whole(step, state.texts) for step in batch)

    def _together(self, target: Target, steps: list[Planned], state: _State) -> None:
        """A few at a time; after a failure no other is begun, and those under way are awaited."""
        with ThreadPoolExecutor(target.concurrency) as pool:
            futures = [pool.submit(self._apply, target, step, state) for step in steps]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                for future in futures:
                    future.cancel()
        _raise_first(done)

    def _apply(self, target: Target, step: Planned, state: _State) -> None:
        # What it found when it was first begun: after a crash the target may hold our own work.
        earlier = state.begun.get(step.id)
        # First in memory: an interrupt in between must not hide a step that is on the way.
        state.begun.setdefault(step.id, {})
        self._journal.begin(step)
        self._tell("apply", step)
        try:
            undo = target.apply(whole(step, state.texts)).undo
        except Moved:
            if earlier is None:
                del state.begun[step.id]
                self._journal.refused(step)
            raise
        state.begun[step.id] = undo if earlier is None else earlier
        state.applied[step.id] = step
        self._journal.applied(step, state.begun[step.id])

    def _take_back(self, run: Run, state: _State, cause: BaseException | None) -> Outcome:
        undone: list[Planned] = []
        left: list[tuple[Planned, str]] = []
        stuck: list[tuple[Planned, str]] = []
        steps = {step.id: step for step in run.steps}
        for id_, undo in reversed(state.begun.items()):
            step = steps[id_]
            self._tell("undo", step)
            try:
                receipt = Receipt(step=whole(step, state.texts), undo=undo)
                self._targets[step.target].undo(receipt)
            except Moved as moved:
                left.append((step, str(moved)))
                continue
            except (Problem, PromtoolError) as problem:
                stuck.append((step, str(problem)))
                continue
            self._journal.undone(step)
            undone.append(step)
        if not stuck:
            self._journal.end("undone")
        return Outcome(
            run=run,
            result="stuck" if stuck else "undone",
            applied=(),
            undone=tuple(undone),
            left=tuple(left),
            stuck=tuple(stuck),
            cause=cause,
        )


def batches(steps: tuple[Planned, ...]) -> Iterator[tuple[Planned, ...]]:
    """Neighbours of the same kind and target, in the order of the plan."""
    for _, found in groupby(steps, key=lambda step: (phase(step), step.target)):
        yield tuple(found)


def _raise_first(done: set[Future[None]]) -> None:
    for future in done:
        future.result()
