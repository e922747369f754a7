"""Live against last applied against desired: who moved away, the system or the repository?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sloforge.deploy.planned import Planned
from sloforge.deploy.planning import Plan

State = Literal["edited", "undeployed", "both", "unknown", "blocked"]
MEANING: Mapping[State, str] = {
    "edited": "was changed live since the last deploy",
    "undeployed": "is as it was deployed; the repository has moved on",
    "both": "was changed live, and the repository has moved on",
    "unknown": "differs; no deploy from here has put it there",
    "blocked": "cannot be told",
}
# Steps that make other files live: they differ because those do.
FOLLOWING = ("release", "reload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """An object that is not as the repository has it."""

    step: Planned
    state: State

    @property
    def meaning(self) -> str:
        reason = f": {self.step.reason}" if self.step.reason else ""
        return MEANING[self.state] + reason


def drift(plan: Plan, applied: Mapping[str, str]) -> tuple[Drift, ...]:
    """Everything but what is unchanged."""
    differing = [step for step in plan.steps if step.verb != "unchanged"]
    own = [step for step in differing if step.kind not in FOLLOWING or step.reason]
    return tuple(Drift(step=step, state=_state(step, applied)) for step in own)


def _state(step: Planned, applied: Mapping[str, str]) -> State:
    if step.verb == "blocked":
        return "blocked"
    if step.kind in FOLLOWING:
        return "edited"
    if step.id not in applied:
        # It is wanted and not there: nobody has deployed it yet.
        return "unknown" if step.before else "undeployed"
    last = applied[step.id]
    edited, moved = step.before != last, step.after != last
    return "both" if edited and moved else "edited" if edited else "undeployed"
