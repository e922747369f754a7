"""Links of dashboards, panels and cells -> addresses that a browser may follow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from sloforge.preview.filling import Scope, Value, filled, in_address, plain

Json = dict[str, Any]
_SCHEMES = ("http", "https", "mailto")
# `${__data.fields.Service}`, `${__data.fields["Service"]}`, `${__value.text}`.
_CELL = re.compile(
    r"\$\{__(?:data\.fields(?:\.(?P<dot>[^\[\]\"'.:}]+)|\[[\"']?(?P<bracket>[^\"'\]]+)[\"']?\])"
    r"(?:\.(?:text|numeric))?|(?P<value>value\.(?:text|raw|numeric)))(?::\w+)?\}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a link may carry along: the time range as it was asked for, and the variables."""

    first: str
    last: str
    chosen: Sequence[tuple[str, str]]
    scope: Scope

    @property
    def time(self) -> tuple[tuple[str, str], ...]:
        return (("from", self.first), ("to", self.last))


def address(url: str, page: Page, *, time: bool = False, variables: bool = False) -> str:
    """The address with its variables, or nothing where it is no link to a page.

    `time` and `variables` are what Grafana calls keepTime and includeVars.
    """
    own: dict[str, Value] = {
        "__url_time_range": plain(urlencode(page.time)),
        "__all_variables": plain(urlencode(list(page.chosen))),
    }
    made = filled(url, {**page.scope, **own}, _written(own))
    more = [*(page.time if time else ()), *(page.chosen if variables else ())]
    known = {part.partition("=")[0] for part in urlsplit_query(made).split("&")}
    more = [pair for pair in more if pair[0] not in known]
    return safe(_joined(made, more))


def _written(own: Mapping[str, Value]) -> Any:
    raw = {id(value) for value in own.values()}
    return lambda value: value.text if id(value) in raw else in_address(value)


def urlsplit_query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _joined(url: str, more: Sequence[tuple[str, str]]) -> str:
    if not more:
        return url
    base, hash_, anchor = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}{urlencode(more)}{hash_}{anchor}"


def safe(url: str) -> str:
    """The address if it leads to a page; `javascript:` and the like lead nowhere."""
    text = url.strip()
    if any(ord(char) < ord(" ") for char in text) or "\\" in text:
        return ""
    try:
        split = urlsplit(text)
    except ValueError:
        return ""
    if not split.scheme:
        # `//host` would leave this server without a word.
        local = text.startswith(("/", "?", "#")) and not text.startswith("//")
        return text if local else ""
    return text if split.scheme.lower() in _SCHEMES else ""


def of_cell(url: str, fields: Mapping[str, str], text: str) -> str:
    """The address with the row's fields in it, each escaped for an address."""

    def write(found: re.Match[str]) -> str:
        if found["value"]:
            return quote(text, safe="")
        return quote(fields.get(found["dot"] or found["bracket"], ""), safe="")

    return _CELL.sub(write, url)


def title_of_cell(title: str, fields: Mapping[str, str], text: str) -> str:
    """As `of_cell`, for people."""

    def write(found: re.Match[str]) -> str:
        return text if found["value"] else fields.get(found["dot"] or found["bracket"], "")

    return _CELL.sub(write, title)
