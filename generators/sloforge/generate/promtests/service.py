"""`service`: the target is down, its instrumentation is gone, or it is merely idle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert
from sloforge.generate.promtests.case import (
    Group,
    Suite,
    fixture,
    gives,
    group,
    members,
    recording_order,
    scrapes,
)
from sloforge.sli import Latency, Phase, Quantile, Series
from sloforge.sli.fixtures import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service
    from sloforge.sli import Sli

LENGTH = timedelta(minutes=25)
# Only what is there in the end counts: the longest `for` is two of these.
EVERY = timedelta(minutes=5)
# The moment the trouble begins: before it all is well.
TROUBLE = timedelta(minutes=10)


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """Nothing for a service without a scrape job: nothing tells it from an idle one."""
    if service.job is None or not any(alert.slo is None for alert in found):
        return
    order = [naming.service_alert_group(service.name)]
    for slo in service.slos:
        alerting = [naming.alert_group(slo)] * any(alert.slo is slo for alert in found)
        order += [*recording_order(slo), *alerting]
    yield Suite(
        path=naming.test_file(service.name, "service"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name), naming.rules_file(service.name)),
        order=tuple(order),
        evaluation_interval=max(EVERY, project.settings.interval),
        groups=tuple(_groups(service, [alert for alert in found if alert.slo is None])),
    ).artifact()


def _groups(service: Service, own: list[Alert]) -> Iterator[Group]:
    down = [alert for alert in own if alert.kind == "down"]
    gone = [alert for alert in own if alert.kind == "instrumentation-gone"]
    idle = _idle(service)
    yield _case(
        service,
        "idle, then one of two targets down: nothing fires",
        [*_up(service, "1 0"), *idle],
        [],
    )
    lost = [replace(one, values=f"{one.values} stale") for one in _idle(service, TROUBLE)]
    yield _case(
        service,
        "every target down: it is down, and nothing burns",
        [*_up(service, "0 0"), *lost],
        down,
    )
    yield _case(service, "no target known: it is down", [], down)
    if gone:
        yield _case(
            service, "scraped, but the series are gone", [*_up(service, "1 1"), *lost], gone
        )


def _up(service: Service, states: str) -> list[Series]:
    """Two targets that are up until the trouble begins, and what they are then."""
    step = service.scrape_interval
    good, bad = scrapes(step, TROUBLE), scrapes(step, LENGTH - TROUBLE)
    return [
        Series(
            series=spelled("up", {"job": service.job or "", "instance": f"{at}:9090"}),
            values=f"1x{good} {state}x{bad}",
        )
        for at, state in enumerate(states.split())
    ]


def _idle(service: Service, time: timedelta = LENGTH) -> list[Series]:
    """Counters that stand still and gauges that say all is well, for so long."""
    step = service.scrape_interval
    phase = Phase(steps=scrapes(step, time) + 1, bad=Decimal(0))
    found: dict[str, Series] = {}
    for slo in service.slos:
        labels = members(slo)[0] | {"job": service.job or ""}
        still = fixture(step, (phase,), labels)
        played = (one for sli in _with_bounds(service, slo.sli) for one in sli.series(still))
        for one in played:
            flat = slo.sli.unit == "events"
            values = f"7x{phase.steps}" if flat else one.values
            found.setdefault(one.series, Series(series=one.series, values=values))
    return list(found.values())


def _with_bounds(service: Service, sli: Sli) -> Iterator[Sli]:
    """The SLI, and its histogram with each bound that an SLI on the same family reads."""
    yield sli
    mine = sli.twin() if isinstance(sli, Quantile) else sli
    if not isinstance(mine, Latency) or mine.native:
        return
    for other in (slo.sli for slo in service.slos if isinstance(slo.sli, Latency)):
        if other.histogram.name == mine.histogram.name:
            yield replace(mine, threshold=other.threshold)


def _case(service: Service, name: str, series: list[Series], firing: list[Alert]) -> Group:
    """Exactly these alerts fire at the end, and no other."""
    apart = 'count by (alertname, slo_name) (ALERTS{alertstate="firing"})'
    found = sorted(f'{{alertname="{alert.name}"}}' for alert in firing)
    expr = f"count by (alertname) ({apart})"
    checks = [gives(expr, TROUBLE, {})] if series else []
    checks.append(gives(expr, LENGTH, dict.fromkeys(found, 1)))
    return group(name, service.scrape_interval, series, promql_expr_test=checks)
