"""Paths -> answers: the page, its files, and what the page asks for."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from sloforge.preview.boards import boards
from sloforge.preview.source import Source

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


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


class App:
    """The preview of a folder of dashboards over one source of numbers."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder = folder
        self._source = source

    def close(self) -> None:
        self._source.close()

    def answer(self, target: str) -> Reply:
        """The answer to a GET of this path and query."""
        path = urlsplit(target).path
        if path == "/":
            return self._start()
        return Reply.words(404, "nothing here; the dashboards are listed at /")

    def _start(self) -> Reply:
        found = boards(self._folder)
        rows = "".join(f"<li>{escape(board.title)}</li>" for board in found)
        body = f"<!doctype html><title>sloforge preview</title><ul>{rows}</ul>"
        return Reply(status=200, kind=HTML, body=body.encode())
