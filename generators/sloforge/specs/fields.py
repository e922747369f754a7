"""The types of single values in a spec: how each is read, and what an editor is told about it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema

from sloforge.located.words import shown
from sloforge.promql import Expression, Selector, duration, number, parse_duration
from sloforge.specs import expressions
from sloforge.specs.words import Wrong

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LABEL_PATTERN = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
RUNBOOK_PATTERN = r"^([-a-z0-9]|\{burn\}|\{slo\})+$"
SLOTH_PATTERN = r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
PERCENTILE_PATTERN = r"^p[1-9][0-9]?(\.[0-9]+)?$"
JOB_PATTERN = r"""^[^{}"'`\\\x00-\x1f]+$"""
URL_PATTERN = r'^(https?://|/)[^\s{}"<>]*$|^$'
BASE_PATTERN = r'^[^\s{}"<>]*$'
FINDING_PATTERN = r"^[A-Z]{1,8}[0-9]{3}$"
DURATION_PATTERN = r"^([0-9]+(ms|[smhdwy]))+$"
PROGRAM_PATTERN = r"^(slos|mixins)/.+\.jsonnet$"
PATTERNS = {
    NAME_PATTERN: "a name of lower-case letters, digits and inner hyphens",
    LABEL_PATTERN: "a label name (letters, digits and underscores, no digit first)",
    SLOTH_PATTERN: "a name of letters, digits and inner hyphens, underscores and dots",
    PERCENTILE_PATTERN: "a percentile such as p50 or p99.9",
    JOB_PATTERN: "a job's name without quotes, braces and backslashes",
    URL_PATTERN: "an address such as https://example.org/logs",
    RUNBOOK_PATTERN: "lower-case letters, digits, hyphens, {burn} and {slo}",
    FINDING_PATTERN: "a finding such as D004",
    PROGRAM_PATTERN: "a file such as slos/shop.jsonnet or mixins/kubernetes.jsonnet",
    BASE_PATTERN: "an address without spaces, quotes and braces",
}
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(us|µs|ms|s|m|h)")
_SCALE = {"us": "0.000001", "µs": "0.000001", "ms": "0.001", "s": "1", "m": "60", "h": "3600"}
_PERCENT = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?\s*%?")
TO_BE_DECIDED = "tbd"
# Prometheus computes with 64-bit floats: 15 digits, and nothing here is that large or that small.
_LARGEST, _SMALLEST = Decimal("1e15"), Decimal("1e-9")
_DIGITS = 15


def _promql(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f"expected PromQL, got {shown(value)}")
    return value


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise Wrong(f"expected a duration such as 30d, 6h or 5m, got {shown(value)}")
    return parse_duration(value)


def _days(value: Any) -> timedelta:
    found = _duration(value)
    days = found / timedelta(days=1)
    if not days.is_integer() or not 1 <= days <= 400:  # noqa: PLR2004 - the spec's own bounds
        raise Wrong(f"expected a whole number of days from 1d to 400d, got {shown(value)}")
    return found


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(f"expected a number, got {shown(value)}")
    found = Decimal(value)
    if found and not _SMALLEST <= abs(found) <= _LARGEST:
        raise Wrong(f"expected a number between 1e-9 and 1e15, got {shown(value)}")
    if len(found.normalize().as_tuple().digits) > _DIGITS:
        raise Wrong(f"expected at most {_DIGITS} digits, got {shown(value)}")
    return found


def _objective(value: Any) -> Decimal | None:
    """A ratio from percent; None for `tbd`."""
    if value == TO_BE_DECIDED:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        like = _PERCENT.fullmatch(value) if isinstance(value, str) else None
        remedy = f"write {like[1]}{'.' * bool(like[2])}{like[2] or ''}" if like else ""
        raise Wrong(f"expected a percentage such as 99.9, or tbd, got {shown(value)}", remedy)
    if not 0 < value < 100:  # noqa: PLR2004 - percent
        remedy = "a perfect objective leaves no budget to burn" if value >= 100 else ""  # noqa: PLR2004
        raise Wrong(f"must be above 0 and below 100, got {shown(value)}", remedy)
    if value < 1:
        meant = _number(value) * 100
        remedy = f"it is a percentage: write {number(meant)}" if meant > 50 else ""  # noqa: PLR2004
        raise Wrong(f"expected at least 1 percent, got {shown(value)}", remedy)
    return _number(value) / 100


def _quantile(value: Any) -> Decimal:
    found = _number(value)
    if not 0 < found < 1:
        likely = found / 100 if 1 < found < 100 else Decimal("0.95")  # noqa: PLR2004 - percent
        raise Wrong(f"must be above 0 and below 1, got {shown(value)}", f"write {likely}")
    return found


def _bound(value: Any) -> Decimal:
    """A number in the histogram's unit, or a time, which is turned into seconds."""
    if isinstance(value, str):
        match = _TIME.fullmatch(value)
        if not match:
            raise Wrong(f"expected a number, or a time such as 500ms, got {shown(value)}")
        return _number(Decimal(match[1]) * Decimal(_SCALE[match[2]]))
    return _number(value)


def _threshold(value: Any) -> Decimal:
    found = _bound(value)
    if found <= 0:
        raise Wrong(f"must be above 0, got {shown(value)}")
    return found


def _source(value: Any) -> Selector | Expression:
    return expressions.source(_promql(value))


def _value_source(value: Any) -> Selector | Expression:
    return expressions.source(_promql(value), windowed=False)


def _selector(value: Any) -> Selector:
    return expressions.selector(_promql(value))


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


_NUMBER = {"type": "number"}
_spelled = PlainSerializer(str, return_type=str)
_in_digits = PlainSerializer(number, return_type=str)
_in_one_unit = PlainSerializer(duration, return_type=str)

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
SlothName = Annotated[str, StringConstraints(pattern=SLOTH_PATTERN)]
LabelName = Annotated[str, StringConstraints(pattern=LABEL_PATTERN)]
JobName = Annotated[str, StringConstraints(pattern=JOB_PATTERN)]
Percentile = Annotated[str, StringConstraints(pattern=PERCENTILE_PATTERN)]
Address = Annotated[str, StringConstraints(pattern=URL_PATTERN)]
Base = Annotated[str, StringConstraints(pattern=BASE_PATTERN)]
FindingId = Annotated[str, StringConstraints(pattern=FINDING_PATTERN)]
Word = Annotated[str, StringConstraints(pattern=RUNBOOK_PATTERN)]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    _schema(type="string", pattern=DURATION_PATTERN, examples=["5m", "1h"]),
    _in_one_unit,
]
Days = Annotated[
    timedelta,
    PlainValidator(_days),
    _schema(type="string", pattern=DURATION_PATTERN, examples=["7d", "28d", "30d", "90d"]),
    _in_one_unit,
]
Number = Annotated[Decimal, PlainValidator(_number), _schema(**_NUMBER), _in_digits]
Objective = Annotated[
    Decimal | None,
    PlainValidator(_objective),
    _schema(
        anyOf=[
            {"type": "number", "minimum": 1, "exclusiveMaximum": 100},
            {"const": TO_BE_DECIDED},
        ]
    ),
    _spelled,
]
QuantileValue = Annotated[
    Decimal,
    PlainValidator(_quantile),
    _schema(type="number", exclusiveMinimum=0, exclusiveMaximum=1, examples=[0.95, 0.99]),
    _spelled,
]
_TIME_SCHEMA = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(us|µs|ms|s|m|h)$"}
ThresholdValue = Annotated[
    Decimal,
    PlainValidator(_threshold),
    _schema(anyOf=[{"type": "number", "exclusiveMinimum": 0}, _TIME_SCHEMA]),
    _in_digits,
]
Bound = Annotated[
    Decimal, PlainValidator(_bound), _schema(anyOf=[_NUMBER, _TIME_SCHEMA]), _in_digits
]
Source = Annotated[
    Selector | Expression,
    PlainValidator(_source),
    _schema(type="string", description="A selector, or PromQL with $window as its range."),
    _spelled,
]
ValueSource = Annotated[
    Selector | Expression,
    PlainValidator(_value_source),
    _schema(type="string", description="A selector, or any PromQL."),
    _spelled,
]
SelectorText = Annotated[
    Selector,
    PlainValidator(_selector),
    _schema(type="string", description="A metric with matchers."),
    _spelled,
]
