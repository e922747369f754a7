"""Nodes -> settings: durations and counts under their native names, with where to change them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sloforge.errors import Location
from sloforge.health.lint.model import Hit, Setting, Slot
from sloforge.located.tree import Node
from sloforge.located.words import Unresolved, shown

# How a platform writes a time: bare seconds, Go's `1m30s`, protobuf's `5s`, Go's own number.
Unit = Literal["seconds", "go", "proto", "nanos"]
MAX_SECONDS = Decimal(10_000_000)
_UNITS = {"h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}
_UNITS |= {"us": Decimal("0.000001"), "µs": Decimal("0.000001"), "ns": Decimal("0.000000001")}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})(ms|us|µs|ns|[hms])")
_PROTO = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?s")
_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?")
_VARIABLE = re.compile(r"\$\{|\$[A-Za-z_]|\{\{|\{%")


@dataclass(slots=True)
class Notes:
    """What is wrong with one file's settings; readers append, the caller collects."""

    hits: list[Hit] = field(default_factory=list)

    def wrong(self, where: Location, what: str, remedy: str) -> None:
        self.hits.append(Hit(id="HC003", level="error", where=where, what=what, remedy=remedy))

    def unresolved(self, where: Location, name: str, value: object) -> None:
        what = f"{name}: {shown(value)} is not known before the file is rendered"
        remedy = "lint the rendered file; for Terraform, `terraform show -json PLAN`"
        self.hits.append(Hit(id="HC004", level="warning", where=where, what=what, remedy=remedy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a platform spells its numbers, and a new line in a mapping of its."""

    unit: Unit = "seconds"
    insert: str = "{name}: "
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Typed access to the settings of one mapping."""

    node: Node
    notes: Notes
    form: Form = Form()

    @property
    def where(self) -> Location:
        return self.node.key or self.node.where

    def seconds(self, name: str, default: str | None) -> Setting:
        """A time; `default` None: the platform demands it."""
        found = self.node.get(name)
        if found is None:
            return self._missing(name, default, "s" if self.form.unit in ("go", "proto") else "")
        value = self._read(name, found, time=True)
        return self._setting(name, found, value)

    def count(self, name: str, default: str | None) -> Setting:
        found = self.node.get(name)
        if found is None:
            return self._missing(name, default, "")
        return self._setting(name, found, self._read(name, found, time=False))

    def given(self, name: str) -> Setting | None:
        """A time that has no default; None where it is not written down."""
        return self.seconds(name, None) if self.node.get(name) is not None else None

    def _missing(self, name: str, default: str | None, suffix: str) -> Setting:
        if default is None:
            self.notes.wrong(self.where, f"{name}: expected a value, got nothing", "set it")
        value = Decimal(default or 1)
        slot = self._insertion(name, suffix)
        return Setting(name=name, value=value, where=self.where, explicit=False, slot=slot)

    def _insertion(self, name: str, suffix: str) -> Slot | None:
        """In front of the first key, so that it takes that key's indentation."""
        first = next((one for _, one in self.node.items()), None)
        if first is None or first.key is None or self.node.shared or first.shared:
            return None
        text = self.form.insert.format(name=f'"{name}"' if self.node.flow else name)
        gap = ", " if self.node.flow else f"\n{' ' * (first.key.column - 1)}"
        quote = self.form.quote if suffix else ""
        form = f"{_braced(text)}{quote}{{}}{suffix}{quote}{gap}"
        path = self.node.where.path
        return Slot(path=path, start=first.key_start, end=first.key_start, form=form)

    def _setting(self, name: str, found: Node, value: Decimal | None) -> Setting:
        slot = None
        if not found.shared and found.end > found.start:
            text = isinstance(found.value, str)
            suffix = "s" if text and not _NUMBER.fullmatch(found.value) else ""
            quote = '"' if text and found.end - found.start == len(found.value) + 2 else ""
            form = f"{quote}{{}}{suffix}{quote}"
            slot = Slot(path=found.where.path, start=found.start, end=found.end, form=form)
        return Setting(name=name, value=value or Decimal(0), where=found.where, slot=slot)

    def _read(self, name: str, found: Node, *, time: bool) -> Decimal | None:
        value = found.value
        if isinstance(value, Unresolved) or (isinstance(value, str) and _VARIABLE.search(value)):
            self.notes.unresolved(found.where, name, value)
            return None
        number = duration(value, self.form.unit) if time else _whole(value)
        if number is None or number > MAX_SECONDS:
            kind = _EXPECTED[self.form.unit] if time else "a whole number"
            what = f"{name}: expected {kind}, got {shown(value)}"
            self.notes.wrong(found.where, what, "write a number that the platform takes")
            return None
        return number


_EXPECTED = {
    "seconds": "whole seconds",
    "go": "a duration such as 1m30s",
    "proto": "a duration such as 5s",
    "nanos": "whole nanoseconds",
}
_DIGITS = 10


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _whole(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if value >= 0 else None
    text = value if isinstance(value, str) else ""
    return Decimal(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def duration(value: object, unit: Unit) -> Decimal | None:
    """Seconds from what a platform takes as a time; None for anything else."""
    if unit == "seconds":
        return _whole(value)
    if unit == "nanos":
        number = value if isinstance(value, int) and not isinstance(value, bool) else -1
        return number * _UNITS["ns"] if number >= 0 else None
    if isinstance(value, dict):  # protobuf's other spelling
        seconds, nanos = value.get("seconds"), value.get("nanos")
        whole = _whole(seconds.value if seconds else 0)
        part = _whole(nanos.value if nanos else 0)
        return None if whole is None or part is None else whole + part * _UNITS["ns"]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(0) if value == 0 else None
    if not isinstance(value, str) or (unit == "proto" and not _PROTO.fullmatch(value)):
        return None
    return compound(value)


def compound(text: str) -> Decimal | None:
    """`1m30s`, `500ms`, `0`, as Go writes it; None for anything else."""
    if text == "0":
        return Decimal(0)
    parts = list(_PART.finditer(text))
    if not parts or "".join(one[0] for one in parts) != text:
        return None
    return sum((Decimal(one[1]) * _UNITS[one[2]] for one in parts), Decimal(0))
