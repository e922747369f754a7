"""Where results are kept between a check and a scrape: in memory, in a file, or in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sloforge.errors import Problem
from sloforge.health.planes.result import Result

MEMORY = "memory:"


class StoreProblem(Problem):
    """The store cannot be reached or read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a plane; `live` is None once its result is older than the TTL."""

    live: Result | None = None
    last: Result | None = None
    succeeded: float | None = None
    counters: Mapping[str, float] = field(default_factory=dict)


class Store(Protocol):
    """May be used by many threads; every method but `close` raises StoreProblem."""

    def save(self, result: Result) -> None:
        """Keep it for the TTL, remember it as the last one, and count it."""

    def read(self, planes: Iterable[str]) -> dict[str, Seen]:
        """What is known of each of these planes; never an entry less."""

    def tick(self, at: float) -> None:
        """The scheduler ran at this Unix time."""

    def ticked(self) -> float | None:
        """When the scheduler ran last."""

    def claim(self, plane: str, token: str, seconds: float) -> bool:
        """Whether nobody else checks the plane; the claim ends by itself after so many seconds."""

    def release(self, plane: str, token: str) -> None:
        """End one's own claim; somebody else's is left alone."""

    def close(self) -> None: ...


def open_store(url: str, ttl: float) -> Store:
    """`memory:`, `sqlite:PATH`, `redis://host/0`, `rediss://...`, `unix://...`; `ttl` in seconds.

    Raises Problem for anything else, and where the extra that it needs is not installed.
    """
    scheme, _, rest = url.partition(":")
    if url == MEMORY:
        from sloforge.health.planes.stores.memory import MemoryStore  # noqa: PLC0415 - on demand

        return MemoryStore(ttl)
    if scheme == "sqlite" and rest:
        from sloforge.health.planes.stores.sqlite import SqliteStore  # noqa: PLC0415 - on demand

        return SqliteStore(Path(rest), ttl)
    if scheme in ("redis", "rediss", "unix"):
        from sloforge.health.planes.stores.redis import RedisStore  # noqa: PLC0415 - on demand

        return RedisStore(url, ttl)
    # The rest of the URL may hold a password.
    raise Problem(
        f"store `{scheme}:...`: expected `memory:`, `sqlite:PATH` or `redis://HOST:PORT/DB`"
    )
