"""nginx's configuration -> the passive checks of upstreams, and NGINX Plus' active ones.

https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
https://nginx.org/en/docs/http/ngx_http_upstream_hc_module.html#health_check
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import HealthCheck, Setting, Slot, Target, Unit
from sloforge.health.lint.sources import MAX_NODES, Source
from sloforge.located.tree import Malformed, place
from sloforge.located.words import shown

_TOKEN = re.compile(
    r'\s+|#[^\n]*|(?P<mark>[{};])|(?P<word>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
    r'|(?:\$\{[^}]*\}|\\.|[^\s{};"\'\\#])(?:\$\{[^}]*\}|\\.|[^\s{};"\'\\])*)'
)
_TIME = re.compile(r"(?:([0-9]{1,9})(ms|[smhd])?)")
_SCALES = {"ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400"}
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directive:
    """One directive with the blocks around it, outermost first; `end` is behind its last word."""

    blocks: tuple[str, ...]
    words: tuple[tuple[str, int], ...]
    end: int

    @property
    def name(self) -> str:
        return self.words[0][0]


def read(source: Source, notes: Notes) -> Found:
    """Raises Malformed where braces and semicolons do not add up."""
    units = []
    every = tuple(_directives(source))
    for one in every:
        inside = one.blocks[-1] if one.blocks else ""
        if one.name == "server" and inside.startswith("upstream ") and len(one.words) > 1:
            units += _unit(_passive(source, one, inside, notes), inside)
        elif one.name == "health_check":
            units += _unit(_active(source, one, every, notes), inside)
    return Found(units=tuple(units))


def _unit(check: HealthCheck | None, name: str) -> list[Unit]:
    if check is None:
        return []
    return [
        Unit(
            platform="nginx",
            name=name,
            where=check.where,
            checks=(check,),
            declared=frozenset({"lb"}),
        )
    ]


def _directives(source: Source) -> Iterator[_Directive]:
    blocks: list[str] = []
    words: list[tuple[str, int]] = []
    at, count, text = 0, 0, source.text
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Malformed(
                place(source.path, text, at), "not valid nginx syntax: a text has no end"
            )
        at = found.end()
        if found["word"]:
            count += 1
            words.append((found["word"].strip("\"'"), found.start()))
        if not found["mark"]:
            continue
        where = place(source.path, text, found.start())
        if count > MAX_NODES:
            raise Malformed(where, f"expected at most {MAX_NODES:,} words, got more")
        _marked(found["mark"], blocks, words, where)
        if found["mark"] == ";" and words:
            last, start = words[-1]
            yield _Directive(blocks=tuple(blocks), words=tuple(words), end=start + len(last))
        words = []
    if blocks or words:
        what = f"not valid nginx syntax: expected `}}` or `;` after {shown((blocks or [''])[-1])}"
        raise Malformed(place(source.path, text, len(text)), what)


def _marked(mark: str, blocks: list[str], words: list[tuple[str, int]], where: Location) -> None:
    if mark == "{":
        blocks.append(" ".join(word for word, _ in words))
        if len(blocks) > _MAX_DEPTH:
            raise Malformed(where, f"expected at most {_MAX_DEPTH} levels of nesting, got more")
    elif mark == "}":
        if not blocks or words:
            raise Malformed(where, "not valid nginx syntax: a `}` too many, or a `;` too few")
        blocks.pop()


class _Options:
    """The `name=value` words of a directive."""

    def __init__(self, source: Source, one: _Directive, notes: Notes) -> None:
        self._source, self._one, self._notes = source, one, notes
        pairs = ((*word.partition("="), start) for word, start in one.words if "=" in word)
        self._found = {name: (value, start + len(name) + 1) for name, _, value, start in pairs}
        self.where = place(source.path, source.text, one.words[0][1])

    def text(self, name: str) -> str:
        return self._found.get(name, ("", 0))[0]

    def setting(self, name: str, default: str, *, time: bool = False) -> Setting:
        path, end, suffix = self._source.path, self._one.end, "s" if time else ""
        if name not in self._found:
            slot = Slot(path=path, start=end, end=end, form=f" {name}={{}}{suffix}")
            value = Decimal(default)
            return Setting(name=name, value=value, where=self.where, explicit=False, slot=slot)
        text, start = self._found[name]
        where = place(path, self._source.text, start)
        slot = Slot(path=path, start=start, end=start + len(text), form="{}" + suffix)
        number = _number(text, time=time)
        if number is None and "$" in text:
            self._notes.unresolved(where, name, text)
        elif number is None:
            expected = "a time such as 10s" if time else "a whole number"
            what = f"{name}: expected {expected}, got {shown(text)}"
            self._notes.wrong(where, what, "write a number that the platform takes")
        return Setting(name=name, value=number or Decimal(0), where=where, slot=slot)


def _number(text: str, *, time: bool) -> Decimal | None:
    found = _TIME.fullmatch(text)
    if found is None or (found[2] and not time):
        return None
    return Decimal(found[1]) * Decimal(_SCALES[found[2] or "s"])


def _passive(source: Source, one: _Directive, block: str, notes: Notes) -> HealthCheck | None:
    """`max_fails` failed requests within `fail_timeout` take the server out for as long."""
    before, options = len(notes.hits), _Options(source, one, notes)
    fail = options.setting("max_fails", "1")
    again = options.setting("fail_timeout", "10", time=True)
    if len(notes.hits) > before or fail.value == 0:  # 0 turns it off
        return None
    return HealthCheck(
        platform="nginx",
        kind="lb",
        name=f"{block} server {one.words[1][0]}",
        where=options.where,
        target=Target(method="other", where=options.where),
        interval=again,
        timeout=again,
        fail=fail,
        ok=Setting(name="successes", value=Decimal(1), where=options.where),
        passive=True,
    )


def _active(
    source: Source, one: _Directive, every: tuple[_Directive, ...], notes: Notes
) -> HealthCheck | None:
    before, options = len(notes.hits), _Options(source, one, notes)
    interval = options.setting("interval", "5", time=True)
    fail, ok = options.setting("fails", "1"), options.setting("passes", "1")
    timeout = _timeout(source, one, every)
    if len(notes.hits) > before:
        return None
    return HealthCheck(
        platform="nginx",
        kind="lb",
        name=f"{one.blocks[-1] if one.blocks else 'http'} health_check",
        where=options.where,
        target=Target(method="http", where=options.where, path=options.text("uri") or "/"),
        interval=interval,
        timeout=timeout,
        fail=fail,
        ok=ok,
    )


def _timeout(source: Source, one: _Directive, every: tuple[_Directive, ...]) -> Setting:
    """proxy_read_timeout of the nearest block around it; 60 s by default."""
    name = "proxy_read_timeout"
    around = [x for x in every if x.name == name and x.blocks == one.blocks[: len(x.blocks)]]
    best = max(around, key=lambda x: len(x.blocks), default=None)
    if best is not None and len(best.words) > 1:
        text, start = best.words[1]
        where, value = place(source.path, source.text, start), _number(text, time=True)
        slot = Slot(path=source.path, start=start, end=start + len(text), form="{}s")
        return Setting(name=name, value=value or Decimal(60), where=where, slot=slot)
    where = place(source.path, source.text, one.words[0][1])
    return Setting(name=name, value=Decimal(60), where=where, explicit=False)
