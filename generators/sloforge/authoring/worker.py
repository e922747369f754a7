"""Runs specs that are Python, in a process of its own: a line of JSON for each file.

What a spec prints goes to standard error. Time and memory are bounded; a signal ends the process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from sloforge.authoring import origin, trees
from sloforge.authoring.parts import Service
from sloforge.errors import Finding, Location
from sloforge.located.tree import Malformed, Node

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the processor's time: how busy the machine is makes no spec wrong.
SECONDS = 5
# By the clock, for one that waits.
CLOCK = 30
MEGABYTES = 4_000
FUNCTION = "services"
_MODULE = "__sloforge_spec__"
_EXAMPLE = "write `def services(): yield Service(...)`; a helper's name begins with an underscore"


def main(root: str, names: Sequence[str]) -> None:
    """Every file in order; nothing that a spec has started keeps the process alive."""
    out = _stolen_output()
    _bound()
    for name in names:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(CLOCK)
        _tell(out, _one(Path(root), Path(name)))
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)
    out.flush()
    os._exit(0)


def _stolen_output() -> TextIO:
    """The real standard output; whoever writes to what is called so writes to standard error."""
    real = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return real


def _bound() -> None:
    """Memory, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:  # pragma: no cover - Windows
        return
    most = MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tell(out: TextIO, found: tuple[list[Node], Finding | None]) -> None:
    nodes, finding = found
    wrong = finding and [_place(finding.where), finding.what, finding.remedy]
    out.write(json.dumps({"documents": [_spelled(one) for one in nodes], "wrong": wrong}) + "\n")
    out.flush()


def _place(where: Location) -> list[str | int]:
    return [where.path, where.line, where.column]


def _spelled(node: Node) -> Any:
    """A node as JSON: its place, what it is called, its value by its type."""
    value: Any = node.value
    if isinstance(value, dict):
        value = {"map": {key: _spelled(one) for key, one in value.items()}}
    elif isinstance(value, list):
        value = {"list": [_spelled(one) for one in value]}
    elif isinstance(value, Decimal):
        value = {"number": str(value)}
    return [_place(node.where), node.said, value]


def _one(root: Path, path: Path) -> tuple[list[Node], Finding | None]:
    """The services of a file, or what is wrong with it."""
    try:
        return [trees.tree(one) for one in _services(root, path)], None
    except Malformed as refused:
        return [], refused.finding
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - it is the user's
        return [], _explained(root, path, error)
    finally:
        _forget(root)


def _services(root: Path, path: Path) -> Iterable[Service]:
    """Runs the file and then its function. Raises Malformed, or whatever it raises."""
    sys.path[:0] = dict.fromkeys([str(path.parent), str(root / "slos")])
    try:
        function = getattr(_module(path), FUNCTION, None)
        if not callable(function):
            what = f"expected a function `{FUNCTION}`, found none"
            raise Malformed(Location(str(path)), what, _EXAMPLE)
        return _checked(function, path)
    finally:
        del sys.path[: len({str(path.parent), str(root / "slos")})]


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)
    return module


def _checked(function: Callable[[], Any], path: Path) -> list[Service]:
    where = Location(str(path), getattr(function, "__code__", _no_code).co_firstlineno)
    found = function()
    if not isinstance(found, Iterable):
        what = f"expected `{FUNCTION}` to yield services, got {type(found).__name__}"
        raise Malformed(where, what, "yield each Service, or return a list of them")
    every = list(found)
    for one in every:
        if not isinstance(one, Service):
            what = f"expected `{FUNCTION}` to yield a Service, got {type(one).__name__}"
            raise Malformed(where, what, "from sloforge import Service")
    if not every:
        raise Malformed(where, f"expected `{FUNCTION}` to yield a Service, got none")
    return every


class _no_code:  # noqa: N801 - stands in for the code of what is callable and no function
    co_firstlineno = 0


def _forget(root: Path) -> None:
    """Helpers below the project begin anew for the next file: what one did, no other sees."""
    inside = str(root / "slos") + os.sep
    for name, module in list(sys.modules.items()):
        if name == _MODULE or (getattr(module, "__file__", None) or "").startswith(inside):
            del sys.modules[name]


def _explained(root: Path, path: Path, error: BaseException) -> Finding:
    """The error at the innermost line that stands in the project."""
    what = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
    where = Location(str(path))
    if isinstance(error, SyntaxError) and error.filename:
        where = Location(error.filename, error.lineno or 0, error.offset or 0)
        what = f"not valid Python: {error.msg}"
    elif (frame := _innermost(root, error.__traceback__)) is not None:
        code, instruction = frame
        line, column, _, _ = origin.span_of(code, instruction)
        where = origin.placed(code.f_code.co_filename, line, column)
    return Finding(id="S001", where=where, what=what)


def _words(error: BaseException) -> str:
    with suppress(Exception):
        return str(error)
    return ""


def _innermost(root: Path, trace: TracebackType | None) -> tuple[FrameType, int] | None:
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(f"{root}{os.sep}slos{os.sep}"):
            found = trace.tb_frame, trace.tb_lasti
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
