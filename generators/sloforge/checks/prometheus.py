"""P...: promtool's own word on rule files, taken at its strictest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import promtool
from sloforge.errors import Finding, Location, Problem
from sloforge.naming import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PLACE = re.compile(
    r"^(?P<path>[^:]+): (?:(?P<line>\d+):(?P<column>\d+): )?(?P<what>.*)", re.DOTALL
)


def promtool_findings(root: Path, paths: Iterable[str]) -> Iterator[Finding]:
    """P001: what `promtool check rules --lint=all` finds in rule files below a root.

    Its lint is not for foreign files. Raises Problem where there is no promtool that will do.
    """
    named = sorted(paths)
    yield from _checked(root, [path for path in named if not is_foreign(path)], lint=True)
    yield from _checked(root, [path for path in named if is_foreign(path)], lint=False)


def _checked(root: Path, paths: list[str], *, lint: bool) -> Iterator[Finding]:
    if not paths:
        return
    try:
        checked = promtool.check_rules([root / path for path in paths], lint=lint)
    except promtool.PromtoolError as error:
        raise Problem(str(error)) from error
    for text in checked.findings:
        yield _finding(root, text)


def _finding(root: Path, text: str) -> Finding:
    said = text.replace(f"{root}/", "")
    match = _PLACE.match(said)
    if match is None:
        return Finding(id="P001", where=Location("rules"), what=said)
    place = Location(match["path"], int(match["line"] or 0), int(match["column"] or 0))
    return Finding(id="P001", where=place, what=match["what"])
