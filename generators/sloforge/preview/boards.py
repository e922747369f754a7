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
        """Rows and panels, as they stand in the file; those of before Grafana 5 on today's grid."""
        old = self.json.get("rows")
        return tuple(self.json.get("panels") or (_of_rows(old) if isinstance(old, list) else ()))

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
    files = sorted(folder.rglob("*.json"))
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
    lists = [found.get("panels"), found.get("rows")] if isinstance(found, dict) else []
    if not any(isinstance(one, list) for one in lists):
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


def _of_rows(rows: list[Json]) -> Iterator[Json]:
    """A row had panels with spans of 12 columns, one row below the other."""
    for at, row in enumerate(rows):
        place = {"x": 0, "y": at * 100, "w": 24, "h": 1}
        panels = [dict(one) for one in row.get("panels") or ()]
        x = line = 0
        for panel in panels:
            width = min(24, 2 * int(panel.get("span") or 12))
            x, line = (0, line + 1) if x + width > 24 else (x, line)  # noqa: PLR2004 - columns
            panel["gridPos"] = {"x": x, "y": at * 100 + 1 + line * 7, "w": width, "h": 7}
            x += width
        head = {"type": "row", "id": f"r{at}", "gridPos": place, "panels": panels}
        title = row.get("title") or f"Row {at + 1}"
        yield head | {"title": title, "collapsed": bool(row.get("collapse"))}


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
