"""The verbs of `sloforge probe`: parse, call, print."""

from __future__ import annotations

from typing import cast

import click

from sloforge.health.emit import PLATFORMS, Platform, Probe, emit


@click.group()
def probe() -> None:
    """What runs slo-probe; the probe itself is the program `slo-probe`."""


@probe.command("emit")
@click.argument("platform", type=click.Choice(PLATFORMS))
@click.option("--name", default="app", show_default=True, help="The service that is probed.")
@click.option(
    "--url", default="http://localhost:8080/metrics", show_default=True, help="What is fetched."
)
@click.option("--check", "checks", multiple=True, help="As for slo-probe; repeatable.")
@click.option("--timeout", type=float, default=2, show_default=True, help="Of slo-probe, seconds.")
@click.option("--period", type=int, default=10, show_default=True, help="Seconds between probes.")
@click.option("--failures", type=int, default=3, show_default=True, help="In a row, before action.")
@click.option(
    "--start", type=int, default=60, show_default=True, help="Seconds that a start may take."
)
@click.option("--exec", "use_exec", is_flag=True, help="k8s: a process per probe, no agent.")
def emit_command(platform: str, **asked: object) -> None:
    """Print the stanza for k8s, compose, dockerfile or systemd.

    \b
    Examples:
      sloforge probe emit k8s --check 'up == 1'
      sloforge probe emit compose --check 'fresh(last_run_ts) < 300s'
    """
    wanted = Probe(**asked)  # type: ignore[arg-type]
    click.echo(emit(cast("Platform", platform), wanted), nl=False)
