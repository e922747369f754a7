"""A dashboard's queries as Grafana would send them: variables filled in, by panel."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.prometheus import Prometheus, Span

Json = dict[str, Any]
_VARIABLE = re.compile(r"\$\{([a-zA-Z_]\w*)(?::\w+)?\}|\$([a-zA-Z_]\w*)")
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<match>.+),\s*)?(?P<label>\w+)\)", re.DOTALL)
INTERVAL = "1m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a panel, a variable or an annotation, with its variables filled in."""

    board: str
    panel: str
    kind: str
    unit: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board} / {self.panel}: {self.expr}"


class Board:
    """One dashboard over one span of time."""

    def __init__(self, file: Path, span: Span) -> None:
        self.uid = file.stem
        self.span = span
        self._json: Json = json.loads(file.read_text(encoding="utf-8"))

    def choices(self, server: Prometheus) -> Iterator[Mapping[str, str]]:
        """Variables as they are when the board is opened; once for each value of a single choice."""
        yield from self._choices(server, self._json["templating"]["list"], self._built_in())

    def _built_in(self) -> dict[str, str]:
        seconds = int(self.span.end - self.span.start)
        milliseconds = {"__from": self.span.start * 1000, "__to": self.span.end * 1000}
        found = {"__interval": INTERVAL, "__rate_interval": "5m", "__interval_ms": "60000"}
        found |= {"__range": f"{seconds}s", "__range_s": str(seconds)}
        return found | {name: str(int(value)) for name, value in milliseconds.items()}

    def _choices(
        self, server: Prometheus, variables: list[Json], chosen: dict[str, str]
    ) -> Iterator[dict[str, str]]:
        if not variables:
            yield chosen
            return
        first, *rest = variables
        for value in _values(server, first, chosen):
            yield from self._choices(server, rest, chosen | {first["name"]: value})

    def queries(self, chosen: Mapping[str, str]) -> Iterator[Query]:
        """Every query of every panel, folded rows included, and of every annotation."""
        for panel in _panels(self._json["panels"]):
            for target in panel.get("targets", ()):
                yield self._query(panel, target, chosen)
        for one in self._json["annotations"]["list"]:
            if "expr" in one:
                panel = {"title": one["name"], "type": "annotation"}
                yield self._query(panel, one, chosen)

    def _query(self, panel: Json, target: Json, chosen: Mapping[str, str]) -> Query:
        return Query(
            board=self.uid,
            panel=panel["title"],
            kind=panel["type"],
            unit=panel.get("fieldConfig", {}).get("defaults", {}).get("unit", ""),
            expr=filled(target["expr"], chosen),
            instant=bool(target.get("instant")),
        )


def _panels(panels: Iterable[Json]) -> Iterator[Json]:
    for panel in panels:
        if panel["type"] == "row":
            yield from _panels(panel.get("panels", ()))
        else:
            yield panel


def _values(server: Prometheus, variable: Json, chosen: Mapping[str, str]) -> list[str]:
    """What a variable is, all values at once where it has a choice of `All`."""
    match variable["type"]:
        case "datasource":
            return ["default"]
        case "constant":
            return [variable["query"]]
        case "custom" | "interval":
            return [variable["query"].split(",")[0].strip()]
        case "query":
            found = label_values(server, variable["query"]["query"], chosen)
            assert found, f"no value for ${variable['name']}: {variable['query']['query']}"
            return [variable["allValue"]] if variable.get("includeAll") else found
        case other:
            raise AssertionError(f"a variable of an unknown kind: {other}")


def label_values(server: Prometheus, query: str, chosen: Mapping[str, str]) -> list[str]:
    """Grafana's `label_values(selector, label)`."""
    asked = _LABEL_VALUES.fullmatch(filled(query, chosen).strip())
    assert asked, f"not a variable's query: {query}"
    return server.label_values(asked["label"], asked["match"] or "")


def filled(text: str, chosen: Mapping[str, str]) -> str:
    """Raises KeyError for a variable that the board does not have."""
    return _VARIABLE.sub(lambda m: chosen[m[1] or m[2]], text)
