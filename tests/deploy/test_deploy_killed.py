"""kill -9 in the middle of a deploy to real servers: the next run finishes it, or takes it back."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.project import MINE, ROUTES, Repository, alert, files_of, made, record, rule_file
from tests.deploy.servers import (
    NEEDS_ALERTMANAGER,
    NEEDS_PROMETHEUS,
    alertmanager,
    prometheus,
)

from sloforge.errors import Problem

pytestmark = [NEEDS_PROMETHEUS, NEEDS_ALERTMANAGER]

ROOT = Path(__file__).parent.parent.parent
OLD = made(
    recording_a=rule_file(record("a:b", "vector(1)")),
    rules_a=rule_file(alert("Burning", "vector(1) > 2")),
    routes=ROUTES,
)
NEW = made(rules_a=rule_file(alert("Burning", "vector(1) > 3")), routes=f"{ROUTES}- name: b\n")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("servers")
    with (
        prometheus(folder / "prometheus") as rules,
        alertmanager(folder / "alertmanager", MINE + ROUTES) as routes,
    ):
        yield rules, routes


@pytest.fixture
def repo(tmp_path, servers):
    rules, routes = servers
    found = Repository(tmp_path)
    found.targets(
        prometheus={
            "kind": "prometheus",
            "url": rules.url,
            "folder": str(rules.folder / "slo"),
            "config": str(rules.config),
        },
        alertmanager={"kind": "alertmanager", "url": routes.url, "config": str(routes.config)},
    )
    found.done(OLD)
    return found


@pytest.mark.parametrize(
    ("where", "step", "undo"),
    [
        ("after", "prometheus/rules/recording-a.yml", False),
        ("before", "prometheus/release/current", True),
        ("after", "prometheus/release/current", False),
        ("after", "prometheus/release/current", True),
        ("after", "alertmanager/config/alertmanager.yml", True),
        ("after", "alertmanager/config/alertmanager.yml", False),
        ("before", "alertmanager/reload/configuration", True),
        ("after", "alertmanager/reload/configuration", False),
    ],
)
def test_a_killed_deploy_is_finished_or_undone(repo, servers, where, step, undo, tmp_path):
    file = tmp_path / "build.json"
    file.write_text(json.dumps({one.path: one.text for one in files_of(NEW)}))
    command = [
        sys.executable,
        "-m",
        "tests.deploy.one_deploy",
        str(tmp_path),
        str(file),
        where,
        step,
    ]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    state = repo.environment().state
    run = state.unfinished()
    assert run is not None
    from sloforge.deploy import running

    with pytest.raises(Problem, match="was cut short; `sloforge deploy --resume` finishes it"):
        running.refuse_unfinished(repo.environment())
    outcome = repo.finish(undo=undo)
    assert outcome.result == ("undone" if undo else "done"), (outcome.cause, outcome.stuck)
    wanted = OLD if undo else NEW
    assert not repo.plan(wanted).changes
    rules, routes = servers
    assert f"vector(1) \\u003e {2 if undo else 3}" in rules.get("/api/v1/rules")
    assert ("name: b" in routes.get("/api/v2/status")) != undo
