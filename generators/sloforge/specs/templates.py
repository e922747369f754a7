"""SLI templates: shipped ones and a project's own, and what one comes to with its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sloforge.errors import Finding
from sloforge.located import tree, yamltext
from sloforge.located.tree import Node
from sloforge.specs import expressions, files, parameters
from sloforge.specs.forms import SliForm
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.templates_forms import ParameterForm, TemplateForm
from sloforge.specs.words import Wrong

FOLDER = "slos/library"
# The one parameter that nobody declares: the scrape job of the service.
JOB = ParameterForm(type="text", description="The service's scrape job.", optional=True)
_HOLE = re.compile(r"\$\{([^}]*)\}")
_STRING = re.compile(r'(=~|!~|!=|=)?\s*"((?:\\.|[^"\\])*)"')
_MATCHER = r'[A-Za-z_]\w*\s*(?:=~|!~|!=|=)\s*"\$\{%s\}"\s*,?'
_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,\s*\}')
_QUOTED = ("text", "regex")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read without a mistake; `path` is where it stands, to be shown."""

    name: str
    path: str
    form: TemplateForm
    sli: Node

    @property
    def kind(self) -> str:
        """The key of the SLI that it comes to."""
        return str(next(iter(self.sli.value)))

    def spelled(self, given: Mapping[str, Any]) -> dict[str, str | None]:
        """Every parameter as it stands in PromQL, None where it is left out. Raises Wrong."""
        values = {name: given.get(name, form.default) for name, form in self.known.items()}
        return {
            name: None if value is None else parameters.spelled(self.known[name], value)
            for name, value in values.items()
        }

    @property
    def known(self) -> dict[str, ParameterForm]:
        return {**self.form.parameters, "job": JOB}

    def filled(self, text: str, values: Mapping[str, str | None]) -> Any:
        """One value of the SLI with its parameters in their places."""
        if (whole := _HOLE.fullmatch(text)) and (value := values[whole[1]]) is not None:
            return parameters.alone(self.known[whole[1]], value)
        for name, value in values.items():
            if value is None:
                text = re.sub(_MATCHER % name, "", text)
        text = _HOLE.sub(lambda hole: values[hole[1]] or "", text)
        return _LAST_COMMA.sub(lambda found: found[0] if found[0][0] == '"' else "}", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What a service may `use`; a project's own template stands before a shipped one.

    `own` has None for a template with mistakes, which are told already.
    """

    own: Mapping[str, Template | None] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self.own, *shipped()}))

    def has(self, name: str) -> bool:
        return name in self.own or name in shipped()

    def find(self, name: str) -> Template | None:
        """The template; None where it is unknown, or known and broken."""
        return self.own[name] if name in self.own else _shipped(name)


def load(root: Path, findings: list[Finding]) -> Library:
    """The project's own templates, every mistake in `findings`."""
    found: dict[str, Template | None] = {}
    for path in files.listed(root, FOLDER, findings) if (root / FOLDER).is_dir() else ():
        name = path.relative_to(root / FOLDER).with_suffix("").as_posix().replace("/", "-")
        found[name] = _own(root, path, name, findings)
    return Library(own=found)


@cache
def shipped() -> Mapping[str, str]:
    """Name -> text of the templates that come with sloforge."""
    folder = resources.files("sloforge") / "library"
    found = {e.name.removesuffix(".yaml"): e for e in folder.iterdir() if e.name.endswith(".yaml")}
    return {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}


def names() -> tuple[str, ...]:
    """Those of the shipped templates."""
    return tuple(shipped())


def read(text: str, path: str, name: str, findings: list[Finding]) -> Template | None:
    """One template; None with `findings` grown where it is wrong."""
    try:
        whole = yamltext.parse(text, path)
    except tree.Malformed as refused:
        findings.append(refused.finding)
        return None
    form, before = validated(TemplateForm, whole, findings), len(findings)
    if isinstance(form, tuple):
        return None
    template = Template(name, path, form, whole.value["sli"])
    findings += _mistakes(template, Place(whole))
    if len(findings) == before:
        findings += _example_mistakes(template, Place(whole))
    return template if len(findings) == before else None


@cache
def _shipped(name: str) -> Template | None:
    if name not in shipped():
        return None
    findings: list[Finding] = []
    found = read(shipped()[name], f"sloforge/library/{name}.yaml", name, findings)
    assert found is not None, findings
    return found


def _own(root: Path, path: Path, name: str, findings: list[Finding]) -> Template | None:
    try:
        text = files.text_of(root, path)
    except tree.Malformed as refused:
        findings.append(refused.finding)
        return None
    return read(text, files.name_of(root, path), name, findings)


def example(template: Template) -> dict[str, Any]:
    """The SLI that the template's example comes to."""
    values = template.spelled(template.form.example)
    filled = mapped(template.sli, lambda _, text: template.filled(text, values))
    found: dict[str, Any] = _tidy(tree.plain(filled))
    return found


def _tidy(value: Any) -> Any:
    """For people: selectors as they are read, without what was left out; plain numbers."""
    if isinstance(value, dict):
        return {key: _tidy(one) for key, one in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if not isinstance(value, str):
        return value
    with suppress(Wrong):
        return str(expressions.source(value, windowed=False))
    return value


def mapped(node: Node, change: Callable[[tree.Path, str], Any], path: tree.Path = ()) -> Node:
    """The tree with another value for each text."""
    if isinstance(node.value, dict):
        below = {key: mapped(one, change, (*path, key)) for key, one in node.value.items()}
        return replace(node, value=below)
    if isinstance(node.value, list):
        items = [mapped(one, change, (*path, at)) for at, one in enumerate(node.value)]
        return replace(node, value=items)
    return replace(node, value=change(path, node.value)) if isinstance(node.value, str) else node


def holes(text: str) -> list[str]:
    """The parameters that a text names, in order."""
    return [hole[1] for hole in _HOLE.finditer(text)]


def _texts(node: Node) -> Iterator[tuple[tree.Path, str]]:
    return ((path, one.value) for path, one in tree.walk(node) if isinstance(one.value, str))


def _mistakes(template: Template, place: Place) -> Iterator[Finding]:
    """Parameters that are unknown or unused, or stand where their values could be anything."""
    used: set[str] = set()
    for path, text in _texts(template.sli):
        here = place.at("sli", *path)
        for hole in _HOLE.finditer(text):
            used.add(hole[1])
            if hole[1] not in template.known:
                what, remedy = parameters.unknown(hole[1], template.known)
                yield here.wrong(what, remedy, id_="S005")
            else:
                yield from _hole_mistakes(template.known[hole[1]], hole, here)
    for name, form in template.form.parameters.items():
        here = place.at("parameters", name)
        if name == "job":
            yield here.misnamed("`job` is the service's own", "take another name", id_="S004")
        elif name not in used:
            remedy = f"write ${{{name}}} in the SLI, or remove it"
            yield here.misnamed(f"parameter `{name}` is not used", remedy, id_="S005")
        yield from _value_mistakes(form, here)
    for name in template.form.example.keys() - template.form.parameters.keys():
        what, remedy = parameters.unknown(name, template.form.parameters)
        yield place.at("example", name).misnamed(what, remedy, id_="S005")


def _hole_mistakes(form: ParameterForm, hole: re.Match[str], place: Place) -> Iterator[Finding]:
    text, spelled = hole.string, hole[0]
    around = next((s for s in _STRING.finditer(text) if s.start() < hole.start() < s.end()), None)
    if form.type in _QUOTED and around is None and spelled != text:
        yield place.wrong(f"{spelled} is a text: expected quotes around it", f'write "{spelled}"')
    elif form.type == "text" and around and around[1] in ("=~", "!~"):
        what = f"{spelled} is a plain text in a regular expression"
        yield place.wrong(what, "give it the type `regex`, or compare with `=`")
    elif form.optional and form.type != "matchers" and not re.search(_MATCHER % hole[1], text):
        what = f"{spelled} is optional: expected a matcher of nothing else"
        yield place.wrong(what, f'write label="{spelled}", or give it a default')


def _value_mistakes(form: ParameterForm, place: Place) -> Iterator[Finding]:
    if form.pattern:
        try:
            re.compile(form.pattern)
        except re.error as error:
            yield place.at("pattern").wrong(f"expected a regular expression: {error}")
            return
    given = {"default": form.default} | {("choices", at): v for at, v in enumerate(form.choices)}
    for key, value in given.items():
        if value is not None:
            try:
                parameters.spelled(form, value)
            except Wrong as wrong:
                path = key if isinstance(key, tuple) else (key,)
                yield place.at(*path).wrong(str(wrong), wrong.remedy)


def _example_mistakes(template: Template, place: Place) -> list[Finding]:
    """What is wrong with the SLI that the example comes to, at its place in the template."""
    given = template.form.example
    for name, parameter in template.form.parameters.items():
        if parameter.required and name not in given:
            what = f"missing parameter `{name}`, which is required"
            return [place.at("example").wrong(what, "give it, to show and to test the template")]
    for name, value in given.items():
        try:
            parameters.spelled(template.form.parameters[name], value)
        except Wrong as wrong:
            return [place.at("example", name).wrong(str(wrong), wrong.remedy)]
    if "use" in template.sli.value:
        return [place.at("sli", "use").misnamed("a template does not use another", id_="S006")]
    values = template.spelled({**given, "job": "example"})
    filled = mapped(template.sli, lambda _, text: template.filled(text, values))
    findings: list[Finding] = []
    form = validated(SliForm, replace(filled, said="sli"), findings)
    if not isinstance(form, tuple) and len(form.model_fields_set) != 1:
        findings.append(place.at("sli").wrong("expected exactly one kind of SLI", id_="S006"))
    return findings
