"""Run several one-group test files in one promtool process and tell their results apart.

promtool writes one marker line for each file, in order, so the k-th marker belongs to the k-th
file. Whenever that does not add up, the files in question run again, each alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from promtool.process import ended, read
from promtool.workspace import Workspace

_PASSED = "  SUCCESS"
_FAILED = "  FAILED:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What promtool said about one file; `broken` says why it gave no verdict."""

    passed: bool = False
    text: str = ""
    broken: str = ""
    duration: float = 0.0


class _Sections:
    """The output as it arrives, cut at the markers."""

    def __init__(self, timeout: float) -> None:
        self.began = time.monotonic()
        self.timeout = timeout
        self.deadline = self.began + timeout
        self.verdicts: list[bool] = []
        self.durations: list[float] = []
        self.texts: list[list[str]] = [[]]
        self.partial = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self.partial = (self.partial + chunk).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))

    def outcomes(self) -> list[Outcome]:
        texts = self.texts[1:]
        return [
            Outcome(passed=passed, text="\n".join(lines), duration=duration)
            for passed, lines, duration in zip(self.verdicts, texts, self.durations, strict=True)
        ]

    def everything(self) -> str:
        lines = [line for lines in self.texts for line in lines]
        return "\n".join([*lines, self.partial.decode(errors="replace")]).strip()

    def _line(self, line: str) -> None:
        if line in (_PASSED, _FAILED):
            now = time.monotonic()
            self.verdicts.append(line == _PASSED)
            self.durations.append(now - self.began)
            self.texts.append([])
            self.began, self.deadline = now, now + self.timeout
        elif not line.startswith("Unit Testing:"):
            self.texts[-1].append(line)


def run_batch(space: Workspace, paths: Sequence[Path]) -> list[Outcome]:
    """Return one outcome for each path, in order."""
    if not paths:
        return []
    found, code, timed_out = _run(space, paths)
    outcomes = found.outcomes()
    if timed_out:
        limit = space.options.timeout
        broken = (
            f"stopped after {limit:g} s; raise the timeout, or make the test or its rules smaller"
        )
        stopped = Outcome(broken=broken, duration=limit)
        done = outcomes[: len(paths) - 1]
        return [*done, stopped, *run_batch(space, paths[len(done) + 1 :])]
    if len(outcomes) == len(paths) and (code == 0) == all(each.passed for each in outcomes):
        return outcomes
    if len(paths) == 1:
        broken = f"promtool ended with exit code {code} and no clear result"
        return [Outcome(broken=broken, text=found.everything())]
    sure = outcomes[: max(0, min(len(outcomes), len(paths)) - 1)]
    return [*sure, *(each for path in paths[len(sure) :] for each in run_batch(space, [path]))]


def _run(space: Workspace, paths: Sequence[Path]) -> tuple[_Sections, int, bool]:
    found = _Sections(space.options.timeout)
    features = (f"--enable-feature={name}" for name in space.options.features)
    argv = (str(space.promtool.path), *features, "test", "rules", *map(str, paths))
    # One core for each process is faster than sharing: promtool evaluates in one thread.
    environment = {"GOMAXPROCS": "1", "TMPDIR": str(space.folder)}
    with space.children.start(argv, environment) as process:
        for chunk in read(process, lambda: found.deadline):
            if chunk is None:
                return found, 0, True
            found.feed(chunk)
        return found, ended(process), False
