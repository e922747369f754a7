"""Sources in, hits and units out: the linter without a command line around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from sloforge.errors import Location
from sloforge.health.lint import rules, sources
from sloforge.health.lint.found import Found, joined, unreadable
from sloforge.health.lint.live import Measure
from sloforge.health.lint.model import Hit, Unit
from sloforge.health.lint.platforms import read
from sloforge.health.lint.policy import DEFAULT, Policy
from sloforge.health.lint.sources import Source
from sloforge.health.lint.suppress import kept
from sloforge.located.files import decoded
from sloforge.located.tree import Malformed

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Hits that are not suppressed, by place; the units; and the texts that were read."""

    hits: tuple[Hit, ...]
    units: tuple[Unit, ...]
    sources: tuple[Source, ...]


@dataclass(slots=True)
class Gathered:
    """The texts of a run, and what could not be read."""

    sources: list[Source] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    answers: list[Found] = field(default_factory=list)

    def unreadable(self, wrong: Malformed) -> None:
        self.hits.append(unreadable(wrong))


def gather(paths: Iterable[str], stdin: BinaryIO | None = None) -> Gathered:
    """The texts of files, of everything below directories, and of standard input as `-`."""
    found = Gathered()
    for path in dict.fromkeys(paths):
        try:
            if path == STDIN and stdin is not None:
                found.sources.append(_piped(stdin))
            else:
                _below(Path(path), found)
        except Malformed as wrong:
            found.unreadable(wrong)
    return found


def _piped(stdin: BinaryIO) -> Source:
    raw = stdin.read(sources.LIMIT.text + 1)
    return Source(path="<stdin>", text=decoded(raw, len(raw), "<stdin>", sources.LIMIT))


def _below(path: Path, found: Gathered) -> None:
    listed = list(sources.listed(path))
    if not listed:
        what = "expected files to check, found none"
        raise Malformed(Location(path.as_posix()), what, "name the files")
    for file, named in listed:
        try:
            found.sources.append(sources.read(file, named=named))
        except Malformed as wrong:
            found.unreadable(wrong)


def lint(
    gathered: Gathered,
    policy: Policy = DEFAULT,
    everywhere: Mapping[str, str] | None = None,
    measure: Measure | None = None,
) -> Result:
    """`everywhere`: ids that are suppressed in the whole run, each with its reason."""
    found = joined([*(read(source) for source in gathered.sources), *gathered.answers])
    if measure is not None:
        policy = replace(policy, measured=measure(_paths(found)))
    every = [*gathered.hits, *found.hits, *rules.hits(found, policy)]
    left = kept(_once(every), gathered.sources, everywhere or {})
    return Result(
        hits=tuple(sorted(left, key=lambda one: one.order)),
        units=found.units,
        sources=tuple(gathered.sources),
    )


def _paths(found: Found) -> list[str]:
    targets = (check.target for unit in found.units for check in unit.checks)
    return sorted({one.path for one in targets if one.method == "http" and one.path})


def _once(hits: Iterable[Hit]) -> Iterable[Hit]:
    """What several checks inherit from one line is said once."""
    return {(one.id, one.where, one.level): one for one in reversed(list(hits))}.values()
