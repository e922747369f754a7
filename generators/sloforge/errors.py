"""Where something is wrong, what it is, and the one exception that carries it to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, 0 means the whole file."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake: `where: what; remedy`. `id` names its page in docs/checks/ too."""

    id: str
    where: Location
    what: str
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        # What goes over several lines shows an expression below its first one.
        first, newline, drawn = self.what.partition("\n")
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.where}: {first}{remedy}{newline}{drawn}"

    @property
    def order(self) -> tuple[Location, str, str]:
        """Sorts findings by place, so that a run reads from top to bottom."""
        return (self.where, self.id, self.what)


class Problem(Exception):
    """Something the user can fix; `str()` is the whole message, one line per finding."""

    def __init__(self, message: str = "", findings: Iterable[Finding] = ()) -> None:
        self.findings = tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.order))
        super().__init__("\n".join([message] * bool(message) + [str(f) for f in self.findings]))


class SpecProblem(Problem):
    """Every mistake found in the specs, not only the first."""
