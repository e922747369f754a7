"""Texts by their digest, on the disk: a plan of thousands of dashboards holds none in memory."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path

from sloforge.deploy import files
from sloforge.deploy.target import digest
from sloforge.errors import Problem

# The head of a record: the digest, and the length of what follows in hexadecimal digits.
_DIGEST, _LENGTH = 64, 16
_HEAD = _DIGEST + _LENGTH
_NEW = os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Texts:
    """Grows and never forgets; safe to use from many threads.

    `handle` is an open file, which is closed with us; without one a file of no name is made.
    """

    def __init__(self, handle: int | None = None) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._lock = threading.Lock()
        self._handle = handle
        if handle is not None:
            self._close = weakref.finalize(self, os.close, handle)

    def keep(self, text: str | None) -> str:
        """The digest by which `read` finds it again. Raises Problem where the disk is full."""
        sign = digest(text)
        if text is None:
            return sign
        with self._lock, files.problems("write"):
            if sign not in self._places:
                body = text.encode()
                self._append(f"{sign}{len(body):0{_LENGTH}x}".encode() + body)
                self._places[sign] = (self._end - len(body), len(body))
        return sign

    def read(self, sign: str) -> str | None:
        """None for the digest of no text. Raises Problem for what was never kept."""
        if not sign:
            return None
        if sign not in self._places or self._handle is None:
            raise Problem(f"the text {sign[:12]} of this deploy is gone; plan and deploy anew")
        at, length = self._places[sign]
        with files.problems("read"):
            return os.pread(self._handle, length, at).decode()

    def save(self, path: Path, signs: Iterable[str]) -> None:
        """Some of them, into a file for its owner alone that outlives a crash."""
        with files.problems("write"):
            saved = Texts(handle := os.open(path, _NEW, 0o600))
            for sign in dict.fromkeys(signs):
                saved.keep(self.read(sign))
            os.fsync(handle)

    def _append(self, record: bytes) -> None:
        if self._handle is None:
            self._handle, name = tempfile.mkstemp(prefix="sloforge-")
            self._close = weakref.finalize(self, os.close, self._handle)
            Path(name).unlink()
        rest = memoryview(record)
        while rest:
            done = os.pwrite(self._handle, rest, self._end)
            self._end, rest = self._end + done, rest[done:]

    def scan(self) -> Texts:
        """Find what the file holds; a record that was cut short is none."""
        if self._handle is None:
            return self
        size = os.fstat(self._handle).st_size
        while len(head := os.pread(self._handle, _HEAD, self._end)) == _HEAD:
            sign, length = head[:_DIGEST].decode(), int(head[_DIGEST:], 16)
            at = self._end + _HEAD
            if at + length > size:
                break
            self._places[sign] = (at, length)
            self._end = at + length
        return self


def load(path: Path) -> Texts:
    """What `save` has written; none where there is no such file."""
    with files.problems("read"):
        return Texts(os.open(path, os.O_RDONLY) if path.exists() else None).scan()
