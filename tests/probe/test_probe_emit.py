import json
import re
import shlex

import pytest
import yaml
from click.testing import CliRunner
from tests.probe.programs import run

from sloforge.errors import Problem
from sloforge.health.commands import probe as group
from sloforge.health.emit import PLATFORMS, Probe, emit

CHECKS = ('x{l=~"a$|%b"} >= 1', "fresh(t) < 300s")
PROBE = Probe(name="app", url="http://localhost:8080/metrics", checks=CHECKS)


def understood(command):
    """The command line is one that slo-probe itself accepts, with the checks that were asked for."""
    assert command[0] == "slo-probe"
    said = run("native", ["--explain", *command[1:]])
    assert said.code == 0, said.err
    return re.findall(r"check: (.*)\n", said.out)


PLAN = ['all(x{l=~"a$|%b"}) >= 1', "fresh(t) < 300s"]


def test_kubernetes_asks_the_agent():
    probes, containers = yaml.safe_load_all(emit("k8s", PROBE))
    assert {k: v["httpGet"]["path"] for k, v in probes.items()} == {
        "startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz",
    }  # fmt: skip
    assert (
        probes["startupProbe"]["failureThreshold"] * probes["startupProbe"]["periodSeconds"] >= 60
    )
    command = containers[0]["command"]
    assert command[:6] == ["slo-probe", "agent", "--listen", "0.0.0.0:9798", "--interval", "5s"]
    assert understood([command[0], *command[6:]]) == PLAN


def test_kubernetes_may_start_a_process():
    from dataclasses import replace

    probes = yaml.safe_load(emit("k8s", replace(PROBE, use_exec=True)))
    for one in probes.values():
        assert understood(one["exec"]["command"]) == PLAN
        assert 2 < one["timeoutSeconds"] <= one["periodSeconds"]


def test_compose_waits_longer_than_the_probe():
    check = yaml.safe_load(emit("compose", PROBE))["healthcheck"]
    assert check["test"][0] == "CMD"
    assert understood([word.replace("$$", "$") for word in check["test"][1:]]) == PLAN
    assert {k: v for k, v in check.items() if k != "test"} == {
        "interval": "10s", "timeout": "3s", "retries": 3, "start_period": "60s",
    }  # fmt: skip


def test_a_dockerfile_uses_the_exec_form():
    text = emit("dockerfile", PROBE)
    assert "HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \\\n" in text
    assert understood(json.loads(text.split("CMD ")[1])) == PLAN


def test_systemd_retries_inside_its_own_limit():
    text = emit("systemd", PROBE)
    command = shlex.split(
        re.findall(r"ExecStart=(.*)\n", text)[0].replace("%%", "%").replace("$$", "$")
    )
    assert understood(command) == PLAN
    assert command[command.index("--timeout") + 1] == "9s"
    assert "TimeoutStartSec=10\n" in text
    assert "OnFailure=app-restart.service" in text


def test_the_time_to_detection_is_said():
    assert "the platform after 3s; a fault is found within 33s." in emit("compose", PROBE)
    assert "a fault is found within 40s." in emit("k8s", PROBE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"checks": ()}, "--check: at least one is needed"),
        ({"period": 2}, "--period: 2s is shorter than the 3s that one probe may take"),
        ({"timeout": 0}, "must be above zero"),
        ({"url": "http://x/\n"}, "control characters"),
    ],
)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_timings_that_cannot_work_are_refused(change, message, platform):
    with pytest.raises(Problem, match=re.escape(message)):
        emit(platform, Probe(**{"name": "app", "url": "http://x/", "checks": CHECKS, **change}))


def test_the_verb_prints_it():
    done = CliRunner().invoke(group, ["emit", "compose", "--check", CHECKS[0], "--timeout", "1"])
    assert done.exit_code == 0
    assert yaml.safe_load(done.output)["healthcheck"]["timeout"] == "2s"
