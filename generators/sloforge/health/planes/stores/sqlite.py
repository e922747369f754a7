"""Results in one SQLite file, for several processes on one host and across restarts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sloforge.health.planes.result import Result, counts, decoded, encoded
from sloforge.health.planes.stores import Seen, StoreProblem
from sloforge.planes import SERVING

_SCHEMA = """
CREATE TABLE IF NOT EXISTS result (plane TEXT PRIMARY KEY, text TEXT, boot TEXT, at REAL, ok REAL);
CREATE TABLE IF NOT EXISTS counter (plane TEXT, field TEXT, value REAL, PRIMARY KEY (plane, field));
CREATE TABLE IF NOT EXISTS claim (plane TEXT PRIMARY KEY, token TEXT, boot TEXT, until REAL);
CREATE TABLE IF NOT EXISTS tick (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL);
"""
_SAVE = """
INSERT INTO result VALUES (?, ?, ?, ?, ?) ON CONFLICT (plane) DO UPDATE SET
text = excluded.text, boot = excluded.boot, at = excluded.at, ok = coalesce(excluded.ok, ok)
"""
_COUNT = """
INSERT INTO counter VALUES (?, ?, ?)
ON CONFLICT (plane, field) DO UPDATE SET value = value + excluded.value
"""
_CLAIM = """
INSERT INTO claim VALUES (?, ?, ?, ?) ON CONFLICT (plane) DO UPDATE SET
token = excluded.token, boot = excluded.boot, until = excluded.until
WHERE boot != excluded.boot OR until <= ?
"""
_BUSY_SECONDS = 5.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class SqliteStore:
    """Ages by the clock since boot where the system names its boots, else by the wall clock."""

    def __init__(self, path: Path, ttl: float) -> None:
        self._path, self._ttl = path, ttl
        self._boot = _boot()
        self._lock = Lock()
        try:
            self._db = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StoreProblem(f"{path}: cannot be used as a store: {error}") from None

    def save(self, result: Result) -> None:
        ok = result.at if result.status in SERVING else None
        row = (result.plane, encoded(result), self._boot, self._now(), ok)
        added = [(result.plane, field, value) for field, value in counts(result).items()]
        with self._changing() as db:
            db.execute(_SAVE, row)
            db.executemany(_COUNT, added)

    def read(self, planes: Iterable[str]) -> dict[str, Seen]:
        with self._changing() as db:
            results = {row[0]: row[1:] for row in db.execute("SELECT * FROM result")}
            counters: dict[str, dict[str, float]] = {}
            for plane, field, value in db.execute("SELECT * FROM counter"):
                counters.setdefault(plane, {})[field] = value
        return {one: self._seen(results.get(one), counters.get(one, {})) for one in planes}

    def _seen(
        self, row: tuple[str, str, float, float | None] | None, counters: dict[str, float]
    ) -> Seen:
        if row is None:
            return Seen(counters=counters)
        text, boot, at, succeeded = row
        last = decoded(text)
        fresh = boot == self._boot and 0 <= self._now() - at <= self._ttl
        live = last if fresh else None
        return Seen(live=live, last=last, succeeded=succeeded, counters=counters)

    def tick(self, at: float) -> None:
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO tick VALUES (1, ?)", (at,))

    def ticked(self) -> float | None:
        with self._changing() as db:
            row = db.execute("SELECT at FROM tick").fetchone()
        return float(row[0]) if row else None

    def claim(self, plane: str, token: str, seconds: float) -> bool:
        now = self._now()
        with self._changing() as db:
            done = db.execute(_CLAIM, (plane, token, self._boot, now + seconds, now))
            return done.rowcount == 1

    def release(self, plane: str, token: str) -> None:
        with self._changing() as db:
            db.execute("DELETE FROM claim WHERE plane = ? AND token = ?", (plane, token))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _now(self) -> float:
        return time.monotonic() if self._boot else time.time()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, of one thread at a time."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreProblem(f"{self._path}: {error}") from None


def _boot() -> str:
    """What this boot of the machine is called; empty where the system has no word for it."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
