"""`sloforge preview` on the command line: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT = "http://127.0.0.1:9090"
WIDTH = 1600
_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--prometheus",
    default="",
    help=f"Whom the dashboards ask; {DEFAULT} by default.",
    metavar="URL",
)
@click.option(
    "--token-env", default="", metavar="NAME", help="The variable that holds a bearer token for it."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=3001, show_default=True, help="0: a free one."
)
@click.option("--static", type=_file, help="Write one HTML file with all numbers instead.")
@click.option("--png", type=_folder, help="Write a picture of each dashboard into this folder.")
@click.option("--dashboard", multiple=True, metavar="UID", help="Only this one; may be repeated.")
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Of a variable; may be repeated.",
)
@click.option("--from", "first", default="", help="The left edge, such as now-6h.")
@click.option("--to", "last", default="", help="The right edge, such as now.")
@click.option("--range", "back", default="", help="Short for --from now-RANGE --to now.")
@click.option(
    "--theme",
    type=click.Choice(["dark", "light"]),
    default="dark",
    show_default=True,
    help="Of --png.",
)
@click.option(
    "--width",
    type=click.IntRange(480, 4000),
    default=WIDTH,
    show_default=True,
    help="Of --png, pixels.",
)
@click.option("--record", type=_file, help="Keep the answers of Prometheus in this file.")
@click.option("--replay", type=_file, help="Take the answers from such a file; ask nobody.")
@click.option("--sample", is_flag=True, help="Say everywhere that the numbers are sample data.")
@click.pass_obj
def preview(root: Path, /, **asked: object) -> int:
    """Look at the dashboards without Grafana, over any Prometheus.

    Serves them until Ctrl-C, read-only and to this machine; or writes one HTML file, or pictures.

    \b
    Examples:
      sloforge preview --prometheus http://127.0.0.1:9090
      sloforge preview --static preview.html --range 24h
      sloforge preview --png screenshots --dashboard slo-checkout --theme light
      sloforge preview --png screenshots --dashboard slo-incident --var service=checkout
      sloforge preview --record answers.json && sloforge preview --replay answers.json
    """
    from sloforge.preview import running  # noqa: PLC0415 - --help needs none of it

    if asked["back"] and (asked["first"] or asked["last"]):
        raise click.UsageError("--range and --from or --to exclude one another")
    if asked["prometheus"] and asked["replay"]:
        raise click.UsageError("--prometheus and --replay exclude one another")
    if asked["record"] and asked["replay"]:
        raise click.UsageError("--record and --replay exclude one another")
    if wrong := [one for one in asked["variables"] if "=" not in one[1:]]:  # type: ignore[attr-defined]
        raise click.UsageError(f"--var {wrong[0]}: expected NAME=VALUE, such as service=checkout")
    asked["prometheus"] = asked["prometheus"] or DEFAULT
    return running.run(root / "dashboards", running.Asked(**asked))  # type: ignore[arg-type]
