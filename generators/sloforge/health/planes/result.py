"""What one check of a plane found, as a value and as the text that a store keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, get_args

from sloforge.planes import STATUSES, STEPS, Status, StepName, StepStatus

# Prometheus' own bounds for requests, and beyond: a check may take as long as its interval.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
WHOLE = "check"
# The steps that a duration is kept for, and the check as a whole.
TIMED = (WHOLE, *STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step; `seconds` is 0 for one that was skipped."""

    name: StepName
    status: StepStatus
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check; `at` is the Unix time of its end, `reason` one line that holds no secret."""

    plane: str
    status: Status
    reason: str
    at: float
    seconds: float
    steps: tuple[StepResult, ...]


def counts(result: Result) -> dict[str, float]:
    """What the check adds to the counters of its plane, by field.

    `checks:OK`; and for each step that ran `sum:predict`, `le:predict:0.25`, where the bucket is
    the smallest one that holds it, and `le:predict:+Inf` is beyond all bounds.
    """
    found = {f"checks:{result.status}": 1.0}
    timed = [(step.name, step.seconds) for step in result.steps if step.status != "SKIPPED"]
    for name, seconds in (*timed, (WHOLE, result.seconds)):
        bound = next((str(bound) for bound in BOUNDS if seconds <= bound), "+Inf")
        found[f"sum:{name}"] = seconds
        found[f"le:{name}:{bound}"] = 1.0
    return found


def encoded(result: Result) -> str:
    """One line of JSON."""
    steps = [[step.name, step.status, step.seconds] for step in result.steps]
    return json.dumps(
        {
            "plane": result.plane,
            "status": result.status,
            "reason": result.reason,
            "at": result.at,
            "seconds": result.seconds,
            "steps": steps,
        },
        separators=(",", ":"),
    )


def decoded(text: str) -> Result | None:
    """None for what no version of ours wrote: a store may be shared, and must break nothing."""
    try:
        return _result(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None


def _result(found: dict[str, Any]) -> Result:
    status = found["status"]
    if status not in STATUSES:
        raise ValueError(status)
    return Result(
        plane=str(found["plane"]),
        status=status,
        reason=str(found["reason"]),
        at=float(found["at"]),
        seconds=float(found["seconds"]),
        steps=tuple(_step(one) for one in found["steps"]),
    )


def _step(found: list[Any]) -> StepResult:
    name, status, seconds = found
    if name not in STEPS or status not in get_args(StepStatus):
        raise ValueError(name)
    return StepResult(name=name, status=status, seconds=float(seconds))
