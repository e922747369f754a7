"""PromQL in specs: parsed, turned into selectors where it is one, refused with a caret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser as parser

from sloforge.located.words import shown
from sloforge.promql import WINDOW, Expression, Matcher, Operator, Selector
from sloforge.specs import caret, tokens
from sloforge.specs.words import Wrong

_OPERATORS: dict[str, Operator] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHILDREN = ("expr", "lhs", "rhs", "vector_selector", "param")
# Behind --enable-feature=promql-experimental-functions, which nobody has to have set.
_EXPERIMENTAL = frozenset(
    {
        *("limitk", "limit_ratio", "info", "mad_over_time", "sort_by_label", "sort_by_label_desc"),
        *("histogram_quantiles", "double_exponential_smoothing", "first_over_time", "start"),
        *("end", "range", "step", "ts_of_first_over_time", "ts_of_last_over_time"),
        *("ts_of_max_over_time", "ts_of_min_over_time"),
    }
)


class Unparsable(Wrong):
    """The message shows the expression with a caret under the place that stops the parser."""


def parse(text: str) -> Any:
    """The syntax tree of an expression, `$window` standing for five minutes. Raises Unparsable."""
    if not text.strip():
        raise Unparsable("expected PromQL, got nothing")
    try:
        tokens.check(text)
        tree = _parsed(tokens.readable(text))
    except tokens.Refused as refused:
        drawn = f"\n{caret.shown(text, refused.at)}" if len(text) <= tokens.MAX_LENGTH else ""
        raise Unparsable(f"{refused}{drawn}", refused.remedy) from None
    except ValueError as error:
        raise Unparsable(_explained(text, str(error))) from None
    for part in walk(tree):
        _supported(part)
    return tree


def generated(text: str) -> Any:
    """The syntax tree of what sloforge wrote itself, which is as long as a service is large."""
    return _parsed(text)


def source(text: str, *, windowed: bool = True) -> Selector | Expression:
    """A selector where the text is one, else an expression, which needs `$window` where `windowed`.

    Raises Wrong, also where the expression has no window or is no vector.
    """
    tree = parse(text)
    if isinstance(tree, parser.VectorSelector):
        return _selector(tree, text)
    found = tokens.windows(text)
    if text.count(WINDOW) > found > 0:
        raise Wrong(f"expected `{WINDOW}` as a range only", "keep it out of quotes and comments")
    if not _is_vector(text):
        raise Wrong(f"expected an instant vector, got {_kind(tree)}")
    if windowed and not found:
        remedy = f"write [{WINDOW}] where the range stands, or give a plain selector"
        raise Wrong(f"expected `{WINDOW}` as the range of the expression, got none", remedy)
    return Expression(tokens.one_line(text))


def selector(text: str) -> Selector:
    """A plain selector. Raises Wrong for any other expression."""
    tree = parse(text)
    if not isinstance(tree, parser.VectorSelector):
        what = f"expected a metric with matchers, got the expression {shown(tokens.one_line(text))}"
        raise Wrong(what)
    return _selector(tree, text)


def selectors(text: str) -> tuple[Selector, ...]:
    """Every series that an expression reads."""
    parts = walk(parse(text))
    return tuple(
        selected(part)
        for part in parts
        if isinstance(part, parser.VectorSelector) and part.name is not None
    )


def walk(tree: Any) -> Iterator[Any]:
    """Every part of a syntax tree."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def children(tree: Any) -> Iterator[Any]:
    """The parts right below."""
    for name in _CHILDREN:
        child = getattr(tree, name, None)
        if isinstance(child, parser.Expr):
            yield child
    yield from getattr(tree, "args", ()) or ()


def _parsed(text: str) -> Any:
    try:
        return parser.parse(text)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    except BaseException as error:
        # A panic of the parser, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("invalid promql query") from None


def _is_vector(text: str) -> bool:
    """The parser checks types: only a vector can be summed."""
    try:
        _parsed(f"sum({tokens.readable(tokens.one_line(text))})")
    except ValueError:
        return False
    return True


def _kind(tree: Any) -> str:
    while isinstance(tree, parser.ParenExpr):
        tree = tree.expr
    ranged = isinstance(tree, parser.MatrixSelector | parser.SubqueryExpr)
    return "a range" if ranged else "a constant"


def _supported(part: Any) -> None:
    """Raises Wrong for what the parser takes and a supported Prometheus may not."""
    if isinstance(part, parser.VectorSelector):
        if part.matchers.or_matchers:
            raise Wrong("expected matchers between commas, got `or`", 'write a=~"x|y"')
        names = [m.name for m in part.matchers.matchers if m.name != "__name__"]
        for name in names:
            if not _LABEL.fullmatch(name):
                raise Wrong(f"expected a label of letters, digits and underscores, got `{name}`")
        if part.name is not None and not _METRIC.fullmatch(part.name):
            raise Wrong(f"expected a metric of letters, digits, `_` and `:`, got `{part.name}`")
    name = part.func.name if isinstance(part, parser.Call) else ""
    name = str(part.op) if isinstance(part, parser.AggregateExpr) else name
    if name in _EXPERIMENTAL:
        raise Wrong(f"`{name}` is an experimental function of Prometheus", "write it without")


def _selector(tree: Any, text: str) -> Selector:
    if tree.offset is not None or tree.at is not None:
        raise Wrong("expected a selector without `offset` and `@`")
    named = [m for m in tree.matchers.matchers if m.name == "__name__"]
    if tree.name is None or named:
        got = shown(tokens.one_line(text))
        raise Wrong(f"expected a metric name, got {got}", "write metric{...}")
    return selected(tree)


def selected(tree: Any) -> Selector:
    """The selector of a part of a syntax tree."""
    matchers = tuple(
        Matcher(m.name, _OPERATORS[str(m.op).rsplit(".", maxsplit=1)[-1]], m.value)
        for m in tree.matchers.matchers
    )
    return Selector(tree.name, matchers)


def _explained(text: str, reason: str) -> str:
    at = caret.place(tokens.same_length(text), reason, _parses)
    words = {"invalid promql query": "unexpected from here on"}.get(reason, reason)
    return f"cannot be parsed: {words}\n{caret.shown(text, at)}"


def _parses(text: str) -> bool:
    try:
        _parsed(text)
    except ValueError:
        return False
    return True
