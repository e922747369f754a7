"""Shares, durations and tables as people read them in a runbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from sloforge.promql import number

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_DIGITS = 4


def rounded(value: Decimal) -> str:
    """Plain digits, of which at most four count."""
    if not value:
        return "0"
    step = Decimal(1).scaleb(value.adjusted() - _DIGITS + 1)
    return number(
        value.quantize(step) if value.adjusted() < _DIGITS else value.quantize(Decimal(1))
    )


def percent(share: Decimal) -> str:
    """A share of 0.072 is `7.2 %`."""
    return f"{rounded(share * 100)} %"


def span(value: timedelta) -> str:
    """The two largest units, cut off and not rounded: `4m 19s`, `2d 2h`."""
    rest = value // timedelta(seconds=1)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "0s"


def quantity(value: Decimal, unit: str) -> str:
    """Seconds below one as ms or µs, all else as it is: `500 ms`."""
    if unit != "s" or value >= 1 or not value:
        return f"{rounded(value)} {unit}".rstrip()
    small = "ms" if value >= Decimal("0.001") else "µs"
    return f"{rounded(value * (1_000 if small == 'ms' else 1_000_000))} {small}"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def code(text: str) -> str:
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines
    )
