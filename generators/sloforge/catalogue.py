"""What a project can use: `sloforge library` has SLI templates, `sloforge plugins` the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from inspect import Parameter

    from sloforge.plugins import Plugin
    from sloforge.report import Format
    from sloforge.specs.offered import Function
    from sloforge.specs.templates import Library, Template
    from sloforge.specs.templates_forms import ParameterForm

_form = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)


@click.command(name="library")
@click.argument("name", required=False)
@click.option("--copy", is_flag=True, help="Write the template to slos/library/, to be edited.")
@_form
@click.pass_obj
def library(root: Path, name: str | None, *, copy: bool, form: Format) -> int:
    """The SLI templates that a service can `use`, or one of them with its parameters.

    A project's own stand in slos/library/; there one with the name of a shipped one replaces it.

    \b
    Examples:
      sloforge library
      sloforge library nginx-ingress-availability
      sloforge library nginx-ingress-availability --copy
    """
    found = _library(root)
    if copy and name is None:
        raise click.UsageError("--copy needs the name of a template")
    if name is None:
        click.echo(_listed(found, form))
        return 0
    if not found.has(name) and (function := _function(name)) is not None:
        click.echo(_json(_about(function)) if form == "json" else _function_page(function))
        return 0
    template = _named(found, name)
    if copy:
        click.echo(f"create {_copied(root, template)}")
    else:
        click.echo(_json(_object(template)) if form == "json" else _page(template))
    return 0


@click.command(name="plugins")
@_form
def plugins_(*, form: Format) -> int:
    """What other packages add: readers, SLIs, generators, checks and targets.

    Each is loaded, so that one that is broken is found here; then the exit code is 1.

    \b
    Examples:
      sloforge plugins
      sloforge plugins --format json
    """
    from sloforge import report

    rows = tuple(_plugin_rows())
    header = ("kind", "name", "package", "version", "function", "state")
    if form == "json":
        click.echo(_json([dict(zip(header, row, strict=True)) for row in rows]))
    elif rows:
        click.echo(report.table(header, rows))
    else:
        click.echo("no plugins are installed; docs/plugins.md shows how one is made", err=True)
    return 0 if all(row[-1] == "ok" for row in rows) else 1


def _plugin_rows() -> Iterator[tuple[str, ...]]:
    """Raises Problem where two plugins, or one of them and we, have the same name."""
    from sloforge import plugins

    for kind, taken in _taken().items():
        for one in plugins.found(kind, taken):
            about = (kind, one.name, one.distribution, one.version, one.entry.value)
            yield (*about, _state(one))


def _taken() -> dict[str, tuple[str, ...]]:
    """Kind -> the names of what is built in."""
    from sloforge import generate
    from sloforge.deploy.targets import TARGETS
    from sloforge.specs import READERS, templates

    return {
        "readers": tuple(READERS),
        "sli": templates.names(),
        "generators": tuple(one.name for one in generate.GENERATORS),
        "checks": (),
        "targets": tuple(name for name, _ in TARGETS),
    }


def _state(plugin: Plugin) -> str:
    from sloforge.errors import Problem

    try:
        plugin.load()
    except Problem as problem:
        return str(problem).removeprefix(f"{plugin} ")
    return "ok"


def _library(root: Path) -> Library:
    """Raises Problem with the mistakes of the project's own templates."""
    from sloforge.errors import Finding, Problem
    from sloforge.specs import templates

    findings: list[Finding] = []
    found = templates.load(root, findings)
    if findings:
        raise Problem(findings=findings)
    return found


def _named(found: Library, name: str) -> Template:
    from sloforge.errors import Problem
    from sloforge.specs.words import did_you_mean

    template = found.find(name)
    if template is None:
        near = did_you_mean(name, found.names())
        remedy = near if near.startswith("did") else "`sloforge library` lists what there is"
        raise Problem(f"no template `{name}`; {remedy}")
    return template


def _every(found: Library) -> list[Template]:
    return [template for name in found.names() if (template := found.find(name)) is not None]


def _listed(found: Library, form: Format) -> str:
    from sloforge import report

    if form == "json":
        return _json([*map(_object, _every(found)), *map(_about, _functions())])
    rows = [(one.name, one.kind, one.form.description) for one in _every(found)]
    rows += [(one.name, "plugin", one.about) for one in _functions()]
    return report.table(("template", "sli", "what is good"), rows)


def _page(template: Template) -> str:
    from sloforge import report

    form = template.form
    parts = [f"{template.name}: {form.description}", ""]
    parts += [f"metrics  {form.source}"] * bool(form.source)
    parts += [f"needs    {form.needs}"] * bool(form.needs)
    parts += [f"file     {template.path}", ""]
    if form.parameters:
        rows = [_row(name, one) for name, one in form.parameters.items()]
        parts += [report.table(("parameter", "type", "default", "what"), rows), ""]
    parts += ["In a service file:", "", _indented(_use(template)), ""]
    return "\n".join([*parts, "which comes to:", "", _indented(_comes_to(template))])


def _functions() -> tuple[Function, ...]:
    from sloforge.specs import offered, templates

    return offered.functions(templates.names())


def _function(name: str) -> Function | None:
    return next((one for one in _functions() if one.name == name), None)


def _function_page(function: Function) -> str:
    from sloforge import report

    rows = [(name, _type(one), _or_required(one)) for name, one in function.parameters.items()]
    table = report.table(("parameter", "type", "default"), rows)
    return f"{function.name}: {function.about}\n\nfrom  {function.plugin}\n\n{table}"


def _type(parameter: Parameter) -> str:
    known = {str: "text", int: "number", float: "number", bool: "flag"}
    return known.get(parameter.annotation, getattr(parameter.annotation, "__name__", "-"))


def _or_required(parameter: Parameter) -> str:
    return "required" if parameter.default is parameter.empty else str(parameter.default)


def _about(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "kind": "plugin",
        "description": function.about,
        "source": str(function.plugin),
        "parameters": {
            name: {"type": _type(one), "required": one.default is one.empty}
            for name, one in function.parameters.items()
        },
    }


def _row(name: str, form: ParameterForm) -> tuple[str, str, str, str]:
    words = form.description
    if form.choices:
        words += f" One of {', '.join(map(str, form.choices))}."
    return name, form.type, _default(form), words


def _default(form: ParameterForm) -> str:
    if form.required:
        return "required"
    if form.default is None:
        return "left out"
    return str(form.default).lower() if isinstance(form.default, bool) else str(form.default) or "-"


def _use(template: Template) -> str:
    given = {"with": dict(template.form.example)} if template.form.example else {}
    return _yaml({"sli": {"use": template.name, **given}})


def _comes_to(template: Template) -> str:
    from sloforge.specs.templates import example

    return _yaml({"sli": example(template)})


def _yaml(document: dict[str, Any]) -> str:
    from sloforge.artifacts import yaml_text

    return yaml_text(document)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _object(template: Template) -> dict[str, Any]:
    form = template.form
    return {
        "name": template.name,
        "kind": template.kind,
        "description": form.description,
        "source": form.source,
        "needs": form.needs,
        "file": template.path,
        "parameters": {name: _parameter(one) for name, one in form.parameters.items()},
        "example": form.example,
    }


def _parameter(form: ParameterForm) -> dict[str, Any]:
    about = {"type": form.type, "description": form.description, "required": form.required}
    more = {"default": form.default, "pattern": form.pattern, "choices": form.choices}
    return about | {key: value for key, value in more.items() if value not in (None, "", [])}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=float, ensure_ascii=False)


def _copied(root: Path, template: Template) -> str:
    """The path of the copy. Raises Problem where a file stands there already."""
    from sloforge.errors import Problem
    from sloforge.specs import templates

    target = root / templates.FOLDER / f"{template.name}.yaml"
    path = target.relative_to(root).as_posix()
    if target.exists():
        raise Problem(f"{path} is there already; edit it")
    text = templates.shipped()[template.name]
    # The schema stands beside the sources only: an editor asks an installed sloforge for it.
    lines = [line for line in text.splitlines(keepends=True) if "yaml-language-server" not in line]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}; free the way") from error
    return path
