"""The values of a template's parameters: what each may be, and its spelling inside PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sloforge.located.words import shown
from sloforge.promql import number, parse_duration, quote
from sloforge.specs import expressions
from sloforge.specs.fields import LABEL_PATTERN, PATTERNS, Bound
from sloforge.specs.forms import Form
from sloforge.specs.templates_forms import Kind, ParameterForm
from sloforge.specs.words import Wrong, did_you_mean

_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_THOUSAND = 1000


class _Bounded(Form):
    """One number, or a time."""

    value: Bound


def spelled(form: ParameterForm, value: Any) -> str:
    """The value as it stands in PromQL; a text without its quotes. Raises Wrong."""
    text = of_kind(form.type, value)
    if form.pattern and not re.fullmatch(form.pattern, str(value)):
        raise Wrong(f"expected text like {form.pattern}, got {shown(value)}")
    known = [of_kind(form.type, one) for one in form.choices]
    if known and text not in known:
        raise Wrong(f"expected one of {', '.join(map(str, form.choices))}, got {shown(value)}")
    return text


def of_kind(kind: Kind, value: Any) -> str:
    """As `spelled`, where nothing more is asked of the value. Raises Wrong."""
    return _SPELLED[kind](value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        remedy = "quote it" if not isinstance(value, dict | list) else ""
        raise Wrong(f"expected text, got {shown(value)}", remedy)
    if not value:
        raise Wrong("expected text, got an empty one", "leave the parameter out")
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _regex(value: Any) -> str:
    text = _text(value)
    try:
        expressions.parse(f'x{{x=~"{text}"}}')
    except Wrong:
        what = f"expected a regular expression, got {shown(value)}"
        raise Wrong(what, "mind its brackets; it is RE2 without look-around") from None
    return text


def _matchers(value: Any) -> str:
    """`a="b",c!~"d"`, from that text or from a mapping of labels."""
    if isinstance(value, dict):
        value = ",".join(f"{label}={quote(str(one))}" for label, one in value.items())
    if not isinstance(value, str):
        raise Wrong(f"expected matchers or a mapping of labels, got {shown(value)}")
    try:
        found = expressions.selector(f"x{{{value}}}")
    except Wrong:
        what = f"expected matchers, got {shown(value)}"
        raise Wrong(what, 'write label="value",other=~"a|b"') from None
    return ",".join(map(str, found.matchers))


def _metric(value: Any) -> str:
    if not isinstance(value, str) or not _METRIC.fullmatch(value):
        raise Wrong(
            f"expected a metric's name, got {shown(value)}", "matchers have their own place"
        )
    return value


def _label(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(LABEL_PATTERN, value):
        raise Wrong(f"expected {PATTERNS[LABEL_PATTERN]}, got {shown(value)}")
    return value


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(f"expected a number, got {shown(value)}")
    return number(_bounded(value))


def _seconds(value: Any) -> str:
    return number(_bounded(value))


def _milliseconds(value: Any) -> str:
    found = _bounded(value)
    return number(found * _THOUSAND if isinstance(value, str) else found)


def _bounded(value: Any) -> Decimal:
    try:
        return _BOUNDED.validate_python({"value": value}).value
    except ValidationError as error:
        cause = error.errors()[0].get("ctx", {}).get("error")
        raise (cause if isinstance(cause, Wrong) else Wrong(str(error))) from None


def _duration(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f"expected a duration such as 30d, 6h or 5m, got {shown(value)}")
    try:
        parse_duration(value)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return value


def _flag(value: Any) -> str:
    if not isinstance(value, bool):
        raise Wrong(f"expected true or false, got {shown(value)}")
    return str(value).lower()


_BOUNDED: TypeAdapter[_Bounded] = TypeAdapter(_Bounded)
_SPELLED: Mapping[Kind, Callable[[Any], str]] = {
    "text": _text,
    "regex": _regex,
    "matchers": _matchers,
    "metric": _metric,
    "label": _label,
    "number": _number,
    "seconds": _seconds,
    "milliseconds": _milliseconds,
    "duration": _duration,
    "flag": _flag,
}
# What a value becomes where it is all that stands behind a key.
_NUMBERS = ("number", "seconds", "milliseconds")


def alone(form: ParameterForm, text: str) -> Any:
    """The spelled value as YAML has it, where nothing else stands behind a key."""
    if form.type in _NUMBERS:
        return Decimal(text)
    return text == "true" if form.type == "flag" else text


def unknown(name: str, known: Mapping[str, object]) -> tuple[str, str]:
    """What and remedy for a parameter that is not there."""
    if not known:
        return f"unknown parameter `{name}`", "the template has none"
    return f"unknown parameter `{name}`", did_you_mean(name, known)
