"""The commands of the wings: known by name and one line, loaded when they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from sloforge.artifacts import Change
    from sloforge.model import Slo


@dataclass(frozen=True, slots=True)
class Wing:
    """A command that lives elsewhere, and what `--help` says of it without loading it."""

    name: str
    help: str
    load: Callable[[], click.Command]


def _named(module: str, attribute: str) -> Callable[[], click.Command]:
    def load() -> click.Command:
        found: click.Command = getattr(import_module(f"sloforge.{module}"), attribute)
        return found

    return load


def _deploying(verb: str) -> Callable[[], click.Command]:
    def load() -> click.Command:
        from sloforge.deploy.commands import commands

        return next(one for one in commands(_changes) if one.name == verb)

    return load


def _changes(root: Path) -> Iterable[Change]:
    """What a build would change: over all cores, and from memory where nothing has changed."""
    from sloforge import pipeline

    return pipeline.build(root).changes


def _lint_health() -> click.Command:
    from sloforge.health.lint.command import command

    return command(_slo)


def _prober() -> click.Command:
    from sloforge.health.planes.command import command
    from sloforge.specs.planes import load_file

    return command(load_file)


def _slo(root: Path, name: str) -> Slo:
    """`service/slo` of the project. Raises Problem where there is none."""
    from sloforge import specs
    from sloforge.errors import Problem

    known = {f"{slo.service}/{slo.name}": slo for slo in specs.load(root, runbooks=False).slos}
    if name not in known:
        raise Problem(f"no SLO `{name}`; known are {', '.join(sorted(known))}")
    return known[name]


WINGS: tuple[Wing, ...] = (
    Wing("plan", "What a deploy would do, without doing it.", _deploying("plan")),
    Wing(
        "deploy",
        "Apply the plan, verify it, undo it if wrong.",
        _deploying("deploy"),
    ),
    Wing("drift", "What was changed behind a deploy's back.", _deploying("drift")),
    Wing("rollback", "Go back to an earlier deploy.", _deploying("rollback")),
    Wing("deploys", "The deploys so far.", _deploying("deploys")),
    Wing("plugins", "What other packages add to sloforge.", _named("catalogue", "plugins_")),
    Wing("library", "The SLI templates that a service can use.", _named("catalogue", "library")),
    Wing(
        "import",
        "Turn Sloth, Pyrra and OpenSLO files into ours.",
        _named("formats.commands", "import_command"),
    ),
    Wing(
        "export", "Write our SLOs for another tool.", _named("formats.commands", "export_command")
    ),
    Wing(
        "prober",
        "Probe the workload planes and export their states.",
        _prober,
    ),
    Wing(
        "preview",
        "Look at the dashboards without Grafana.",
        _named("preview.commands", "preview"),
    ),
    Wing("probe", "Stanzas that run slo-probe.", _named("health.commands", "probe")),
    Wing("demo", "The whole system on this machine, live.", _named("demo.commands", "demo")),
    Wing("lint-health", "Find health-check settings that hurt.", _lint_health),
)


class Winged(click.Group):
    """A group whose wings cost nothing until one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(wing.name for wing in WINGS)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        return next((wing.load() for wing in WINGS if wing.name == cmd_name), None)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, but with a wing's line from here."""
        lines = {wing.name: wing.help for wing in WINGS}
        for name, command in self.commands.items():
            lines[name] = command.get_short_help_str(formatter.width - 18)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(lines.items()))
