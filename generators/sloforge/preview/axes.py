"""The range of an axis and its ticks: round numbers, with as few decimals as they need."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sloforge.preview.units import seconds_in, shown, ticks_base

Ticks = list[tuple[float, str]]
Range = tuple[float, float]
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
            86_400, 172_800, 432_000, 864_000, 1_728_000)  # fmt: skip
MOST_DECIMALS = 6
MOST_POWERS = 5
_NOTHING = 1e-300


def linear(low: float, high: float, unit: str, most: int) -> tuple[Range, Ticks]:
    """A range that holds both ends, and at most so many ticks within it."""
    if low == high:
        low, high = (0.0, 2 * low) if low > 0 else (2 * low, 0.0) if low < 0 else (0.0, 1.0)
    size = _step((high - low) / max(most, 1), unit)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    values = [at * size for at in range(first, last + 1)]
    return (values[0], values[-1]), _named(values, unit)


def fixed(low: float, high: float, unit: str, most: int) -> Ticks:
    """Ticks within ends that are given."""
    if not low < high:
        return []
    size = _step((high - low) / max(most, 1), unit)
    first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
    return _named([at * size for at in range(first, last + 1)], unit)


def logarithmic(low: float, high: float, base: int, unit: str) -> tuple[Range, Ticks]:
    """Powers of the base around both ends, which are above 0."""
    first = math.floor(math.log(low, base) + 1e-9)
    last = math.ceil(math.log(high, base) - 1e-9)
    last = last if last > first else first + 1
    every = -(-(last - first) // MOST_POWERS)
    powers = range(first, last + 1, every)
    return (float(base) ** first, float(base) ** last), [
        (value, _short(value, unit)) for value in (float(base) ** power for power in powers)
    ]


def _step(least: float, unit: str) -> float:
    if (seconds := seconds_in(unit)) and least * seconds >= 1:
        wanted = least * seconds
        return next((size for size in _SECONDS if size >= wanted), _round(wanted, 10)) / seconds
    return _round(least, ticks_base(unit))


def _round(least: float, base: int) -> float:
    """The smallest round number that is not below this one."""
    if base != 10:  # noqa: PLR2004 - of decimal units
        return float(base) ** math.ceil(math.log(least, base) - 1e-9)
    power = 10.0 ** math.floor(math.log10(least) + 1e-9)
    return next(size for size in _ROUND if size * power >= least * (1 - 1e-9)) * power


def _named(values: Iterable[float], unit: str) -> Ticks:
    found = [0.0 if abs(value) < _NOTHING else value for value in values]
    places = max((_places(value, unit) for value in found), default=0)
    return [
        (value, _plain(shown(value, unit, places)) if value else _zero(unit)) for value in found
    ]


def _zero(unit: str) -> str:
    return shown(0.0, unit, 0)


def _places(value: float, unit: str) -> int:
    """How many decimals say the number as well as any more would."""
    best = _number(shown(value, unit, MOST_DECIMALS))
    for places in range(MOST_DECIMALS):
        if _number(shown(value, unit, places)) == best:
            return places
    return MOST_DECIMALS


def _number(text: str) -> str:
    digits, _, rest = text.partition(" ")
    digits, percent = digits.removesuffix("%"), digits.endswith("%")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits}{percent}{rest}"


def _plain(text: str) -> str:
    """`1.50 K` as `1.5 K`: a tick needs no zeros at its end."""
    digits, blank, rest = text.partition(" ")
    percent = "%" * digits.endswith("%")
    digits = digits.removesuffix("%")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    if digits == "1" and rest in ("hours", "days", "weeks", "years"):
        rest = rest.removesuffix("s")
    return f"{digits}{percent}{blank}{rest}"


def _short(value: float, unit: str) -> str:
    return _plain(shown(value, unit, min(_places(value, unit), MOST_DECIMALS)))
