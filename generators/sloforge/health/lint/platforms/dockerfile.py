"""Dockerfiles -> the HEALTHCHECK of the image that the last stage builds.

https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.fields import Notes, compound
from sloforge.health.lint.found import Found
from sloforge.health.lint.jsontext import document
from sloforge.health.lint.model import HealthCheck, Setting, Slot, Unit
from sloforge.health.lint.platforms.docker import asked, once
from sloforge.health.lint.sources import Source
from sloforge.located.tree import Malformed, Node, place
from sloforge.located.words import shown

_WORD = re.compile(r"[ \t]*([A-Za-z]+)(?=[ \t\r\n\\]|$)")
_ESCAPE = re.compile(r"#[ \t]*escape[ \t]*=[ \t]*(\S)", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?")
_OPTION = re.compile(r"--([a-z-]+)=(\S*)")
_FORM = re.compile(r"(?<!\S)(CMD|NONE)(?!\S)", re.IGNORECASE)
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
DEFAULTS = {
    "interval": "30",
    "timeout": "30",
    "start-period": "0",
    "start-interval": "5",
    "retries": "3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instruction:
    """One instruction: its word in capitals, where it begins, and the rest as it is written."""

    word: str
    start: int
    body: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    image: str
    check: _Instruction | None


def read(source: Source, notes: Notes) -> Found:
    """The image's unit, with a check or without."""
    stages: dict[str, _Stage] = {}
    last = _Stage(image="", check=None)
    for one in _instructions(source.text):
        if one.word == "FROM" and (made := _FROM.match(one.text.strip())):
            base = stages.get(made[1].lower())
            last = base or _Stage(image=made[1], check=None)
            name = (made[2] or "").lower()
        elif one.word == "HEALTHCHECK":
            last = _Stage(image=last.image, check=one)
        else:
            continue
        stages[name if last.image else ""] = last
    return _found(source, last, notes)


def _found(source: Source, stage: _Stage, notes: Notes) -> Found:
    where = Location(source.path, 1, 1)
    if not stage.image:
        notes.wrong(where, "expected a FROM, got none", "is this a Dockerfile?")
        return Found()
    name = f"image of {source.path.rpartition('/')[2]}"
    check = None
    if stage.check is not None:
        where = place(source.path, source.text, stage.check.start)
        check = _check(source, stage.check, stage.image, notes)
    unit = Unit(
        platform="docker",
        name=name,
        where=where,
        checks=(check,) if check is not None else (),
        declared=frozenset({"container"}) if stage.check is not None else frozenset(),
        serves=True,
    )
    return Found(units=(unit,))


def _instructions(text: str) -> list[_Instruction]:
    """Every instruction; comments, continued lines and here-documents are passed over."""
    found, at, lines = [], 0, text.splitlines(keepends=True)
    directive = _ESCAPE.match(text)
    escape = directive[1] if directive else "\\"
    number = 0
    while number < len(lines):
        start, line = at, lines[number]
        number, at = number + 1, at + len(line)
        word = _WORD.match(line)
        if word is None:
            continue
        while _continues(line, escape) and number < len(lines):
            line = lines[number]
            number, at = number + 1, at + len(line)
        body = start + word.end()
        one = _Instruction(word=word[1].upper(), start=start, body=body, text=text[body:at])
        found.append(one)
        for ending in _HEREDOC.findall(one.text) if one.word in ("RUN", "COPY", "ADD") else ():
            while number < len(lines):
                line = lines[number]
                number, at = number + 1, at + len(line)
                if line.strip() == ending:
                    break
    return found


def _continues(line: str, escape: str) -> bool:
    return line.rstrip().endswith(escape) or line.lstrip().startswith("#")


def _check(source: Source, one: _Instruction, image: str, notes: Notes) -> HealthCheck | None:
    form = _FORM.search(one.text)
    where = place(source.path, source.text, one.start)
    if form is None:
        notes.wrong(where, "HEALTHCHECK: expected CMD or NONE", "write `HEALTHCHECK CMD ...`")
        return None
    if form[1].upper() == "NONE":
        return None
    before = len(notes.hits)
    options = _Options(source, one, one.text[: form.start()], notes)
    settings = {name: options.setting(name) for name in DEFAULTS}
    for name, at in options.unknown():
        known = ", ".join(DEFAULTS)
        notes.wrong(at, f"HEALTHCHECK: unknown option --{name}", f"known are {known}")
    if len(notes.hits) > before:
        return None
    return HealthCheck(
        platform="docker",
        kind="container",
        name="HEALTHCHECK",
        where=where,
        target=asked(_command(one.text[form.end() :]), where, image),
        interval=settings["interval"],
        timeout=settings["timeout"],
        fail=settings["retries"],
        ok=once(where),
        delay=settings["start-period"],
        start_interval=settings["start-interval"],
        schedule="gaps",
    )


def _command(text: str) -> tuple[str, ...]:
    text = re.sub(r"[\\`]\r?\n", " ", text).strip()
    if text.startswith("["):
        try:
            return ("CMD", *_texts(document(text, "")))
        except Malformed:
            pass
    return ("CMD-SHELL", text)


def _texts(node: Node) -> list[str]:
    return [one.text() for one in node.list()]


class _Options:
    """The `--name=value` in front of CMD, with their places."""

    def __init__(self, source: Source, one: _Instruction, text: str, notes: Notes) -> None:
        self._source, self._one, self._notes = source, one, notes
        self._found = {found[1]: found for found in _OPTION.finditer(text)}

    def _place(self, at: int) -> Location:
        return place(self._source.path, self._source.text, self._one.body + at)

    def unknown(self) -> list[tuple[str, Location]]:
        return [(n, self._place(f.start())) for n, f in self._found.items() if n not in DEFAULTS]

    def setting(self, name: str) -> Setting:
        found, path, body = self._found.get(name), self._source.path, self._one.body
        suffix = "" if name == "retries" else "s"
        default = Decimal(DEFAULTS[name])
        if found is None:
            slot = Slot(path=path, start=body, end=body, form=f" --{name}={{}}{suffix}")
            where = place(path, self._source.text, self._one.start)
            return Setting(name=f"--{name}", value=default, where=where, explicit=False, slot=slot)
        where, text = self._place(found.start(2)), found[2]
        slot = Slot(
            path=path, start=body + found.start(2), end=body + found.end(2), form="{}" + suffix
        )
        value = _number(name, text)
        if "$" in text:
            self._notes.unresolved(where, f"--{name}", text)
        elif value is None:
            what = f"--{name}: expected {_KINDS[bool(suffix)]}, got {shown(text)}"
            self._notes.wrong(where, what, "write a number that the platform takes")
        # Docker takes 0 as "not set".
        return Setting(name=f"--{name}", value=value or default, where=where, slot=slot)


_KINDS = {True: "a duration such as 1m30s", False: "a whole number"}


def _number(name: str, text: str) -> Decimal | None:
    if name != "retries":
        return compound(text)
    return Decimal(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
