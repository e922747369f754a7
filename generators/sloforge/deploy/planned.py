"""A step as plans and journals have it: the digests of its texts, and not the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sloforge.deploy.target import CHANGING, Step, Verb
from sloforge.deploy.texts import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """As `Step`, but `before` and `after` are digests, empty where there is no text."""

    target: str
    kind: str
    key: str
    verb: Verb
    reason: str = ""
    before: str = ""
    after: str = ""
    seen: str = ""
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.verb in CHANGING

    @property
    def id(self) -> str:
        return f"{self.target}/{self.kind}/{self.key}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def planned(step: Step, texts: Texts) -> Planned:
    """The step, its texts put away."""
    return Planned(
        target=step.target,
        kind=step.kind,
        key=step.key,
        verb=step.verb,
        reason=step.reason,
        before=texts.keep(step.before),
        after=texts.keep(step.after),
        seen=step.seen,
        summary=step.summary,
        warnings=step.warnings,
    )


def whole(one: Planned, texts: Texts) -> Step:
    """The step with its texts. Raises Problem where they are gone."""
    return Step(
        target=one.target,
        kind=one.kind,
        key=one.key,
        verb=one.verb,
        reason=one.reason,
        before=texts.read(one.before),
        after=texts.read(one.after),
        seen=one.seen,
        summary=one.summary,
        warnings=one.warnings,
    )


def from_json(found: Mapping[str, Any]) -> Planned:
    """What `as_json` wrote; raises TypeError or KeyError for anything else."""
    lists = {name: tuple(found.get(name, ())) for name in ("summary", "warnings")}
    return Planned(**{**found, **lists})
