"""Python objects of a spec -> a tree in which each value has the place where it was written."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sloforge.authoring import origin
from sloforge.authoring.parts import Part, Service, Sli, Slo
from sloforge.errors import Location
from sloforge.located.tree import Malformed, Node, holding
from sloforge.promql import duration

VERSION = "sloforge/v1"
_OWN = ("at", "origin")
_DIGITS = 30
_LARGEST = Decimal(10) ** _DIGITS


@dataclasses.dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value stands: in a part of the source, if it can be told, else at a place."""

    where: Location
    file: str = ""
    part: ast.expr | None = None
    # Of a part that names its own place, for everything below.
    fixed: bool = False

    def below(self, key: object, at: int) -> _Spot:
        """The spot of an item of a list or of a mapping that is written out."""
        if isinstance(self.part, ast.List | ast.Tuple) and at < len(self.part.elts):
            return self.to(self.part.elts[at])
        if isinstance(self.part, ast.Dict):
            pairs = zip(self.part.keys, self.part.values, strict=True)
            for name, value in pairs:
                if isinstance(name, ast.Constant) and name.value == key:
                    return self.to(value)
        return self

    def to(self, part: ast.expr | None) -> _Spot:
        if part is None or self.fixed:
            return self
        return _Spot(origin.of(self.file, part), self.file, part)


def tree(service: Service, where: Location | None = None) -> Node:
    """The service as a native spec. Raises Malformed for a value that no spec can have.

    With `where`, that is the place of every part that does not say its own.
    """
    outer = None if where is None else _Spot(where, fixed=True)
    found = _part(service, outer, str(service.service))
    version = Node(VERSION, found.where)
    return _mapping({"version": version, **found.value}, found.where, found.said)


def sli(made: Sli, where: Location) -> Node:
    """An SLI alone, all of it at one place. Raises Malformed."""
    return _part(made, _Spot(where, fixed=True))


def _part(part: Part, outer: _Spot | None, said: str = "") -> Node:
    spot = _spot(part, outer)
    if isinstance(part, Sli):
        return _sli(part, spot, said)
    found = {}
    for one in dataclasses.fields(part):
        value = getattr(part, one.name)
        if one.name not in _OWN and value is not None:
            key = one.name.removesuffix("_")
            found[key] = _value(value, spot.to(part.origin.argument(one.name)), said)
    return _mapping(found, spot.where, said)


def _spot(part: Part, outer: _Spot | None) -> _Spot:
    if part.at is not None:
        return _Spot(part.at, fixed=True)
    if outer is not None and outer.fixed:
        return outer
    return _Spot(part.origin.where, part.origin.file)


def _sli(made: Sli, spot: _Spot, said: str) -> Node:
    if made.kind != "use":
        return _mapping({made.kind: _values(made, made.values, spot)}, spot.where, said)
    name = _value(made.values["use"], spot.to(made.origin.argument(0)))
    given = made.values["with"]
    more = {"with": _values(made, given, spot)} if given else {}
    return _mapping({"use": name, **more}, spot.where, said)


def _values(made: Sli, values: Mapping[str, Any], spot: _Spot) -> Node:
    found = {
        key: _value(value, spot.to(made.origin.argument(key)))
        for key, value in values.items()
        if value is not None
    }
    return _mapping(found, spot.where)


def _value(value: Any, spot: _Spot, service: str = "") -> Node:
    if isinstance(value, Part):
        return _part(value, spot, _named(value, service))
    if isinstance(value, Mapping):
        items = enumerate(value.items())
        found = {_key(k, spot): _value(v, spot.below(k, n)) for n, (k, v) in items}
        return _mapping(found, spot.where)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        listed = [_value(one, spot.below(n, n), service) for n, one in enumerate(value)]
        return holding(listed, listed, spot.where)
    return Node(_scalar(value, spot.where), spot.where)


def _key(key: object, spot: _Spot) -> str:
    if isinstance(key, str):
        return _text(str(key), spot.where)
    raise Malformed(spot.where, f"expected text as a key, got {type(key).__name__}", "quote it")


def _named(part: Part, service: str) -> str:
    return f"{service}/{part.name}" if isinstance(part, Slo) else ""


def _mapping(values: dict[str, Node], where: Location, said: str = "") -> Node:
    return dataclasses.replace(holding(values, values.values(), where), said=said)


def _scalar(value: Any, where: Location) -> object:
    """As YAML would have it: a float by its digits, a time as a duration."""
    if isinstance(value, str):
        return _text(str(value), where)
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _word(value, where)
    found = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not found.is_finite() or abs(found) >= _LARGEST:
        raise Malformed(where, f"expected a number of at most {_DIGITS} digits, got another")
    return value if isinstance(value, int) else found


def _text(text: str, where: Location) -> str:
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise Malformed(where, "expected text that UTF-8 can spell, got half of a character")
    return text


def _word(value: Any, where: Location) -> object:
    if value is None or isinstance(value, bool):
        return value
    what = f"expected text, a number, a list or a mapping, got a {type(value).__name__}"
    raise Malformed(where, what)
