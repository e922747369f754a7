"""Findings and changes -> a terminal, JSON, or GitHub's annotations."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from promtool import Suite
    from sloforge.artifacts import Change
    from sloforge.errors import Finding

Format = Literal["text", "json", "github"]
# A run that takes longer says what it is doing.
PATIENCE = 1.0
_COLORS = {"error": "red", "warning": "yellow", "create": "green", "update": "yellow"}
_COLORS |= {"delete": "red"}


def findings(found: Iterable[Finding], form: Format) -> str:
    """One line for each finding; JSON has them as a list of objects."""
    if form == "json":
        return json.dumps([_finding_object(one) for one in found], indent=2)
    return "\n".join(_finding_line(one, form) for one in found)


def failures(suite: Suite) -> Iterator[str]:
    """The failures of a test run as annotations."""
    for file in suite.files:
        yield from (github("error", one.text, f"{one.path}:{one.line}") for one in file.problems)
        for group in file.groups:
            where = f"{file.path}:{group.line}"
            yield from (
                github("error", one.text, f"{one.path}:{one.line}") for one in group.problems
            )
            if group.raw:
                yield github("error", f"{group.name}: {group.raw}", where)
            for one in group.assertions:
                if one.status in ("failed", "error"):
                    text = f"{group.name}: {one.title}: {one.difference or one.status}"
                    yield github("error", text, f"{file.path}:{one.line}")


def _finding_object(one: Finding) -> dict[str, object]:
    place = {"path": one.where.path, "line": one.where.line, "column": one.where.column}
    words = {"what": one.what, "remedy": one.remedy}
    return {"id": one.id, "severity": one.severity} | place | words


def _finding_line(one: Finding, form: Format) -> str:
    if form == "github":
        return github(one.severity, f"{one.id} {_message(one)}", one.where)
    label = _colored(f"{one.severity}[{one.id}]", _COLORS[one.severity])
    return f"{one.where}: {label}: {_message(one)}"


def _message(one: Finding) -> str:
    # What goes over several lines shows an expression below its first one.
    first, newline, drawn = one.what.partition("\n")
    return first + (f"; {one.remedy}" if one.remedy else "") + newline + drawn


def github(level: str, message: str, where: object) -> str:
    """A workflow command; https://docs.github.com/en/actions/reference/workflow-commands."""
    path, _, place = str(where).partition(":")
    line, _, column = place.partition(":")
    found = (
        f"file={_property(path)}" + f",line={line}" * bool(line) + f",col={column}" * bool(column)
    )
    data = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} {found}::{data}"


def _property(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C")


def changes(found: Iterable[Change], form: Format, *, diff: bool = False) -> str:
    """One line for each file, or its diff."""
    if form == "json":
        return json.dumps([{"path": c.path, "change": c.verb} for c in found], indent=2)
    if form == "github":
        lines = [github("error", f"would {c.verb}; run `make build`", c.path) for c in found]
        return "\n".join(lines)
    return "\n".join(_change(one, diff=diff) for one in found)


def _change(one: Change, *, diff: bool) -> str:
    line = f"{_colored(f'{one.verb:6}', _COLORS[one.verb])} {one.path}"
    return f"{line}\n{one.diff()}" if diff else line


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [header, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _colored(text: str, color: str) -> str:
    """Colours on a terminal only; click takes them out again where the output goes elsewhere."""
    import click  # noqa: PLC0415 - a caller without click's colours does not pay for it

    return click.style(text, fg=color)


@contextmanager
def progress(label: str) -> Iterator[None]:
    """A spinner on a terminal, once a run has taken longer than a second."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - half of `--help`'s time otherwise

    status = Console(stderr=True).status(label)
    timer = threading.Timer(PATIENCE, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
