"""HAProxy's configuration -> a check for each backend's servers.

https://docs.haproxy.org/3.0/configuration.html#5.2
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from sloforge.errors import Location
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import HealthCheck, Kind, Setting, Slot, Target, Unit
from sloforge.health.lint.sources import Source
from sloforge.located.words import shown

_SECTIONS = re.compile(
    "global|defaults|frontend|backend|listen|userlist|peers|cache|resolvers|mailers|program|ring"
    "|http-errors|fcgi-app|log-forward|log-profile|traces|acme|crt-store"
)
_WORD = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|\\.|[^\s#"\'\\])+|#')
_TIME = re.compile(r"([0-9]{1,10})(us|ms|[smhd])?")
_SCALES = {"us": "0.000001", "ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400"}
_TIMES = ("inter", "fastinter", "downinter")
_COUNTS = ("fall", "rise")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    where: Location
    start: int
    end: int


@dataclass(slots=True)
class _Section:
    """One proxy: what `defaults` and its own lines set, and its servers."""

    name: str = ""
    where: Location = field(default_factory=lambda: Location(""))
    settings: dict[str, Setting] = field(default_factory=dict)
    path: Target | None = None
    port: str = ""
    check: bool = False
    defaults_end: int = 0
    servers: list[_Server] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    name: str
    where: Location
    end: int
    check: bool
    port: str
    traffic: str
    settings: dict[str, Setting]


def read(source: Source, notes: Notes) -> Found:
    """Backends and listeners, each with the defaults in front of it."""
    defaults, section = _Section(), _Section()
    found: list[_Section] = []
    for words in _lines(source):
        head = words[0].text
        if _SECTIONS.fullmatch(head):
            named = words[1].text if len(words) > 1 else ""
            base = _Section() if head == "defaults" else defaults
            section = _opened(base, f"{head} {named}".strip(), words[0].where)
            if head == "defaults":
                defaults = section
            found += [section] if head in ("backend", "listen") else []
        else:
            _directive(section, words, notes)
    return Found(units=tuple(unit for one in found for unit in _units(one)))


def _opened(base: _Section, name: str, where: Location) -> _Section:
    settings = dict(base.settings)
    return _Section(name, where, settings, base.path, base.port, base.check)


def _lines(source: Source) -> Iterable[list[_Word]]:
    at = 0
    for number, line in enumerate(source.text.split("\n"), 1):
        words = []
        for found in _WORD.finditer(line):
            if found[0] == "#":
                break
            where = Location(source.path, number, found.start() + 1)
            words.append(_Word(found[0], where, at + found.start(), at + found.end()))
        at += len(line) + 1
        if words:
            yield words


def _directive(section: _Section, words: list[_Word], notes: Notes) -> None:
    texts = [one.text for one in words]
    match texts:
        case ["option", "httpchk", *rest]:
            path = next((one for one in rest if one.startswith("/")), "/")
            section.path = Target(method="http", where=words[0].where, path=path)
        case ["http-check", "send", *rest] if "uri" in rest[:-1]:
            path = rest[rest.index("uri") + 1]
            section.path = Target(method="http", where=words[0].where, path=path)
        case ["timeout", "check", _]:
            section.settings["timeout check"] = _time("timeout check", words[2], notes)
        case ["default-server", *_]:
            section.settings |= _settings(words[1:], notes)
            section.check = _checking(texts, otherwise=section.check)
            section.defaults_end = words[-1].end
            section.port = _after(texts, "port") or section.port
        case ["server" | "server-template", name, *_]:
            section.servers.append(_server(section, name, words, notes))


def _checking(texts: list[str], *, otherwise: bool) -> bool:
    if "no-check" in texts:
        return False
    return otherwise or "check" in texts


def _after(texts: list[str], name: str) -> str:
    return texts[texts.index(name) + 1] if name in texts[:-1] else ""


def _server(section: _Section, name: str, words: list[_Word], notes: Notes) -> _Server:
    texts = [one.text for one in words]
    address = texts[2] if len(texts) > 2 else ""  # noqa: PLR2004 - `server NAME ADDRESS`
    return _Server(
        name=name,
        where=words[0].where,
        end=words[-1].end,
        check=_checking(texts, otherwise=section.check),
        port=_after(texts, "port") or section.port,
        traffic=address.rpartition(":")[2] if ":" in address else "",
        settings=_settings(words[2:], notes),
    )


def _settings(words: list[_Word], notes: Notes) -> dict[str, Setting]:
    found = {}
    for word, value in pairwise(words):
        if word.text in _TIMES:
            found[word.text] = _time(word.text, value, notes)
        elif word.text in _COUNTS:
            found[word.text] = _count(word.text, value, notes)
    return found


def _time(name: str, word: _Word, notes: Notes) -> Setting:
    found = _TIME.fullmatch(word.text)
    if found is None:
        _wrong(name, word, "a time such as 2s", notes)
    scale = Decimal(_SCALES[(found[2] or "ms") if found else "s"])
    return _setting(name, word, Decimal(found[1]) * scale if found else Decimal(1), "{}s")


def _count(name: str, word: _Word, notes: Notes) -> Setting:
    good = re.fullmatch(r"[0-9]{1,9}", word.text)
    if good is None:
        _wrong(name, word, "a whole number", notes)
    return _setting(name, word, Decimal(word.text) if good else Decimal(1), "{}")


def _wrong(name: str, word: _Word, expected: str, notes: Notes) -> None:
    if "$" in word.text:
        notes.unresolved(word.where, name, word.text)
        return
    what = f"{name}: expected {expected}, got {shown(word.text)}"
    notes.wrong(word.where, what, "write a number that the platform takes")


def _setting(name: str, word: _Word, value: Decimal, form: str) -> Setting:
    slot = Slot(path=word.where.path, start=word.start, end=word.end, form=form)
    return Setting(name=name, value=value, where=word.where, slot=slot)


def _units(section: _Section) -> Iterable[Unit]:
    """Servers with the same settings are checked alike: one check stands for them."""
    alike: dict[tuple[object, ...], list[_Server]] = {}
    for server in section.servers:
        key = (
            server.check,
            server.port,
            *((n, s.value) for n, s in sorted(server.settings.items())),
        )
        alike.setdefault(key, []).append(server)
    for servers in alike.values():
        first = servers[0]
        name = f"{section.name} server {first.name}"
        if len(servers) > 1:
            name += f" and {len(servers) - 1} more"
        declared: frozenset[Kind] = frozenset({"lb"}) if first.check else frozenset()
        # What is not set is inserted where it reaches all of them.
        end = section.defaults_end or (first.end if len(servers) == 1 else 0)
        checks = (_check(section, replace(first, end=end), name),) if first.check else ()
        yield Unit(
            platform="haproxy",
            name=name,
            where=first.where,
            checks=checks,
            declared=declared,
            serves=True,
        )


def _check(section: _Section, server: _Server, name: str) -> HealthCheck:
    given = section.settings | server.settings
    inter = given.get("inter") or _implicit(server, "inter", "2", "s")
    timeout = given.get("timeout check") or replace(
        inter, name="timeout check", explicit=False, slot=None, where=server.where
    )
    path = section.path or Target(method="tcp", where=server.where)
    return HealthCheck(
        platform="haproxy",
        kind="lb",
        name=name,
        where=server.where,
        target=replace(path, port=server.port),
        interval=inter,
        timeout=timeout,
        fail=given.get("fall") or _implicit(server, "fall", "3", ""),
        ok=given.get("rise") or _implicit(server, "rise", "2", ""),
        failing=given.get("fastinter"),
        down=given.get("downinter"),
        rising=given.get("fastinter"),
        # check.c: the timer starts anew when a check has ended.
        schedule="gaps",
        traffic_port=server.traffic if server.port else "",
    )


def _implicit(server: _Server, name: str, value: str, suffix: str) -> Setting:
    form = f" {name} {{}}{suffix}"
    slot = None
    if server.end:
        slot = Slot(path=server.where.path, start=server.end, end=server.end, form=form)
    return Setting(name=name, value=Decimal(value), where=server.where, explicit=False, slot=slot)
