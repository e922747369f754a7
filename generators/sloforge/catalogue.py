"""What a project can use: `sloforge library`, its templates as a table, a page or a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sloforge.report import Format
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
    template = _named(found, name)
    if copy:
        click.echo(f"create {_copied(root, template)}")
    else:
        click.echo(_json(_object(template)) if form == "json" else _page(template))
    return 0


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
        return _json([_object(template) for template in _every(found)])
    rows = [(one.name, one.kind, one.form.description) for one in _every(found)]
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
