"""Deploys to a real Alertmanager: checked, written at once, loaded, proven, taken back."""

import json
import os
import signal

import pytest
import yaml
from tests.deploy.project import MINE, ROUTES, Repository, files_of, made, verbs
from tests.deploy.servers import NEEDS_ALERTMANAGER, Server, alertmanager

from sloforge.deploy import drift, shown
from sloforge.deploy.alertmanager import fingerprint, redacted
from sloforge.deploy.reload import gauge
from sloforge.errors import Problem

pytestmark = NEEDS_ALERTMANAGER

TEMPLATES = "templates: [templates/*.tmpl]\n"
GOOD = made(routes=f"{ROUTES}- name: b\n{TEMPLATES}", template_slo='{{ define "a" }}b{{ end }}\n')


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with alertmanager(tmp_path_factory.mktemp("server") / "alertmanager", MINE + ROUTES) as server:
        yield server


@pytest.fixture
def server(shared):
    """The one server with the configuration of before."""
    for path in (shared.folder / "templates").glob("*"):
        path.unlink()
    shared.config.write_text(MINE + ROUTES)
    os.kill(shared.pid, signal.SIGHUP)
    return shared


@pytest.fixture
def repo(tmp_path, server):
    found = Repository(tmp_path)
    found.targets(alertmanager=target(server))
    return found


def target(server: Server, **more: object) -> dict[str, object]:
    return {"kind": "alertmanager", "url": server.url, "config": str(server.config)} | more


def receivers(server: Server) -> list[str]:
    """Those that the server has loaded."""
    status = json.loads(server.get("/api/v2/status"))
    return [one["name"] for one in yaml.safe_load(status["config"]["original"])["receivers"]]


def test_a_good_build_is_loaded_and_a_second_deploy_has_nothing_to_do(repo, server):
    steps = repo.plan(GOOD).steps
    assert verbs(steps) == {
        "template slo.tmpl": "create",
        "config alertmanager.yml": "update",
        "reload configuration": "update",
    }
    assert steps[1].summary == ("+ receiver b",)
    repo.done(GOOD)
    assert receivers(server) == ["a", "b"]
    assert (server.folder / "templates" / "slo.tmpl").exists()
    assert not repo.plan(GOOD).changes


def test_the_hash_is_the_one_that_the_server_tells(repo, server):
    repo.done(GOOD)
    told = gauge(server.get("/metrics"), "alertmanager_config_hash")
    assert told == fingerprint(server.config.read_text())


@pytest.mark.parametrize(
    ("build", "said"),
    [
        pytest.param(
            made(routes=ROUTES.replace("receiver: a", "receiver: z")),
            'amtool: undefined receiver "z" used in route',
            id="routes",
        ),
        pytest.param(
            made(routes=ROUTES + TEMPLATES, template_a="{{ define"),
            "unclosed action",
            id="template",
        ),
    ],
)
def test_a_bad_configuration_changes_nothing(repo, server, build, said):
    repo.done(GOOD)
    before = server.config.read_text()
    repo.told.clear()
    outcome = repo.deploy(build)
    assert outcome.result == "undone"
    assert said in str(outcome.cause)
    # It was found before the file was replaced, and long before the reload.
    assert ("apply", "alertmanager/reload/configuration") not in repo.told
    assert server.config.read_text() == before
    assert [path.name for path in (server.folder / "templates").glob("[!.]*")] == ["slo.tmpl"]
    assert receivers(server) == ["a", "b"]
    assert not repo.plan(GOOD).changes


def test_what_was_not_written_by_sloforge_is_not_replaced_unasked(repo, server):
    server.config.write_text(ROUTES)
    (step,) = repo.plan(GOOD).steps
    assert (step.verb, step.kind) == ("blocked", "config")
    assert "`--adopt` replaces it" in step.reason
    repo.done(GOOD, adopt=True)
    assert receivers(server) == ["a", "b"]
    assert not repo.plan(GOOD).changes


def test_a_template_that_is_no_longer_wanted_is_removed_unless_somebody_changed_it(repo, server):
    repo.done(GOOD)
    file = server.folder / "templates" / "slo.tmpl"
    mine = server.folder / "templates" / "mine.tmpl"
    mine.write_text('{{ define "c" }}d{{ end }}\n')
    without = made(routes=f"{ROUTES}- name: b\n")
    assert verbs(repo.plan(without).steps)["template slo.tmpl"] == "delete"
    file.write_text("# by hand\n")
    assert "template slo.tmpl" not in verbs(repo.plan(without).steps)
    file.write_text(files_of(GOOD)[1].text)
    repo.done(without)
    assert [path.name for path in file.parent.glob("[!.]*")] == ["mine.tmpl"]


def test_an_edit_by_hand_is_drift_and_its_secrets_are_not_shown(repo, server):
    repo.done(GOOD)
    secret = "https://hooks.example.org/T0P"
    server.config.write_text(f"{server.config.read_text()}global:\n  slack_api_url: {secret}\n")
    plan = repo.plan(GOOD)
    found = drift.drift(plan, repo.environment().state.applied())
    assert [(one.step.kind, one.state) for one in found] == [("config", "edited")]
    assert secret not in shown.plan(plan, "text", verbose=True)
    assert "slack_api_url: <secret>" in shown.plan(plan, "text", verbose=True)
    assert secret not in json.dumps(plan.as_json())
    repo.done(GOOD)
    assert secret not in server.config.read_text()
    # The journals, too, are silent.
    for path in repo.root.rglob("*.jsonl"):
        assert secret not in path.read_text()


def test_a_file_that_is_in_place_and_not_loaded_is_loaded(repo, server):
    repo.done(GOOD)
    server.config.write_text(MINE + ROUTES)
    os.kill(server.pid, signal.SIGHUP)
    from tests.live.alertmanager import until

    until(lambda: receivers(server) == ["a"], server.log.read_text)
    server.config.write_text(MINE + files_of(GOOD)[0].text)
    (step,) = repo.plan(GOOD).changes
    assert step.reason == "the file is in place, but the server has not loaded it"
    repo.done(GOOD)
    assert receivers(server) == ["a", "b"]


def test_a_server_that_reads_another_file_is_found_out(repo, server, tmp_path):
    elsewhere = tmp_path / "alertmanager.yml"
    elsewhere.write_text(MINE + ROUTES)
    repo.targets(alertmanager=target(server, config=str(elsewhere)))
    outcome = repo.deploy(GOOD)
    assert outcome.result == "undone"
    assert f"does it read {elsewhere}?" in str(outcome.cause)
    assert elsewhere.read_text() == MINE + ROUTES


def test_the_rights_of_the_file_are_kept_on_the_way_there_and_back(repo, server):
    server.config.chmod(0o640)
    repo.done(GOOD)
    assert server.config.stat().st_mode & 0o777 == 0o640
    assert repo.deploy(made(routes="# Generated by sloforge\nroute: {}\n")).result == "undone"
    assert server.config.stat().st_mode & 0o777 == 0o640


def test_a_silent_server_ends_the_plan_with_words(repo, server):
    repo.targets(alertmanager=target(server, timeout="200ms"))
    server.freeze()
    try:
        with pytest.raises(Problem, match="no answer in time"):
            repo.plan(GOOD)
    finally:
        server.thaw()


@pytest.mark.parametrize(
    ("line", "shown_as"),
    [
        ("  slack_api_url: https://x", "  slack_api_url: <secret>"),
        ("  - url: https://x", "  - url: <secret>"),
        ("  routing_key: abc", "  routing_key: <secret>"),
        ("    password: 'a b'", "    password: <secret>"),
        ("  api_url_file: /etc/secret", "  api_url_file: /etc/secret"),
        ("  receiver: a", "  receiver: a"),
    ],
)
def test_secrets_are_taken_out_of_a_configuration(line, shown_as):
    assert redacted(f"a:\n{line}\n") == f"a:\n{shown_as}\n"
