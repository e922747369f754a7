"""What a deploy has done so far, a line of JSON for each event, on the disk before it goes on."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sloforge.deploy import files
from sloforge.deploy.planned import Planned, from_json
from sloforge.deploy.texts import Texts, load
from sloforge.errors import Problem

VERSION = 1


Undo = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A deploy as its journal tells it.

    `begun` are steps that may have happened, by id, with what is needed to undo them; `texts` has
    the texts of the steps.
    """

    id: str
    environment: str
    build: str
    steps: tuple[Planned, ...]
    texts: Texts = field(default_factory=Texts, compare=False, repr=False)
    begun: Mapping[str, Undo] = field(default_factory=dict)
    applied: frozenset[str] = frozenset()
    undone: frozenset[str] = frozenset()
    ended: str = ""

    @property
    def title(self) -> str:
        return f"deploy {self.id} ({len(self.applied)} of {len(self.steps)} steps done)"


class Journal:
    """Appends events; may be written to by threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def start(self, run: Run) -> None:
        signs = (sign for step in run.steps for sign in (step.before, step.after))
        steps = [step.as_json() for step in run.steps]
        named = {"id": run.id, "environment": run.environment, "build": run.build}
        with files.problems("write"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        run.texts.save(texts_of(self.path), signs)
        self._write({"event": "start", "version": VERSION, **named, "steps": steps})
        files.sync(self.path.parent)

    def begin(self, step: Planned) -> None:
        self._write({"event": "begin", "step": step.id})

    def applied(self, step: Planned, undo: Undo) -> None:
        self._write({"event": "applied", "step": step.id, "undo": dict(undo)})

    def refused(self, step: Planned) -> None:
        """It was begun, and nothing was changed."""
        self._write({"event": "refused", "step": step.id})

    def undone(self, step: Planned) -> None:
        self._write({"event": "undone", "step": step.id})

    def end(self, outcome: str) -> None:
        self._write({"event": "end", "outcome": outcome})

    def _write(self, event: dict[str, Any]) -> None:
        line = json.dumps(event, separators=(",", ":")) + "\n"
        with self._lock, files.problems("write"):
            # 0600: who deploys what, and where.
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())


def read(path: Path) -> Run | None:
    """The deploy of a journal; None where there is none. A torn last line is no event."""
    text = files.text_of(path)
    if not text:
        return None
    events = list(_events(text))
    if not events or events[0].get("event") != "start":
        # Nothing is applied before the first line is on the disk.
        return None
    if events[0].get("version") != VERSION:
        raise Problem(f"{path}: was written by another version of sloforge; finish it with that")
    return replace(_run(events), texts=load(texts_of(path)))


def texts_of(path: Path) -> Path:
    """Where the texts of a journal's steps are while it is open."""
    return path.with_suffix(".texts")


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            return
        if isinstance(found, dict):
            yield found


def _run(events: list[dict[str, Any]]) -> Run:
    start = events[0]
    steps = {step.id: step for step in map(from_json, start["steps"])}
    begun: dict[str, Undo] = {}
    applied, undone, ended = set[str](), set[str](), ""
    for event in events[1:]:
        name = event.get("step", "")
        match event["event"]:
            case "begin":
                begun.setdefault(name, {})
                undone.discard(name)
            case "applied":
                begun[name] = event["undo"]
                applied.add(name)
            case "refused":
                begun.pop(name, None)
            case "undone":
                undone.add(name)
                applied.discard(name)
            case "end":
                ended = event["outcome"]
    return Run(
        id=start["id"],
        environment=start["environment"],
        build=start["build"],
        steps=tuple(steps.values()),
        begun=begun,
        applied=frozenset(applied),
        undone=frozenset(undone),
        ended=ended,
    )
