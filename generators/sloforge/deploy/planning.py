"""A plan: what a deploy would do to each object, and the digests of what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sloforge.deploy import files
from sloforge.deploy.build import Build
from sloforge.deploy.planned import Planned, from_json, planned
from sloforge.deploy.target import KINDS, PRUNED, Target
from sloforge.deploy.texts import Texts
from sloforge.errors import Problem

VERSION = 1
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In the order in which it is applied; `texts` has what the steps have the digests of."""

    environment: str
    build: str
    steps: tuple[Planned, ...]
    texts: Texts = field(default_factory=Texts, compare=False, repr=False)

    @property
    def changes(self) -> tuple[Planned, ...]:
        return tuple(step for step in self.steps if step.changes)

    @property
    def blocked(self) -> tuple[Planned, ...]:
        return tuple(step for step in self.steps if step.verb == "blocked")

    @property
    def deletions(self) -> tuple[Planned, ...]:
        return tuple(step for step in self.steps if step.verb == "delete")

    def as_json(self) -> dict[str, Any]:
        head = {"version": VERSION, "environment": self.environment, "build": self.build}
        return {**head, "steps": [step.as_json() for step in self.steps]}

    def applied(self) -> dict[str, str]:
        """The digest of each object once the plan is carried out, by its id."""
        return {
            step.id: step.after
            for step in self.steps
            if step.after and step.verb not in ("delete", "blocked")
        }


def make(
    environment: str, targets: Iterable[Target], build: Build, applied: Mapping[str, str]
) -> Plan:
    """Ask every target. Raises Problem."""
    targets, texts = tuple(targets), Texts()
    places = {target.name: at for at, target in enumerate(targets)}
    found = (step for target in targets for step in target.plan(build, applied))
    steps = [planned(step, texts) for step in found]
    steps.sort(key=lambda step: (phase(step), places[step.target], step.key))
    return Plan(environment=environment, build=build.id, steps=tuple(steps), texts=texts)


def phase(step: Planned) -> int:
    """What is deleted for good comes last: dashboards, then the folders they were in."""
    if step.kind not in KINDS:
        # Of a plugin: when all that is ours is there.
        return 3 * len(KINDS)
    place = KINDS.index(step.kind)
    if step.verb == "delete" and step.kind in PRUNED:
        return 2 * len(KINDS) - place
    return place


def write(path: Path, plan: Plan) -> None:
    """The file holds digests and no texts; who deploys what is for its owner alone."""
    files.write(path, json.dumps(plan.as_json(), indent=1) + "\n", 0o600)


def load(path: Path) -> Plan:
    """Raises Problem for what is no plan."""
    remedy = "make it again with `sloforge plan --out`"
    text = files.text_of(path)
    if text is None:
        raise Problem(f"{path}: expected a plan, found no file; {remedy}")
    try:
        found = json.loads(text)
        if found["version"] != VERSION:
            what = f"expected version {VERSION} of a plan, got {found['version']}"
            raise Problem(f"{path}: {what}; {remedy}")
        steps = tuple(from_json(one) for one in found["steps"])
        return Plan(environment=found["environment"], build=found["build"], steps=steps)
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{path}: expected a plan, got something else; {remedy}") from None


def still_holds(saved: Plan, now: Plan) -> None:
    """Raises Problem where the build or the live state is not what the plan was made from."""
    remedy = "plan again"
    if saved.build != now.build:
        what = f"the plan is of build {saved.build}, the repository holds {now.build}"
        raise Problem(f"{what}; {remedy}, or check out what was planned")
    before, after = (
        {step.id: (step.verb, step.seen, step.after) for step in plan.steps}
        for plan in (saved, now)
    )
    moved = sorted(id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_))
    if moved:
        more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
        what = f"the live state has moved since the plan: {', '.join(moved[:SHOWN])}{more}"
        raise Problem(f"{what}; {remedy}")
