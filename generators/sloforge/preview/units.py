"""Numbers -> texts with units, as Grafana writes them.

The rules are those of packages/grafana-data/src/valueFormats: three significant digits unless the
panel says otherwise, a scale that fits the number, and an unknown unit as a plain suffix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

Decimals = int | None
Format = Callable[[float, Decimals], str]

MINUTE, HOUR, DAY, WEEK, YEAR = 60, 3600, 86_400, 604_800, 31_536_000
# Above this a float has no decimals left to round.
_EXACT = 1e21
# Below this JavaScript writes an exponent.
_SMALL = 1e-6
_MOST_DECIMALS = 20


def shown(value: float, unit: str, decimals: Decimals = None) -> str:
    """`shown(0.9991, "percentunit", 2)` is `99.91%`; infinity is `∞`, and NaN is `NaN`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return _format(unit)(value, decimals)


def fixed(value: float, decimals: Decimals) -> str:
    """With so many decimals; without a number of them, three significant digits."""
    if abs(value) >= _EXACT or (decimals is None and 0 < abs(value) < _SMALL):
        return f"{value:.3g}"
    places = _places(value) if decimals is None else min(max(0, decimals), _MOST_DECIMALS)
    # JavaScript rounds half up where Python's format takes the nearest binary fraction.
    scaled = value * 10**places
    rounded = math.floor(scaled + 0.5) / 10**places if abs(scaled) < 2**53 else value
    text = f"{rounded:.{places}f}"
    return text.removeprefix("-") if not float(text) else text


def _places(value: float) -> int:
    if value == 0 or value == math.floor(value):
        return 0
    return max(0, 2 - math.floor(math.log10(abs(value))))


def _format(unit: str) -> Format:
    if unit in _FORMATS:
        return _FORMATS[unit]
    kind, colon, rest = unit.partition(":")
    if colon and kind in _CUSTOM:
        return _CUSTOM[kind](rest)
    return _suffix(f" {unit}" if unit else "")


def _suffix(suffix: str) -> Format:
    return lambda value, decimals: fixed(value, decimals) + suffix


def _prefix(prefix: str) -> Format:
    return lambda value, decimals: prefix + fixed(value, decimals)


def _scaled(base: int, suffixes: Sequence[str], offset: int = 0) -> Format:
    """The largest power of the base that leaves a number of at least 1."""

    def write(value: float, decimals: Decimals) -> str:
        power = _power(value, base)
        power = min(max(power, -offset), len(suffixes) - offset - 1)
        return fixed(value / base**power, decimals) + suffixes[offset + power]

    return write


def _power(value: float, base: int) -> int:
    if value == 0:
        return 0
    power = math.floor(math.log(abs(value), base))
    # The logarithm of an exact power may come out just below it.
    return power + 1 if abs(value) >= float(base) ** (power + 1) else power


def _si(symbol: str, offset: int = 0) -> Format:
    prefixes = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
    return _scaled(1000, [f" {prefix}{symbol}" for prefix in prefixes], 5 + offset)


def _binary(symbol: str, offset: int = 0) -> Format:
    prefixes = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
    return _scaled(1024, [f" {prefix}{symbol}" for prefix in prefixes], offset)


def _decimal_bytes(symbol: str, offset: int = 0) -> Format:
    prefixes = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
    return _scaled(1000, [f" {prefix}{symbol}" for prefix in prefixes], offset)


def _count(symbol: str) -> Format:
    return _scaled(1000, [f"{prefix} {symbol}" for prefix in ("", "K", "M", "B", "T")])


def _ladder(*steps: tuple[float, float, str]) -> Format:
    """The first step whose bound is above the number: bound, divisor, suffix."""

    def write(value: float, decimals: Decimals) -> str:
        found = next((step for step in steps if abs(value) < step[0]), steps[-1])
        return fixed(value / found[1], decimals) + found[2]

    return write


_LONG_TIMES = (
    (HOUR, MINUTE, " min"),
    (DAY, HOUR, " hours"),
    (WEEK, DAY, " days"),
    (YEAR, WEEK, " weeks"),
    (math.inf, 3.15569e7, " years"),
)
_SHORT_TIMES = ((1e-6, 1e-9, " ns"), (1e-3, 1e-6, " µs"), (1, 1e-3, " ms"), (MINUTE, 1, " s"))
_ladder_of_seconds = _ladder(*_SHORT_TIMES, *_LONG_TIMES)


def _seconds(value: float, decimals: Decimals) -> str:
    if value == 0:
        return "0 s"
    text = _ladder_of_seconds(value, decimals)
    number, _, name = text.partition(" ")
    return (
        f"{number} {name.removesuffix('s')}" if number == "1" and len(name) > len("min") else text
    )


def _times(seconds: float, most: str) -> Format:
    """A count of some unit of time: itself below the next one, then as seconds are."""

    def write(value: float, decimals: Decimals) -> str:
        return f"0 {most}" if value == 0 else _seconds(value * seconds, decimals)

    return write


_PARTS = (
    ("year", YEAR),
    ("month", 2_592_000),
    ("week", WEEK),
    ("day", DAY),
    ("hour", HOUR),
    ("minute", MINUTE),
    ("second", 1),
    ("millisecond", 0.001),
)


def _duration(scale: float, name: str) -> Format:
    """`1 week, 2 days`: the first part, and as many more as there are decimals."""

    def write(value: float, decimals: Decimals) -> str:
        if value == 0:
            return f"0 {name}s"
        if value < 0:
            return f"{write(-value, decimals)} ago"
        left, said = value * scale, list[str]()
        for part, seconds in _PARTS:
            whole = math.floor(left / seconds + 1e-9)
            if not said and not whole:
                continue
            said.append(f"{whole} {part}{'' if whole == 1 else 's'}")
            left -= whole * seconds
            if len(said) > (decimals or 0):
                break
        return ", ".join(said) or f"0 {name}s"

    return write


def _clock(value: float, _: Decimals) -> str:
    seconds = abs(math.floor(value))
    sign = "-" if value < 0 else ""
    return f"{sign}{seconds // HOUR:02}:{seconds % HOUR // MINUTE:02}:{seconds % MINUTE:02}"


def _days_and_clock(value: float, decimals: Decimals) -> str:
    days, rest = divmod(abs(value), DAY)
    sign = "-" if value < 0 else ""
    return f"{sign}{int(days)} d {_clock(rest, decimals)}"


def _words(no: str, yes: str) -> Format:
    return lambda value, _: yes if value else no


def _date(pattern: str) -> Format:
    """A point in time, in milliseconds since 1970; in UTC, and said so."""

    def write(value: float, _: Decimals) -> str:
        try:
            return f"{datetime.fromtimestamp(value / 1000, UTC):{pattern}} UTC"
        except (OverflowError, ValueError, OSError):
            return fixed(value, 0)

    return write


def _scientific(value: float, decimals: Decimals) -> str:
    text = f"{value:.{decimals}e}" if decimals is not None else f"{value:e}"
    digits, _, power = text.partition("e")
    digits = digits if decimals is not None or "." not in digits else digits.rstrip("0").rstrip(".")
    return f"{digits}e{'-' if power.startswith('-') else '+'}{power.lstrip('+-0') or '0'}"


def _percent_unit(value: float, decimals: Decimals) -> str:
    return fixed(value * 100, decimals) + "%"


_SHORT = ("", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept")
_FORMATS: Mapping[str, Format] = {
    "none": _suffix(""),
    "": _suffix(""),
    "string": _suffix(""),
    "short": _scaled(1000, _SHORT),
    "sishort": _si(""),
    "percent": _suffix("%"),
    "percentunit": _percent_unit,
    "humidity": _suffix(" %H"),
    "dB": _suffix(" dB"),
    "sci": _scientific,
    "locale": lambda value, decimals: (
        f"{value:,.{_places(value) if decimals is None else decimals}f}"
    ),
    "pixel": _suffix(" px"),
    "hex": lambda value, _: f"{round(value):X}",
    "hex0x": lambda value, _: f"0x{round(value):X}",
    "bool": _words("False", "True"),
    "bool_yes_no": _words("No", "Yes"),
    "bool_on_off": _words("Off", "On"),
    "ns": _times(1e-9, "ns"),
    "µs": _times(1e-6, "µs"),
    "ms": _times(1e-3, "ms"),
    "s": _seconds,
    "m": _times(MINUTE, "min"),
    "h": _times(HOUR, "hours"),
    "d": _times(DAY, "days"),
    "dtdurations": _duration(1, "second"),
    "dtdurationms": _duration(0.001, "millisecond"),
    "dthms": _clock,
    "dtdhms": _days_and_clock,
    "clocks": _clock,
    "dateTimeAsIso": _date("%Y-%m-%d %H:%M:%S"),
    "dateTimeAsSystem": _date("%Y-%m-%d %H:%M:%S"),
    "bytes": _binary("B"),
    "decbytes": _decimal_bytes("B"),
    "bits": _binary("b"),
    "decbits": _decimal_bytes("b"),
    "Bps": _decimal_bytes("B/s"),
    "binBps": _binary("B/s"),
    "bps": _decimal_bytes("b/s"),
    "binbps": _binary("b/s"),
    "hertz": _si("Hz"),
    "watt": _si("W"),
    "joule": _si("J"),
    "volt": _si("V"),
    "amp": _si("A"),
    "celsius": _suffix(" °C"),
    "fahrenheit": _suffix(" °F"),
    "kelvin": _suffix(" K"),
    "currencyUSD": _prefix("$"),
    "currencyEUR": _prefix("€"),
    "currencyGBP": _prefix("£"),
    **{f"{unit}bytes": _binary("B", at) for at, unit in enumerate("kmgtp", 1)},
    **{f"dec{unit}bytes": _decimal_bytes("B", at) for at, unit in enumerate("kmgtp", 1)},
    **{
        unit: _count(symbol)
        for unit, symbol in (
            ("cps", "c/s"),
            ("ops", "ops/s"),
            ("reqps", "req/s"),
            ("rps", "rd/s"),
            ("wps", "wr/s"),
            ("iops", "io/s"),
            ("eps", "evt/s"),
            ("mps", "msg/s"),
            ("pps", "p/s"),
            ("recps", "rec/s"),
            ("rowsps", "rows/s"),
            ("cpm", "c/m"),
            ("opm", "ops/m"),
            ("reqpm", "req/m"),
            ("rpm", "rd/m"),
            ("wpm", "wr/m"),
        )
    },
}
_CUSTOM: Mapping[str, Callable[[str], Format]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "count": _count,
    "si": _si,
    "currency": _prefix,
    "time": lambda _: _date("%Y-%m-%d %H:%M:%S"),
    "bool": lambda rest: _words(rest.partition("/")[2], rest.partition("/")[0]),
}


def ticks_base(unit: str) -> int:
    """Of which number the steps of an axis are round multiples: 2 for binary units, else 10."""
    return 2 if unit in ("bytes", "bits", "binBps", "binbps") or unit[1:] == "bytes" else 10


def seconds_in(unit: str) -> float:
    """How many seconds one of this unit is; 0 for what is no time."""
    named = {"s": 1, "dtdurations": 1, "dthms": 1, "dtdhms": 1, "clocks": 1, "m": 60, "h": HOUR}
    small = {"ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "dtdurationms": 1e-3, "d": DAY}
    return float((named | small).get(unit, 0))
