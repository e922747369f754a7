"""What plugins offer to specs: readers of other formats, and SLIs that are functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sloforge import plugins
from sloforge.authoring import Service, Sli, trees
from sloforge.authoring.document import Document
from sloforge.errors import Finding, Problem
from sloforge.located.tree import Malformed, Node
from sloforge.plugins import Plugin
from sloforge.specs import parameters
from sloforge.specs.foreign import Told
from sloforge.specs.mistakes import Place
from sloforge.specs.templates_forms import Kind
from sloforge.specs.words import Wrong

_KINDS: Mapping[Any, Kind] = {
    str: "text",
    int: "number",
    float: "number",
    Decimal: "number",
    bool: "flag",
}


def services(plugin: Plugin, documents: Sequence[Node], told: Told) -> list[Node]:
    """All documents of a plugin's format as native trees; what its reader refuses is told."""
    function = plugin.load()
    given = tuple(map(Document, documents))
    try:
        found = _read(plugin, function, given)
    except Malformed as refused:
        told.wrong.append(refused.finding)
    except Problem as problem:
        if not problem.findings:
            raise
        told.wrong.extend(problem.findings)
    else:
        return found
    return []


def _read(plugin: Plugin, function: Callable[..., Any], given: tuple[Document, ...]) -> list[Node]:
    refused: list[Malformed] = []
    found: list[Any] = []
    with plugin.blamed():
        try:
            found = list(function(given))
        except Malformed as error:
            refused.append(error)
    if refused:
        raise refused[0]
    for one in found:
        if not isinstance(one, Service):
            raise plugin.wrong(f"expected a Service, got {type(one).__name__}")
    return [trees.tree(one, given[0].at()) for one in found]


@dataclass(frozen=True, slots=True)
class Function:
    """An SLI that a plugin makes from its parameters."""

    plugin: Plugin
    call: Callable[..., Any]
    about: str
    parameters: Mapping[str, inspect.Parameter]

    @property
    def name(self) -> str:
        return self.plugin.name

    def mistakes(self, given: Mapping[str, Any], place: Place) -> Iterator[Finding]:
        """`place` is that of the SLI, with `use` and `with` below."""
        for name, one in self.parameters.items():
            if one.default is one.empty and name not in given:
                what = f"missing parameter `{name}` of `{self.name}`"
                yield place.at("use").wrong(what, "write it under `with`", id_="S002")
        for name, value in given.items():
            here = place.at("with", name)
            if name not in self.parameters:
                yield here.misnamed(*parameters.unknown(name, self.parameters), id_="S002")
            elif kind := _KINDS.get(self.parameters[name].annotation):
                yield from _value_mistakes(kind, value, here)

    def made(self, given: Mapping[str, Any]) -> Sli:
        """Raises ValueError where the plugin refuses a value, Problem where it fails."""
        refused: list[ValueError] = []
        found: Any = None
        with self.plugin.blamed():
            try:
                found = self.call(**{name: self._fit(name, one) for name, one in given.items()})
            except ValueError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        if not isinstance(found, Sli) or found.kind == "use":
            kind = "another template" if isinstance(found, Sli) else type(found).__name__
            raise self.plugin.wrong(f"expected an Sli of a native kind, got {kind}")
        return found

    def _fit(self, name: str, value: Any) -> Any:
        """As the annotation says: a number of YAML's is a Decimal, or an int."""
        wanted = self.parameters[name].annotation
        return wanted(value) if wanted in (float, Decimal) else value


def _value_mistakes(kind: Kind, value: Any, place: Place) -> Iterator[Finding]:
    try:
        parameters.of_kind(kind, value)
    except Wrong as wrong:
        yield place.wrong(str(wrong), wrong.remedy)


def function(name: str, taken: Sequence[str]) -> Function | None:
    """The SLI of a plugin by name; None where there is none. Raises Problem."""
    plugin = plugins.named("sli", name, taken)
    return None if plugin is None else _function(plugin)


def functions(taken: Sequence[str]) -> tuple[Function, ...]:
    """Every SLI of every plugin. Raises Problem."""
    return tuple(_function(one) for one in plugins.found("sli", taken))


def _function(plugin: Plugin) -> Function:
    call = plugin.load()
    with plugin.blamed("cannot be read"):
        found = inspect.signature(call, eval_str=True).parameters
    for name, one in found.items():
        if one.kind is not one.KEYWORD_ONLY:
            raise plugin.wrong(f"expected keyword-only parameters, got `{name}`")
    about = (inspect.getdoc(call) or "").split("\n", 1)[0]
    return Function(plugin, call, about, found)
