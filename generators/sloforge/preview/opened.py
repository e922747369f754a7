"""A dashboard with its time and choices: what the page shows before any panel is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sloforge.errors import Problem
from sloforge.preview.boards import Dashboard
from sloforge.preview.choosing import Choice, choices, scope_of
from sloforge.preview.colors import palette
from sloforge.preview.context import Context
from sloforge.preview.filling import ALL, plain
from sloforge.preview.kinds import drawn
from sloforge.preview.layout import Placed, Row, rows
from sloforge.preview.links import Page, address
from sloforge.preview.marks import marks
from sloforge.preview.moments import Span, span, zone
from sloforge.preview.source import Source

Json = dict[str, Any]
Query = Mapping[str, tuple[str, ...]]
NARROW, USUAL, WIDE = 320, 1600, 4000
RANGES = (
    "now-5m", "now-15m", "now-1h", "now-3h", "now-6h", "now-24h", "now-2d", "now-7d", "now-30d",
    "now-90d",
)  # fmt: skip
REFRESHES = ("", "5s", "10s", "30s", "1m", "5m", "15m", "1h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A dashboard that is looked at."""

    board: Dashboard = field(repr=False)
    context: Context
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...] = field(repr=False)
    now: float

    def shown(self) -> Json:
        """Everything but the panels' content."""
        board, context = self.board, self.context
        return {
            "uid": board.uid,
            "title": context.text(board.title),
            "description": context.prose(board.description),
            "tags": list(board.tags),
            "source": context.numbers.name,
            "palette": palette(),
            "time": self._time(),
            "refresh": str(board.json.get("refresh") or ""),
            "refreshes": self._refreshes(),
            "crosshair": bool(board.json.get("graphTooltip")),
            "links": self._links(),
            "variables": [_variable(one) for one in self.choices if not one.hidden],
            "rows": [self._row(row) for row in self.rows],
        }

    def panel(self, key: str) -> Json:
        """What one panel draws. Raises Problem where there is no such panel."""
        for row in self.rows:
            for one in row.panels:
                if one.key == key:
                    return drawn(one.json, self.context.with_(dict(one.scope)))
        raise Problem(f"`{self.board.uid}` has no panel `{key}`; open the dashboard again")

    def marks(self) -> Json:
        return marks(self.board.annotations, self.context)

    def _time(self) -> Json:
        over = self.context.over
        return {
            "from": over.first,
            "to": over.last,
            "start": round(over.start * 1000),
            "end": round(over.end * 1000),
            "at": round(self.now * 1000),
            "ranges": list(RANGES),
        }

    def _refreshes(self) -> list[str]:
        own = (self.board.json.get("timepicker") or {}).get("refresh_intervals")
        return ["", *(str(one) for one in own)] if own else list(REFRESHES)

    def _links(self) -> list[Json]:
        found = []
        for one in self.board.json.get("links") or ():
            if one.get("type") != "link":
                continue
            href = address(
                str(one.get("url") or ""),
                self.context.page,
                time=bool(one.get("keepTime")),
                variables=bool(one.get("includeVars")),
            )
            title = self.context.text(str(one.get("title") or href))
            found.append({"title": title, "href": href, "away": not href.startswith("/")})
        return found

    def _row(self, row: Row) -> Json:
        context = self.context.with_(dict(row.scope))
        return {
            "key": row.key,
            "title": context.text(row.title),
            "collapsed": row.collapsed,
            "panels": [self._panel(one) for one in row.panels],
        }

    def _panel(self, one: Placed) -> Json:
        context = self.context.with_(dict(one.scope))
        links = [
            {
                "title": context.text(str(link.get("title") or "Link")),
                "href": address(
                    str(link.get("url") or ""),
                    context.page,
                    time=bool(link.get("keepTime")),
                    variables=bool(link.get("includeVars")),
                ),
            }
            for link in one.json.get("links") or ()
        ]
        return {
            "key": one.key,
            "type": str(one.json.get("type")),
            "title": context.text(str(one.json.get("title") or "")),
            "description": context.prose(str(one.json.get("description") or "")),
            "links": [link for link in links if link["href"]],
            "x": one.x,
            "y": one.y,
            "w": one.width,
            "h": one.height,
        }


def _variable(one: Choice) -> Json:
    return {
        "name": one.name,
        "label": one.label,
        "kind": one.kind,
        "options": [list(pair) for pair in one.options],
        "chosen": list(one.chosen),
        "text": one.value.text,
        "many": one.many,
        "free": one.free,
        "fixed": one.kind in ("datasource", "constant"),
        "note": one.note,
    }


def opened(board: Dashboard, query: Query, numbers: Source, now: float) -> Opened:
    """Raises Problem where the time cannot be read."""
    over = _span(board, query, now)
    asked = {name[4:]: values for name, values in query.items() if name.startswith("var-")}
    found = choices(board.variables, asked, over, numbers)
    scope = scope_of(found) | {
        "__dashboard": plain(board.title),
        "__from": plain(str(round(over.start * 1000))),
        "__to": plain(str(round(over.end * 1000))),
    }
    page = Page(first=over.first, last=over.last, chosen=_carried(found), scope=scope)
    context = Context(
        over=over,
        zone=zone(_one(query, "tz")),
        width=_width(_one(query, "width")),
        scope=scope,
        page=page,
        numbers=numbers,
    )
    return Opened(
        board=board, context=context, choices=found, rows=rows(board.panels, found), now=now
    )


def _span(board: Dashboard, query: Query, now: float) -> Span:
    saved = board.json.get("time") or {}
    first = _one(query, "from") or str(saved.get("from") or "now-6h")
    last = _one(query, "to") or str(saved.get("to") or "now")
    return span(first, last, now)


def _carried(found: tuple[Choice, ...]) -> tuple[tuple[str, str], ...]:
    """The variables as a link carries them."""
    kept = [one for one in found if one.kind not in ("constant", "datasource")]
    return tuple(
        (f"var-{one.name}", "$__all" if value == ALL else value)
        for one in kept
        for value in one.chosen
    )


def _one(query: Query, name: str) -> str:
    return (query.get(name) or ("",))[0]


def _width(text: str) -> int:
    return min(max(int(text), NARROW), WIDE) if text.isascii() and text.isdecimal() else USUAL
