"""Plans, drift, outcomes and the history as text, JSON or GitHub's annotations."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Literal

import click

from sloforge.deploy.alertmanager import redacted
from sloforge.deploy.drift import Drift
from sloforge.deploy.engine import Outcome
from sloforge.deploy.planned import Planned, whole
from sloforge.deploy.planning import Plan
from sloforge.deploy.state import Deploy
from sloforge.deploy.target import CHANGING, Step, Verb

Format = Literal["text", "json", "github"]
_MARKS: dict[Verb, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "move": (">", "yellow"),
    "delete": ("-", "red"),
    "unchanged": (" ", "white"),
    "blocked": ("!", "red"),
}


def plan(found: Plan, form: Format, *, verbose: bool = False) -> str:
    """What would happen; with `verbose` the raw differences, and what is unchanged."""
    if form == "json":
        return json.dumps(
            {**_head(found), "steps": [one.as_json() for one in found.steps]}, indent=2
        )
    if form == "github":
        return "\n".join(_annotations(found))
    return "\n".join(_plan_lines(found, verbose=verbose))


def count(found: Plan) -> str:
    """`2 to create, 1 to update, 30 unchanged`."""
    verbs = [step.verb for step in found.steps]
    parts = [f"{verbs.count(verb)} to {verb}" for verb in CHANGING if verb in verbs]
    parts += [f"{verbs.count(verb)} {verb}" for verb in ("blocked", "unchanged") if verb in verbs]
    return ", ".join(parts) or "nothing is deployed to"


def drift(found: tuple[Drift, ...], form: Format) -> str:
    if form == "json":
        rows = [{**one.step.as_json(), "drift": one.state} for one in found]
        return json.dumps(rows, indent=2)
    if form == "github":
        return "\n".join(_annotation("error", f"{one.step.id} {one.meaning}") for one in found)
    lines = []
    for one in found:
        lines.append(f"{click.style(f'{one.state:10}', fg='yellow')} {one.step.id}: {one.meaning}")
        lines += [f"             {line}" for line in one.step.summary]
    return "\n".join(lines)


def drifted(differing: int, every: int) -> str:
    """How many differ, in words."""
    if not every:
        return "there are no objects"
    verb = "differ" if differing > 1 else "differs"
    return f"{differing or 'none'} of {every} object{'s' * (every > 1)} {verb}"


def outcome(found: Outcome, form: Format) -> str:
    """What is in place, and what is not."""
    if form == "json":
        return json.dumps(_outcome_object(found), indent=2)
    if form == "github":
        level = "notice" if found.result == "done" else "error"
        return _annotation(level, " ".join(_outcome_lines(found)))
    return "\n".join(_outcome_lines(found))


def deploys(found: tuple[Deploy, ...], form: Format) -> str:
    """The history, the newest last."""
    if form == "json":
        return json.dumps([asdict(one) for one in found], indent=2)
    header = ("DEPLOY", "AT", "BUILD", "OUTCOME", "CHANGES", "WHO")
    rows = [(d.id, d.at, d.build, d.outcome, str(d.changes), d.who) for d in found]
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )


def _head(found: Plan) -> dict[str, object]:
    return {"environment": found.environment, "build": found.build}


def _plan_lines(found: Plan, *, verbose: bool) -> Iterator[str]:
    last = ""
    for step in found.steps:
        if step.verb == "unchanged" and not step.warnings and not verbose:
            continue
        if step.target != last:
            yield click.style(step.target, bold=True)
            last = step.target
        mark, color = _MARKS[step.verb]
        reason = f": {step.reason}" if step.reason else ""
        yield f"  {click.style(f'{mark} {step.verb:9}', fg=color)} {step.kind} {step.key}{reason}"
        yield from (f"      {line}" for line in step.summary)
        yield from (click.style(f"      warning: {line}", fg="yellow") for line in step.warnings)
        if verbose and step.changes:
            yield from (f"      {line}" for line in difference(whole(step, found.texts)))


def difference(step: Step) -> Iterator[str]:
    """A unified diff, live against wanted, with secrets taken out."""
    before, after = (redacted(text or "").splitlines() for text in (step.before, step.after))
    names = f"live: {step.key}", f"wanted: {step.key}"
    return difflib.unified_diff(before, after, *names, lineterm="")


def _annotations(found: Plan) -> Iterator[str]:
    for step in found.steps:
        said = "; ".join(filter(None, (step.reason, *step.summary)))
        words = f"{step.id}: {step.verb}" + (f": {said}" if said else "")
        if step.verb == "blocked":
            yield _annotation("error", words)
        elif step.changes:
            yield _annotation("notice", words)
        yield from (_annotation("warning", f"{step.id}: {line}") for line in step.warnings)


def _annotation(level: str, words: str) -> str:
    """https://docs.github.com/en/actions/reference/workflow-commands."""
    data = words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level}::{data}"


def _outcome_object(found: Outcome) -> dict[str, object]:
    return {
        "deploy": found.run.id,
        "build": found.run.build,
        "result": found.result,
        "cause": _cause(found),
        "applied": _ids(found.applied),
        "notes": list(found.notes),
        "undone": _ids(found.undone),
        "left": _reasons(found.left),
        "stuck": _reasons(found.stuck),
        "untouched": _ids(found.untouched),
    }


def _ids(steps: Iterable[Planned]) -> list[str]:
    return [step.id for step in steps]


def _reasons(steps: Iterable[tuple[Planned, str]]) -> list[dict[str, str]]:
    return [{"step": step.id, "reason": reason} for step, reason in steps]


def _cause(found: Outcome) -> str:
    if found.cause is None:
        return ""
    return str(found.cause) or type(found.cause).__name__


def _outcome_lines(found: Outcome) -> Iterator[str]:
    if found.cause is not None:
        interrupted = isinstance(found.cause, KeyboardInterrupt)
        yield "interrupted" if interrupted else f"failed: {_cause(found)}"
    if found.result == "done":
        yield f"deploy {found.run.id} is in place: {len(found.applied)} changes, verified"
        yield from (f"  note: {note}" for note in found.notes)
        return
    if found.result == "undone":
        rest = "all but what somebody else has changed since is" if found.left else "everything is"
        yield f"deploy {found.run.id} was taken back: {rest} as it was before"
        yield from (f"  left alone: {step.id}: {reason}" for step, reason in found.left)
        return
    yield f"deploy {found.run.id} could not be taken back altogether:"
    yield from (f"  left alone: {step.id}: {reason}" for step, reason in found.left)
    yield from (f"  in place, perhaps: {step.id}: {reason}" for step, reason in found.stuck)
    yield from (f"  as before: {step.id}" for step in (*found.undone, *found.untouched))
    yield "once that is put right, `sloforge deploy --undo` or `--resume` goes on from here"
