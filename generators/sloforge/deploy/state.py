"""What deploys from here have left: .sloforge/deploy/<environment>/.

lock            who is deploying now
journal.jsonl   the deploy that is under way, or was cut short, and journal.texts what it writes
applied.json    the digest of every object as the last deploy left it
deploys.jsonl   the history
builds/         what each deploy of the history put in place
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sloforge.deploy import build, files, journal
from sloforge.deploy.build import Build
from sloforge.deploy.journal import Journal, Run
from sloforge.errors import Problem

FOLDER = ".sloforge/deploy"
REMEDY = "wait until it ends"
KEPT = 50
FAST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """A line of the history; `at` is UTC in ISO 8601."""

    id: str
    at: str
    who: str
    build: str
    outcome: str
    changes: int


class State:
    """The folder of one environment."""

    def __init__(self, root: Path, environment: str) -> None:
        self.folder = root / FOLDER / environment
        self.journal = Journal(self.folder / "journal.jsonl")

    @contextmanager
    def lock(self, now: str) -> Iterator[None]:
        """Ours until the block is left, whatever ends the process. Raises Problem with whose."""
        with files.problems("write"):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = file.read().strip() or "somebody"
                raise Problem(f"a deploy by {other} is under way; {REMEDY}") from None
            file.truncate()
            file.write(f"{who()}, process {os.getpid()}, since {now}\n")
            file.flush()
            yield
            file.seek(0)
            file.truncate()

    def unfinished(self) -> Run | None:
        """The deploy that was cut short."""
        found = journal.read(self.journal.path)
        return found if found is not None and not found.ended else None

    def applied(self) -> Mapping[str, str]:
        text = files.text_of(self.folder / "applied.json")
        found = _json(text) if text else {}
        return {str(key): str(value) for key, value in found.items()}

    def remember(self, applied: Mapping[str, str]) -> None:
        text = json.dumps(dict(applied), indent=1, sort_keys=True)
        files.write(self.folder / "applied.json", text + "\n", 0o600)

    def keep(self, found: Build) -> None:
        """Save a build, so that a later rollback finds it."""
        path = self._build(found.id)
        if path.exists():
            return
        with files.problems("write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            staging = path.with_suffix(f".{os.getpid()}.tmp")
            with zipfile.ZipFile(staging, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as packed:
                for one in found.under(""):
                    # Without a time, the same build is the same file.
                    entry = zipfile.ZipInfo(one.path)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    packed.writestr(entry, one.text.encode())
            staging.replace(path)

    def build(self, name: str) -> Build:
        """Raises Problem where it is gone, or not what it was."""
        path = self._build(name)
        try:
            packed = zipfile.ZipFile(path)
            found = build.reading(packed.namelist(), lambda one: packed.read(one).decode())
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            message = f"{path}: cannot read the build; check out its commit and deploy that"
            raise Problem(message) from None
        if found.id != name:
            raise Problem(f"{path}: was changed; check out the commit of the build and deploy that")
        return found

    def deploys(self) -> tuple[Deploy, ...]:
        """From the oldest to the newest."""
        text = files.text_of(self.folder / "deploys.jsonl") or ""
        return tuple(Deploy(**_json(line)) for line in text.splitlines() if line)

    def record(self, deploy: Deploy) -> None:
        text = files.text_of(self.folder / "deploys.jsonl") or ""
        line = json.dumps(asdict(deploy))
        files.write(self.folder / "deploys.jsonl", f"{text}{line}\n", 0o600)
        with files.problems("write"):
            past = self.folder / "journals" / f"{deploy.id}.jsonl"
            past.parent.mkdir(exist_ok=True)
            self.journal.path.replace(past)
            journal.texts_of(self.journal.path).unlink(missing_ok=True)
        self._tidy()

    def _tidy(self) -> None:
        """Forget the builds and journals of deploys that nobody goes back to."""
        last = self.deploys()[-KEPT:]
        with files.problems("remove"):
            for folder, kept in (
                ("builds", {f"{one.build}.zip" for one in last}),
                ("journals", {f"{one.id}.jsonl" for one in last}),
            ):
                for path in (self.folder / folder).iterdir():
                    if path.name not in kept:
                        path.unlink()

    def _build(self, name: str) -> Path:
        return self.folder / "builds" / f"{name}.zip"


def who() -> str:
    """`user@host`; a container may have no name for its user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
