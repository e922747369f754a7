"""What Prometheus makes of an annotation, where that can be told without asking it.

A part of Go's template language and of Prometheus' functions: labels, the value, and how it is
written. What goes beyond that (queries, conditions) is not guessed at.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = str | float

_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\\n]|\\.)*")|(\|)|([$.]?[A-Za-z_][\w.]*))')
_LABEL = re.compile(r"(?:\$l|\.L)abels\.([A-Za-z_]\w*)")
_FLOAT = re.compile(r"%(?:\.\d)?f|%\.[1-9]g")
_VERB = re.compile(r"%.?(?:\.\d+)?[A-Za-z]|%%")
# Go writes an exponent from here on, Python from 1e16.
_PLAIN = 1e6
_KILO = 1000.0
_SPACES = " \t\r\n"


class _UnknownError(Exception):
    """Only Prometheus can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The series that an alert fires for."""

    labels: Mapping[str, str]
    value: float


def rendered(template: str, sample: Sample) -> str | None:
    """The text as Prometheus writes it; None where that is not known here."""
    parts: list[str] = []
    end, trim = 0, False
    for found in _ACTION.finditer(template):
        before = template[end : found.start()]
        before = before.lstrip(_SPACES) if trim else before
        parts.append(before.rstrip(_SPACES) if found[1] else before)
        try:
            parts.append(_written(_pipeline(found[2], sample)))
        except _UnknownError:
            return None
        end, trim = found.end(), bool(found[3])
    rest = template[end:]
    return "".join([*parts, rest.lstrip(_SPACES) if trim else rest])


def _pipeline(text: str, sample: Sample) -> Value:
    """`a | f | g x`: what comes before a bar is the last argument of what stands behind it."""
    value: list[Value] = []
    for command in _commands(text):
        value = [_command(command, sample, value)]
    return value[0]


def _commands(text: str) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _UnknownError
        at = found.end()
        if found[2]:
            commands.append([])
        else:
            commands[-1].append(found[0].strip())
    if not all(commands):
        raise _UnknownError
    return commands


def _command(words: list[str], sample: Sample, piped: list[Value]) -> Value:
    name, arguments = words[0], [_operand(word, sample) for word in words[1:]]
    if name == "printf":
        return _printf([*arguments, *piped])
    if name in _FUNCTIONS:
        (one,) = [*arguments, *piped] if len(arguments) + len(piped) == 1 else _unknown()
        return _FUNCTIONS[name](one)
    if arguments or piped:
        raise _UnknownError
    return _operand(name, sample)


def _operand(word: str, sample: Sample) -> Value:
    if word in ("$value", ".Value"):
        return sample.value
    if label := _LABEL.fullmatch(word):
        return sample.labels.get(label[1], "")
    if word.startswith('"'):
        try:
            return str(json.loads(word))
        except ValueError:
            raise _UnknownError from None
    raise _UnknownError


def _unknown() -> list[Value]:
    raise _UnknownError


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value
    if abs(value) >= _PLAIN:
        raise _UnknownError
    return repr(value).removesuffix(".0")


def _printf(arguments: list[Value]) -> str:
    form, *values = arguments or _unknown()
    if not isinstance(form, str):
        raise _UnknownError
    verbs = [verb for verb in _VERB.findall(form) if verb != "%%"]
    if len(verbs) != len(values):
        raise _UnknownError
    for verb, value in zip(verbs, values, strict=True):
        text = isinstance(value, str)
        if (text and verb != "%s") or (not text and not _FLOAT.fullmatch(verb)):
            raise _UnknownError
    return form % tuple(values)


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise _UnknownError
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise _UnknownError
    return value


def _humanize(value: Value) -> str:
    found, prefix = _scaled(_number(value))
    return f"{found:.4g}{prefix}"


def _scaled(value: float) -> tuple[float, str]:
    prefix = ""
    if value and abs(value) < 1:
        return _milli(value)
    for prefix_ in "kMGTPEZY":
        if abs(value) < _KILO:
            break
        prefix, value = prefix_, value / _KILO
    return value, prefix


def _milli(value: float) -> tuple[float, str]:
    prefix = ""
    for prefix_ in "munpfazy":
        if abs(value) >= 1:
            break
        prefix, value = prefix_, value * _KILO
    return value, prefix


def _percentage(value: Value) -> str:
    return f"{_number(value) * 100:.4g}%"


def duration_text(value: Value) -> str:
    """Prometheus' humanizeDuration."""
    found = _number(value)
    sign, rest = ("-", -found) if found < 0 else ("", found)
    if rest and rest < 1:
        short, prefix = _milli(rest)
        return f"{sign}{short:.4g}{prefix}s"
    whole = int(rest)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if whole < 60:  # noqa: PLR2004  seconds of a minute
        return f"{sign}{rest:.4g}s"
    parts = [f"{days}d"] * bool(days) + [f"{hours}h"] * bool(days or hours)
    return sign + " ".join([*parts, f"{minutes}m", f"{whole % 60}s"])


_FUNCTIONS: Mapping[str, Callable[[Value], str]] = {
    "humanize": _humanize,
    "humanizePercentage": _percentage,
    "humanizeDuration": duration_text,
    "toUpper": lambda value: _text(value).upper(),
    "toLower": lambda value: _text(value).lower(),
}
