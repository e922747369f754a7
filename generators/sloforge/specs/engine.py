"""The process that jsonnet is shut into: bounded, answering each program with a line."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sloforge.errors import Location
from sloforge.located.files import Limit, Unreadable, text_of

# Of the processor's time, and by the clock.
SECONDS = 5
CLOCK = 30
MEGABYTES = 1_000
MAX_OUTPUT = 20_000_000
_IMPORT = Limit(document=MAX_OUTPUT, text=MAX_OUTPUT)
_STACK = 200
_WRAPPER = "<slos>"
# What the engine puts before our own words about an import, and before those of `error`.
_CALLED = "import_callback error: RuntimeError: "
_RAISED = "runtime error: "
_SETTINGS = "slos/project.yaml"
_REMEDIES = (
    (
        re.compile(r"^external variable is not defined: (.+)"),
        f"set `jsonnet.ext.{{}}` in {_SETTINGS}",
    ),
    (
        re.compile(r"^function argument is not passed: (.+)"),
        f"pass `{{}}`: to a file by `jsonnet.tla` in {_SETTINGS}",
    ),
    (
        re.compile(r"^parameter (.+) is not defined$"),
        f"if it stands in `jsonnet.tla` of {_SETTINGS}, remove `{{}}` there",
    ),
)
_TRACE = re.compile(r"^ +(?P<path>[^\n]+?):(?P<line>[0-9]+):(?P<column>[0-9]+)", re.MULTILINE)


_NOWHERE = Location("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """JSON, or what is wrong and where."""

    text: str = ""
    wrong: str = ""
    where: Location = _NOWHERE
    remedy: str = ""


def work(root: str, programs: Sequence[Mapping[str, Any]]) -> None:
    """Runs in the process: bounded first, then program by program, a line of JSON for each."""
    _bound()
    for program in programs:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(CLOCK)
        found = _one(Path(root), program)
        where = (found.where.path, found.where.line, found.where.column)
        line = {"text": found.text, "wrong": found.wrong, "where": where, "remedy": found.remedy}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _bound() -> None:
    """Memory, where the system can; the signals of time end the process by themselves."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:  # pragma: no cover - Windows
        return
    most = MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _one(root: Path, program: Mapping[str, Any]) -> Evaluated:
    try:
        import rjsonnet  # noqa: PLC0415 - an extra, needed by projects with jsonnet only
    except ImportError:
        remedy = "install sloforge[jsonnet]"
        return Evaluated(wrong="jsonnet is not installed", remedy=remedy)

    files = _Files(root)
    try:
        text = rjsonnet.evaluate_snippet(
            _WRAPPER,
            program["text"],
            max_stack=_STACK,
            ext_codes=program["external"],
            tla_codes=program["arguments"],
            import_callback=files.imported,
            preserve_order=True,
        )
    except (RuntimeError, OSError, ValueError) as error:
        return _explained(str(error), files.failed)
    if len(text) > MAX_OUTPUT:
        what = f"expected at most {MAX_OUTPUT:,} characters of JSON, got {len(text):,}"
        return Evaluated(wrong=what)
    return Evaluated(text=text)


class _Files:
    """What is imported: by the file that it stands in, or from vendor/, and never from outside."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[Path, str] = {}
        self.failed = Location("")

    def imported(self, base: str, relative: str) -> tuple[str, str | None]:
        """The file's path and text. Raises RuntimeError, and keeps the place of the import."""
        for start in (Path(base), self._root / "vendor"):
            found = (start / relative).resolve()
            if not found.is_relative_to(self._root):
                self.failed = self._place(base, relative)
                raise RuntimeError(f"import of {relative}: it is outside of the project")
            if found.is_file():
                return str(found), self._text(found, base, relative)
        self.failed = self._place(base, relative)
        raise RuntimeError(f"import of {relative}: there is no such file")

    def _text(self, found: Path, base: str, relative: str) -> str:
        try:
            self._read[found] = text_of(found, relative, _IMPORT)
        except Unreadable as refused:
            self.failed = self._place(base, relative)
            raise RuntimeError(f"import of {relative}: {refused.finding.what}") from None
        return self._read[found]

    def _place(self, base: str, relative: str) -> Location:
        """Of the import itself: the engine names no place for it."""
        for path, text in self._read.items():
            at = max(text.find(f"'{relative}'"), text.find(f'"{relative}"'))
            if at >= 0 and path.parent == Path(base):
                line = text.count("\n", 0, at) + 1
                return Location(str(path), line, at - text.rfind("\n", 0, at))
        return Location("")


def _explained(message: str, failed: Location) -> Evaluated:
    """The first line, and the innermost place of the trace."""
    what = message.split("\n", 1)[0].removeprefix(_CALLED).removeprefix(_RAISED)
    where = failed
    frames = (one for one in _TRACE.finditer(message) if one["path"] != _WRAPPER)
    if not failed.line and (frame := next(frames, None)) is not None:
        where = Location(frame["path"], int(frame["line"]), int(frame["column"]))
    remedy = next((r.format(*m.groups()) for p, r in _REMEDIES if (m := p.search(what))), "")
    return Evaluated(wrong=f"not valid jsonnet: {what}", where=where, remedy=remedy)


if __name__ == "__main__":
    work(sys.argv[1], json.load(sys.stdin))
