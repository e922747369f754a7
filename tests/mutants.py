"""Small mistakes in a rule, one at a time: what a slip of a hand in a generator would do."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

RANGE = re.compile(r"\[(\d+)([smhd])(:\d+[smhd])?\]")
BOUND = re.compile(r"(>|>=|<|<=) (bool )?(-?\d+(?:\.\d+)?)")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"[^"]*",?')
ZERO_FILL = re.compile(
    r" or 0 \* [a-z_]+(?: by \([^)]*\) )?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
)
SWAPS = (
    ("sum_over_time(", "max_over_time("),
    ("count_over_time(", "sum_over_time("),
    ("last_over_time(", "min_over_time("),
    ("sum(", "avg("),
    ("max(", "min("),
    ("rate(", "increase("),
    ("1 - ", ""),
    ("and on", "or on"),
    ("unless on", "or on"),
    (" + ", " - "),
)


@dataclass(frozen=True)
class Mutant:
    """One rule with one mistake; `at` is its place in its file's groups."""

    name: str
    at: tuple[int, int]
    rule: dict[str, Any]


def mutants(groups: list[dict[str, Any]], wanted: str) -> Iterator[Mutant]:
    """Every mistake in every rule of the groups whose name begins with `wanted`."""
    for g, group in enumerate(groups):
        if not group["name"].startswith(wanted):
            continue
        for r, rule in enumerate(group["rules"]):
            seen = {rule["expr"]}
            name = rule.get("record") or rule["alert"]
            for what, expr in _expressions(rule["expr"]):
                if expr not in seen:
                    seen.add(expr)
                    yield Mutant(f"{name}: {what}", (g, r), {**rule, "expr": expr})
            for what, changed in _fields(rule):
                yield Mutant(f"{name}: {what}", (g, r), changed)


def _expressions(expr: str) -> Iterator[tuple[str, str]]:
    yield from _ranges(expr)
    yield from _bounds(expr)
    for found in MATCHER.finditer(expr):
        yield f"{found[0].rstrip(',')} dropped at {found.start()}", _put(expr, found, "")
    for found in ZERO_FILL.finditer(expr):
        yield f"zero fill dropped at {found.start()}", _put(expr, found, "")
    yield from _swaps(expr)
    yield from _conditions(expr)
    if expr.startswith("vector("):
        yield "constant changed", expr.replace("vector(", "vector(0.5 * ")


def _ranges(expr: str) -> Iterator[tuple[str, str]]:
    for found in RANGE.finditer(expr):
        for factor, word in ((2, "twice"), (0.5, "half")):
            count = int(int(found[1]) * factor)
            over = f"[{count}{found[2]}{found[3] or ''}]" if count else "[1s]"
            yield f"{found[0]} {word} at {found.start()}", _put(expr, found, over)


def _bounds(expr: str) -> Iterator[tuple[str, str]]:
    for found in BOUND.finditer(expr):
        operator, mode, value = found[1], found[2] or "", found[3]
        turned = {">": "<", ">=": "<", "<": ">", "<=": ">"}[operator]
        yield f"{found[0]} turned at {found.start()}", _put(expr, found, f"{turned} {mode}{value}")
        if not float(value):
            yield f"{found[0]} dropped at {found.start()}", _put(expr, found, "")
            continue
        for factor in (0.5, 2):
            other = f"{operator} {mode}{float(value) * factor:.9g}"
            yield f"{found[0]} x {factor} at {found.start()}", _put(expr, found, other)


def _swaps(expr: str) -> Iterator[tuple[str, str]]:
    for old, new in SWAPS:
        start = r"(?<![\w])" if old[0].isalnum() else ""
        for found in re.finditer(start + re.escape(old), expr):
            what = f"{old.strip()} -> {new.strip() or 'nothing'} at {found.start()}"
            yield what, _put(expr, found, new)


def _conditions(expr: str) -> Iterator[tuple[str, str]]:
    """Each of the conditions that an alert joins, left out."""
    joint = re.search(r"\nand on \([^)]*\)\n", expr)
    if joint is None:
        return
    conditions = expr.split(joint[0])
    for at in range(len(conditions)):
        kept = [one for other, one in enumerate(conditions) if other != at]
        yield f"condition {at + 1} dropped", joint[0].join(kept)


def _put(expr: str, found: re.Match[str], new: str) -> str:
    return expr[: found.start()] + new + expr[found.end() :]


def _fields(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for label in rule.get("labels", {}):
        changed = copy.deepcopy(rule)
        changed["labels"][label] = "changed"
        yield f"label {label} changed", changed
    if "for" in rule:
        changed = copy.deepcopy(rule)
        changed["for"] = "3h"
        yield "for lengthened", changed
