"""Which alert on workload planes keeps which other from notifying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge.generate.alertmanager.inhibitions import matcher
from sloforge.planestates import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project

Rule = dict[str, object]


def plane_inhibitions(project: Project) -> Iterator[Rule]:
    """From the cause to the symptom: without a prober or its store nothing is known of planes."""
    if (planes := project.planes) is None:
        return
    mine = matcher("slo_service", planes.service)
    equal = ["slo_service", *sorted(dict(project.settings.labels))]
    absent, everything, failed = ("ProberAbsent", "sAllUnknown", "Failed")
    symptoms = ("NoValue", "Unknown", everything, "SchedulerStale", "SeriesLost")
    yield _inhibition([_named(absent), mine], [_named(*symptoms), mine], equal)
    each = ("NoUser", "NoOracle", "NoValue", "Unknown")
    yield _inhibition([_named(everything), mine], [_named(*each), mine], equal)
    yield _inhibition(
        [_named("SchedulerStale", "StoreUnreachable"), mine], [_named("NoValue"), mine], equal
    )
    # The burn of the plane that has failed: one page for one outage.
    burn = ['burn!=""', 'plane!=""', mine]
    yield _inhibition([_named(failed), 'plane!=""', mine], burn, [*equal, "plane"])


def _named(*words: str) -> str:
    names = [PREFIX + word for word in words]
    return matcher("alertname", "|".join(names), "=" if len(names) == 1 else "=~")


def _inhibition(source: list[str], target: list[str], equal: list[str]) -> Rule:
    return {"source_matchers": source, "target_matchers": target, "equal": equal}
