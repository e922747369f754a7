"""`$name` and `${name:format}` in queries, titles and links -> what was chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

ALL = "$__all"
_REFERENCE = re.compile(
    r"\$\{(?P<braced>\w+)(?:\.(?P<field>[^:}]+))?(?::(?P<format>[^}]+))?\}"
    r"|\[\[(?P<square>\w+)(?::(?P<old>\w+))?\]\]"
    r"|\$(?P<plain>\w+)"
)
_REGEX = re.compile(r"[$^*{}\[\]'+?.()|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a variable is. `many` may hold several values, which a query reads as a regex.

    `pattern` stands for all of them where the variable has its own word for that.
    """

    values: tuple[str, ...]
    texts: tuple[str, ...] = ()
    many: bool = False
    pattern: str = ""

    @property
    def text(self) -> str:
        return " + ".join(self.texts or self.values)


Scope = Mapping[str, Value]
Writer = Callable[[Value], str]


def plain(text: str) -> Value:
    """A variable with one value that is written as it is."""
    return Value(values=(text,), many=False)


def filled(text: str, scope: Scope, otherwise: Writer) -> str:
    """The text with every known variable; an unknown one stays, as it does in Grafana."""

    def write(found: re.Match[str]) -> str:
        name = found["braced"] or found["square"] or found["plain"]
        value = scope.get(name)
        if value is None:
            return found[0]
        if value.pattern and not found["format"]:
            return value.pattern
        asked = found["format"] or found["old"] or ""
        if asked.startswith("date"):
            return _date(value, asked)
        return _FORMATS.get(asked, otherwise)(value)

    return _REFERENCE.sub(write, text)


def references(text: str) -> set[str]:
    """The names of the variables in a text."""
    return {
        found["braced"] or found["square"] or found["plain"] for found in _REFERENCE.finditer(text)
    }


def in_query(value: Value) -> str:
    """Inside of a string in PromQL: nothing chosen can end the string or mean a regex."""
    if not value.many:
        return "".join(_quoted(one) for one in value.values[:1])
    escaped = [_pattern(one) for one in value.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def in_text(value: Value) -> str:
    return value.text


def in_address(value: Value) -> str:
    return quote(",".join(value.values), safe="")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _pattern(text: str) -> str:
    """A regex for this very text, inside of a string in PromQL."""
    escaped = text.replace("\\", "\\\\\\\\").replace('"', '\\"').replace("\n", "\\n")
    return _REGEX.sub(r"\\\\\g<0>", escaped)


def _date(value: Value, asked: str) -> str:
    """`${__from:date:iso}`, `:date:seconds`; any other pattern is given as ISO 8601."""
    try:
        seconds = int(value.values[0]) / 1000
    except (IndexError, ValueError):
        return value.text
    if asked == "date:seconds":
        return str(int(seconds))
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


_FORMATS: Mapping[str, Writer] = {
    "raw": lambda value: ",".join(value.values),
    "csv": lambda value: ",".join(value.values),
    "text": in_text,
    "pipe": lambda value: "|".join(value.values),
    "regex": lambda value: _alternatives([re.escape(one) for one in value.values]),
    "glob": lambda value: _in_braces(value.values),
    "json": lambda value: json.dumps(list(value.values)),
    "doublequote": lambda value: ",".join(f'"{_quoted(one)}"' for one in value.values),
    "singlequote": lambda value: ",".join(
        "'" + one.replace("'", "\\'") + "'" for one in value.values
    ),
    "percentencode": in_address,
    "uriencode": in_address,
}


def _alternatives(found: list[str]) -> str:
    return found[0] if len(found) == 1 else f"({'|'.join(found)})"


def _in_braces(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"
