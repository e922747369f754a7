"""What jsonnet programs are given by slos/project.yaml: external variables and arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sloforge.errors import Finding, Location
from sloforge.promql import number
from sloforge.specs.mistakes import Place, spelled
from sloforge.specs.settings import JsonnetForm
from sloforge.specs.words import did_you_mean

FOLDERS = ("slos", "mixins")
_SECRET = re.compile(r"passw|secret|token|credential|(api|private|access)_?key", re.IGNORECASE)
_KEY = "-----BEGIN"
# How the engine calls the places in them.
_FRAMES = ("<extvar:{}>", "<top-level-arg:{}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A name and its value as jsonnet code; `said` is its path in the file."""

    name: str
    code: str
    is_code: bool
    where: Location
    said: str


Given = tuple[Variable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the function in one file is given, and where that is said."""

    path: str
    given: Given
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """`external` is for every program, `arguments` for that of one file."""

    external: Given = ()
    arguments: tuple[Arguments, ...] = ()

    def of(self, path: str) -> Given:
        """The arguments of one file."""
        return next((one.given for one in self.arguments if one.path == path), ())

    @property
    def every(self) -> Given:
        return (*self.external, *(one for file in self.arguments for one in file.given))

    def by_frame(self, frame: str) -> Variable | None:
        """The variable in whose code the engine says that it was."""
        named = ((shape.format(one.name), one) for one in self.every for shape in _FRAMES)
        return next((one for name, one in named if name == frame), None)


def variables(form: JsonnetForm, place: Place) -> Variables:
    """What the settings say below `jsonnet`."""
    ext = (*_values(form.ext, place.at("ext")), *_codes(form.ext_code, place.at("ext_code")))
    arguments = (
        Arguments(
            path=path,
            given=(
                *_values(form.tla.get(path, {}), place.at("tla", path)),
                *_codes(form.tla_code.get(path, {}), place.at("tla_code", path)),
            ),
            where=place.at("tla" if path in form.tla else "tla_code", path).key,
        )
        for path in sorted(form.tla.keys() | form.tla_code.keys())
    )
    return Variables(external=ext, arguments=tuple(arguments))


def nowhere(given: Variables, root: Path) -> Iterator[Finding]:
    """Arguments for files that are not there."""
    programs = [path for name in FOLDERS for path in (root / name).rglob("*.jsonnet")]
    known = [path.relative_to(root).as_posix() for path in programs]
    for one in given.arguments:
        if one.path not in known:
            what = f"jsonnet: there is no file `{one.path}` to give arguments to"
            remedy = did_you_mean(one.path, known) if known else "remove them"
            yield Finding(id="S005", where=one.where, what=what, remedy=remedy)


def secrets(given: Variables) -> Iterator[Finding]:
    """S014: variables that look like secrets, which end up in generated files and in git."""
    for one in given.every:
        if _SECRET.search(one.name) or _KEY in one.code:
            what = f"{one.said}: looks like a secret, and what jsonnet makes of it is committed"
            remedy = "leave it out: rules and dashboards need none"
            yield Finding(id="S014", where=one.where, what=what, remedy=remedy, severity="warning")


def _values(found: dict[str, Any], place: Place) -> Iterator[Variable]:
    for name, value in found.items():
        yield _variable(name, _code(value), place.at(name), is_code=False)


def _codes(found: dict[str, str], place: Place) -> Iterator[Variable]:
    for name, code in found.items():
        yield _variable(name, code, place.at(name), is_code=True)


def _variable(name: str, code: str, place: Place, *, is_code: bool) -> Variable:
    said = spelled(place.path)
    return Variable(name=name, code=code, is_code=is_code, where=place.where, said=said)


def _code(value: Any) -> str:
    """JSON, which is jsonnet; numbers as they were written."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_code(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_code(one) for one in value)}]"
    return json.dumps(value)
