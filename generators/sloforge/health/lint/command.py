"""`sloforge lint-health`: options in, a report and an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from sloforge.errors import Problem
from sloforge.health.lint import fixing, live, output
from sloforge.health.lint.policy import Policy, Promise
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.run import STDIN, Result, gather, lint
from sloforge.health.lint.suppress import FIXED
from sloforge.model import Slo
from sloforge.promql import parse_duration, seconds

# Given the repository and `service/name`: the SLO. Raises Problem where there is none.
FindSlo = Callable[[Path, str], Slo]
_FAILING = {"error": ("error",), "warning": ("error", "warning")}


class _Duration(click.ParamType[timedelta]):
    """`30d`, `500ms`, `1m30s`, as timedelta."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


class _Objective(click.ParamType[Decimal]):
    """A percentage above 0 and below 100, as Decimal."""

    name = "percent"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        text = str(value).removesuffix("%")
        digits = text.replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit() and 0 < Decimal(text) < 100):  # noqa: PLR2004
            self.fail(f"expected a percentage such as 99.5, got `{value}`", param, ctx)
        return Decimal(text)


class _Ignore(click.ParamType[tuple[str, str]]):
    """`HC201=reason`, as a pair."""

    name = "id=reason"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        id_, _, reason = str(value).partition("=")
        if id_ not in CATALOG or id_ in FIXED or not reason.strip():
            self.fail(f"expected the id of a rule and a reason, got `{value}`", param, ctx)
        return (id_, reason.strip())


def command(find_slo: FindSlo) -> click.Command:
    """The verb; `find_slo` looks up what `--slo` names."""

    def run(**chosen: Any) -> int:
        _refuse(chosen)
        promise = _promise(chosen, find_slo)
        policy = _policy(chosen, promise)
        stdin = sys.stdin.buffer if STDIN in chosen["paths"] else None
        gathered = gather(chosen["paths"], stdin)
        gathered.answers += [live.answer(url) for url in chosen["live"]]
        found = lint(gathered, policy, dict(chosen["ignore"]), _measure(chosen))
        return _report(found, policy, chosen)

    wrapped: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return click.command(name="lint-health", help=_HELP)(wrapped)


_HELP = """Look for settings of health checks that hurt, before they are deployed.

Reads Kubernetes manifests, compose files, Dockerfiles, Terraform (HCL, or `terraform show -json`),
AWS and Google Cloud JSON, HAProxy, Envoy, nginx, Nomad and Consul; files, directories, or - for
standard input.
Each rule has a page in docs/checks/.

\b
Examples:
  sloforge lint-health deploy/
  helm template . | sloforge lint-health -
  sloforge lint-health k8s.yaml --objective 99.5 --window 30d --replicas 3
  sloforge lint-health k8s.yaml --fix | patch -p1
  sloforge lint-health --live http://127.0.0.1:8080/actuator/health
"""
_FORMS = click.Choice(["text", "json", "sarif", "github"])
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("paths", nargs=-1, type=click.Path(path_type=str)),
    click.option("--live", metavar="URL", multiple=True, help="Ask a health URL what it lists."),
    click.option("--prometheus", metavar="URL", help="Where the queries are asked."),
    click.option(
        "--latency-query",
        metavar="PROMQL",
        help="Seconds that answers take; {path} is what a check asks.",
    ),
    click.option("--start-query", metavar="PROMQL", help="Seconds of a start; for --start-time."),
    click.option("--objective", type=_Objective(), help="The SLO's objective in percent: 99.5."),
    click.option(
        "--window",
        type=_Duration(),
        default="30d",
        show_default=True,
        help="The SLO's window; with --objective.",
    ),
    click.option("--slo", metavar="SERVICE/NAME", help="Take both from an SLO under slos/."),
    click.option("--replicas", type=click.IntRange(1), help="Instances that share the traffic."),
    click.option("--start-time", type=_Duration(), help="The 99th percentile of a start."),
    click.option("--latency", type=_Duration(), help="The latency SLO of the route that is asked."),
    click.option(
        "--ignore",
        multiple=True,
        type=_Ignore(),
        help="Suppress a rule in the whole run: HC501=reason.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning"]),
        default="error",
        show_default=True,
        help="The least severity that makes the exit code 1.",
    ),
    click.option("--fix", is_flag=True, help="Print a diff that puts right what an edit can."),
    click.option(
        "--format",
        "form",
        type=_FORMS,
        default="text",
        show_default=True,
        help="The report's format.",
    ),
)


def _refuse(chosen: dict[str, Any]) -> None:
    """What does not fit together on the command line."""
    if not chosen["paths"] and not chosen["live"]:
        raise click.UsageError("expected files, directories or - to read, or --live URL")
    asks = chosen["latency_query"] or chosen["start_query"]
    if asks and not chosen["prometheus"]:
        raise click.UsageError("a query needs --prometheus URL to be asked")
    if chosen["prometheus"] and not asks:
        raise click.UsageError("--prometheus needs --latency-query or --start-query")
    if chosen["start_query"] and chosen["start_time"] is not None:
        raise click.UsageError("--start-time and --start-query say the same; give one of them")


def _measure(chosen: dict[str, Any]) -> live.Measure | None:
    if chosen["latency_query"] is None:
        return None
    ask = live.measuring(chosen["prometheus"], chosen["latency_query"])

    def told(paths: Iterable[str]) -> Mapping[str, Decimal]:
        wanted = list(paths)
        found = ask(wanted)
        for path in wanted:
            if path not in found:
                click.echo(f"{path}: nothing measured: the query found no number", err=True)
        return found

    return told


def _start(chosen: dict[str, Any]) -> Decimal | None:
    if chosen["start_query"] is None:
        return None if chosen["start_time"] is None else seconds(chosen["start_time"])
    found = live.longest(chosen["prometheus"], chosen["start_query"])
    if found is None:
        raise Problem(f"--start-query: `{chosen['start_query']}` found no number; correct it")
    return found


def _promise(chosen: dict[str, Any], find_slo: FindSlo) -> Promise | None:
    if chosen["slo"]:
        if chosen["objective"] is not None:
            raise click.UsageError("--slo and --objective say the same; give one of them")
        root = click.get_current_context().find_object(Path) or Path()
        return promise_of(find_slo(root, chosen["slo"]))
    if chosen["objective"] is None:
        return None
    return Promise(objective=chosen["objective"] / 100, window=seconds(chosen["window"]))


def promise_of(slo: Slo) -> Promise:
    """What an SLO allows. Raises Problem where it has no budget."""
    if slo.objective is None or slo.budget is None:
        message = f"{slo.source}: {slo.service}/{slo.name} has no error budget; name another SLO"
        raise Problem(message)
    return Promise(objective=slo.objective, window=seconds(slo.window))


def _policy(chosen: dict[str, Any], promise: Promise | None) -> Policy:
    latency = chosen["latency"]
    return Policy(
        promise=promise,
        replicas=chosen["replicas"],
        start=_start(chosen),
        latency=None if latency is None else seconds(latency),
    )


def _report(found: Result, policy: Policy, chosen: dict[str, Any]) -> int:
    if chosen["fix"]:
        click.echo(fixing.diff(found.hits, found.sources), nl=False)
        for hit in found.hits:
            if not hit.edits:
                click.echo(str(hit), err=True)
    else:
        text = output.rendered(found.hits, found.units, policy, chosen["form"])
        if text:
            click.echo(text)
    click.echo(_summary(found, len(chosen["live"])), err=True)
    failing = _FAILING[chosen["fail_on"]]
    return 1 if any(hit.level in failing for hit in found.hits) else 0


def _summary(found: Result, asked: int) -> str:
    checks = sum(len(unit.checks) for unit in found.units)
    levels = [hit.level for hit in found.hits]
    counts = (
        _counted(levels.count("error"), "error"),
        _counted(levels.count("warning"), "warning"),
        _counted(levels.count("info"), "remark"),
    )
    read = f"{_counted(checks, 'health check')} in {_counted(len(found.sources), 'file')}"
    read += f", {_counted(asked, 'answer')} asked for" if asked else ""
    return f"{read}: {', '.join(counts)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _no_specs(_: Path, name: str) -> Slo:
    raise Problem(f"--slo {name}: no specs are read here; give --objective and --window")


lint_health = command(_no_specs)
