"""The difference between what a test expects and what promtool got, in words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from promtool.output import unquote
from promtool.results import Kind

_BRACES = r'\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}'
_ALERT = re.compile(rf"Labels:({_BRACES})\s+Annotations:({_BRACES})")
_SAMPLE = re.compile(rf"({_BRACES}) (\{{\{{.*?\}}\}}|[^,\s]+)")
_PAIR = re.compile(r'([^\s,{}="]+|"(?:[^"\\]|\\.)*")=("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thing:
    """An alert or a sample: what names it, and what else is compared."""

    labels: Mapping[str, str]
    rest: Mapping[str, str]

    @property
    def name(self) -> str:
        # An alert's name stands in the title of its test already; a sample's label does not.
        hidden = () if "value" in self.rest else ("alertname",)
        shown = {key: value for key, value in self.labels.items() if key not in hidden}
        metric = shown.pop("__name__", "")
        pairs = ", ".join(f'{key}="{value}"' for key, value in sorted(shown.items()))
        return f"{metric}{{{pairs}}}"


def difference(kind: Kind, expected: str, got: str) -> str:
    """Name each label, annotation and value that differs, one per line."""
    wanted, found = _things(kind, expected), _things(kind, got)
    lines = list(_compare(kind, wanted, found))
    return "\n".join(lines) or f"expected {expected.strip()}\ngot {got.strip()}"


def label_sets(kind: Kind, text: str) -> list[Mapping[str, str]]:
    """Return the labels of each alert or sample in promtool's text."""
    return [thing.labels for thing in _things(kind, text)]


def _things(kind: Kind, text: str) -> list[_Thing]:
    if kind == "alert":
        return [
            _Thing(labels=_pairs(labels), rest=_pairs(annotations, prefix="annotation "))
            for labels, annotations in _ALERT.findall(text)
        ]
    return [
        _Thing(labels=_pairs(labels), rest={"value": _number(value)})
        for labels, value in _SAMPLE.findall(text)
    ]


def _pairs(text: str, prefix: str = "") -> Mapping[str, str]:
    return {prefix + key.strip('"'): unquote(value) for key, value in _PAIR.findall(text)}


def _number(text: str) -> str:
    """Write 1.2E+03 as 1200 and 2.5E+00 as 2.5, without losing a digit."""
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004  beyond it floats skip whole numbers


def _compare(kind: Kind, wanted: list[_Thing], found: list[_Thing]) -> Iterator[str]:
    left = list(found)
    unmatched = []
    for thing in wanted:
        if thing in left:
            left.remove(thing)
        else:
            unmatched.append(thing)
    for thing in sorted(unmatched, key=lambda each: -_best(each, left)):
        twin = max(left, key=lambda other: _likeness(thing, other), default=None)
        if twin is None or not _alike(thing, twin, alone=len(unmatched) == len(found) == 1):
            yield f"{_word(kind, expected=True)}: {thing.name}{_value(thing)}"
            continue
        left.remove(twin)
        yield from _changes(thing, twin)
    for thing in left:
        yield f"{_word(kind, expected=False)}: {thing.name}{_value(thing)}"


def _likeness(one: _Thing, other: _Thing) -> float:
    """Return the number of equal labels; equal annotations and values break a tie."""
    same = one.labels.items() & other.labels.items()
    unlike = one.labels.items() ^ other.labels.items()
    return len(same) - len(unlike) / 100 + len(one.rest.items() & other.rest.items()) / 10_000


def _best(thing: _Thing, others: list[_Thing]) -> float:
    return max((_likeness(thing, other) for other in others), default=0.0)


def _alike(one: _Thing, other: _Thing, *, alone: bool) -> bool:
    """Tell whether two things are the same one with a difference, rather than two."""
    if alone:
        return True
    shared = one.labels.items() & other.labels.items()
    shared = {pair for pair in shared if pair[0] != "alertname"}
    return (
        one.labels == other.labels or 2 * len(shared) >= max(len(one.labels), len(other.labels)) - 1
    )


def _changes(wanted: _Thing, got: _Thing) -> Iterator[str]:
    yield from _differing(wanted.name, "label ", wanted.labels, got.labels)
    yield from _differing(wanted.name, "", wanted.rest, got.rest)


def _differing(
    name: str, word: str, wanted: Mapping[str, str], got: Mapping[str, str]
) -> Iterator[str]:
    for key in sorted(wanted.keys() | got.keys()):
        one, other = (f"`{m[key]}`" if key in m else "none" for m in (wanted, got))
        if one != other:
            text = f"{name}: {word}{key}: expected {one}, got {other}"
            yield text.replace("\n", "\\n")


def _word(kind: Kind, *, expected: bool) -> str:
    match kind:
        case "alert":
            return "does not fire, but is expected" if expected else "fires, but is not expected"
        case "expr":
            return "missing sample" if expected else "unexpected sample"


def _value(thing: _Thing) -> str:
    return f" {thing.rest['value']}" if "value" in thing.rest else ""
