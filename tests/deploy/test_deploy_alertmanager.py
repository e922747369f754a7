"""Deploys to a real Alertmanager: checked, written at once, loaded, proven, taken back."""

import json
import os
import re
import signal

import pytest
import yaml
from tests.deploy.go_between import go_between
from tests.deploy.project import (
    MINE,
    NOW,
    ROUTES,
    Interrupted,
    Repository,
    files_of,
    made,
    verbs,
)
from tests.deploy.servers import NEEDS_ALERTMANAGER, Server, alertmanager

from sloforge.deploy import drift, running, shown
from sloforge.deploy.alertmanager import fingerprint, redacted
from sloforge.deploy.reload import gauge
from sloforge.errors import Problem

pytestmark = NEEDS_ALERTMANAGER

TEMPLATES = "templates: [templates/*.tmpl]\n"
GOOD = made(routes=f"{ROUTES}- name: b\n{TEMPLATES}", template_slo='{{ define "a" }}b{{ end }}\n')
# No check of the file finds it: the authority is read when the receiver is made.
REFUSED = made(
    routes=f"""{ROUTES}  webhook_configs:
  - url: http://127.0.0.1:9/
    http_config: {{tls_config: {{ca_file: /nowhere/ca.pem}}}}
"""
)


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


def test_a_template_that_goes_bad_alone_is_found_before_the_reload(repo, server):
    """The configuration is the same, so it is not checked on its own."""
    repo.done(GOOD)
    bad = made(routes=files_of(GOOD)[0].text, template_slo="{{ define")
    outcome = repo.deploy(bad)
    assert outcome.result == "undone"
    said = "amtool: template: slo.tmpl:1: unclosed action"
    assert str(outcome.cause) == f"{server.config}: {said}"
    assert (server.folder / "templates" / "slo.tmpl").read_text() == files_of(GOOD)[1].text
    assert not repo.plan(GOOD).changes


def test_a_configuration_that_only_the_server_refuses_is_taken_back(repo, server):
    repo.done(GOOD)
    before = server.config.read_text()
    outcome = repo.deploy(REFUSED)
    assert outcome.result == "undone"
    assert "/-/reload: answered 500" in str(outcome.cause)
    assert "/nowhere/ca.pem" in str(outcome.cause)
    assert server.config.read_text() == before
    assert "alertmanager_config_last_reload_successful 1" in server.get("/metrics")
    assert receivers(server) == ["a", "b"]


def test_a_server_that_has_loaded_less_than_the_file_is_found_out(repo, server):
    """Behind a server that tells no hash, what it says it has loaded is compared."""

    def lie(path: str, text: str) -> str:
        if path == "/metrics":
            return re.sub("(?m)^alertmanager_config_hash .*\n", "", text)
        return text.replace("name: b", "name: c") if path == "/api/v2/status" else text

    with go_between(server.url, lie) as url:
        repo.targets(alertmanager=target(server, url=url))
        outcome = repo.deploy(GOOD)
    assert outcome.result == "undone"
    assert str(outcome.cause) == f"{url}: loaded without receiver b"
    # It had loaded the new file, and was told to load the old one again.
    assert server.config.read_text() == MINE + ROUTES
    assert receivers(server) == ["a"]


def test_a_file_that_changes_after_the_plan_is_not_replaced(repo, server):
    found = repo.environment()
    wanted = running.plan(found, GOOD)
    server.config.write_text(f"{MINE}{ROUTES}# by hand\n")
    outcome = running.carry_out(found, GOOD, wanted, (NOW, repo.tell))
    assert outcome.result == "undone"
    assert str(outcome.cause) == f"{server.config}: was changed since the plan; plan again"
    assert server.config.read_text().endswith("# by hand\n")
    assert receivers(server) == ["a"]


def test_a_file_that_others_change_is_left_by_the_undo(repo, server):
    by_hand = f"{MINE}{ROUTES}# by hand\n"
    rival = Interrupted(
        repo.root, moment="undo config", act=lambda: server.config.write_text(by_hand)
    )
    outcome = rival.deploy(REFUSED)
    ((step, reason),) = outcome.left
    assert step.kind == "config"
    assert reason == f"{server.config}: was changed by somebody else; left as it is"
    assert server.config.read_text() == by_hand


def test_an_undo_without_its_copy_empties_no_file(repo, server):
    kept = server.folder / ".alertmanager.yml.before-deploy"
    outcome = Interrupted(repo.root, moment="undo config", act=kept.unlink).deploy(REFUSED)
    assert outcome.result == "stuck"
    said = "the copy from before the deploy is gone; restore it by hand"
    assert [reason for _, reason in outcome.stuck] == [f"{server.config}: {said}"]
    assert "/nowhere/ca.pem" in server.config.read_text()
    server.config.write_text(MINE + ROUTES)
    assert repo.finish(undo=True).result == "undone"
    assert receivers(server) == ["a"]


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
    # The journal is silent, and so are the texts that a killed deploy would leave behind.
    written = {}

    def look() -> None:
        paths = [path for path in repo.root.rglob("*") if path.is_file()]
        written.update({path.name: path.read_bytes() for path in paths})

    Interrupted(repo.root, moment="verify reload", act=look).done(GOOD)
    assert secret not in server.config.read_text()
    assert {"journal.jsonl", "journal.texts"} <= written.keys()
    assert b"slack_api_url: <secret>" in written["journal.texts"]
    assert not [name for name, text in written.items() if secret.encode() in text]


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


def test_nobody_may_read_the_copy_who_may_not_read_the_file(repo, server):
    """Whatever the copy of an earlier deploy could be read by."""
    kept = server.folder / ".alertmanager.yml.before-deploy"
    for build, mode in ((GOOD, 0o640), (made(routes=ROUTES), 0o600)):
        server.config.chmod(mode)
        repo.done(build)
        assert kept.stat().st_mode & 0o777 == mode


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
