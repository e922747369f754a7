"""Expressions that give wrong numbers: fixed ranges, counts for rates, labels summed away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import promql_parser as parser

from sloforge.promql import WINDOW, Expression, Selector, duration
from sloforge.specs import expressions
from sloforge.specs.selectors import constant

_RATES = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv"})
_SETS = frozenset({"and", "unless"})


def mistakes(source: Selector | Expression) -> Iterator[tuple[str, str]]:
    """What and remedy: what a window of another length would not scale with."""
    if isinstance(source, Selector):
        return
    for call in _calls(expressions.parse(source.text.replace(WINDOW, MARK))):
        name, range_ = call.func.name, call.args[0]
        if not isinstance(range_, parser.MatrixSelector):
            continue
        if range_.range != MARKED:
            what = f"`{name}` has a fixed range of {duration(range_.range)}"
            yield what, f"write [{WINDOW}]: it is read over several windows"
        elif name in ("increase", "delta", "idelta"):
            what = f"`{name}` counts events per window, expected events per second"
            yield what, "write `rate`"


def lacks(source: Selector | Expression, label: str) -> bool:
    """Whether no series of the source can have the label; False where that is not certain."""
    if isinstance(source, Selector):
        return constant(source, label)
    return _lacks(expressions.parse(source.text), label)


def same(one: Expression, other: Expression) -> bool:
    """The same syntax tree, whatever the spaces."""
    return _canonical(one) == _canonical(other)


# A range that nobody writes: where it stands in the tree, `$window` stands in the text.
MARK = "123456789ms"
MARKED = expressions.parse(f"rate(x[{MARK}])").args[0].range


def _canonical(expression: Expression) -> str:
    return repr(_shape(expressions.parse(expression.text.replace(WINDOW, MARK))))


def _shape(tree: Any) -> Any:
    """The tree with the matchers of each selector in order and without needless brackets."""
    while isinstance(tree, parser.ParenExpr):
        tree = tree.expr
    if isinstance(tree, parser.VectorSelector):
        matchers = sorted((m.name, str(m.op), m.value) for m in tree.matchers.matchers)
        return ("selector", tree.name, tuple(matchers), str(tree).rpartition("}")[2])
    below = tuple(_shape(child) for child in expressions.children(tree))
    return (type(tree).__name__, _head(tree), below)


def _head(tree: Any) -> tuple[str, ...]:
    """What a part says beside its children."""
    found = [str(getattr(tree, name, None)) for name in ("op", "range", "step", "offset", "val")]
    found.append(tree.func.name if isinstance(tree, parser.Call) else "")
    modifier: Any = getattr(tree, "modifier", None)
    labels = getattr(modifier, "labels", None)
    if labels is not None:
        return (*found, str(modifier.type), *sorted(labels))
    if modifier is not None:
        found += [str(modifier.matching), str(modifier.card), str(modifier.return_bool)]
        found += [str(modifier.group_labels)]
    return tuple(found)


def _calls(tree: Any) -> Iterator[Any]:
    """Calls of rate() and the like, but for those that a subquery over the window samples."""
    if isinstance(tree, parser.SubqueryExpr) and tree.range == MARKED:
        return
    if isinstance(tree, parser.Call) and tree.func.name in _RATES:
        yield tree
    for child in expressions.children(tree):
        yield from _calls(child)


def _lacks(tree: Any, label: str) -> bool:
    if isinstance(tree, parser.ParenExpr | parser.UnaryExpr):
        return _lacks(tree.expr, label)
    if isinstance(tree, parser.AggregateExpr):
        return _summed_away(tree, label)
    if isinstance(tree, parser.BinaryExpr):
        return _joined_away(tree, label)
    if isinstance(tree, parser.Call) and tree.func.name in (*_RATES, "clamp_min", "clamp_max"):
        return _lacks(tree.args[0], label)
    return isinstance(tree, parser.Call) and tree.func.name in ("vector", "scalar")


def _summed_away(tree: Any, label: str) -> bool:
    if str(tree.op) in ("topk", "bottomk"):
        return _lacks(tree.expr, label)
    if str(tree.op) == "count_values":
        return False
    if tree.modifier is None:
        return True
    by = str(tree.modifier.type).endswith("By")
    named = label in tree.modifier.labels
    return (not named or _lacks(tree.expr, label)) if by else (named or _lacks(tree.expr, label))


def _joined_away(tree: Any, label: str) -> bool:
    """Both sides lack it, or the side does whose labels are kept."""
    if label in _grouped(tree):
        return False
    if isinstance(tree.rhs, parser.NumberLiteral) or str(tree.op) in _SETS:
        return _lacks(tree.lhs, label)
    return _lacks(tree.lhs, label) and _lacks(tree.rhs, label)


def _grouped(tree: Any) -> tuple[str, ...]:
    """Labels that `group_left (…)` brings in."""
    return tuple(getattr(tree.modifier, "group_labels", None) or ())
