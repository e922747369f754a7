"""Specs in Python -> documents: run in a process of its own, where the project allows it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sloforge.authoring.worker import CLOCK, MEGABYTES, SECONDS
from sloforge.errors import Finding, Location
from sloforge.located import tree
from sloforge.located.tree import Malformed, Node
from sloforge.specs.files import name_of

SUFFIX = ".py"
# Files with such names are helpers: they are imported by specs and are none themselves.
HELPER = "_"
# How long a new process may take until it runs the first file.
_START = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The services of a file as native trees, or why there are none."""

    documents: tuple[Node, ...] = ()
    wrong: Finding | None = None


def refused(name: str) -> Finding:
    """A file that the project's settings do not allow to run."""
    what = "is Python, which runs code; the project does not allow it"
    remedy = "write `python: true` in slos/project.yaml if you trust it"
    return Finding(id="S001", where=Location(name), what=what, remedy=remedy)


def run(root: Path, paths: Sequence[Path]) -> list[Result]:
    """Each file's services. A file that takes too long ends its process; the next gets another."""
    found: list[Result] = []
    while len(found) < len(paths):
        rest = [path.absolute() for path in paths[len(found) :]]
        found += _together(root.absolute(), rest)
    return [_below(root, path, one) for path, one in zip(paths, found, strict=True)]


def documents(result: Result) -> list[Node]:
    """Raises Malformed."""
    if (wrong := result.wrong) is not None:
        raise Malformed(wrong.where, wrong.what, wrong.remedy)
    return list(result.documents)


def _together(root: Path, paths: Sequence[Path]) -> list[Result]:
    """The results of one process: of all files, or up to one that it does not survive."""
    command = [sys.executable, "-P", "-m", "sloforge.authoring.worker", str(root), *map(str, paths)]
    # Sets in the same order each time, and no files of Python's own beside the specs.
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=root,
        env=os.environ | fixed,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=_START + CLOCK * (len(paths) + 1))
    except subprocess.TimeoutExpired as late:
        out = late.stdout or b""
    finally:
        _end(process)
    lines = [line for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
    found = [_result(json.loads(line)) for line in lines]
    return found if len(found) == len(paths) else [*found, _stopped(process.returncode)]


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and whatever a spec has started in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stopped(code: int) -> Result:
    if code == -signal.SIGPROF:
        what, remedy = f"is not done after {SECONDS} seconds of processor time", "make it end"
    elif code in (-signal.SIGALRM, -signal.SIGKILL):
        what, remedy = f"is not done after {CLOCK} seconds", "make it end"
    else:
        what = f"ended its process, or needs more than {MEGABYTES:,} MB"
        remedy = "return from `services`, or make it smaller"
    return Result(wrong=Finding(id="S001", where=Location(""), what=what, remedy=remedy))


def _result(found: Any) -> Result:
    wrong = None
    if found["wrong"]:
        where, what, remedy = found["wrong"]
        wrong = Finding(id="S001", where=Location(*where), what=what, remedy=remedy)
    return Result(documents=tuple(map(_node, found["documents"])), wrong=wrong)


def _node(spelled: Any) -> Node:
    place, said, value = spelled
    where = Location(*place)
    if isinstance(value, dict) and "map" in value:
        of = {key: _node(one) for key, one in value["map"].items()}
        return replace(tree.holding(of, of.values(), where), said=said)
    if isinstance(value, dict) and "list" in value:
        items = [_node(one) for one in value["list"]]
        return replace(tree.holding(items, items, where), said=said)
    if isinstance(value, dict):
        value = Decimal(value["number"])
    return Node(value, where, hollow=value is None, said=said)


def _below(root: Path, path: Path, result: Result) -> Result:
    """With every place below the root of the project."""
    if (wrong := result.wrong) is not None:
        where = _shown(root, wrong.where) if wrong.where.path else Location(name_of(root, path))
        return Result(wrong=replace(wrong, where=where))
    return Result(documents=tuple(_moved(root, one) for one in result.documents))


def _moved(root: Path, node: Node) -> Node:
    value: Any = node.value
    if isinstance(value, dict):
        value = {key: _moved(root, one) for key, one in value.items()}
    elif isinstance(value, list):
        value = [_moved(root, one) for one in value]
    return replace(node, value=value, where=_shown(root, node.where))


def _shown(root: Path, where: Location) -> Location:
    try:
        return replace(where, path=Path(where.path).relative_to(root.absolute()).as_posix())
    except ValueError:
        return where
