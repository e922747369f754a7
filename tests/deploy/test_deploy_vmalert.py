"""Deploys to a real vmalert, where there is one: files, a reload, and its own /api/v1/rules."""

import contextlib
import json

import pytest
from tests.deploy.project import Repository, alert, made, record, rule_file
from tests.deploy.servers import NEEDS_PROMETHEUS, VMALERT, Server, prometheus
from tests.live import prometheus as prom
from tests.live.alertmanager import until

pytestmark = [
    NEEDS_PROMETHEUS,
    pytest.mark.skipif(VMALERT is None, reason="no vmalert on PATH"),
]

GOOD = made(
    recording_a=rule_file(record("a:b", "vector( 1 )", slo_service="a"), interval="1s"),
    rules_a=rule_file(alert("Burning", "vector(1) > 2", severity="page"), interval="1s"),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What vmalert queries."""
    with prometheus(tmp_path_factory.mktemp("source") / "prometheus") as server:
        yield server


@pytest.fixture
def server(tmp_path, source):
    folder, port = tmp_path / "vmalert", prom._free_port()
    (folder / "slo").mkdir(parents=True)
    url = f"http://127.0.0.1:{port}"
    command = [
        str(VMALERT),
        f"-rule={folder}/slo/current/*.yml",
        f"-datasource.url={source.url}",
        "-notifier.url=http://127.0.0.1:9",
        f"-remoteWrite.url={source.url}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-evaluationInterval=1s",
    ]
    found = Server(url=url, folder=folder, config=folder / "none", command=command)
    try:
        found.start("/health")
        yield found
    finally:
        found.stop()


@pytest.fixture
def repo(tmp_path, server):
    found = Repository(tmp_path)
    folder = str(server.folder / "slo")
    found.targets(vmalert={"kind": "vmalert", "url": server.url, "folder": folder})
    return found


def loaded(server: Server) -> set[str]:
    groups = json.loads(server.get("/api/v1/rules"))["data"]["groups"]
    return {rule["name"] for group in groups for rule in group["rules"]}


def test_a_good_build_is_loaded_and_a_second_deploy_has_nothing_to_do(repo, server):
    repo.done(GOOD)
    assert loaded(server) == {"a:b", "Burning", "slo_rules_build_info"}
    assert not repo.plan(GOOD).changes


def test_what_would_become_of_an_alert_that_fires_is_not_known(repo, server):
    """It answers no queries."""
    repo.done(made(rules_a=rule_file(alert("Burning", "vector(2) > 1"), interval="1s")))
    until(lambda: '"firing"' in server.get("/api/v1/alerts"), server.log.read_text)
    harder = made(rules_a=rule_file(alert("Burning", "vector(2) > 5"), interval="1s"))
    assert repo.plan(harder).steps[-1].warnings == (
        "changes alert Burning, which is firing now; whether it still would is not known",
    )


def test_a_rule_that_fails_is_taken_back(repo, server):
    repo.done(GOOD)
    outcome = repo.deploy(made(rules_a=rule_file(alert("Burning", "sum by (x) ("), interval="1s")))
    assert outcome.result == "undone"
    assert loaded(server) == {"a:b", "Burning", "slo_rules_build_info"}
    with contextlib.suppress(FileNotFoundError):
        assert "recording-a.yml" in {p.name for p in (server.folder / "slo" / "current").iterdir()}
