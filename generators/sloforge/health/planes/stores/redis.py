"""Results in Redis, for probers and exporters on several hosts: the extra `redis`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sloforge.errors import Problem
from sloforge.health.planes.result import Result, counts, decoded, encoded
from sloforge.health.planes.stores import Seen, StoreProblem
from sloforge.planes import SERVING

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:  # pragma: no cover - without the extra
    redis = None  # type: ignore[assignment]

PREFIX = "workload_plane"
# A scrape waits for the store, and Prometheus for the scrape.
PATIENCE = 2.0
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class RedisStore:
    """Results end by Redis' own clock; `last` and the counters stay."""

    def __init__(self, url: str, ttl: float) -> None:
        if redis is None:  # pragma: no cover - without the extra
            raise Problem("store redis: the client is not installed; install `sloforge[redis]`")
        self._ttl = math.ceil(ttl * 1000)
        try:
            self._redis: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                # Once, for a connection that the server has closed meanwhile.
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError:
            # The URL may hold a password, and so may the message.
            raise Problem("store redis: cannot read the URL; write redis://HOST:PORT/DB") from None

    def save(self, result: Result) -> None:
        text = encoded(result)
        with _told(), self._redis.pipeline() as pipe:
            pipe.set(_key("live", result.plane), text, px=self._ttl)
            pipe.set(_key("last", result.plane), text)
            if result.status in SERVING:
                pipe.set(_key("succeeded", result.plane), repr(result.at))
            for field, value in counts(result).items():
                pipe.hincrbyfloat(_key("counters", result.plane), field, value)
            pipe.execute()

    def read(self, planes: Iterable[str]) -> dict[str, Seen]:
        names = list(planes)
        with _told(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                for kind in ("live", "last", "succeeded"):
                    pipe.get(_key(kind, name))
                pipe.hgetall(_key("counters", name))
            answers = pipe.execute()
        rows = [answers[at : at + 4] for at in range(0, len(answers), 4)]
        return {name: _seen(*row) for name, row in zip(names, rows, strict=True)}

    def tick(self, at: float) -> None:
        with _told():
            self._redis.set(f"{PREFIX}:tick", repr(at))

    def ticked(self) -> float | None:
        with _told():
            return _number(self._redis.get(f"{PREFIX}:tick"))

    def claim(self, plane: str, token: str, seconds: float) -> bool:
        with _told():
            until = math.ceil(seconds * 1000)
            return bool(self._redis.set(_key("claim", plane), token, px=until, nx=True))

    def release(self, plane: str, token: str) -> None:
        with _told():
            self._redis.eval(_RELEASE, 1, _key("claim", plane), token)

    def close(self) -> None:
        self._redis.close()


def _key(kind: str, plane: str) -> str:
    return f"{PREFIX}:{kind}:{plane}"


def _seen(
    live: str | None, last: str | None, succeeded: str | None, counters: dict[str, str]
) -> Seen:
    numbers = {field: _number(value) or 0.0 for field, value in counters.items()}
    return Seen(
        live=decoded(live) if live else None,
        last=decoded(last) if last else None,
        succeeded=_number(succeeded),
        counters=numbers,
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


@contextmanager
def _told() -> Iterator[None]:
    """Redis' own words may quote the URL with its password: only the kind of error is told."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreProblem(f"store redis: {type(error).__name__}; is the server there") from None
