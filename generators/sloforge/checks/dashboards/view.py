"""A dashboard's JSON as the rules look at it: panels, queries, variables, findings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import promql_parser as parser

from sloforge.errors import Finding, Location
from sloforge.specs import expressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.errors import Severity

Json = dict[str, Any]

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
# A range that follows the view can be as long as the view: 30 days stand for it.
_VIEW = re.compile(r"\[\s*\$(?:__range\b|\{__range\})")
_RANGE = re.compile(r"([\[:]\s*)\$(?:\w+|\{[^}]+\})")
_ANY = re.compile(r"\$(?:\w+|\{[^}]+\})")
NAME = re.compile(r"\$(?:(\w+)|\{(\w+)[^}]*\})")


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel, or of an annotation."""

    where: str
    ref: str
    expr: str
    data: Json

    @property
    def tree(self) -> Any:
        """Its syntax tree. Raises `expressions.Unparsable`."""
        return expressions.parse(parsable(self.expr))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a rule is given: the board, its file, and the series that something provides."""

    path: str
    board: Json
    known: frozenset[str]

    @property
    def groups(self) -> Iterator[list[Json]]:
        """Panels that share a grid: those of the board, and those inside each collapsed row."""
        top = list(self.board.get("panels") or ())
        yield top
        yield from (list(row["panels"]) for row in top if row.get("panels"))

    @property
    def panels(self) -> Iterator[Json]:
        """Every panel, rows excepted."""
        yield from (p for group in self.groups for p in group if p.get("type") != "row")

    @property
    def variables(self) -> list[Json]:
        return list(self.board.get("templating", {}).get("list") or ())

    @property
    def marks(self) -> list[Json]:
        return list(self.board.get("annotations", {}).get("list") or ())

    @property
    def queries(self) -> Iterator[Query]:
        """Those of panels, then those of annotations."""
        for panel in self.panels:
            for target in panel.get("targets") or ():
                ref = str(target.get("refId", ""))
                yield Query(named(panel), ref, str(target.get("expr", "")), target)
        for mark in self.marks:
            if mark.get("expr"):
                yield Query(f"annotation `{mark.get('name')}`", "", str(mark["expr"]), mark)

    @property
    def parsed(self) -> Iterator[tuple[Query, Any]]:
        """The queries that parse; D008 has the others."""
        for query in self.queries:
            try:
                yield query, query.tree
            except expressions.Unparsable:
                continue

    def wrong(self, id_: str, what: str, remedy: str, *, severity: Severity = "error") -> Finding:
        where = Location(self.path)
        return Finding(id=id_, where=where, what=what, remedy=remedy, severity=severity)


def named(panel: Json) -> str:
    """How a message speaks of a panel."""
    return f"panel `{panel.get('title') or panel.get('id')}`"


def about(query: Query) -> str:
    return f"{query.where}: query {query.ref}" if query.ref else query.where


def parsable(expr: str) -> str:
    """PromQL with something of its kind for each of Grafana's variables; strings stay."""
    found, end = [], 0
    for string in _STRING.finditer(expr):
        found += [_replaced(expr[end : string.start()]), string[0]]
        end = string.end()
    return "".join((*found, _replaced(expr[end:])))


def _replaced(text: str) -> str:
    return _ANY.sub("300", _RANGE.sub(r"\g<1>5m", _VIEW.sub("[30d", text)))


def selectors(tree: Any) -> Iterator[Any]:
    """Every vector selector that has a name."""
    for part in expressions.walk(tree):
        if isinstance(part, parser.VectorSelector) and part.name:
            yield part


def is_counter(name: str) -> bool:
    """By its suffix; a recorded series, with a colon in its name, is none."""
    return ":" not in name and name.endswith(("_total", "_count", "_sum", "_bucket"))
