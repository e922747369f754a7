"""Deploys to a real Prometheus: what succeeds is proven, what fails leaves the old rules running."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.deploy.go_between import go_between
from tests.deploy.project import (
    Interrupted,
    Repository,
    alert,
    files_of,
    made,
    record,
    rule_file,
    verbs,
)
from tests.deploy.servers import NEEDS_PROMETHEUS, Server, prometheus
from tests.live.alertmanager import until

from sloforge.deploy import drift, shown
from sloforge.errors import Problem

pytestmark = NEEDS_PROMETHEUS

GOOD = made(
    recording_a=rule_file(record("slo:objective:ratio", "vector(0.999)", slo_service="a")),
    rules_a=rule_file(
        alert("Burning", "sum(   vector(1) ) by(x) > 14.4", severity="page"), group="h"
    ),
)
# Two series on the one side: found by an evaluation, and by no check before it.
MANY = 'vector(1) * on () (vector(1) or label_replace(vector(1), "a", "b", "", ""))'


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("server") / "prometheus") as server:
        yield server


@pytest.fixture
def server(shared):
    """The one server, with nothing deployed to it."""
    shutil.rmtree(shared.folder / "slo", ignore_errors=True)
    shutil.rmtree(shared.folder / "other", ignore_errors=True)
    if loaded(shared):
        reload(shared)
    return shared


@pytest.fixture
def repo(tmp_path, server):
    found = Repository(tmp_path)
    found.targets(prometheus=target(server))
    return found


def target(server: Server, **more: object) -> dict[str, object]:
    folder = str(server.folder / "slo")
    found = {"kind": "prometheus", "url": server.url, "folder": folder}
    return found | {"config": str(server.config)} | more


def reload(server: Server) -> None:
    import urllib.request

    with urllib.request.urlopen(f"{server.url}/-/reload", data=b"", timeout=10):
        pass


def loaded(server: Server) -> dict[str, str]:
    """Rule -> query."""
    groups = json.loads(server.get("/api/v1/rules"))["data"]["groups"]
    return {rule["name"]: rule["query"] for group in groups for rule in group["rules"]}


def live(server: Server) -> dict[str, str]:
    folder = server.folder / "slo" / "current"
    return {path.name: path.read_text() for path in sorted(folder.glob("*"))}


def test_a_good_build_is_loaded_and_a_second_deploy_has_nothing_to_do(repo, server):
    assert verbs(repo.plan(GOOD).steps) == {
        "rules _build.yml": "create",
        "rules recording-a.yml": "create",
        "rules rules-a.yml": "create",
        "release current": "create",
    }
    outcome = repo.done(GOOD)
    assert [step.kind for step in outcome.applied] == ["rules"] * 3 + ["release"]
    assert loaded(server).keys() == {"slo:objective:ratio", "Burning", "slo_rules_build_info"}
    assert not repo.plan(GOOD).changes


def test_foreign_rules_that_lint_would_refuse_are_loaded_and_pruned(repo, server):
    """Mixins record one series in several steps: the labels come from the expressions."""
    steps = [f'label_replace(vector(1), "verb", "{verb}", "", "")' for verb in ("LIST", "GET")]
    mixin = rule_file(*(record("code_verb:requests:increase1h", expr) for expr in steps))
    texts = {"recording_a": rule_file(record("slo:objective:ratio", "vector(0.9)"))}
    repo.done(made(**texts, **{"recording_mixins/kubernetes": mixin}))
    assert "recording-mixins.kubernetes.yml" in live(server)
    assert "code_verb:requests:increase1h" in loaded(server)
    ours = made(**texts | {"recording_mine": mixin})
    assert "lint error 1 duplicate rule(s) found" in str(repo.deploy(ours).cause)
    repo.done(made(**texts))
    assert "recording-mixins.kubernetes.yml" not in live(server)
    assert "code_verb:requests:increase1h" not in loaded(server)


def test_the_build_that_is_live_can_be_queried(repo, server):
    repo.done(GOOD)
    (series,) = until(
        lambda: json.loads(server.get("/api/v1/query?query=slo_rules_build_info"))["data"][
            "result"
        ],
        server.log.read_text,
    )
    assert f"hash: {series['metric']['hash']}" in live(server)["_build.yml"]


def test_a_plan_says_in_words_what_changes(repo):
    repo.done(GOOD)
    changed = made(
        recording_a=rule_file(record("slo:objective:ratio", "vector(0.995)", slo_service="a")),
        rules_b=rule_file(alert("Burning", "vector(1) > 10", severity="page"), group="h"),
        rules_a=rule_file(
            alert("Burning", "sum(   vector(1) ) by(x) > 10", severity="page"), group="h"
        ),
    )
    found = {step.key: step for step in repo.plan(changed).steps}
    assert found["recording-a.yml"].summary == ("a: objective 99.9 -> 99.5",)
    assert found["rules-a.yml"].summary == ("alert Burning: threshold 14.4 -> 10",)
    assert found["rules-b.yml"].summary == ("+ alert Burning",)
    assert found["rules-b.yml"].verb == "create"


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        pytest.param("sum by (x) (", "could not parse expression", id="syntax"),
        pytest.param(MANY, "many-to-many matching not allowed", id="evaluation"),
    ],
)
def test_a_bad_rule_is_taken_back_and_the_old_rules_go_on(repo, server, expr, said):
    repo.done(GOOD)
    before, rules = live(server), loaded(server)
    outcome = repo.deploy(made(recording_a=rule_file(record("a:b", expr))))
    assert outcome.result == "undone"
    assert said in str(outcome.cause)
    assert live(server) == before
    assert loaded(server) == rules
    assert not repo.plan(GOOD).changes
    assert "prometheus_config_last_reload_successful 1" in server.get("/metrics")


SLOW = "300s"


def test_slow_groups_are_asked_by_queries_and_the_deploy_says_that_it_has_not_seen_them(
    repo, server
):
    slow = rule_file(
        record("slo:period:ratio", "vector(1)", slo_name="a"),
        record("slo:period:ratio", "vector(2)", slo_name="b"),
        group="slow",
        interval=SLOW,
    )
    fast = rule_file(alert("Burning", "vector(1) > 14.4"))
    started = time.monotonic()
    outcome = repo.done(made(recording_a=slow, rules_a=fast))
    assert time.monotonic() - started < 20
    assert outcome.notes == (
        (
            "2 rules that are evaluated every 300 s: evaluated by a query, without an error; "
            "the server itself has not come to them yet"
        ),
    )
    said = shown.outcome(outcome, "text")
    assert "changes, verified\n  note: 2 rules that are evaluated every 300 s" in said
    assert json.loads(shown.outcome(outcome, "json"))["notes"] == list(outcome.notes)
    # Alone, a slow group is asked as well: the alerts that are there say what is waited for.
    other = slow.replace("vector(2)", "vector(3)")
    assert repo.done(made(recording_a=other, rules_a=fast)).notes


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        pytest.param(MANY, "many-to-many matching not allowed", id="an error of a query"),
        pytest.param(
            'label_replace(vector(1), "slo_name", "x", "", "") or vector(2)',
            "group slow: record a:b of n: its labels make two series one",
            id="an error of the rule manager alone",
        ),
        pytest.param("'text'", "got a string", id="no vector"),
    ],
)
def test_a_slow_rule_that_would_fail_is_taken_back_at_once(repo, server, expr, said):
    repo.done(GOOD)
    rules = loaded(server)
    slow = rule_file(record("a:b", expr, slo_name="n"), group="slow", interval=SLOW)
    outcome = repo.deploy(made(recording_a=slow, rules_a=files_of(GOOD)[1].text))
    assert outcome.result == "undone"
    assert said in str(outcome.cause)
    assert loaded(server) == rules


def test_a_bad_rule_is_found_before_anything_is_swapped(repo, server):
    """Where promtool cannot read the configuration as a whole, it reads the files."""
    repo.targets(prometheus=target(server, config=""))
    repo.done(GOOD)
    release = (server.folder / "slo" / "current").readlink()
    outcome = repo.deploy(made(recording_a=rule_file(record("a:b", "sum by (x) ("))))
    assert outcome.result == "undone"
    assert str(outcome.cause).startswith("promtool: ")
    assert "could not parse expression" in str(outcome.cause)
    assert (server.folder / "slo" / "current").readlink() == release


def test_the_first_deploy_is_taken_back_to_nothing(repo, server):
    outcome = repo.deploy(made(recording_a=rule_file(record("a:b", MANY))))
    assert outcome.result == "undone"
    assert loaded(server) == {}
    assert not (server.folder / "slo" / "current").is_symlink()


def test_a_configuration_that_is_broken_fails_the_reload_and_the_link_goes_back(repo, server):
    repo.done(GOOD)
    config = server.config.read_text()
    server.config.write_text(config + "scrape_configs:\n- job_name: a\n- job_name: a\n")
    try:
        outcome = repo.deploy(made(recording_a=rule_file(record("a:b", "vector(1)"))))
    finally:
        server.config.write_text(config)
    assert outcome.result == "stuck"
    assert "/-/reload: answered 500" in str(outcome.cause)
    assert "recording-a.yml" in live(server)
    assert 'found multiple scrape configs with job name "a"' in str(outcome.cause)
    # The files are those from before; the server had never left them.
    assert loaded(server).keys() == {"slo:objective:ratio", "Burning", "slo_rules_build_info"}
    assert repo.finish(undo=True).result == "undone"
    assert not repo.plan(GOOD).changes


def test_a_broken_rule_file_of_others_is_not_held_against_a_deploy_unless_it_breaks_it(
    repo, server
):
    other = server.folder / "other"
    other.mkdir()
    twice = record("x:y", "vector(1)")
    (other / "a.yml").write_text(rule_file(twice, twice))
    repo.done(GOOD)
    assert {"x:y", "Burning"} <= loaded(server).keys()


def test_what_promtool_holds_against_the_whole_configuration_is_taken_back(
    repo, server, tmp_path, monkeypatch
):
    """A promtool that objects as soon as the new release is live."""
    repo.done(GOOD)
    script = tmp_path / "promtool"
    objection = f"[ -e {server.folder}/slo/current/recording-b.yml ]"
    words = f'"Checking {server.config}" "  FAILED: an objection"'
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$2" = config ] && {objection}; then printf "%s\\n" {words}; exit 1; fi\n'
        f'exec {shutil.which("promtool")} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PROMTOOL", str(script))
    outcome = repo.deploy(made(recording_b=rule_file(record("a:b", "vector(1)"))))
    assert outcome.result == "undone"
    assert str(outcome.cause) == f"promtool: {server.config}: an objection"
    assert "recording-a.yml" in live(server)


def test_a_configuration_that_does_not_name_the_folder_blocks(repo, server):
    config = server.config.read_text()
    server.config.write_text("rule_files: [elsewhere/*.yml]\n")
    try:
        (step,) = repo.plan(GOOD).blocked
    finally:
        server.config.write_text(config)
    glob = server.folder / "slo" / "current" / "*.yml"
    what = "rule_files does not name the release folder"
    assert step.reason == f"{server.config}: {what}; add `{glob}` to it"


def test_an_edit_by_hand_is_told_from_a_commit_that_is_not_deployed(repo, server):
    repo.done(GOOD)
    newer = made(
        recording_a=rule_file(record("slo:objective:ratio", "vector(0.9)", slo_service="a")),
        rules_a=files_of(GOOD)[1].text,
    )
    file = server.folder / "slo" / "current" / "rules-a.yml"
    file.write_text(file.read_text().replace("14.4", "99"))
    applied = repo.environment().state.applied()
    found = {one.step.key: one.state for one in drift.drift(repo.plan(newer), applied)}
    assert found == {
        "_build.yml": "undeployed",
        "recording-a.yml": "undeployed",
        "rules-a.yml": "edited",
    }
    edited = file.resolve()
    repo.done(GOOD)
    assert "14.4" in live(server)["rules-a.yml"]
    # Kept as it was: an undo goes back to it.
    assert "99" in edited.read_text()
    assert not drift.drift(repo.plan(GOOD), repo.environment().state.applied())


def test_files_that_were_put_in_place_but_never_loaded_are_loaded(repo, server):
    repo.done(GOOD)
    releases = server.folder / "slo" / "releases"
    (name,) = {path.name for path in releases.iterdir()}
    current = server.folder / "slo" / "current"
    current.unlink()
    reload(server)
    current.symlink_to(f"releases/{name}")
    (step,) = repo.plan(GOOD).changes
    assert step.reason == "the files are in place, but the server has not loaded them"
    repo.done(GOOD)
    assert "Burning" in loaded(server)


def test_a_live_file_that_changes_after_the_plan_stops_the_deploy(repo, server):
    from tests.deploy.project import NOW

    from sloforge.deploy import running

    repo.done(GOOD)
    newer = made(rules_a=rule_file(alert("Burning", "vector(1) > 10")))
    found = repo.environment()
    wanted = running.plan(found, newer)
    file = server.folder / "slo" / "current" / "rules-a.yml"
    file.write_text("# by hand\n" + file.read_text())
    outcome = running.carry_out(found, newer, wanted, (NOW, repo.tell))
    assert outcome.result == "undone"
    assert str(outcome.cause) == f"{file}: was changed since the plan; plan again"
    assert file.read_text().startswith("# by hand")


def theirs(server: Server) -> Path:
    """Somebody else's release becomes the live one."""
    folder = server.folder / "slo"
    release = folder / "releases" / "theirs"
    release.mkdir()
    (release / "theirs.yml").write_text(rule_file(record("x:y", "vector(1)")))
    (folder / "current").unlink()
    (folder / "current").symlink_to("releases/theirs")
    return release


def test_a_release_that_others_make_live_during_a_deploy_is_not_replaced(repo, server):
    repo.done(GOOD)
    rival = Interrupted(repo.root, moment="apply release", act=lambda: theirs(server))
    outcome = rival.deploy(made(recording_a=rule_file(record("a:b", "vector(1)"))))
    current = server.folder / "slo" / "current"
    assert outcome.result == "undone"
    assert str(outcome.cause) == f"{current}: was changed since the plan; plan again"
    assert [str(current.readlink()), *live(server)] == ["releases/theirs", "theirs.yml"]
    assert not (current.parent / "releases" / ".staging").exists()


def test_a_release_that_others_make_live_is_left_by_the_undo(repo, server):
    repo.done(GOOD)
    rival = Interrupted(repo.root, moment="undo release", act=lambda: theirs(server))
    outcome = rival.deploy(made(recording_a=rule_file(record("a:b", MANY))))
    current = server.folder / "slo" / "current"
    assert "many-to-many matching not allowed" in str(outcome.cause)
    ((step, reason),) = outcome.left
    assert step.kind == "release"
    assert reason == f"{current}: was changed by somebody else; left as it is"
    assert [str(current.readlink()), *live(server)] == ["releases/theirs", "theirs.yml"]


def test_a_rollback_brings_the_earlier_build_back(repo, server):
    from sloforge.deploy import running

    repo.done(GOOD)
    repo.done(made(recording_a=rule_file(record("a:b", "vector(1)"))))
    state = repo.environment().state
    back = running.earlier(state, "")
    assert back.build == GOOD.id
    repo.done(state.build(back.build))
    assert "Burning" in loaded(server)


def test_old_releases_are_removed(repo, server):
    releases = server.folder / "slo" / "releases"
    for value in range(8):
        (releases / f"old-{value}").mkdir(parents=True)
        os.utime(releases / f"old-{value}", (value, value))
    repo.done(GOOD)
    live = (server.folder / "slo" / "current").readlink().name
    newest = {f"old-{value}" for value in range(3, 8)}
    assert {path.name for path in releases.iterdir()} == {live} | newest


def test_a_server_without_the_lifecycle_api_says_how_to_get_it(tmp_path):
    with prometheus(tmp_path / "prometheus", "--web.enable-admin-api") as server:
        repo = Repository(tmp_path)
        repo.targets(prometheus=target(server))
        outcome = repo.deploy(GOOD)
        assert outcome.result == "stuck"
        assert "start Prometheus with --web.enable-lifecycle, or set pid_file" in str(outcome.cause)
        assert not (server.folder / "slo" / "current").is_symlink()
        pid_file = tmp_path / "prometheus.pid"
        pid_file.write_text(f"{server.pid}\n")
        repo.targets(prometheus=target(server, pid_file=str(pid_file), timeout="1s"))
        assert repo.finish(undo=True).result == "undone"
        repo.done(GOOD)
        assert "Burning" in loaded(server)
        broken = server.config.read_text() + "scrape_configs:\n- job_name: a\n- job_name: a\n"
        good = server.config.read_text()
        server.config.write_text(broken)
        outcome = repo.deploy(made(recording_a=rule_file(record("a:b", "vector(1)"))))
        assert "refused to load the files; its log says why" in str(outcome.cause)
        server.config.write_text(good)
        pid_file.write_text("none")
        assert "it holds no number" in repo.finish(undo=True).stuck[0][1]


def test_a_server_that_is_down_or_silent_ends_the_plan_with_words(tmp_path):
    with prometheus(tmp_path / "prometheus") as server:
        repo = Repository(tmp_path)
        repo.targets(prometheus=target(server, timeout="300ms"))
        server.freeze()
        with pytest.raises(Problem, match="no answer in time"):
            repo.plan(GOOD)
        server.thaw()
        repo.done(GOOD)
        server.stop()
        with pytest.raises(Problem, match="check that the server runs"):
            repo.plan(GOOD)


@pytest.mark.parametrize("fault", ["stop", "freeze"])
def test_a_server_that_goes_away_during_a_deploy_leaves_an_open_journal(tmp_path, fault):
    with prometheus(tmp_path / "prometheus") as server:

        class Going(Repository):
            def tell(self, verb, step):
                if step.kind == "release" and verb == "apply":
                    getattr(server, fault)()

        repo, going = Repository(tmp_path), Going(tmp_path)
        repo.targets(prometheus=target(server, timeout="300ms"))
        repo.done(GOOD)
        newer = made(recording_a=rule_file(record("a:b", "vector(1)")))
        assert going.deploy(newer).result == "stuck"
        # What is on the disk is right whatever the server does when it comes back.
        assert "rules-a.yml" in live(server)
        server.start() if fault == "stop" else server.thaw()
        assert "Burning" in loaded(server)
        assert repo.finish(undo=True).result == "undone"
        assert not repo.plan(GOOD).changes
        repo.done(newer)


def test_a_server_that_reads_another_folder_is_found_out(repo, server):
    more = {"folder": str(server.folder / "elsewhere" / "slo"), "config": ""}
    repo.targets(prometheus=target(server) | more)
    outcome = repo.deploy(GOOD)
    assert outcome.result == "undone"
    assert "group _build.yml/slo-build is not loaded" in str(outcome.cause)


def test_a_signal_that_another_process_gets_is_no_reload(repo, server, tmp_path):
    """The file holds the process id of something that is not this server."""
    repo.done(GOOD)
    release = (server.folder / "slo" / "current").readlink()
    (tmp_path / "stale.pid").write_text(f"{os.getpid()}\n")
    stale = target(server, pid_file=str(tmp_path / "stale.pid"), timeout="500ms")
    repo.targets(prometheus=stale)
    hangups = []
    handler = signal.signal(signal.SIGHUP, lambda *_: hangups.append(1))
    try:
        outcome = repo.deploy(made(recording_a=rule_file(record("a:b", "vector(1)"))))
    finally:
        signal.signal(signal.SIGHUP, handler)
    assert hangups
    assert outcome.result == "stuck"
    assert "expected a reload within 0.5 s, saw none; is it the server" in str(outcome.cause)
    assert (server.folder / "slo" / "current").readlink() == release
    repo.targets(prometheus=target(server))
    assert repo.finish(undo=True).result == "undone"
    assert not repo.plan(GOOD).changes


def test_rules_that_are_loaded_and_never_evaluated_are_taken_back(repo, server, monkeypatch):
    def never(path: str, text: str) -> str:
        if path != "/api/v1/rules":
            return text
        found = json.loads(text)
        for group in found["data"]["groups"]:
            for rule in group["rules"]:
                rule |= {"lastEvaluation": "0001-01-01T00:00:00Z", "health": "unknown"}
        return json.dumps(found)

    repo.done(GOOD)
    monkeypatch.setattr("sloforge.deploy.prometheus.SLACK", 0.2)
    with go_between(server.url, never) as url:
        repo.targets(prometheus=target(server, url=url))
        outcome = repo.deploy(made(rules_a=rule_file(alert("Smoking", "vector(1) > 2"))))
    assert outcome.result == "undone"
    assert "not evaluated within 0.3 s: group" in str(outcome.cause)
    assert "group g: alert Smoking" in str(outcome.cause)
    assert "Burning" in loaded(server)


def test_a_change_that_would_silence_what_fires_now_is_warned_of(repo, server):
    firing = made(
        rules_a=rule_file(
            alert("Stays", "vector(2) > 1"),
            alert("Goes", "vector(2) > 1"),
            alert("Quiets", "vector(2) > 1"),
            # Nobody has been told of one that is pending.
            alert("Waits", "vector(2) > 1") | {"for": "1h"},
        )
    )
    repo.done(firing)
    until(lambda: server.get("/api/v1/alerts").count('"firing"') == 3, server.log.read_text)
    until(lambda: '"pending"' in server.get("/api/v1/alerts"), server.log.read_text)
    softer = made(
        rules_a=rule_file(alert("Stays", "vector(3) > 1"), alert("Quiets", "vector(2) > 5"))
    )
    assert repo.plan(softer).steps[-1].warnings == (
        "silences alert Goes, which is firing now",
        "silences alert Quiets, which is firing now: its new expression holds no more",
    )


def test_a_renamed_group_and_a_dropped_series_are_warned_of(repo, server):
    other = server.folder / "other"
    other.mkdir()
    (other / "a.yml").write_text(rule_file(record("x:y", 'a:b{slo_name="two"} * 2')))
    board = json.dumps({"expr": 'a:b{slo_name="two"}'})
    before = made(
        recording_a=rule_file(
            record("a:b", "vector(1)", slo_name="one"), record("a:b", "vector(1)", slo_name="two")
        ),
        rules_a=rule_file(alert("Burning", "vector(1) > 10") | {"for": "1h"}, group="old"),
        dashboards_a=board,
    )
    repo.done(before)
    after = made(
        recording_a=rule_file(record("a:b", "vector(1)", slo_name="one")),
        rules_a=rule_file(
            alert("Burning", "vector(1) > 10") | {"for": "1h"},
            alert("Reads", 'a:b{slo_name="two"} > 1'),
            group="new",
        ),
        dashboards_a=board,
    )
    assert repo.plan(after).steps[-1].warnings == (
        "renames group old to new: its alerts lose how long they have been pending",
        "drops record a:b of two, which alert Reads still reads",
        "drops record a:b of two, which record x:y still reads",
        "drops record a:b of two, which dashboards/a.json still reads",
    )


def test_of_many_warnings_the_first_are_said_and_how_many_there_are_more(repo):
    readers = [alert(f"Reads{at:02}", "a:b > 1") for at in range(12)]
    repo.done(made(recording_a=rule_file(record("a:b", "vector(1)")), rules_a=rule_file(*readers)))
    warnings = repo.plan(made(rules_a=rule_file(*readers))).steps[-1].warnings
    assert warnings[0] == "drops record a:b, which alert Reads00 still reads"
    assert warnings[9:] == ("drops record a:b, which alert Reads09 still reads", "and 2 more")


def pending_since(server: Server) -> str:
    """Since when `Burning` is pending, once it is."""
    found: list[str] = []

    def look() -> bool:
        alerts = json.loads(server.get("/api/v1/alerts"))["data"]["alerts"]
        found[:] = [one["activeAt"] for one in alerts if one["labels"]["alertname"] == "Burning"]
        return bool(found)

    until(look, server.log.read_text)
    return found[0]


def pending_anew(server: Server, since: str) -> str:
    until(lambda: pending_since(server) != since, server.log.read_text)
    return pending_since(server)


def test_another_name_or_file_of_a_group_is_warned_of_because_pending_alerts_start_anew(
    repo, server
):
    def build(file: str, group: str, threshold: int = 1):
        burning = alert("Burning", f"vector(2) > {threshold}") | {"for": "1h"}
        instant = alert("Instant", "vector(2) > 5")
        other = rule_file(instant, group="other" if group == "old" else "another")
        return made(**{f"rules_{file}": rule_file(burning, group=group), "rules_z": other})

    repo.done(build("a", "old"))
    since = pending_since(server)
    kept = build("a", "old", threshold=0)
    assert repo.plan(kept).steps[-1].warnings == ()
    lost = "its alerts lose how long they have been pending"
    renamed, moved = build("a", "new"), build("b", "old")
    # The group of the alert without `for` is another one, too, and loses nothing.
    assert repo.plan(renamed).steps[-1].warnings == (f"renames group old to new: {lost}",)
    assert repo.plan(moved).steps[-1].warnings == (
        f"moves group old from rules-a.yml to rules-b.yml: {lost}",
    )
    for other in (renamed, moved):
        repo.done(other)
        since = pending_anew(server, since)
    repo.done(build("b", "old"))
    assert pending_since(server) == since


def test_a_group_whose_alerts_are_kept_firing_is_warned_of_without_a_for(repo):
    def build(group: str):
        kept = alert("Lasting", "vector(2) > 5") | {"keep_firing_for": "1h"}
        return made(rules_a=rule_file(kept, group=group))

    repo.done(build("old"))
    lost = "its alerts lose how long they have been pending"
    assert repo.plan(build("new")).steps[-1].warnings == (f"renames group old to new: {lost}",)


def test_releases_do_not_follow_a_file_that_is_no_link(repo, server):
    folder: Path = server.folder / "slo" / "current"
    folder.mkdir(parents=True)
    with pytest.raises(Problem, match="expected a symbolic link"):
        repo.environment().targets["prometheus"]._releases.live_name()
