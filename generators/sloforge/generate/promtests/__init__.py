"""tests/rules/<service>/*.promtest.yml: unit tests that prove the generated rules.

Four layers, each fed with what the layer below records, so that no test needs days of samples:
raw series -> base (`-sli`), base -> windows and budget (`-windows`), windows -> alerts (`-alerts`
and `-guards`), and all together over two hours (`-detection`). What is expected comes from budget
arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge.alerts import service_alerts
from sloforge.generate.promtests import alerts, detection, guards, service, sli, sloth, windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project


def promtests(project: Project) -> Iterator[Artifact]:
    """Up to six files for an SLO and one for a service."""
    for one in project.services:
        found = service_alerts(project, one)
        for slo in one.slos:
            mine = tuple(alert for alert in found if alert.slo is slo)
            yield from sli.tests(project, one, slo)
            yield from windows.tests(project, one, slo)
            yield from sloth.tests(project, one, slo)
            yield from alerts.tests(project, one, mine)
            yield from guards.tests(project, one, mine)
            yield from detection.tests(project, one, mine)
        yield from service.tests(project, one, found)
