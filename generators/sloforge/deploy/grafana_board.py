"""A dashboard as it is compared: without what Grafana adds, with its folder and our mark.

As a text it is what a step carries: two lines for what no file of dashboards/ says, then the file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sloforge import naming
from sloforge.artifacts import Artifact
from sloforge.errors import Problem

Document = Mapping[str, Any]
# What Grafana counts by itself: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
VOLATILE = ("id", "version", "iteration")
UID_PREFIX = naming.dashboard_uid("")
MARK_PREFIX = "sloforge:"
NONE = "none"
# What only the import dialog of Grafana replaces: https://github.com/grafana/grafana/issues/10786
PLACEHOLDER = "${DS_"
_HEAD = re.compile(r"folder: (?P<folder>.*)\nmark: (?P<mark>.*)\n")
_UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SECONDS |= {"M": 2592000, "y": 31536000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`document` is without volatile parts and without the tag that marks it as ours.

    `spelled` is the text of the file where it is known: spelling it takes longer than reading it.
    """

    uid: str
    folder: str
    mark: str
    document: Document
    spelled: str = field(default="", compare=False, repr=False)

    @property
    def text(self) -> str:
        return _head(self.folder, self.mark) + (self.spelled or _spelled(self.document))

    @property
    def title(self) -> str:
        return str(self.document.get("title", self.uid))

    @property
    def body(self) -> dict[str, Any]:
        """What is sent to Grafana."""
        tags = [*self.document.get("tags", ()), *([self.mark] if self.mark else [])]
        return {**self.document, "id": None, "tags": tags}

    def same(self, other: Board) -> bool:
        """Whether nothing would change if one were written over the other."""
        return (self.folder, self.mark) == (other.folder, other.mark) and self.looks_like(other)

    def looks_like(self, other: Board) -> bool:
        """The same dashboard, wherever it is and whoever owns it."""
        return fingerprint(self) == fingerprint(other)


def of_artifact(artifact: Artifact, folder: str, mark: str) -> Board:
    """Raises Problem where the file is no dashboard that Grafana would take."""
    refuse_placeholder(artifact)
    odd: list[str] = []
    document = _parsed(artifact.path, artifact.text, odd)
    uid = document.get("uid")
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise Problem(
            f"{artifact.path}: its uid must be 1 to 40 letters, digits, `-` and `_`, got `{uid}`"
        )
    # Generated files are spelled as `_spelled` does it, but for numbers like 1.0 and 1e3.
    ready = document.get("id", 0) is None and "version" not in document and not odd
    return Board(
        uid=uid,
        folder=folder,
        mark=mark,
        document=_stable(document),
        spelled=artifact.text if ready else "",
    )


def of_live(document: Document, folder: str, mark: str) -> Board:
    """What Grafana answers; `mark` is ours, which the dashboard may bear or not."""
    tags = [tag for tag in document.get("tags") or () if tag != mark]
    ours = mark if mark in (document.get("tags") or ()) else ""
    stable = _stable({**document, "tags": tags})
    uid = str(document.get("uid", ""))
    return Board(uid=uid, folder=folder, mark=ours, document=stable)


def of_text(text: str) -> Board:
    """What `text` of a board was; raises Problem where it is something else."""
    head = _HEAD.match(text)
    if not head:
        raise Problem("the plan holds something that is no dashboard; plan again")
    document = _parsed("the plan", text[head.end() :])
    mark = "" if head["mark"] == NONE else head["mark"]
    stable = _stable(document)
    uid = str(document.get("uid", ""))
    spelled = text[head.end() :]
    return Board(uid=uid, folder=head["folder"], mark=mark, document=stable, spelled=spelled)


def with_refresh(board: Board, least: str) -> Board:
    """As Grafana would store it: it raises a refresh below its own minimum without a word."""
    asked = board.document.get("refresh")
    if not isinstance(asked, str) or not 0 < _seconds(asked) < _seconds(least):
        return board
    return replace(board, document={**board.document, "refresh": least}, spelled="")


def fingerprint(board: Board) -> str:
    """A hash of the content; the order of keys and of tags does not count."""
    tags = sorted(set(board.document.get("tags") or ()))
    text = json.dumps({**board.document, "tags": tags}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def other_marks(board: Board) -> tuple[str, ...]:
    """The projects, other than ours, that say this dashboard is theirs."""
    tags = board.document.get("tags") or ()
    return tuple(str(tag) for tag in tags if str(tag).startswith(MARK_PREFIX))


def refuse_placeholder(artifact: Artifact) -> None:
    """Raises Problem for a dashboard that only the import dialog could complete."""
    if PLACEHOLDER in artifact.text:
        raise Problem(
            f"{artifact.path}: must not hold `{PLACEHOLDER}...}}`, which Grafana replaces in its "
            "import dialog and nowhere else; use the variable `${datasource}`"
        )


def parsed(text: str, odd: list[str] | None = None) -> Any:
    """JSON in which 1.0 is 1, as it is for Grafana, which spells it either way.

    `odd` gets the numbers that are spelled otherwise than we would.
    """

    def number(spelled: str) -> float | int:
        exact = float(spelled)
        found = int(exact) if exact.is_integer() else exact
        if odd is not None and repr(found) != spelled:
            odd.append(spelled)
        return found

    return json.loads(text, parse_float=number)


def _parsed(where: str, text: str, odd: list[str] | None = None) -> Document:
    try:
        document = parsed(text, odd)
    except ValueError as error:
        raise Problem(f"{where}: must be JSON: {error}; run `make build`") from None
    if not isinstance(document, dict):
        raise Problem(f"{where}: must be a dashboard, got no object; run `make build`")
    return document


def _stable(document: Document) -> Document:
    kept = {name: value for name, value in document.items() if name not in VOLATILE}
    return {**kept, "tags": list(kept.get("tags") or ())}


def _spelled(document: Document) -> str:
    full = {**_stable(document), "id": None}
    return json.dumps(full, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _head(folder: str, mark: str) -> str:
    return f"folder: {folder}\nmark: {mark or NONE}\n"


def _seconds(text: str) -> float:
    """Grafana's duration; 0 where it is none, as `` and `auto` are."""
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        return 0.0
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))
