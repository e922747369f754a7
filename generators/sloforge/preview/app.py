"""Paths -> answers: the page, its files, and what the page asks for."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from sloforge.errors import Problem
from sloforge.preview import plotly
from sloforge.preview.boards import boards
from sloforge.preview.opened import Opened, Query, opened
from sloforge.preview.source import Source

Json = dict[str, Any]
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
STYLE = "text/css; charset=utf-8"
PLAIN_JSON = "application/json; charset=utf-8"
# A page asks for one dashboard's panels one by one; so many pages are remembered.
REMEMBERED = 64
MOST_PARAMETERS = 500
_FILES = {"app.js": SCRIPT, "charts.js": SCRIPT, "app.css": STYLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back; what has a `tag` may be kept and asked for again."""

    status: int
    kind: str
    body: bytes
    tag: str = ""

    @classmethod
    def words(cls, status: int, text: str) -> Self:
        return cls(status=status, kind=TEXT, body=f"{text}\n".encode())

    @classmethod
    def json(cls, status: int, what: object) -> Self:
        text = json.dumps(what, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return cls(status=status, kind=PLAIN_JSON, body=text.encode("utf-8", "replace"))


def page_file(name: str) -> str:
    """One of the page's own files, as text."""
    return (files("sloforge.preview") / "page" / name).read_text(encoding="utf-8")


class App:
    """The preview of a folder of dashboards over one source of numbers."""

    def __init__(
        self,
        folder: Path,
        numbers: Source,
        clock: Callable[[], float] = time.time,
        only: tuple[str, ...] = (),
    ) -> None:
        self._folder = folder
        self._only = only
        self._numbers = numbers
        self._clock = clock
        self._known: OrderedDict[str, Opened] = OrderedDict()
        self._lock = Lock()
        plotly.script()

    @property
    def source(self) -> str:
        """Where the numbers are from."""
        return self._numbers.name

    def close(self) -> None:
        self._numbers.close()

    def answer(self, target: str) -> Reply:
        """The answer to a GET of this path and query."""
        split = urlsplit(target)
        parts = [unquote(part) for part in split.path.split("/")[1:]]
        try:
            match parts:
                case [""] | ["d", _] | ["d", _, _]:
                    return _page()
                case ["page", name] if name in _FILES or name == "plotly.js":
                    return _file(name)
                case ["api", "boards"]:
                    return Reply.json(200, self.listed())
                case ["api", "board", uid]:
                    return Reply.json(200, self._board(uid, _parameters(split.query)).shown())
                case ["api", "panel", uid, key]:
                    return Reply.json(200, self._again(uid, split.query).panel(key))
                case ["api", "marks", uid]:
                    return Reply.json(200, self._again(uid, split.query).marks())
        except Problem as problem:
            # Words for the page; a status of failure would be noise in the browser's console.
            return Reply.json(200, {"error": str(problem)})
        return Reply.words(404, "nothing here; the dashboards are listed at /")

    def listed(self) -> Json:
        """Every dashboard, for the start page."""
        found = [
            {
                "uid": board.uid,
                "title": board.title,
                "description": board.description.split("\n")[0],
                "tags": list(board.tags),
            }
            for board in boards(self._folder, self._only)
        ]
        return {"boards": found, "source": self._numbers.name}

    def _board(self, uid: str, query: Query) -> Opened:
        """A dashboard as it is in the file now."""
        board = next((one for one in boards(self._folder, self._only) if one.uid == uid), None)
        if board is None:
            raise Problem(f"there is no dashboard `{uid}`; the start page lists those that are")
        found = opened(board, query, self._numbers, self._now(query))
        with self._lock:
            self._known[_key(uid, query, found.now)] = found
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _again(self, uid: str, text: str) -> Opened:
        """The dashboard that the page has opened; its choices are not looked up again."""
        query = _parameters(text)
        with self._lock:
            found = self._known.get(_key(uid, query, self._now(query)))
        return found or self._board(uid, query)

    def _now(self, query: Query) -> float:
        at = (query.get("at") or ("",))[0]
        return int(at) / 1000 if at.isascii() and at.isdecimal() else self._clock()


def _key(uid: str, query: Query, now: float) -> str:
    rest = sorted((name, values) for name, values in query.items() if name != "at")
    return json.dumps([uid, round(now * 1000), rest])


def _parameters(text: str) -> Query:
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Problem("the address has too many parameters") from None
    return {name: tuple(values) for name, values in found.items()}


@cache
def _page() -> Reply:
    text = page_file("index.html").replace("<!--guards-->", plotly.guards())
    return Reply(status=200, kind=HTML, body=text.encode())


@cache
def _file(name: str) -> Reply:
    text = plotly.script() if name == "plotly.js" else page_file(name)
    kind = _FILES.get(name, SCRIPT)
    body = text.encode()
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    return Reply(status=200, kind=kind, body=body, tag=tag)
