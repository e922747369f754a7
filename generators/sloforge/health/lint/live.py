"""What only a running system can say: a live health answer, and how long things take there."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from sloforge.errors import Location, Problem
from sloforge.health.lint import jsontext
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found, unreadable
from sloforge.health.lint.platforms import answers
from sloforge.located.tree import Malformed
from sloforge.web import Client, Options, Retry, Secret

TOKEN = "SLOFORGE_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable
# A health answer that takes longer is of no use to a check, and none is as large as that.
_ONCE = Options(timeout=5.0, deadline=5.0, max_bytes=2**20, retry=Retry(attempts=1))
_DIGITS = 3
_CREDENTIALS = re.compile(r"//[^/?#]*@")
# Given the paths that checks ask: the seconds that each takes, where they are known.
Measure = Callable[[Iterable[str]], Mapping[str, Decimal]]


def answer(url: str) -> Found:
    """What a health URL lists, asked once with GET; an answer that lists nothing is fine."""
    name = _CREDENTIALS.sub("//", url)
    try:
        text = _asked(url)
        if not text.lstrip().startswith(("{", "[")):
            return Found()
        return answers.read(jsontext.document(text, name), Notes()) or Found()
    except Problem as problem:
        # Whether a GET was carried out makes no difference here.
        what = str(problem).removeprefix(f"GET {url}: ").partition("; whether")[0]
        return Found(hits=(unreadable(Malformed(Location(name), what)),))
    except Malformed as wrong:
        return Found(hits=(unreadable(wrong),))


def _asked(url: str) -> str:
    """The body, whatever the status: an unhealthy answer lists its parts, too."""
    try:
        parts = urlsplit(url)
    except ValueError as wrong:
        raise Problem(f"not a URL: {wrong}") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Problem("expected a URL such as http://127.0.0.1:8080/health")
    base = f"{parts.scheme}://{parts.netloc}"
    with Client(base, _ONCE) as client:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found = client.request("GET", path, repeatable=False)
    if not found.ok and not found.text.lstrip().startswith("{"):
        raise Problem(f"expected a health answer, got status {found.status}")
    return found.text


def measuring(prometheus: str, query: str) -> Measure:
    """Asks with the path for `{path}`; what Prometheus knows nothing of is left out."""

    def measure(paths: Iterable[str]) -> Mapping[str, Decimal]:
        asked = ((path, query.replace("{path}", _quoted(path))) for path in paths)
        found = {path: longest(prometheus, one) for path, one in asked}
        return {path: value for path, value in found.items() if value is not None}

    return measure


def longest(prometheus: str, query: str) -> Decimal | None:
    """The largest value of an instant query, to three digits; None where it gives no number.

    Raises Problem where Prometheus does not answer it.
    """
    token = Secret(variable=TOKEN) if os.environ.get(TOKEN) else None
    with Client(prometheus, Options(token=token, deadline=30.0)) as client:
        found = client.request("GET", "/api/v1/query", params={"query": query})
        if not found.ok:
            raise Problem(f"{found.asked}: {found.quoted}; correct the query")
        try:
            values = [float(one) for one in _values(found.json())]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            what = f"expected a number from Prometheus, got `{found.quoted}`"
            raise Problem(f"{found.asked}: {what}; is the URL right?") from None
    numbers = [value for value in values if math.isfinite(value)]
    return None if not numbers else Decimal(f"{max(numbers):.{_DIGITS}g}")


def _values(body: Any) -> list[Any]:
    """What a query gave: a number, or one for each series."""
    data = body["data"]
    if data["resultType"] == "scalar":
        return [data["result"][1]]
    return [one["value"][1] for one in data["result"]]


def _quoted(path: str) -> str:
    """As it may stand in a PromQL text, whichever quotes that has."""
    return "".join(f"\\x{ord(one):02x}" if one in "\"'\\\n" else one for one in path)
