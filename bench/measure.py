"""Wall time and memory of a command, with everything that it starts."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# How often the memory of a running command is looked at.
PAUSE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Wall time, and what all processes of the command took of all cores.

    `megabytes` is the largest sum over these processes; 0 where nothing tells.
    """

    seconds: float
    cpu: float
    megabytes: float
    output: str


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> Run:
    """Raises RuntimeError with the output where the command fails."""
    started, used = time.perf_counter(), _cpu()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = _Watch(process.pid)
    watch.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    watch.stop()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed: {output}")
    return Run(seconds=seconds, cpu=_cpu() - used, megabytes=watch.peak / 1024, output=output)


def _cpu() -> float:
    """Seconds of all processes that have been waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def median_of(count: int, measured: Callable[[], Run]) -> Run:
    """The run with the median time."""
    return sorted((measured() for _ in range(count)), key=lambda one: one.seconds)[count // 2]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


class _Watch(threading.Thread):
    """Looks at the memory of a process and of all that descend from it, in kilobytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._done = threading.Event()

    def run(self) -> None:
        while sys.platform == "linux" and not self._done.wait(PAUSE):
            self.peak = max(self.peak, sum(map(_kilobytes, _family(self._pid))))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _family(int(child))


def _kilobytes(pid: int) -> int:
    """The proportional set size: a page that processes share is counted once."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _text(file: Path) -> str:
    """Nothing where the process has just ended."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
