"""A pytest plugin: each test group of each `*.promtest.yml` is an item."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from promtool.binary import locate
from promtool.errors import BadFileError, PromtoolError
from promtool.options import Options
from promtool.report import group_lines
from promtool.scan import Entry, scan
from promtool.testing import Task, run_groups
from promtool.workspace import Loaded, Workspace, workspace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from promtool.results import Group, Problem
    from promtool.testfile import TestGroup

SUFFIXES = (".promtest.yml", ".promtest.yaml")


class PromtestError(Exception):
    """A test group failed; the text is what a person needs to see."""


class _Session:
    """The workspace of a pytest run, opened when the first test group runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._opened: Workspace | None = None
        self._error = ""

    def workspace(self) -> Workspace:
        if self._error:
            raise PromtestError(self._error)
        if self._opened is None:
            try:
                self._opened = self._open()
            except PromtoolError as error:
                self._error = str(error)
                raise PromtestError(self._error) from error
        return self._opened

    def close(self) -> None:
        self._stack.close()

    def _open(self) -> Workspace:
        options = Options(
            timeout=float(self._config.getini("promtool_timeout")),
            only_ordered_groups=self._config.getini("promtool_only_ordered_groups"),
            batch=int(self._config.getini("promtool_batch")),
        )
        tool = locate(self._config.getoption("promtool"))
        return self._stack.enter_context(workspace(tool, options))


_SESSION: pytest.StashKey[_Session] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("promtool", "Prometheus rule tests")
    group.addoption("--promtool", metavar="PATH", help="promtool binary ($PROMTOOL, then PATH)")
    parser.addini("promtool_timeout", "seconds that one test group may take", default="60")
    parser.addini(
        "promtool_only_ordered_groups",
        "load only the rule groups that a test file names in `group_eval_order`",
        type="bool",
        default=True,
    )
    parser.addini("promtool_batch", "test groups of a file that share one process", default="8")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SESSION] = _Session(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SESSION in config.stash:
        config.stash[_SESSION].close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PromtestFile | None:
    if file_path.name.endswith(SUFFIXES):
        return PromtestFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell each file which of its items were selected."""
    for item in session.items:
        if isinstance(item, PromtestItem):
            item.file.waiting.append(item)


class PromtestFile(pytest.File):
    """A test file: it is scanned for names, and parsed when its first item runs."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.waiting: list[PromtestItem] = []
        self._loaded: Loaded | None = None
        self._results: dict[int, Group] = {}

    def collect(self) -> Iterator[PromtestItem]:
        try:
            entries = scan(self.path)
        except BadFileError as error:
            raise self.CollectError(str(error)) from error
        if not entries:
            text = f"{self.path}: expected test groups under `tests`, got none; add one"
            raise self.CollectError(text)
        seen: dict[str, int] = {}
        for entry in entries:
            name = " ".join(entry.name.split())
            seen[name] = seen.get(name, 0) + 1
            unique = name if seen[name] == 1 else f"{name} #{seen[name]}"
            yield PromtestItem.from_parent(self, name=unique, entry=entry)

    def result(self, space: Workspace, item: PromtestItem) -> Group:
        """Return the result of an item; the next items of the file run in the same process."""
        if item.entry.index not in self._results:
            loaded = self._read(space)
            batch = self._batch(item, space.options.batch)
            tasks = [Task(loaded=loaded, group=_group(loaded, each.entry)) for each in batch]
            groups = run_groups(space, tasks)
            indices = (each.entry.index for each in batch)
            self._results |= dict(zip(indices, groups, strict=True))
        return self._results.pop(item.entry.index)

    def problems(self, space: Workspace) -> tuple[Problem, ...]:
        """Return what is wrong with the whole file; after the last item the file is let go."""
        problems = self._read(space).problems
        if not self._results and not self.waiting:
            self._loaded = None
        return problems

    def _read(self, space: Workspace) -> Loaded:
        if self._loaded is None:
            self._loaded = space.load(self.path)
        return self._loaded

    def _batch(self, item: PromtestItem, size: int) -> list[PromtestItem]:
        """Take the item and those selected after it off the waiting list."""
        start = self.waiting.index(item) if item in self.waiting else len(self.waiting)
        batch = self.waiting[start : start + size] or [item]
        del self.waiting[start : start + size]
        return batch


class PromtestItem(pytest.Item):
    """One test group."""

    def __init__(self, *, entry: Entry, **others: Any) -> None:
        super().__init__(**others)
        self.entry = entry

    @property
    def file(self) -> PromtestFile:
        assert isinstance(self.parent, PromtestFile)
        return self.parent

    def runtest(self) -> None:
        space = self.config.stash[_SESSION].workspace()
        group = self.file.result(space, self)
        if group.skipped:
            pytest.skip(group.skipped)
        lines = [str(problem) for problem in self.file.problems(space)]
        lines += group_lines(self.path, group)
        if lines:
            raise PromtestError("\n".join(lines))

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        *args: Any,
        **others: Any,
    ) -> Any:
        if isinstance(excinfo.value, (PromtestError, PromtoolError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **others)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, self.entry.line - 1, self.name


def _group(loaded: Loaded, entry: Entry) -> TestGroup:
    groups = loaded.file.groups
    if entry.index >= len(groups) or groups[entry.index].name != entry.name:
        text = f"{loaded.file.path}:{entry.line}: expected test group `{entry.name}`, got another"
        raise PromtestError(f"{text}; the file changed during the run: run it again")
    return groups[entry.index]
