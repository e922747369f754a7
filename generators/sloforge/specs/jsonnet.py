"""jsonnet -> JSON: evaluated in a process of its own, within the project and within bounds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sloforge.errors import Location
from sloforge.located import tree
from sloforge.located.tree import Malformed, Node
from sloforge.specs import engine
from sloforge.specs.engine import CLOCK, MEGABYTES, SECONDS
from sloforge.specs.files import name_of
from sloforge.specs.variables import Given, Variables

SUFFIX = ".jsonnet"
# How long a new process may take until it evaluates.
_START = 20
_NO_FUNCTION = "the file is no function, and `jsonnet.tla` has arguments for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a file evaluates to, as JSON, or why it does not."""

    text: str = ""
    wrong: str = ""
    where: Location
    remedy: str = ""


def evaluate(root: Path, paths: Sequence[Path], given: Variables, view: str = "") -> list[Result]:
    """Each file's JSON; `view` is a jsonnet function that says what of the file is wanted.

    A file that takes too long ends its process; the next one gets another. A variable that is no
    jsonnet is what is wrong with every file.
    """
    if paths and (wrong := _unreadable(root, given)):
        return [wrong] * len(paths)
    programs = [
        _program(path.absolute(), given, given.of(name_of(root, path)), view) for path in paths
    ]
    found = _run(root, programs)
    return [_named(root, path, given, one) for path, one in zip(paths, found, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A snippet for the process; the values are code."""

    text: str
    external: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)


def _program(path: Path, given: Variables, arguments: Given, view: str) -> _Program:
    """A snippet's own imports start a folder too high; those of a file start beside it."""
    names = [one.name for one in arguments]
    passed = ", ".join(f"{name}={name}" for name in names)
    otherwise = f"error {json.dumps(_NO_FUNCTION)}" if names else "it"
    called = f"if std.isFunction(it) then it({passed}) else {otherwise}"
    text = f"local it = import {json.dumps(str(path))}; ({view or 'function(it) it'})({called})"
    return _Program(
        text=f"function({', '.join(names)}) {text}" if names else text,
        external={one.name: one.code for one in given.external},
        arguments={one.name: one.code for one in arguments},
    )


def _unreadable(root: Path, given: Variables) -> Result | None:
    """The first of the variables that is no jsonnet: the engine would name no place for it."""
    codes = [one for one in given.every if one.is_code]
    programs = [_Program(text=f"local f() = (\n{one.code}\n); 1") for one in codes]
    for one, result in zip(codes, _run(root, programs), strict=True):
        if result.wrong:
            return replace(result, where=one.where, wrong=f"{one.said}: {result.wrong}")
    return None


def documents(result: Result, name: str) -> list[Node]:
    """One document, or a list of them. Raises Malformed."""
    if result.wrong:
        raise Malformed(result.where, result.wrong, result.remedy)
    whole = json.loads(result.text, parse_float=_decimal)
    given = whole if isinstance(whole, list) else [whole]
    if not given:
        raise Malformed(Location(name), "expected a spec, got an empty list", "delete the file")
    found = []
    for at, one in enumerate(given):
        node = located(one, Location(name), f"[{at}]" if isinstance(whole, list) else "")
        if not isinstance(node.value, dict):
            what = f"expected a mapping or a list of them, got {tree.kind(node.value)}"
            raise Malformed(Location(name), what)
        found.append(node)
    return found


def _decimal(text: str) -> Decimal:
    """99.9 as it was written, whatever digits its double has."""
    return Decimal(repr(float(text)))


def located(value: Any, where: Location, said: str) -> Node:
    """A value of the JSON whose mistakes are told by its path, which begins with `said`."""
    if isinstance(value, dict):
        dot = "." * bool(said)
        of = {key: located(one, where, f"{said}{dot}{key}") for key, one in value.items()}
        return replace(tree.holding(of, of.values(), where), said=said)
    if isinstance(value, list):
        items = [located(one, where, f"{said}[{at}]") for at, one in enumerate(value)]
        return replace(tree.holding(items, items, where), said=said)
    return Node(value, where, hollow=value is None, said=said)


def _named(root: Path, path: Path, given: Variables, result: Result) -> Result:
    """The place of a mistake below the root: the innermost frame that stands in a file of ours."""
    own = Location(path.relative_to(root).as_posix())
    if not result.wrong:
        return replace(result, where=own)
    if (variable := given.by_frame(result.where.path)) is not None:
        return replace(result, where=variable.where, wrong=f"{variable.said}: {result.wrong}")
    if result.where.line:
        return replace(result, where=replace(result.where, path=_below(root, result.where.path)))
    return replace(result, where=own)


def _below(root: Path, path: str) -> str:
    try:
        return Path(path).relative_to(root.resolve()).as_posix()
    except ValueError:
        return path


def _run(root: Path, programs: Sequence[_Program]) -> list[Result]:
    found: list[Result] = []
    while len(found) < len(programs):
        found += _together(root.resolve(), programs[len(found) :])
    return found


def _together(root: Path, programs: Sequence[_Program]) -> list[Result]:
    """The results of one process: of all programs, or up to one that it does not survive."""
    # By its path and alone: the room around it takes longer to import than most files to evaluate.
    command = [sys.executable, "-P", engine.__file__, str(root)]
    limit = _START + CLOCK * (len(programs) + 1)
    # Over a pipe: arguments of a process are seen by everybody on the machine.
    work = json.dumps([asdict(one) for one in programs]).encode()
    try:
        # What std.trace prints has no end, and would be held here; what stands in no file, such as
        # a variable, imports from the working directory.
        done = subprocess.run(
            command,
            cwd=root,
            input=work,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limit,
            check=False,
        )
        out, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        out, code = late.stdout or b"", -signal.SIGALRM
    found = [_result(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
    return found if len(found) == len(programs) else [*found, _stopped(code)]


def _result(line: bytes) -> Result:
    found = json.loads(line)
    path, row, column = found["where"]
    where = Location(path, row, column)
    return Result(text=found["text"], wrong=found["wrong"], where=where, remedy=found["remedy"])


def _stopped(code: int) -> Result:
    if code == -signal.SIGPROF:
        wrong, remedy = f"is not done after {SECONDS} seconds of processor time", "make it end"
    elif code == -signal.SIGALRM:
        wrong, remedy = f"is not done after {CLOCK} seconds", "make it end"
    else:
        wrong = f"takes more than {MEGABYTES:,} MB of memory, or more of the stack than there is"
        remedy = "make it smaller"
    return Result(wrong=wrong, where=Location(""), remedy=remedy)
