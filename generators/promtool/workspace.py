"""The temporary folder of a run: trimmed rule files, and one test file for each test group."""

import itertools
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promtool import rulefiles, vacuous
from promtool.binary import Promtool
from promtool.options import Options
from promtool.process import Children, scratch_parent
from promtool.results import Problem
from promtool.rulefiles import RuleFile, RuleSet
from promtool.testfile import TestFile, TestGroup, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A test file with its rules and with what is wrong for all of its groups."""

    file: TestFile
    rules: RuleSet
    problems: tuple[Problem, ...]


class Workspace:
    """What the test groups of one run share; open it with `workspace()`."""

    def __init__(self, folder: Path, promtool: Promtool, options: Options) -> None:
        self.promtool = promtool
        self.options = options
        self.children = Children()
        self.folder = folder
        self._rules = rulefiles.RuleCache()
        self._trimmed: dict[tuple[Path, tuple[int, int], tuple[str, ...]], Path] = {}
        self._origins: dict[str, str] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    def load(self, path: Path) -> Loaded:
        """Read a test file and the rules it names; raises BadFileError."""
        file = load(path)
        matched = {name: rulefiles.match(name, path.parent) for name, _ in file.patterns}
        rules = RuleSet(
            files=tuple(self._rules.read(found) for each in matched.values() for found in each),
            order=tuple(name for name, _ in file.order),
            only_ordered=self.options.only_ordered_groups,
        )
        found = {name: bool(paths) for name, paths in matched.items()}
        return Loaded(file=file, rules=rules, problems=vacuous.file_problems(file, found, rules))

    def write(self, loaded: Loaded, group: TestGroup) -> Path:
        """Write the test file that holds this group alone."""
        path = self.folder / f"test-{next(self._numbers)}.yml"
        rules = (self._rule_path(file, loaded.rules) for file in loaded.rules.files)
        named = [_escaped(each) for each in rules if each]
        head = f"rule_files: {json.dumps(named)}\n{loaded.file.head}"
        path.write_text(f"{head}tests:\n{group.text}", encoding="utf-8")
        self._origins[str(path)] = str(loaded.file.path)
        return path

    def discard(self, path: Path) -> None:
        """Remove a file that `write` made."""
        path.unlink(missing_ok=True)
        self._origins.pop(str(path), None)

    def original(self, text: str) -> str:
        """Replace temporary paths in promtool's words by those of the files they stand for."""
        if str(self.folder) not in text:
            return text
        return re.sub(
            rf"{re.escape(str(self.folder))}/[\w-]+\.yml(?:: \d+:\d+)?", self._origin, text
        )

    def _origin(self, found: re.Match[str]) -> str:
        path = found[0].partition(": ")[0]
        return self._origins.get(path, path)

    def _rule_path(self, file: RuleFile, rules: RuleSet) -> Path | None:
        if not rules.trimmed or file.unreadable:
            return file.path
        if not any(group.name in rules.order for group in file.groups):
            return None
        key = (file.path, file.stamp, rules.order)
        with self._lock:
            if key not in self._trimmed:
                path = self.folder / f"rules-{next(self._numbers)}.yml"
                path.write_text(rulefiles.trimmed_text(file, rules.order), encoding="utf-8")
                self._origins[str(path)] = str(file.path)
                self._trimmed[key] = path
            return self._trimmed[key]


@contextmanager
def workspace(promtool: Promtool, options: Options) -> Iterator[Workspace]:
    """Open a workspace; leaving it kills its processes and removes its folder."""
    with tempfile.TemporaryDirectory(prefix="promtool-", dir=scratch_parent()) as folder:
        opened = Workspace(Path(folder), promtool, options)
        try:
            yield opened
        finally:
            opened.children.stop()


def _escaped(path: Path) -> str:
    """Write a path so that promtool, which reads it as a pattern, finds this file."""
    return re.sub(r"([*?\[\\])", r"\\\1", str(path))
