"""A project with every shape of SLO that a dashboard shows, written as values and not through a spec."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sloforge.errors import Location
from sloforge.model import (
    Alerting,
    Http,
    Links,
    Owner,
    Project,
    Query,
    Row,
    Service,
    Settings,
    Slo,
    Step,
    TeamPanel,
)
from sloforge.promql import Matcher, Selector
from sloforge.sli import Freshness, Latency, Quantile, Ratio, Sli
from sloforge.windows import WORKBOOK

HOUR, MINUTES = timedelta(hours=1), timedelta(minutes=5)
REQUESTS = Selector("http_requests_total")
FAILED = Selector("http_requests_total", (Matcher("code", "=~", "5.."),))
DURATION = Selector("http_request_duration_seconds")


def slo(name: str, sli: Sli, objective: str | None, **more: object) -> Slo:
    found = Slo(
        service="checkout",
        name=name,
        description=f"What {name} means.",
        rationale="Because.",
        grounding="measured",
        measured=(),
        objective=None if objective is None else Decimal(objective),
        decided=True,
        window=timedelta(days=30),
        by=(),
        sli=sli,
        alerting=Alerting(burns=WORKBOOK.burns, min_errors=5, runbook="{slo}-{burn}"),
        source=Location("slos/checkout.yaml", 5, 3),
    )
    return replace(found, **more)  # type: ignore[arg-type]


AVAILABILITY = slo("availability", Ratio(whole=REQUESTS, part=FAILED, part_is_bad=True), "0.9995")
REGIONAL = replace(AVAILABILITY, name="regional", by=("region",), objective=Decimal("0.99"))
FAST = slo("fast", Latency(histogram=DURATION, threshold=Decimal("0.3")), "0.99")
P95 = slo(
    "p95",
    Quantile(
        histogram=DURATION,
        quantile=Decimal("0.95"),
        threshold=Decimal("0.5"),
        windows=(HOUR, MINUTES),
    ),
    None,
)
FRESH = slo(
    "fresh",
    Freshness(
        timestamp=Selector("last_success_ts"),
        max_age=timedelta(minutes=5),
        step=timedelta(seconds=30),
    ),
    "0.999",
    window=timedelta(days=7),
)
UNDECIDED = replace(FRESH, name="undecided", objective=None, decided=False)

KERNEL = Row(
    title="Kernel",
    collapsed=False,
    panels=(
        TeamPanel(
            title="Queue length",
            kind="timeseries",
            description="",
            unit="short",
            queries=(Query(expr='queue_length{zone=~"$zone"}', legend="{{zone}}"),),
            thresholds=(Step(color="green", value=None), Step(color="red", value=Decimal(80))),
            content="",
            decimals=None,
            logarithmic=True,
            stacked=True,
        ),
        TeamPanel(
            title="Notes",
            kind="text",
            description="",
            unit="short",
            queries=(),
            thresholds=(),
            content="# Hello",
            decimals=None,
            logarithmic=False,
            stacked=False,
        ),
        TeamPanel(
            title="Builds",
            kind="table",
            description="Which build runs.",
            unit="short",
            queries=(Query(expr="count by (version) (build_info)", legend="{{version}}"),),
            thresholds=(),
            content="",
            decimals=0,
            logarithmic=False,
            stacked=False,
        ),
    ),
)
CHECKOUT = Service(
    name="checkout",
    owner="shop",
    tier=1,
    description="Takes money.",
    job="checkout",
    scrape_interval=timedelta(seconds=15),
    links=Links(repository="https://git.example.org/checkout", logs="https://logs.example.org"),
    disable=(),
    slos=(AVAILABILITY, REGIONAL, FAST, P95, FRESH, UNDECIDED),
    http=Http(requests=REQUESTS, duration=DURATION, route="path", status="code"),
    rows=(KERNEL,),
    variables=(("zone", "label_values(queue_length, zone)"),),
    source=Location("slos/checkout.yaml", 1, 1),
)
LONG = "a-service-with-a-name-of-quite-some-length-indeed"
OTHER = replace(
    CHECKOUT,
    name=LONG,
    job=None,
    links=Links(),
    slos=(replace(FRESH, service=LONG),),
    http=Http(requests=None, duration=None),
    rows=(),
    variables=(),
)
SETTINGS = Settings(
    owners=(Owner(name="shop", page="shop-page", ticket="shop-ticket"),),
    interval=timedelta(minutes=1),
    mode="hybrid",
    fallback_receiver="fallback",
    watchdog_receiver="watchdog",
    datasource="default",
    runbook_base_url="https://runbooks.example.org/",
    dashboard_base_url="https://grafana.example.org",
    labels=(),
)
PROJECT = Project(settings=SETTINGS, services=(CHECKOUT, OTHER))
