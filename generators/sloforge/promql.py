"""The little PromQL that is written here: durations, numbers, matchers, selectors."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from math import comb
from typing import Literal

Operator = Literal["=", "!=", "=~", "!~"]

# Prometheus' own units (model.ParseDuration); a year is 365 days there.
_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}
_UNITS |= {"s": 1_000, "ms": 1}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:ms|[ywdhms]))+")
_PART = re.compile(r"([0-9]+)(ms|[ywdhms])")

WINDOW = "$window"


def parse_duration(text: str) -> timedelta:
    """`30d`, `6h`, `1h30m`. Raises ValueError for anything else, and for zero."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"expected a duration such as 30d, 6h or 5m, got `{text}`")
    total = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    if not 0 < total <= _UNITS["y"] * 100:
        raise ValueError(f"expected a duration above zero and below 100 years, got `{text}`")
    return timedelta(milliseconds=total)


def duration(value: timedelta) -> str:
    """The shortest spelling with one unit, days being the largest: 1h30m is `90m`."""
    millis = value // timedelta(milliseconds=1)
    for unit in ("d", "h", "m", "s"):
        if millis % _UNITS[unit] == 0:
            return f"{millis // _UNITS[unit]}{unit}"
    return f"{millis}ms"


def seconds(value: timedelta) -> Decimal:
    """Seconds, exactly."""
    return Decimal(value // timedelta(microseconds=1)) / 1_000_000


def number(value: Decimal | int) -> str:
    """Plain digits: 0.001, never 1E-3 and never 0.0009999999999999432."""
    text = format(Decimal(value).normalize(), "f")
    return "0" if text == "-0" else text


def quote(text: str) -> str:
    """A PromQL string literal."""
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher of a selector."""

    label: str
    op: Operator
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.op}{quote(self.value)}"

    def matches(self, value: str) -> bool:
        """Whether a label value (empty: no such label) passes; regular expressions are anchored.

        Raises re.error where Python cannot tell what Prometheus' RE2 would say.
        """
        match self.op:
            case "=":
                return value == self.value
            case "!=":
                return value != self.value
            case "=~":
                return _fullmatch(self.value, value)
            case "!~":
                return not _fullmatch(self.value, value)


# What RE2 has and Python has not, or reads in another way.
_ONLY_RE2 = re.compile(r"\[\[:|\\[pPQEzC]|\(\?[a-zA-Z]*U")
_REPEAT = re.compile(r"(?<!\\)[*+{]")
_NESTED = re.compile(r"\)[*+{]")
# Python tries every split of a text on the repetitions, RE2 does not: texts are kept so short that
# even an expression made to be slow is done in a moment.
_STEPS, _NESTED_LIMIT, _LONGEST = 10_000_000, 20, 2_000


def _fullmatch(pattern: str, value: str) -> bool:
    if _ONLY_RE2.search(pattern):
        raise re.error("not an expression of Python's", pattern)
    if len(value) > _limit(pattern):
        raise re.error("too long a text to be tried", pattern)
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _limit(pattern: str) -> int:
    if _NESTED.search(pattern):
        return _NESTED_LIMIT
    repeats = len(_REPEAT.findall(pattern))
    lengths = range(1, _LONGEST)
    return next((n for n in lengths if comb(n + repeats, repeats) > _STEPS), _LONGEST)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(pattern, re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Selector:
    """A counter, gauge or histogram by name and matchers, without a range."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"{{{','.join(map(str, self.matchers))}}}" if self.matchers else "")

    def rate(self, window: timedelta) -> str:
        """Per-second increase over the window."""
        return f"rate({self}[{duration(window)}])"

    def with_suffix(self, suffix: str, *matchers: Matcher) -> Selector:
        """The same matchers on another series of the family: `_count`, `_bucket`."""
        return Selector(self.name + suffix, self.matchers + matchers)

    def on_job(self, job: str | None) -> Selector:
        """Pinned to one scrape job, unless it already says which."""
        if job is None or any(matcher.label == "job" for matcher in self.matchers):
            return self
        return Selector(self.name, (Matcher("job", "=", job), *self.matchers))

    def family(self) -> Selector:
        """Only what says where it is scraped: a series born with its first request is not gone."""
        return Selector(self.name, tuple(m for m in self.matchers if m.label == "job"))

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels is selected; the name is not compared."""
        return all(matcher.matches(labels.get(matcher.label, "")) for matcher in self.matchers)


@dataclass(frozen=True, slots=True)
class Expression:
    """Any PromQL; `$window` stands for the range."""

    text: str

    def __str__(self) -> str:
        return self.text

    def rate(self, window: timedelta) -> str:
        """The expression over one window."""
        return self.text.replace(WINDOW, duration(window))


def shown(source: Selector | Expression) -> str:
    """For people: without the placeholder of the range."""
    return str(source).replace(f"[{WINDOW}]", "[window]").replace(WINDOW, "window")


def selector(name: str, labels: Mapping[str, str]) -> Selector:
    """A selector by equal labels."""
    return Selector(name, tuple(Matcher(key, "=", value) for key, value in labels.items()))


def sum_by(by: Iterable[str], expr: str, aggregation: str = "sum") -> str:
    """`sum by (a, b) (expr)`, and `sum(expr)` without labels."""
    labels = ", ".join(by)
    return f"{aggregation} by ({labels}) ({expr})" if labels else f"{aggregation}({expr})"


# Go's %g writes an exponent outside of these.
_G_FIRST, _G_LAST = -4, 6


def bucket(value: Decimal) -> Matcher:
    """The `le` matcher of one bucket bound in every spelling that is in use.

    Prometheus 3 writes `1` as `1.0` at the scrape, and libraries write small and large bounds with
    an exponent (Go's `%g`: below 1e-4 and from 1e6 on).
    """
    plain = number(value)
    spellings = [re.escape(plain)]
    if "." not in plain:
        spellings = [f"{plain}(\\.0)?"]
    exponent = value.adjusted()
    if not _G_FIRST <= exponent < _G_LAST:
        digits = number(value.scaleb(-exponent))
        sign = "-" if exponent < 0 else "\\+?"
        spellings.append(f"{re.escape(digits)}e{sign}0?{abs(exponent)}")
    if spellings == [re.escape(plain)]:
        return Matcher("le", "=", plain)
    return Matcher("le", "=~", "|".join(spellings))
