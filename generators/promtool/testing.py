"""Run test files through promtool: every test group apart, several processes at a time."""

import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from promtool import capabilities, vacuous
from promtool.batch import Outcome, run_batch
from promtool.binary import Promtool, locate
from promtool.errors import BadFileError
from promtool.options import Options
from promtool.results import File, Group, Problem, Suite
from promtool.testfile import TestGroup
from promtool.verdict import Judged
from promtool.workspace import Loaded, Workspace, workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One test group on its way through promtool; `file` is the place of its file in the run."""

    file: int = 0
    loaded: Loaded
    group: TestGroup

    def judged(self) -> Judged:
        problems = vacuous.group_problems(self.loaded.file, self.group, self.loaded.rules)
        return Judged(group=self.group, rules=self.loaded.rules, problems=problems)


def run_tests(
    files: Iterable[Path | str],
    promtool: Promtool | None = None,
    options: Options | None = None,
) -> Suite:
    """Run test files; raises PromtoolError only when promtool itself cannot be used.

    What is wrong with a test file becomes part of the result. An interrupt kills all processes
    and removes every temporary file before it is raised again.
    """
    began = time.monotonic()
    tool = promtool or locate()
    paths = tuple(Path(file) for file in files)
    with workspace(tool, options or Options()) as space:
        results = tuple(_Run(space, paths).results())
    return Suite(files=results, promtool=str(tool.version), duration=time.monotonic() - began)


def run_groups(space: Workspace, tasks: Sequence[Task]) -> list[Group]:
    """Run test groups, in one process unless one of them is stopped or crashes it."""
    judged = [task.judged() for task in tasks]
    results = [_without_running(space, each) for each in judged]
    waiting = [place for place, result in enumerate(results) if result is None]
    paths = [space.write(tasks[place].loaded, tasks[place].group) for place in waiting]
    for place, outcome in zip(waiting, run_batch(space, paths), strict=True):
        text = space.original(outcome.text)
        results[place] = judged[place].result(replace(outcome, text=text))
    for path in paths:
        space.discard(path)
    return [each for each in results if each is not None]


def _without_running(space: Workspace, judged: Judged) -> Group | None:
    """Return the result of a group that has nothing to run or needs a newer promtool."""
    lacking = capabilities.missing(judged.group.needs, space.promtool.version)
    if lacking:
        return judged.skipped(capabilities.reason(lacking, space.promtool.version))
    return None if judged.group.cases else judged.result(Outcome(passed=True))


class _Run:
    """A run over many files, which holds only a few of them in memory at a time."""

    def __init__(self, space: Workspace, paths: tuple[Path, ...]) -> None:
        self._space = space
        self._paths = paths
        self._problems: dict[int, tuple[Problem, ...]] = {}
        self._groups: dict[int, list[Group]] = {}

    def results(self) -> Iterator[File]:
        self._run()
        for place, path in enumerate(self._paths):
            groups, problems = tuple(self._groups.get(place, ())), self._problems.get(place, ())
            if groups or problems:
                yield File(path=path, groups=groups, problems=problems)

    def _run(self) -> None:
        workers = self._space.options.workers
        pool = ThreadPoolExecutor(workers, thread_name_prefix="promtool")
        under_way: deque[tuple[tuple[Task, ...], Future[list[Group]]]] = deque()
        try:
            for batch in self._batches(workers):
                under_way.append((batch, pool.submit(run_groups, self._space, batch)))
                if len(under_way) > 2 * workers:
                    self._collect(*under_way.popleft())
            while under_way:
                self._collect(*under_way.popleft())
        finally:
            self._space.children.stop()
            pool.shutdown(cancel_futures=True)

    def _batches(self, workers: int) -> Iterator[tuple[Task, ...]]:
        """Fill processes evenly when there are few groups, and fully when there are many."""
        tasks = self._tasks()
        most = self._space.options.batch
        head = tuple(islice(tasks, 2 * workers * most))
        size = min(most, max(1, -(-len(head) // (2 * workers))))
        pending = chain(head, tasks)
        while batch := tuple(islice(pending, size)):
            yield batch

    def _tasks(self) -> Iterator[Task]:
        select = re.compile(self._space.options.select)
        for place, path in enumerate(self._paths):
            try:
                loaded = self._space.load(path)
            except BadFileError as error:
                self._problems[place] = (_unreadable(path, error),)
                continue
            self._problems[place] = loaded.problems
            chosen = (group for group in loaded.file.groups if select.search(group.name))
            yield from (Task(file=place, loaded=loaded, group=group) for group in chosen)

    def _collect(self, batch: tuple[Task, ...], future: "Future[list[Group]]") -> None:
        for task, group in zip(batch, future.result(), strict=True):
            self._groups.setdefault(task.file, []).append(group)


def _unreadable(path: Path, error: BadFileError) -> Problem:
    """Split `path:line:column: text` so that the place is not said twice."""
    found = re.match(r":(\d+)(?::\d+)?: ", str(error).removeprefix(str(path)))
    line = int(found[1]) if found else 1
    text = str(error).removeprefix(str(path))
    return Problem(path=path, line=line, text=text[found.end() :] if found else text.lstrip(": "))
