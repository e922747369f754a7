"""What a target of a deploy is: it plans, applies, verifies and undoes, one step at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from sloforge.artifacts import Artifact
from sloforge.errors import Problem
from sloforge.model import Pairs

Verb = Literal["create", "update", "move", "delete", "unchanged", "blocked"]
# The verbs that change something.
CHANGING: tuple[Verb, ...] = ("create", "update", "move", "delete")
# In this order the kinds of all targets are applied; deletions of PRUNED kinds come after all.
# `release` and `reload` make staged files live.
KINDS = ("rules", "release", "group", "template", "config", "reload", "file", "folder", "dashboard")
PRUNED = ("group", "dashboard", "folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What would happen to one object of a target.

    `before` and `after` are texts a person can compare; `seen` is the version or hash of the live
    object that the plan was made from. `summary` says what changes in words (`objective 99.9 ->
    99.5`), `warnings` what it would break. `key` names the object within its target and kind.
    """

    target: str
    kind: str
    key: str
    verb: Verb
    reason: str = ""
    before: str | None = None
    after: str | None = None
    seen: str = ""
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.verb in CHANGING

    @property
    def id(self) -> str:
        return f"{self.target}/{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A step that was applied, and what is needed to undo it; `undo` is written as JSON.

    After a crash the receipt of the last step may be lost: `undo` of a target must then do with
    `Receipt(step=step)`, and leave alone what the step has not changed.
    """

    step: Step
    undo: Mapping[str, Any] = field(default_factory=dict)


class Moved(Problem):
    """The live object is no longer what the plan was made from."""


class Desired(Protocol):
    """The files of a build; each is read when it is its turn."""

    def under(self, *folders: str) -> Iterator[Artifact]:
        """Those whose path begins so, in the order of their paths. Raises Problem."""


class Target(Protocol):
    """A system that is deployed to; every method raises Problem with words for a person."""

    @property
    def name(self) -> str:
        """As it is called in deploy.yaml."""

    @property
    def concurrency(self) -> int:
        """How many steps of one kind may be applied at the same time."""

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> Iterable[Step]:
        """Every object of ours, there or wanted, one after the other; reads only.

        `desired` is the whole build: a target picks what is for it. `applied` has the `digest` of
        the `after` of each object, by `Step.id`, as the last deploy from here left it; without an
        entry nothing is known.
        """

    def apply(self, step: Step) -> Receipt:
        """Raises Moved where the live object is not the one that was seen; safe to repeat."""

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """Raises Problem with what differs, for steps that were applied, which come once.

        Returns, in words, what could not be seen yet.
        """

    def undo(self, receipt: Receipt) -> None:
        """Bring back what was there before the step; safe to repeat."""


@runtime_checkable
class Announces(Protocol):
    """A target that can mark a deploy for those who look at it."""

    def announce(self, text: str) -> str:
        """What kept it from being marked, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How a server is reached; secrets are named here and read when a request is made.

    `secret_headers` are pairs of a header and the environment variable with its value.
    """

    url: str = ""
    token_env: str = ""
    token_file: str = ""
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    headers: Pairs = ()
    secret_headers: Pairs = ()
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One target of one environment, as deploy.yaml has it.

    `options` are the keys that only this kind of target has, checked by its form in config.py:
    times in seconds, mappings as pairs. `root` is the repository, `project` its name, by which what
    is ours is told from what another repository has put there; `adopt` whether objects that do not
    bear our mark may be taken over.
    """

    project: str
    name: str
    kind: str
    environment: str
    root: Path
    endpoint: Endpoint
    options: Mapping[str, Any]
    adopt: bool = False


Factory = Callable[[Config], Target]


def digest(text: str | None) -> str:
    """What stands for a text in plans and journals; empty where there is none."""
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def verb_of(before: str | None, after: str | None) -> Verb:
    if before == after:
        return "unchanged"
    return "create" if before is None else "delete" if after is None else "update"
