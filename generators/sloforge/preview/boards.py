"""dashboards/*.json -> dashboards as values; what cannot be read is said, and never left out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sloforge.errors import Finding, Location, Problem

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard; `json` is what Grafana would read."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    json: Json = field(repr=False)

    @property
    def panels(self) -> tuple[Json, ...]:
        """Rows and panels, as they stand in the file."""
        return tuple(self.json.get("panels") or ())

    @property
    def variables(self) -> tuple[Json, ...]:
        return tuple((self.json.get("templating") or {}).get("list") or ())

    @property
    def annotations(self) -> tuple[Json, ...]:
        return tuple((self.json.get("annotations") or {}).get("list") or ())


def boards(folder: Path, only: Collection[str] = ()) -> tuple[Dashboard, ...]:
    """The dashboards of a folder, by title; `only` those of these uids, where it names any.

    Raises Problem with every file that is none, and for a uid that no dashboard has.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise Problem(
            f"{folder}: expected dashboards (*.json), found none; run `sloforge build` first"
        )
    read = [_read(file) for file in files]
    wrong = [one for one in read if isinstance(one, Finding)]
    wrong += _twice([(file, one) for file, one in zip(files, read, strict=True)])
    if wrong:
        raise Problem(findings=wrong)
    found = [one for one in read if isinstance(one, Dashboard)]
    known = {board.uid for board in found}
    if lost := sorted(set(only) - known):
        named = ", ".join(f"`{uid}`" for uid in lost)
        raise Problem(f"there is no dashboard {named}; known are {', '.join(sorted(known))}")
    found = [board for board in found if not only or board.uid in only]
    return tuple(sorted(found, key=lambda board: (board.title.casefold(), board.uid)))


def _read(file: Path) -> Dashboard | Finding:
    try:
        found = json.loads(file.read_bytes().decode("utf-8"))
    except OSError as error:
        return _wrong(file, f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return _wrong(file, f"expected JSON: {error}")
    if not isinstance(found, dict) or not isinstance(found.get("panels"), list):
        return _wrong(file, "expected a dashboard: an object with `panels`")
    uid = found.get("uid")
    if not isinstance(uid, str) or not uid:
        return _wrong(file, f"uid: expected text, got `{json.dumps(uid)}`")
    return Dashboard(
        uid=uid,
        title=str(found.get("title") or uid),
        description=str(found.get("description") or ""),
        tags=tuple(str(tag) for tag in found.get("tags") or ()),
        json=found,
    )


def _twice(read: list[tuple[Path, Dashboard | Finding]]) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for file, one in read:
        if isinstance(one, Dashboard):
            first = seen.setdefault(one.uid, file)
            if first is not file:
                yield _wrong(file, f"uid: `{one.uid}` is the uid of {first}, too")


def _wrong(file: Path, what: str) -> Finding:
    remedy = "run `sloforge build`, or take the file away"
    return Finding(id="preview", where=Location(str(file)), what=what, remedy=remedy)
