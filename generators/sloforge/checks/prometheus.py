"""P...: promtool's own word on rule files, taken at its strictest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import promtool
from sloforge.errors import Finding, Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PLACE = re.compile(
    r"^(?P<path>[^:]+): (?:(?P<line>\d+):(?P<column>\d+): )?(?P<what>.*)", re.DOTALL
)


def promtool_findings(root: Path, paths: Iterable[str]) -> Iterator[Finding]:
    """P001: what `promtool check rules --lint=all` finds in rule files below a root.

    Raises Problem where there is no promtool that will do.
    """
    files = [root / path for path in sorted(paths)]
    if not files:
        return
    try:
        checked = promtool.check_rules(files)
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
