"""What other distributions offer through entry points: found by name, loaded when it is used.

A plugin that cannot be loaded, or that raises, is the user's to put right: a Problem that names
the distribution and the entry point, never a traceback of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, util
from itertools import pairwise
from pathlib import Path
from typing import Any

from sloforge.errors import Problem

# What can be offered; the entry points of `readers` stand in the group `sloforge.readers`.
KINDS = ("readers", "sli", "generators", "checks", "targets")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: `name` in the group of its kind, of a distribution in a version."""

    kind: str
    name: str
    distribution: str
    version: str
    entry: metadata.EntryPoint = field(compare=False, repr=False)

    def __str__(self) -> str:
        where = f"{self.distribution} {self.version}, sloforge.{self.kind}"
        return f"plugin `{self.name}` ({where}: {self.entry.value})"

    def load(self) -> Callable[..., Any]:
        """The function that is offered. Raises Problem where it cannot be had."""
        with self.blamed("cannot be loaded"):
            found = self.entry.load()
        if not callable(found):
            what = f"expected a function, got {type(found).__name__}"
            raise Problem(f"{self}: {what}; see docs/plugins.md for its type")
        loaded: Callable[..., Any] = found
        return loaded

    @contextmanager
    def blamed(self, what: str = "failed") -> Iterator[None]:
        """What is raised in here is the plugin's fault; a Problem is what it has to say."""
        try:
            yield
        except Problem:
            raise
        except (Exception, SystemExit) as error:
            place = _place(error)
            message = f"{self} {what}: {type(error).__name__}: {error}{place}"
            remedy = f"update {self.distribution}, or uninstall it"
            raise Problem(f"{message}; {remedy}") from error

    def wrong(self, what: str) -> Problem:
        """What it returned breaks its contract."""
        return Problem(f"{self}: {what}; update {self.distribution}, or uninstall it")


def found(kind: str, taken: Collection[str] = ()) -> tuple[Plugin, ...]:
    """The plugins of a kind by name, none of them loaded.

    `taken` are the names of what is built in. Raises Problem where a name is there twice.
    """
    every = tuple(one for one in _every() if one.kind == kind)
    for one in every:
        if one.name in taken:
            raise Problem(f"{one}: `{one.name}` is built in; rename it, or uninstall it")
    for one, other in pairwise(every):
        if one.name == other.name:
            raise Problem(f"{one} and {other} have one name; uninstall one of them")
    return every


def named(kind: str, name: str, taken: Collection[str] = ()) -> Plugin | None:
    """The plugin of that name; None where there is none."""
    return next((one for one in found(kind, taken) if one.name == name), None)


@cache
def _every() -> tuple[Plugin, ...]:
    """Sorted by kind, name and distribution; a distribution counts once, where Python finds it."""
    seen = set()
    installed = metadata.entry_points()
    for kind in KINDS:
        for entry in installed.select(group=f"sloforge.{kind}"):
            about = entry.dist
            name, version = (about.name, about.version) if about is not None else ("unknown", "?")
            seen.add(Plugin(kind, entry.name, name, version, entry))
    return tuple(sorted(seen, key=lambda one: (one.kind, one.name, one.distribution)))


@cache
def digest() -> str:
    """Stands for all plugins: their names and versions, and their code, as it is edited."""
    whole = hashlib.sha256()
    for one in _every():
        whole.update(f"{one.kind} {one.name} {one.distribution} {one.version}\n".encode())
        for file in _sources(one.entry.module):
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _sources(module: str) -> list[Path]:
    """The Python files of the package that a module belongs to; none where it is not to be had."""
    top = module.split(".", maxsplit=1)[0]
    try:
        spec = util.find_spec(top)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    folders = [Path(one) for one in spec.submodule_search_locations or ()]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    return files or [Path(one) for one in [spec.origin] if one and Path(one).is_file()]


def _place(error: BaseException) -> str:
    """The line that raised it, in the plugin or below."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code.co_filename == __file__:
        return ""
    return f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
