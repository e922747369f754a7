"""The variables of a dashboard: what may be chosen, and what is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sloforge.errors import Problem
from sloforge.preview import source
from sloforge.preview.filling import ALL, Scope, Value, filled, in_query, plain, references
from sloforge.preview.moments import Span, written
from sloforge.preview.source import Source

Json = dict[str, Any]
Asked = Mapping[str, tuple[str, ...]]
_LABEL_VALUES = re.compile(
    r"label_values\((?:(?P<match>.+),\s*)?(?P<label>[\w:.]+)\s*\)", re.DOTALL
)
_QUERY_RESULT = re.compile(r"query_result\((?P<expr>.+)\)", re.DOTALL)
# More are not offered; a name that is typed into the address is taken all the same.
MOST_OPTIONS = 1000
_HIDDEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One variable: the options as (value, text), those chosen, and what went wrong in words."""

    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...]
    chosen: tuple[str, ...]
    many: bool = False
    hidden: bool = False
    free: bool = False
    all_value: str = ""
    note: str = ""

    @property
    def value(self) -> Value:
        """What the variable is in queries, titles and links."""
        texts = dict(self.options)
        everything = tuple(value for value, _ in self.options if value != ALL)
        regex = self.many or (ALL, "All") in self.options
        if ALL in self.chosen:
            return Value(values=everything, texts=("All",), many=regex, pattern=self.all_value)
        named = tuple(texts.get(value, value) for value in self.chosen)
        return Value(values=self.chosen, texts=named, many=regex)


def choices(
    variables: Iterable[Json], asked: Asked, over: Span, numbers: Source
) -> tuple[Choice, ...]:
    """Every variable in its order; one that reads others is resolved after them."""
    listed = [one for one in variables if isinstance(one, dict) and one.get("name")]
    found: dict[str, Choice] = {}
    waiting = {str(one["name"]): one for one in listed}
    while waiting:
        ready = [
            name
            for name, one in waiting.items()
            if not (references(_query(one)) & waiting.keys()) - {name}
        ]
        # Those that wait for one another are taken as they come.
        for name in ready or list(waiting)[:1]:
            one = waiting.pop(name)
            scope = {known: choice.value for known, choice in found.items()}
            found[name] = _choice(one, asked.get(name, ()), (over, scope, numbers))
    return tuple(found[str(one["name"])] for one in listed)


def _query(variable: Json) -> str:
    query = variable.get("query")
    if isinstance(query, dict):
        query = query.get("query")
    return str(query or variable.get("definition") or "")


def _choice(variable: Json, asked: tuple[str, ...], among: tuple[Span, Scope, Source]) -> Choice:
    kind = str(variable.get("type"))
    note = ""
    try:
        options = _options(kind, variable, among)
    except Problem as problem:
        options, note = (), str(problem)
    many, everything = bool(variable.get("multi")), bool(variable.get("includeAll"))
    if everything:
        options = ((ALL, "All"), *options)
    return Choice(
        name=str(variable["name"]),
        label=str(variable.get("label") or variable["name"]),
        kind=kind,
        options=options,
        chosen=_chosen(variable, options, asked),
        many=many,
        hidden=variable.get("hide") == _HIDDEN,
        free=kind == "textbox",
        all_value=str(variable.get("allValue") or ""),
        note=note,
    )


def _options(
    kind: str, variable: Json, among: tuple[Span, Scope, Source]
) -> tuple[tuple[str, str], ...]:
    over, scope, numbers = among
    match kind:
        case "datasource":
            return (("default", numbers.name),)
        case "constant" | "textbox":
            return ((_query(variable), _query(variable)),)
        case "custom" | "interval":
            return tuple(_pair(part) for part in re.split(r"(?<!\\),", _query(variable)) if part)
        case "query":
            values = _found(filled(_query(variable), scope, in_query), over, numbers)
            return _sorted(_kept(values, str(variable.get("regex") or "")), variable.get("sort"))
        case _:
            raise Problem(f"variables of the type `{kind}` are not previewed")


def _pair(part: str) -> tuple[str, str]:
    """`text : value`, or one word for both."""
    text, colon, value = part.replace("\\,", ",").partition(" : ")
    return ((value if colon else text).strip(), text.strip())


def _found(query: str, over: Span, numbers: Source) -> list[str]:
    if (labels := _LABEL_VALUES.fullmatch(query.strip())) is not None:
        match = (labels["match"] or "").strip()
        asked = source.label_values(labels["label"], match, over.start, over.end)
        data = numbers.ask(asked).data
        return [str(value) for value in data] if isinstance(data, list) else []
    if (result := _QUERY_RESULT.fullmatch(query.strip())) is not None:
        data = numbers.ask(source.instant(result["expr"], over.end)).data
        series = data.get("result", ()) if isinstance(data, dict) else ()
        return [_written(one) for one in series if isinstance(one, dict)]
    raise Problem(f"expected label_values(...) or query_result(...), got `{query}`")


def _written(series: Json) -> str:
    labels = source.labels_of(series.get("metric", {}))
    name = labels.pop("__name__", "")
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    stamp, value = series.get("value", (0, ""))
    return f"{name}{{{inside}}} {value} {float(stamp) * 1000:.0f}"


def _kept(values: list[str], regex: str) -> list[tuple[str, str]]:
    """Those that the variable's regex matches, reduced to its group where it has one."""
    if not regex:
        return [(value, value) for value in values]
    body, flags = (regex[1:].rpartition("/")[::2]) if regex.startswith("/") else (regex, "")
    try:
        compiled = re.compile(
            re.sub(r"\(\?<(\w+)>", r"(?P<\1>", body), re.IGNORECASE if "i" in flags else 0
        )
    except re.error as error:
        raise Problem(f"regex `{regex}`: {error}") from None
    found = [match for value in values if (match := compiled.search(value))]
    return [_named(match) for match in found]


def _named(match: re.Match[str]) -> tuple[str, str]:
    groups = match.groupdict()
    value = groups.get("value") or (match.groups() or (match.string,))[0] or match.string
    return value, groups.get("text") or value


def _sorted(found: list[tuple[str, str]], order: object) -> tuple[tuple[str, str], ...]:
    """1, 2 by letters, 3, 4 by numbers, 5, 6 by letters of any case; even ones backwards."""
    unique = list(dict.fromkeys(found))
    match order:
        case 1 | 2 | 7 | 8:
            unique.sort(key=lambda pair: pair[1])
        case 3 | 4:
            unique.sort(key=lambda pair: float((re.findall(r"\d+", pair[1]) or ["inf"])[0]))
        case 5 | 6:
            unique.sort(key=lambda pair: pair[1].casefold())
        case _:
            pass
    backwards = isinstance(order, int) and order > 0 and order % 2 == 0
    return tuple((unique[::-1] if backwards else unique)[:MOST_OPTIONS])


def _chosen(
    variable: Json, options: tuple[tuple[str, str], ...], asked: tuple[str, ...]
) -> tuple[str, ...]:
    """What the address says, else what the dashboard does, else the first."""
    known = [value for value, _ in options]
    texts = {text: value for value, text in options}
    kind = variable.get("type")
    if asked and kind not in ("constant", "datasource"):
        wanted = tuple(texts.get(one, one) if one not in known else one for one in asked)
        wanted = tuple(ALL if one in ("All", ALL) and ALL in known else one for one in wanted)
        return wanted if variable.get("multi") else wanted[:1]
    current = (variable.get("current") or {}).get("value")
    saved = tuple(current) if isinstance(current, list) else (current,) if current else ()
    if kind in ("constant", "datasource"):
        return tuple(known[:1])
    if saved and all(one in known for one in saved):
        return saved
    return tuple(known[:1])


def scope_of(found: Iterable[Choice]) -> dict[str, Value]:
    return {choice.name: choice.value for choice in found}


def built_in(over: Span, step: float, rate: float) -> dict[str, Value]:
    """The variables that Grafana itself knows, for a query with this step; all in seconds."""

    seconds = round(over.seconds)
    start, end = round(over.start * 1000), round(over.end * 1000)
    texts = {
        "__from": str(start),
        "__to": str(end),
        "__interval": written(step),
        "__interval_ms": str(round(step * 1000)),
        "__rate_interval": written(rate),
        "__rate_interval_ms": str(round(rate * 1000)),
        "__range": f"{seconds}s",
        "__range_s": str(seconds),
        "__range_ms": str(seconds * 1000),
        "__timezone": "browser",
    }
    return {name: plain(text) for name, text in texts.items()}


def only(choice: Choice, value: str) -> Choice:
    """The choice as one clone of a repeated panel sees it."""
    return replace(choice, chosen=(value,))
