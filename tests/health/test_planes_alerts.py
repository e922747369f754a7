"""The generated alerts on a real Prometheus that scrapes a real prober, sixty times as fast."""

import re
import socket
from pathlib import Path

import pytest
import yaml
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import config
from tests.health.planes_process import Part
from tests.live.alertmanager import until
from tests.live.prometheus import prometheus

import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules/_planes.yml"
BOUND = 25.0
SIXTY = {"m": "s", "h": "m"}


def hastened(text: str) -> str:
    """A minute becomes a second, in `for`, in ranges and in bounds; not `[30s]`, of which there is none."""
    document = yaml.safe_load(text)
    for group in document["groups"]:
        group["interval"] = _quick(group["interval"])
        for rule in group["rules"]:
            rule["for"] = _quick(rule["for"])
            rule["expr"] = re.sub(r"\[(\d+[mh])\]", lambda m: f"[{_quick(m[1])}]", rule["expr"])
            rule["expr"] = re.sub(r"> (\d{2,})$", lambda m: f"> {int(m[1]) // 60}", rule["expr"])
    return str(yaml.safe_dump(document))


def _quick(duration: str) -> str:
    return duration[:-1] + SIXTY[duration[-1]]


@pytest.fixture
def watched(tmp_path):
    """The fake planes, the prober's process, and the Prometheus that watches it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rules = tmp_path / "rules.yml"
    rules.write_text(hastened(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "data").mkdir()
    scrape = {
        "job_name": "workload-planes",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
    }
    setup = {
        "global": {
            "scrape_interval": "500ms",
            "scrape_timeout": "500ms",
            "evaluation_interval": "1s",
        },
        "rule_files": [str(rules)],
        "scrape_configs": [scrape],
    }
    with planes_server() as server:
        names = ["eu", "us", "ap"]
        for name in names:
            server.plane(name)
        (tmp_path / "planes.yaml").write_text(config(server.url, names), encoding="utf-8")
        words = ["--config", "planes.yaml", "--listen", f"127.0.0.1:{port}"]
        part = Part(tmp_path, "prober", *words)
        part.start()
        try:
            with prometheus(tmp_path / "data", setup) as found:
                yield server, part, found
        finally:
            part.end()


def firing(found):
    return {
        (
            alert["labels"]["alertname"].removeprefix("WorkloadPlane"),
            alert["labels"].get("plane", ""),
        )
        for alert in found.alerts()
        if alert["state"] == "firing"
    }


def test_what_happens_to_planes_and_to_their_prober_reaches_the_alerts(watched):
    server, part, found = watched

    def becomes(wanted):
        until(
            lambda: wanted <= firing(found) if wanted else not firing(found),
            lambda: f"wanted {wanted}, got {firing(found)}\n{part.log.read_text()}",
            BOUND,
        )

    until(lambda: found.instant("workload_plane_status == 1", 0) is not None, str, BOUND)
    server.planes["us"] = Behaviour(predict=500)
    server.planes["ap"] = Behaviour(user=404)
    becomes({("Failed", "us"), ("NoUser", "ap")})
    assert not {one for one in firing(found) if one[1] == "eu"}
    part.kill()
    becomes({("ProberAbsent", "")})
    server.planes.update({"us": Behaviour(), "ap": Behaviour()})
    part.start()
    becomes(set())


SERIES = [
    'workload_plane_status{plane="a",status="FAILED"}',
    "0x4 1 _ _ 1 _ _ 1 _ _ 1 _ _ 1 _ _ 1",
]


def with_naive(folder: Path) -> Path:
    """The generated rules and, beside them, the form that everybody writes first."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    (wrapped,) = (
        rule
        for group in document["groups"]
        for rule in group["rules"]
        if rule["alert"] == "WorkloadPlaneFailed"
    )
    naive = wrapped | {"alert": "Naive", "expr": 'workload_plane_status{status="FAILED"} == 1'}
    groups = [{"name": "both", "interval": "30s", "rules": [wrapped, naive]}]
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("lost", "fires"),
    [(False, {"WorkloadPlaneFailed", "Naive"}), (True, {"WorkloadPlaneFailed"})],
    ids=["no scrape is lost", "two of three scrapes are lost"],
)
def test_lost_scrapes_hide_a_failure_from_a_bare_comparison_and_not_from_ours(
    tmp_path, lost, fires
):
    with_naive(tmp_path)
    name, values = SERIES
    stale = values.replace("1 _ _", "1 stale stale") if lost else "0x4 1x20"
    expected = [{"labels": f'{{alertname="{one}"}}', "value": 1} for one in sorted(fires)]
    check = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "9m",
        "exp_samples": expected,
    }
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [{"series": name, "values": stale}],
                "promql_expr_test": [check],
            }
        ],
    }
    file = tmp_path / "lost.promtest.yml"
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = promtool.run_tests([file])
    assert done.ok, done
