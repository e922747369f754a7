"""On a real Alertmanager: who is not told twice of one trouble with the planes."""

from pathlib import Path

import pytest
import yaml
from tests.live import alertmanager as live

from sloforge import specs
from sloforge.alerts import alerts
from sloforge.generate.alertmanager import config
from sloforge.generate.rules import rules

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(live.binary() is None, reason="no alertmanager on PATH")


@pytest.fixture(scope="module")
def project():
    return specs.load(ROOT)


@pytest.fixture(scope="module")
def named(project):
    """Alert -> its labels without those of a series."""
    burns = (
        rule["labels"] | {"alertname": rule["alert"]}
        for artifact in rules(project)
        if artifact.path == "rules/workload-planes.yml"
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
    )
    states = (
        dict(alert.labels) | {"alertname": alert.name}
        for alert in alerts(project)
        if alert.kind == "state"
    )
    return {labels["alertname"]: labels for labels in (*burns, *states)}


# What fires, as name and plane; and what of it is held back.
CASES = {
    "without a prober nothing is known": (
        ["ProberAbsent", "NoValue/a", "Unknown/a", "sAllUnknown", "SeriesLost/a", "SchedulerStale"],
        {"NoValue/a", "Unknown/a", "sAllUnknown", "SeriesLost/a", "SchedulerStale"},
    ),
    "every plane is unknown": (
        ["sAllUnknown", "NoUser/b", "NoOracle/c", "NoValue/d", "Failed/e"],
        {"NoUser/b", "NoOracle/c", "NoValue/d"},
    ),
    "the scheduler stands still": (["SchedulerStale", "NoValue/f", "NoUser/g"], {"NoValue/f"}),
    "the store is gone": (["StoreUnreachable", "NoValue/h"], {"NoValue/h"}),
    "one state alone": (["NoValue/i", "Degraded/j"], set()),
    "a plane that fails burns its budget, and another one does, too": (
        ["Failed/k", "AvailabilityFastBurn/k", "AvailabilityFastBurn/l"],
        {"AvailabilityFastBurn/k"},
    ),
}


def labels_of(named, shown):
    name, _, plane = shown.partition("/")
    name = name if name in named else f"WorkloadPlane{name}"
    return named[name] | ({"plane": plane} if plane else {})


@pytest.mark.parametrize(("firing", "silenced"), CASES.values(), ids=CASES)
def test_one_trouble_is_told_once(project, named, tmp_path, firing, silenced):
    with live.alertmanager(config(project), ROOT / "alertmanager/templates", tmp_path) as server:
        server.post(*({"labels": labels_of(named, one), "annotations": {}} for one in firing))

        def held():
            found = server.alerts()
            assert len(found) <= len(firing)
            return {shown_of(one["labels"]) for one in found if one["status"]["inhibitedBy"]}

        live.until(
            lambda: len(server.alerts()) == len(firing) and held() == silenced,
            lambda: f"held back are {held()}",
        )


def shown_of(labels):
    name = labels["alertname"].removeprefix("WorkloadPlane")
    return f"{name}/{labels['plane']}" if "plane" in labels else name
