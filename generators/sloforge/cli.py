"""The command line: parse, call, report. Nothing is decided here."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sloforge import __version__
from sloforge.wings import Winged

if TYPE_CHECKING:
    from sloforge.report import Format

BUG, INTERRUPTED = 3, 130
FORM = "sloforge.form"


class _Cli(Winged):
    """Turns what can go wrong into exit codes: 1 for the user to fix, 3 a bug, 130 an interrupt."""

    def main(self, *args: object, **kwargs: object) -> NoReturn:
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)  # type: ignore[call-overload]
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except click.ClickException as wrong:
            wrong.show()
            sys.exit(wrong.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception:  # noqa: BLE001 - whatever else escapes is ours
            traceback.print_exc()
            click.echo("this is a bug in sloforge; please report the lines above", err=True)
            sys.exit(BUG)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> object:
        from promtool import PromtoolError
        from sloforge.errors import Problem

        try:
            return super().invoke(ctx)
        except (Problem, PromtoolError) as problem:
            _tell(problem, ctx.meta.get(FORM, "text"))
            raise click.exceptions.Exit(1) from problem


def _tell(problem: Exception, form: Format) -> None:
    """Findings are the result where a machine reads it, else a message like any other."""
    from sloforge import report
    from sloforge.errors import Problem

    if isinstance(problem, Problem) and problem.findings and form != "text":
        click.echo(report.findings(problem.findings, form))
    else:
        click.echo(str(problem), err=True)


def _remember(context: click.Context, _: click.Parameter, value: str) -> str:
    context.meta[FORM] = value
    return value


form_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    callback=_remember,
    help="For people, for programs, or as annotations in a GitHub workflow.",
)


@click.group(cls=_Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The repository; the current directory by default.",
)
@click.version_option(__version__, prog_name="sloforge")
@click.pass_context
def main(context: click.Context, root: Path) -> None:
    """SLOs as code: from slos/ to tested rules, dashboards, routes and runbooks.

    \b
      sloforge init          start a repository
      sloforge build         write everything that slos/ comes to
      sloforge check         look for what is wrong with it
      sloforge test          prove the alerts through promtool
    """
    context.obj = root


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything would change.")
@click.option("--diff", is_flag=True, help="Show what changes, line by line.")
@click.option("--only", default="", help="Some generators only: recording,rules,dashboards,...")
@click.option("--no-cache", is_flag=True, help="Generate every service, changed or not.")
@form_option
@click.pass_obj
def build(root: Path, check: bool, diff: bool, only: str, no_cache: bool, form: Format) -> int:
    """Write everything that slos/ comes to.

    \b
    Examples:
      sloforge build
      sloforge build --check --diff      what is stale, missing or orphaned
      sloforge build --only recording,rules
    """
    from sloforge import pipeline, report

    names = _names(only)
    with report.progress("building"):
        built = pipeline.build(root, names, remember=not no_cache)
    if built.changes or form == "json":
        click.echo(report.changes(built.changes, form, diff=diff))
    if check:
        return _stale(len(built.changes))
    pipeline.apply(root, built)
    services = len(built.project.services)
    click.echo(
        f"{len(built.project.slos)} SLOs of {services} services: "
        f"{len(built.changes) or 'no'} files changed",
        err=True,
    )
    return 0


def _names(only: str) -> tuple[str, ...]:
    from sloforge import plugged

    names = tuple(name.strip() for name in only.split(",") if name.strip())
    if only and not names:
        raise click.BadParameter(f"expected names, got `{only}`", param_hint="--only")
    known = tuple(dict.fromkeys(generator.name for generator in plugged.generators()))
    for name in names:
        if name not in known:
            message = f"unknown generator `{name}`; known are {', '.join(known)}"
            raise click.BadParameter(message, param_hint="--only")
    return names


def _stale(changes: int) -> int:
    if changes:
        click.echo(f"{changes} generated files are out of date; run `make build`", err=True)
    return 1 if changes else 0


@main.command()
@form_option
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.pass_obj
def check(root: Path, form: Format, strict: bool) -> int:
    """Look for what is wrong with rules, dashboards, routes and runbooks.

    Each finding has an id with a page in docs/checks/. One that is right and yet not wanted is
    suppressed in slos/project.yaml, with a reason.

    \b
    Examples:
      sloforge check
      sloforge check --format github
    """
    from sloforge import checks, report

    with report.progress("checking"):
        found = checks.run(root)
    if found.findings or form == "json":
        click.echo(report.findings(found.findings, form))
    bad = [one for one in found.findings if strict or one.severity == "error"]
    click.echo(found.summary, err=True)
    return 1 if bad else 0


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("-k", "select", default="", help="Only test groups whose name matches.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    help="Processes; 0 means one for each core.",
)
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file.")
@form_option
@click.pass_obj
def test(
    root: Path, paths: tuple[Path, ...], select: str, jobs: int, junit: Path | None, form: Format
) -> int:
    """Prove the alerts: run the promtool tests, generated and hand-written.

    \b
    Examples:
      sloforge test
      sloforge test tests/rules/checkout -k 'fast-burn'
    """
    import promtool
    from promtool.junit import junit_xml
    from promtool.report import as_json, as_text
    from sloforge import report

    _expression(select)
    files = [f for path in paths or (root / "tests",) for f in _tests(path)]
    with report.progress(f"testing {len(files)} files"):
        suite = promtool.run_tests(files, options=promtool.Options(jobs=jobs, select=select))
    if junit:
        _write(junit, junit_xml(suite))
    if form == "github":
        click.echo("\n".join(report.failures(suite)))
    click.echo(as_json(suite) if form == "json" else as_text(suite), nl=False)
    return 0 if suite.ok else 1


def _expression(text: str) -> None:
    import re

    try:
        re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"`{text}`: {error}", param_hint="-k") from error


def _write(file: Path, text: str) -> None:
    from sloforge.errors import Problem

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}; name another file"
        raise Problem(message) from error


def _tests(path: Path) -> list[Path]:
    return sorted(path.rglob("*.promtest.yml")) if path.is_dir() else [path]


@main.command(name="list")
@click.option("--alerts", "show_alerts", is_flag=True, help="The alerts instead of the SLOs.")
@form_option
@click.pass_obj
def list_(root: Path, show_alerts: bool, form: Format) -> int:
    """What is promised: every SLO with its objective, budget and owner.

    \b
    Examples:
      sloforge list
      sloforge list --alerts --format json
    """
    from sloforge import listing, specs

    project = specs.load(root, runbooks=False)
    rows = listing.alert_rows(project) if show_alerts else listing.slo_rows(project)
    click.echo(listing.shown(rows, form))
    return 0


@main.command()
@click.argument(
    "which", type=click.Choice(["service", "project", "planes", "template"]), default="service"
)
def schema(which: str) -> int:
    """The JSON Schema of a spec file, for completion in editors.

    \b
    Examples:
      sloforge schema > service.schema.json
      sloforge schema project
    """
    import json

    from sloforge.specs.schema import schemas

    click.echo(json.dumps(schemas()[which], indent=2))
    return 0


@main.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.pass_obj
def init(root: Path, directory: Path | None) -> int:
    """Start a repository: a project, one service to edit, and an Alertmanager base.

    \b
    Examples:
      sloforge init
      sloforge init ../slos-of-my-team
    """
    from sloforge import starting

    for path in starting.write(directory or root):
        click.echo(f"create {path}")
    click.echo("edit slos/, then run `sloforge build`", err=True)
    return 0


@main.group()
def runbook() -> None:
    """Runbooks: the text that a woken person reads."""


@runbook.command()
@click.argument("name")
@click.pass_obj
def new(root: Path, name: str) -> int:
    """Write the skeleton of a runbook, with the eight sections and the generated blocks.

    \b
    Examples:
      sloforge runbook new checkout/availability-fast-burn
    """
    from sloforge import starting

    click.echo(f"create {starting.runbook(root, name)}")
    return 0


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """The script that completes sloforge's commands in a shell.

    \b
    Examples:
      eval "$(sloforge completion bash)"
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(main, {}, "sloforge", "_SLOFORGE_COMPLETE").source())
    return 0
