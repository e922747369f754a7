"""Rules on the JSON itself: the grid, ids, nulls, what an import needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sloforge.checks.dashboards.view import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.checks.dashboards.view import Json, Look
    from sloforge.errors import Finding

COLUMNS = 24
UID = re.compile(r"[a-z][-a-z0-9]{1,39}")
# Only what some grafanalib class emits and no Grafana since 7 reads, or what an export adds.
LEGACY_PANEL = frozenset(
    ("editable", "error", "height", "hideTimeOverride", "minSpan", "span", "cacheTimeout")
)
LEGACY_BOARD = frozenset(
    [
        "__elements",
        "__inputs",
        "__requires",
        "gnetId",
        "hideControls",
        "iteration",
        "rows",
        "sharedCrosshair",
        "style",
        "version",
    ]
)


def editable(look: Look) -> Iterator[Finding]:
    """D011: a board that can be edited by hand, and would differ from its file from then on."""
    if look.board.get("editable") is not False:
        yield look.wrong("D011", "the dashboard is editable", "set `editable` to false")


def grid(look: Look) -> Iterator[Finding]:
    """D012: panels on top of one another, or outside of the 24 columns."""
    for group in look.groups:
        for at, panel in enumerate(group):
            x, y, width, height = _box(panel)
            if x < 0 or y < 0 or width < 1 or height < 1 or x + width > COLUMNS:
                what = f"{named(panel)}: outside of the grid: x {x}, y {y}, {width} x {height}"
                yield look.wrong("D012", what, f"a row has {COLUMNS} columns")
            for other in group[:at]:
                if _overlap(panel, other):
                    what = f"{named(panel)}: lies on {named(other)}"
                    yield look.wrong("D012", what, "move one of them")


def _box(panel: Json) -> tuple[int, int, int, int]:
    place = panel.get("gridPos") or {}
    return tuple(int(place.get(key, -1)) for key in "xywh")  # type: ignore[return-value]


def _overlap(one: Json, other: Json) -> bool:
    (x, y, width, height), (u, v, across, down) = _box(one), _box(other)
    return x < u + across and u < x + width and y < v + down and v < y + height


def ids(look: Look) -> Iterator[Finding]:
    """D015: panels without an id, or two with the same: links to them lead to the wrong one."""
    seen: dict[Any, Json] = {}
    for panel in (panel for group in look.groups for panel in group):
        found = panel.get("id")
        if not isinstance(found, int) or found < 1:
            what = f"{named(panel)}: expected an id above 0, got {found}"
            yield look.wrong("D015", what, "give it one of its own")
        elif found in seen:
            what = f"{named(panel)}: has the id {found} of {named(seen[found])}"
            yield look.wrong("D015", what, "give it one of its own")
        else:
            seen[found] = panel


def uid(look: Look) -> Iterator[Finding]:
    """D016: a uid that some version of Grafana refuses, or a numeric id of one server."""
    found = look.board.get("uid")
    if not isinstance(found, str) or not UID.fullmatch(found):
        what = f"expected a uid of at most 40 characters [-a-z0-9], got `{found}`"
        yield look.wrong("D016", what, "without one, links to it break with every import")
    if look.board.get("id") is not None:
        what = f"expected `id` to be null, got {look.board['id']}"
        yield look.wrong("D016", what, "the number belongs to one server")


def leftovers(look: Look) -> Iterator[Finding]:
    """D017: nulls, and keys that Grafana has not read since version 7."""
    for key in sorted(LEGACY_BOARD & look.board.keys()):
        yield look.wrong("D017", f"legacy key `{key}`", "remove it")
    for panel in (panel for group in look.groups for panel in group):
        for key in sorted(LEGACY_PANEL & panel.keys()):
            yield look.wrong("D017", f"{named(panel)}: legacy key `{key}`", "remove it")
    for path in _nulls(look.board, ""):
        if path != "/id" and not path.endswith("/steps/0/value"):
            yield look.wrong("D017", f"null at {path}", "leave the key out")


def _nulls(value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _nulls(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _nulls(inner, f"{path}/{at}")


def inputs(look: Look) -> Iterator[Finding]:
    """D019: `${DS_...}`, which only the import dialog fills in, and not inside collapsed rows."""
    for path, text in _texts(look.board, ""):
        if "${DS_" in text:
            remedy = "use the variable `${datasource}`"
            yield look.wrong("D019", f"an import placeholder at {path}: `{text}`", remedy)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _texts(inner, f"{path}/{at}")


def ref_ids(look: Look) -> Iterator[Finding]:
    """D020: two queries of a panel with one refId, of which Grafana runs one."""
    for panel in look.panels:
        refs = [target.get("refId") for target in panel.get("targets") or ()]
        for ref in sorted({str(ref) for ref in refs if refs.count(ref) > 1 or not ref}):
            what = f"{named(panel)}: expected refIds that differ, got `{ref}` more than once"
            if ref in ("", "None"):
                what = f"{named(panel)}: a query without refId"
            yield look.wrong("D020", what, "count A, B, C")
