"""Rule files, read once and written again with only the groups that a test needs."""

import glob
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from promtool import nodes
from promtool.errors import BadFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """One rule group; `text` is its YAML, `exprs` maps the name of each rule to its expression.

    `interval` is a duration, or nothing where the group has none of its own.
    """

    name: str
    interval: str
    text: str
    alerts: frozenset[str]
    exprs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A rule file; `unreadable` says why it could not be read, which promtool will say too."""

    path: Path
    stamp: tuple[int, int] = (0, 0)
    groups: tuple[RuleGroup, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The rules that a test file loads; `left_out` are groups that it does not order."""

    files: tuple[RuleFile, ...]
    order: tuple[str, ...] = ()
    only_ordered: bool = False

    @property
    def trimmed(self) -> bool:
        return self.only_ordered and bool(self.order)

    @property
    def groups(self) -> tuple[RuleGroup, ...]:
        return tuple(group for group in self._all() if self._loads(group))

    @property
    def left_out(self) -> tuple[RuleGroup, ...]:
        return tuple(group for group in self._all() if not self._loads(group))

    @property
    def complete(self) -> bool:
        """True when every file could be read, so that what is not here does not exist."""
        return not any(file.unreadable for file in self.files)

    def expression(self, rule: str) -> str:
        """Return the expression of a rule by its name, or nothing."""
        exprs = (pair for group in self.groups for pair in group.exprs)
        return next((expr for name, expr in exprs if name == rule), "")

    def _all(self) -> Iterable[RuleGroup]:
        return (group for file in self.files for group in file.groups)

    def _loads(self, group: RuleGroup) -> bool:
        return not self.trimmed or group.name in self.order


class RuleCache:
    """Rule files by path: a file that has not changed is parsed once, whatever reads it."""

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._files: dict[tuple[Path, int, int], RuleFile] = {}

    def read(self, path: Path) -> RuleFile:
        """Return the file, parsed; raises OSError when it has vanished."""
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        key = (path, *stamp)
        with self._lock:
            if key not in self._files:
                if len(self._files) >= self._limit:
                    del self._files[next(iter(self._files))]
                self._files[key] = replace(parse(path), stamp=stamp)
            return self._files[key]


def match(pattern: str, base: Path) -> tuple[Path, ...]:
    """Return the files that an entry of `rule_files` names, relative to the test file's folder."""
    absolute = os.path.join(os.path.abspath(base), pattern)  # noqa: PTH118, PTH100  pathlib drops `..`
    return tuple(Path(found) for found in sorted(glob.glob(absolute, include_hidden=True)))  # noqa: PTH207  absolute patterns


def parse(path: Path) -> RuleFile:
    """Read a rule file; what is wrong with it is kept, for promtool to be the judge."""
    try:
        root = nodes.compose(path)
    except BadFileError as error:
        return RuleFile(path=path, unreadable=str(error))
    members = nodes.items(nodes.entries(root).get("groups"))
    return RuleFile(path=path, groups=tuple(_group(member) for member in members))


def trimmed_text(file: RuleFile, order: tuple[str, ...]) -> str:
    """Write the file's groups that are in `order`, in the order of the file."""
    kept = [group.text for group in file.groups if group.name in order]
    return "groups:\n" + "".join(kept) if kept else "groups: []\n"


def _group(node: yaml.Node) -> RuleGroup:
    found = nodes.entries(node)
    rules = [nodes.entries(rule) for rule in nodes.items(found.get("rules"))]
    alerts = [nodes.text_of(rule.get("alert")) for rule in rules]
    records = [nodes.text_of(rule.get("record")) for rule in rules]
    exprs = [nodes.text_of(rule.get("expr")) for rule in rules]
    names = [alert or record for alert, record in zip(alerts, records, strict=True)]
    return RuleGroup(
        name=nodes.text_of(found.get("name")),
        interval=nodes.text_of(found.get("interval")),
        text=nodes.serialize(nodes.sequence([node])),
        alerts=frozenset(filter(None, alerts)),
        exprs=tuple(zip(names, exprs, strict=True)),
    )
