"""`sloforge demo` on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import click

NAMES = ("outage", "aftermath")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _duration(_: click.Context, option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+)([smh])", value)
    if not found:
        raise click.BadParameter(
            f"expected a duration like 90s or 10m, got `{value}`", param=option
        )
    return float(found[1]) * _SECONDS[found[2]]


@click.command()
@click.option(
    "--script",
    type=click.Choice(NAMES),
    help="Play by itself: an outage that is four minutes old, or one that has just been mended.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the dashboards; a free one else."
)
@click.option("--for", "length", callback=_duration, help="End by itself after this time: 10m.")
@click.option(
    "--grafana", default="", metavar="URL", help="Deploy the dashboards there, too: $GRAFANA_TOKEN."
)
@click.pass_obj
def demo(  # noqa: PLR0913 - an option each
    root: Path, *, script: str | None, port: int, length: float | None, grafana: str
) -> int:
    """The whole system on this machine: real servers, a month of history, an outage to watch.

    Starts Prometheus and Alertmanager on loopback, deploys rules and routes to them, serves the
    dashboards, and tells what happens. Exits with 0; with 1 where a script has not seen all that it
    should, or something has failed; with 130 where a script was interrupted.

    \b
    Examples:
      sloforge demo
      sloforge demo --script outage
      sloforge demo --grafana http://127.0.0.1:3000
    """
    from sloforge.demo.running import Choice, run  # noqa: PLC0415 - --help needs none of it
    from sloforge.demo.script import SCRIPTS  # noqa: PLC0415 - as above

    chosen = {one.name: one for one in SCRIPTS}.get(script or "")
    return run(root, Choice(script=chosen, port=port, seconds=length, grafana=grafana))
