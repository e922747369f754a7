"""Queries of other tools -> ours: their word for the window, and the selector that a rate is of."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import promql_parser as parser

from sloforge.promql import WINDOW, Matcher, Selector, bucket, number
from sloforge.specs import expressions, tokens
from sloforge.specs.vectors import MARK, MARKED
from sloforge.specs.words import Wrong

_COUNTED = ("rate", "increase")
_BOUND = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Share:
    """Good or bad events by selector, out of all."""

    part: Selector
    total: Selector
    part_is_bad: bool


def windowed(text: str) -> str:
    """`{{.window}}` as `$window`."""
    return tokens.TEMPLATE.sub(WINDOW, text)


def source(text: str, *, counter: bool = False) -> str:
    """The selector where the text is its summed rate, else the text in one line.

    A `counter` is cumulative: it stands for its rate, with or without a sum around it.
    """
    text = windowed(text)
    tree = _tree(text)
    found = selector(tree) if tree is not None else None
    if found is None and counter and tree is not None:
        found = _summed(tree)
    return tokens.one_line(text) if found is None else str(found)


def share(text: str) -> Share | None:
    """`bad / total` and `1 - good / total` where all of them are selectors' rates."""
    tree = _bare(_tree(windowed(text)))
    if _is(tree, "-") and _number(tree.lhs) == 1:
        found = share_of(_bare(tree.rhs))
        return None if found is None else replace(found, part_is_bad=not found.part_is_bad)
    return share_of(tree)


def share_of(tree: Any) -> Share | None:
    """The same of a division alone."""
    if not _is(tree, "/"):
        return None
    total = selector(tree.rhs)
    return None if total is None else _part(tree.lhs, total)


def bad_of(bad: str, total: Selector) -> Share | None:
    """Bad events by selector, or as the total without the good ones."""
    return _part(_tree(windowed(bad)), total)


def latency(found: Share) -> tuple[str, Decimal] | None:
    """Histogram and threshold where the good events are one of its buckets."""
    good, total = found.part, found.total
    if found.part_is_bad or not total.name.endswith("_count"):
        return None
    base = total.name.removesuffix("_count")
    bounds = [_bound(m) for m in good.matchers if m.label == "le"]
    rest = [m for m in good.matchers if m.label != "le"]
    if good.name != f"{base}_bucket" or sorted(map(str, rest)) != sorted(map(str, total.matchers)):
        return None
    if len(bounds) != 1 or bounds[0] is None:
        return None
    return str(Selector(base, total.matchers)), bounds[0]


def _bound(matcher: Matcher) -> Decimal | None:
    """The bound of a bucket, also where it is matched in each of its spellings."""
    text = re.sub(r"[(|].*|\\", "", matcher.value) if matcher.op == "=~" else matcher.value
    if not _BOUND.fullmatch(text) or matcher.op not in ("=", "=~"):
        return None
    found = Decimal(number(Decimal(text)))
    return found if matcher.op == "=" or matcher == bucket(found) else None


def selector(tree: Any) -> Selector | None:
    """`x` of `sum(rate(x[$window]))`; a `> 0` behind it is what every total has here."""
    tree = _bare(tree)
    if _is(tree, ">") and _number(tree.rhs) == 0:
        tree = _bare(tree.lhs)
    if not isinstance(tree, parser.AggregateExpr) or str(tree.op) != "sum" or tree.modifier:
        return None
    call = _bare(tree.expr)
    if not isinstance(call, parser.Call) or call.func.name not in _COUNTED:
        return None
    ranged = call.args[0]
    if not isinstance(ranged, parser.MatrixSelector) or ranged.range != MARKED:
        return None
    return _plain(ranged.vector_selector)


def _part(tree: Any, total: Selector) -> Share | None:
    tree = _bare(tree)
    if _is(tree, "-") and selector(tree.lhs) == total:
        good = selector(tree.rhs)
        return None if good is None else Share(good, total, part_is_bad=False)
    bad = selector(tree)
    return None if bad is None else Share(bad, total, part_is_bad=True)


def _summed(tree: Any) -> Selector | None:
    tree = _bare(tree)
    if isinstance(tree, parser.AggregateExpr) and str(tree.op) == "sum" and not tree.modifier:
        tree = _bare(tree.expr)
    return _plain(tree) if isinstance(tree, parser.VectorSelector) else None


def _plain(found: Any) -> Selector | None:
    if found.name is None or found.offset is not None or found.at is not None:
        return None
    return expressions.selected(found)


def _tree(text: str) -> Any:
    """None where it is no PromQL: the mistake is found again, with its place, by our own reader."""
    try:
        return expressions.parse(text.replace(f"[{WINDOW}", f"[{MARK}"))
    except Wrong:
        return None


def _bare(tree: Any) -> Any:
    while isinstance(tree, parser.ParenExpr):
        tree = tree.expr
    return tree


def _is(tree: Any, operator: str) -> bool:
    """Whether it is this operation between series that need no `on` or `ignoring`."""
    if not isinstance(tree, parser.BinaryExpr) or str(tree.op) != operator:
        return False
    modifier: Any = tree.modifier
    return modifier is None or (modifier.matching is None and not modifier.return_bool)


def _number(tree: Any) -> float | None:
    tree = _bare(tree)
    return tree.val if isinstance(tree, parser.NumberLiteral) else None
