"""kill -9 between a write to Grafana and the line that tells of it: what was there before returns."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.grafana_world import VARIABLE
from tests.deploy.project import Repository, files_of, made
from tests.grafana_server import GrafanaServer
from tests.grafana_server.faults import Fault
from tests.grafana_server.serving import TOKEN

ROOT = Path(__file__).parent.parent.parent


def board(name: str, title: str) -> str:
    return json.dumps({"uid": f"slo-{name}", "title": title, "tags": ["slo"], "panels": []})


def build(word: str, *names: str):
    return made(**{f"dashboards_{name}": board(name, f"{name} {word}") for name in names})


OLD, NEW = build("old", "a", "b", "c"), build("new", "a", "b", "d")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv(VARIABLE, TOKEN)
    with GrafanaServer() as found:
        yield found


@pytest.fixture
def repo(tmp_path, server):
    found = Repository(tmp_path)
    found.targets(grafana={"kind": "grafana", "url": server.url, "token_env": VARIABLE})
    found.done(OLD)
    return found


def killed(repo, where, step):
    """A deploy of NEW that ends there as the kernel would end it."""
    file = repo.root / "build.json"
    file.write_text(json.dumps({one.path: one.text for one in files_of(NEW)}))
    command = [sys.executable, "-m", "tests.deploy.one_deploy", str(repo.root), str(file)]
    done = subprocess.run(
        [*command, where, f"grafana/dashboard/{step}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert repo.environment().state.unfinished() is not None


@pytest.mark.parametrize("undo", [True, False], ids=["undo", "resume"])
@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("step", ["slo-a", "slo-d", "slo-c"], ids=["update", "create", "delete"])
def test_a_killed_deploy_is_finished_or_undone(repo, where, step, undo):
    killed(repo, where, step)
    outcome = repo.finish(undo=undo)
    assert outcome.result == ("undone" if undo else "done"), (outcome.cause, outcome.stuck)
    assert not repo.plan(OLD if undo else NEW).changes


@pytest.mark.parametrize("step", ["slo-a", "slo-d"], ids=["update", "create"])
def test_what_the_killed_run_wrote_is_taken_back_where_its_resumption_fails(repo, server, step):
    killed(repo, "after", step)
    server.script.add(Fault(method="DELETE", path="/api/dashboards/uid/slo-c", status=500, times=9))
    outcome = repo.finish(undo=False)
    assert (outcome.result, outcome.left, outcome.stuck) == ("undone", (), ())
    server.script.clear()
    assert not repo.plan(OLD).changes
