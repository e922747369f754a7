"""HTTP rows of a service: traffic, errors and latency by route, from series recorded once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards.board import (
    GREEN,
    ORANGE,
    RED,
    Graph,
    Look,
    Panel,
    Read,
    Section,
    Variable,
    steps,
)
from sloforge.generate.boards.common import formula
from sloforge.model import Step
from sloforge.promql import Selector, number
from sloforge.sli import Latency, Quantile, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Service, Slo

QUANTILES = (Decimal("0.5"), Decimal("0.95"), Decimal("0.99"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A latency that was promised: this share of requests within `threshold`."""

    slo: str
    share: Decimal
    threshold: Decimal


def route_variable(service: Service) -> Iterator[Variable]:
    """The routes that were seen; none where no HTTP metric is."""
    http = service.http
    metric = naming.HTTP_REQUESTS if http.requests else naming.HTTP_DURATION
    if http.requests or http.duration:
        query = f'label_values({metric}{{slo_service="$service"}}, {http.route})'
        yield Variable(name="route", label="Route", query=query, many=True)


def http(service: Service) -> Iterator[Section]:
    """Traffic, then latency, for what the service has."""
    if service.http.requests is not None:
        yield Section(slug="http-traffic", title="HTTP traffic", panels=tuple(_traffic(service)))
    if service.http.duration is not None:
        yield Section(slug="http-latency", title="HTTP latency", panels=tuple(_latency(service)))


def _of(service: Service, metric: str, *more: str) -> str:
    matchers = (f'slo_service="{service.name}"', f'{service.http.route}=~"$route"', *more)
    return f"{metric}{{{','.join(matchers)}}}"


def _traffic(service: Service) -> Iterator[Panel]:
    route, status = service.http.route, service.http.status
    requests = _of(service, naming.HTTP_REQUESTS)
    for label, title, key in (
        (route, "Requests by route", "by-route"),
        (status, "Requests by status", "by-status"),
    ):
        expr = f"sum by ({label}) ({requests})"
        yield Panel(
            slug=f"http:{key}",
            kind="timeseries",
            title=title,
            description=formula(
                "Requests per second, as a mean over five minutes.",
                expr,
                "A drop to nothing is an outage in front of the service, or a lost route.",
            ),
            width=8,
            height=8,
            reads=(Read(expr=expr, legend=f"{{{{{label}}}}}"),),
            look=Look(unit="reqps", decimals=2, empty="no traffic"),
            graph=Graph(stacked=True),
        )
    yield _errors(service)


def _errors(service: Service) -> Panel:
    http = service.http
    everything = f"sum by ({http.route}) ({_of(service, naming.HTTP_REQUESTS)})"
    failed = _of(service, naming.HTTP_REQUESTS, f'{http.status}=~"{http.errors}"')
    ratio = f"(sum by ({http.route}) ({failed}) or 0 * {everything})\n/ ({everything} > 0)"
    budgets = [slo.budget for slo in service.slos if _counts_requests(service, slo)]
    lines = {budget: RED for budget in budgets if budget is not None}
    return Panel(
        slug="http:errors",
        kind="timeseries",
        title="Which route fails?",
        description=formula(
            f"Responses with status {http.errors} / all responses, by route. "
            "A line is the share that an SLO on these requests allows over its window.",
            ratio,
            "One route: look at its last change. All routes: look at what they share.",
        ),
        width=8,
        height=8,
        reads=(Read(expr=ratio, legend=f"{{{{{http.route}}}}}"),),
        look=Look(
            unit="percentunit",
            decimals=2,
            steps=steps(GREEN, *lines.items()),
            empty="no traffic",
            minimum=Decimal(0),
        ),
        graph=Graph(thresholds="dashed" if lines else "off"),
    )


def _counts_requests(service: Service, slo: Slo) -> bool:
    requests, sli = service.http.requests, slo.sli
    return (
        isinstance(sli, Ratio)
        and isinstance(sli.whole, Selector)
        and requests is not None
        and sli.whole.name == requests.name
    )


def promises(service: Service) -> tuple[Promise, ...]:
    """What the service's SLOs promise about its HTTP histogram."""
    found = []
    for slo in service.slos:
        sli = slo.sli
        if not isinstance(sli, Latency | Quantile) or not _same(service, sli):
            continue
        share = sli.quantile if isinstance(sli, Quantile) else slo.objective
        if share is not None:
            found.append(Promise(slo=slo.name, share=share, threshold=sli.threshold))
    return tuple(found)


def _same(service: Service, sli: Latency | Quantile) -> bool:
    histogram = service.http.duration
    return histogram is not None and sli.histogram.name == histogram.name


def _latency(service: Service) -> Iterator[Panel]:
    route, found = service.http.route, promises(service)
    buckets = f"sum by (le, {route}) ({_of(service, naming.HTTP_DURATION)})"
    lines = "; ".join(
        f"{p.slo}: {number(p.share * 100)} % within {number(p.threshold)} s" for p in found
    )
    for quantile in QUANTILES:
        # Without requests the quantile is NaN, which the comparison leaves out.
        expr = f"histogram_quantile({number(quantile)}, {buckets}) >= -Inf"
        percent = number(quantile * 100)
        yield Panel(
            slug=f"http:p{percent}",
            kind="timeseries",
            title=f"P{percent} by route",
            description=formula(
                f"{percent} % of the requests are faster than this, over five minutes. "
                f"The lines are the thresholds of the SLOs ({lines or 'none'}): red where this "
                "percentile above it breaks the promise, orange where it alone does not.",
                expr,
                "One route slow: its own work. All slow at once: saturation; see traffic.",
            ),
            width=8,
            height=9,
            reads=(Read(expr=expr, legend=f"{{{{{route}}}}}"),),
            look=Look(unit="s", decimals=2, steps=_lines(found, quantile), empty="no traffic"),
            graph=Graph(thresholds="dashed" if found else "off", log=10),
        )


def _lines(found: tuple[Promise, ...], quantile: Decimal) -> tuple[Step, ...]:
    """One line per threshold; the sternest meaning wins where two promises share one."""
    colors: dict[Decimal, str] = {}
    for promise in found:
        broken = quantile <= promise.share
        if broken or promise.threshold not in colors:
            colors[promise.threshold] = RED if broken else ORANGE
    return steps(GREEN, *colors.items())
