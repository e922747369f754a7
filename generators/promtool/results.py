"""What came of a run: Suite > File > Group > Assertion, all frozen."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["passed", "failed", "error", "skipped"]
Kind = Literal["alert", "expr"]

# The worst status of the parts is the status of the whole; all skipped is skipped.
_WORST: tuple[Status, ...] = ("error", "failed", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a test file itself, at a line of it."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One entry of `alert_rule_test` or `promql_expr_test`.

    `subject` is the alert name or the expression. `expected` and `got` are in promtool's
    notation; `got` is empty unless the assertion failed. `duration` is in seconds, the group's
    time in equal shares: promtool tells no time per assertion.
    """

    status: Status
    kind: Kind
    subject: str
    eval_time: str
    line: int
    expected: str = ""
    got: str = ""
    difference: str = ""
    duration: float = 0.0

    @property
    def title(self) -> str:
        """Kind, subject and time on one line."""
        return f"{self.kind} {' '.join(self.subject.split())} at {self.eval_time}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One test group; `raw` is what promtool said that fits no assertion: nothing is lost."""

    name: str
    line: int
    assertions: tuple[Assertion, ...] = ()
    problems: tuple[Problem, ...] = ()
    raw: str = ""
    skipped: str = ""
    duration: float = 0.0

    @property
    def status(self) -> Status:
        if self.skipped:
            return "skipped"
        own: Status = "error" if self.problems or self.raw else "passed"
        return _worst([own, *(each.status for each in self.assertions)])


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One test file; `problems` are those that belong to no single group."""

    path: Path
    groups: tuple[Group, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def status(self) -> Status:
        own: list[Status] = ["error"] if self.problems else []
        return _worst([*own, *(each.status for each in self.groups)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """All files of a run, in the order given; `duration` in seconds of wall time."""

    files: tuple[File, ...]
    promtool: str
    duration: float = 0.0

    @property
    def status(self) -> Status:
        return _worst([each.status for each in self.files])

    @property
    def ok(self) -> bool:
        """True when nothing failed; a suite without any file is not ok."""
        return self.status in {"passed", "skipped"} and bool(self.files)

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(group for file in self.files for group in file.groups)

    def count(self, status: Status) -> int:
        """Count the test groups with this status."""
        return sum(group.status == status for group in self.groups)


def _worst(statuses: Iterable[Status]) -> Status:
    seen = set(statuses)
    return next((status for status in _WORST if status in seen), "skipped" if seen else "passed")
