"""One check of one plane: user, oracle, prediction, asynchronous prediction and its result."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sloforge.errors import Problem
from sloforge.health.planes.calling import HttpPlatform, NoAnswer, Platform, Said, segment
from sloforge.health.planes.result import Result, StepResult
from sloforge.planes import STEPS, Plane, Status, StepName, StepStatus
from sloforge.promql import seconds

OK, ACCEPTED = 200, 202
# The account or the model is not there, or not for us: it says nothing about the plane.
ABSENT = frozenset({401, 403, 404, 410})
# Between two looks at an asynchronous job: short at first, for most are done at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
# Of a reason, which ends up in a log and in a table.
LONGEST_REASON = 300
Open = Callable[[Plane], Platform]
Clock = Callable[[], float]


class _Ended(Exception):
    """The check is decided, and the rest of its steps is skipped."""

    def __init__(self, status: Status, step: StepStatus, reason: str) -> None:
        super().__init__(reason)
        self.status, self.step, self.reason = status, step, reason


def probe(plane: Plane, connect: Open = HttpPlatform, wall: Clock = time.time) -> Result:
    """Never raises for what a plane does; `wall` tells the Unix time of the result."""
    check = _Check(plane=plane, nonce=secrets.token_hex(16))
    status, reason = check.run(connect)
    return Result(
        plane=plane.name,
        status=status,
        reason=" ".join(reason.split())[:LONGEST_REASON],
        at=wall(),
        seconds=time.monotonic() - check.begun,
        steps=tuple(check.steps),
    )


def overdue(plane: Plane, elapsed: float, wall: Clock = time.time) -> Result:
    """What is known of a check that does not come back."""
    steps = tuple(StepResult(name=name, status="SKIPPED", seconds=0.0) for name in STEPS)
    reason = "the check does not come back, although its deadline is over"
    return Result(
        plane=plane.name, status="FAILED", reason=reason, at=wall(), seconds=elapsed, steps=steps
    )


@dataclass(slots=True, kw_only=True)
class _Check:
    """The steps so far; `nonce` is in every question, so that no answer from a cache passes."""

    plane: Plane
    nonce: str
    begun: float = field(default_factory=time.monotonic)
    steps: list[StepResult] = field(default_factory=list)

    def run(self, connect: Open) -> tuple[Status, str]:
        try:
            platform = connect(self.plane)
        except Problem as problem:
            # A secret or a certificate of our own that cannot be read: the plane is not to blame.
            self._skip_rest()
            return "NO_USER", f"the prober cannot log in: {problem}"
        try:
            return self._steps(platform)
        finally:
            self._skip_rest()
            platform.close()

    def _steps(self, platform: Platform) -> tuple[Status, str]:
        api = self.plane.api
        user, oracle = self._filled(api.user), self._filled(api.oracle)
        try:
            self._step("user", lambda: self._exists(platform, user, "NO_USER"))
            self._step("oracle", lambda: self._exists(platform, oracle, "NO_ORACLE"))
            self._step("predict", lambda: self._predict(platform))
            job = self._step("async_submit", lambda: self._submit(platform))
            self._step("async_result", lambda: self._result(platform, job))
        except _Ended as ended:
            return ended.status, ended.reason
        return "OK", ""

    def _step(self, name: StepName, act: Callable[[], str]) -> str:
        begun = time.monotonic()
        status: StepStatus = "OK"
        try:
            return act()
        except _Ended as ended:
            status = ended.step
            raise
        except NoAnswer as problem:
            status = "FAILED"
            raise _Ended(_blamed(name), "FAILED", f"{name}: {problem}") from None
        finally:
            elapsed = time.monotonic() - begun
            self.steps.append(StepResult(name=name, status=status, seconds=elapsed))

    def _exists(self, platform: Platform, path: str, absent: Status) -> str:
        said = platform.ask("GET", path)
        if said.status in ABSENT:
            raise _Ended(absent, "MISSING", f"{said.asked} answered {said.status}")
        if said.status != OK:
            raise _Ended("FAILED", "FAILED", f"{said.asked} answered {said.status}")
        return ""

    def _predict(self, platform: Platform) -> str:
        said = platform.ask("POST", self._filled(self.plane.api.predict), self._question("sync"))
        if said.status != OK:
            raise _Ended("FAILED", "FAILED", f"{said.asked} answered {said.status}")
        self._echoed(said, "sync", "FAILED")
        return ""

    def _submit(self, platform: Platform) -> str:
        path = self._filled(self.plane.api.async_predict)
        said = platform.ask("POST", path, self._question("async"))
        if said.status not in (OK, ACCEPTED):
            raise _Ended("DEGRADED", "FAILED", f"{said.asked} answered {said.status}")
        job = said.found.get(self.plane.api.id_key)
        if not isinstance(job, str | int) or isinstance(job, bool) or not str(job):
            what = f"{said.asked} answered without `{self.plane.api.id_key}`"
            raise _Ended("DEGRADED", "FAILED", what)
        return str(job)

    def _result(self, platform: Platform, job: str) -> str:
        """Polls until the job is done; slow is not lost, and both are told apart."""
        begun, pause = time.monotonic(), FIRST_PAUSE
        path = self._filled(self.plane.api.result, job)
        while True:
            said = platform.ask("GET", path)
            if said.status not in (OK, ACCEPTED):
                raise _Ended("DEGRADED", "FAILED", f"{said.asked} answered {said.status}")
            state = str(said.found.get(self.plane.api.status_key))
            if state in self.plane.api.failed:
                raise _Ended("DEGRADED", "FAILED", f"the asynchronous job ended as `{state}`")
            if state in self.plane.api.done:
                break
            if time.monotonic() + pause - self.begun >= float(seconds(self.plane.deadline)):
                self._cancel(platform, job)
                raise _Ended("DEGRADED", "FAILED", "the asynchronous job is not done in time")
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self._echoed(said, "async", "DEGRADED")
        elapsed = time.monotonic() - begun
        if elapsed > float(seconds(self.plane.slow_after)):
            raise _Ended("DEGRADED", "SLOW", f"the asynchronous job took {elapsed:.1f} s")
        return ""

    def _cancel(self, platform: Platform, job: str) -> None:
        """As a courtesy: whether it worked changes nothing about the check."""
        if self.plane.api.cancel:
            try:
                platform.ask("DELETE", self._filled(self.plane.api.cancel, job))
            except NoAnswer:
                return

    def _question(self, mode: str) -> dict[str, object]:
        return {"oracle": self.plane.oracle, "user": self.plane.user, "input": self._nonce(mode)}

    def _nonce(self, mode: str) -> str:
        return f"{self.nonce}-{mode}"

    def _echoed(self, said: Said, mode: str, status: Status) -> None:
        if self.plane.echo and self._nonce(mode) not in said.text:
            what = f"{said.asked} answered without the nonce it was asked with"
            raise _Ended(status, "FAILED", what)

    def _filled(self, path: str, job: str = "") -> str:
        plane = self.plane
        known = {"user": plane.user, "oracle": plane.oracle, "plane": plane.name, "id": job}
        return path.format_map({key: segment(value) for key, value in known.items()})

    def _skip_rest(self) -> None:
        done = {step.name for step in self.steps}
        missing = (name for name in STEPS if name not in done)
        self.steps += [StepResult(name=name, status="SKIPPED", seconds=0.0) for name in missing]


def _blamed(step: StepName) -> Status:
    """What a plane is that gave no answer at this step."""
    return "DEGRADED" if step in ("async_submit", "async_result") else "FAILED"
