"""Deploys to a ruler over its configuration API: within its limits, and only what is ours."""

import copy

import pytest
import yaml
from tests.deploy.project import NOW, Repository, alert, files_of, made, record, rule_file, verbs
from tests.deploy.ruler_server import Ruler, ruler

from sloforge.deploy import drift, running, shown
from sloforge.deploy.target import Moved
from sloforge.errors import Problem

FOREIGN = {"theirs": {"g": {"name": "g", "rules": [{"record": "x:y", "expr": "vector(1)"}]}}}
GOOD = made(
    recording_a=rule_file(record("a:b", "vector(1)", slo_service="a"), group="one"),
    rules_a=rule_file(alert("Burning", "vector(1) > 2"), group="two"),
)


@pytest.fixture
def server():
    with ruler(tenants={"team": copy.deepcopy(FOREIGN)}) as found:
        yield found


@pytest.fixture
def repo(tmp_path, server):
    found = Repository(tmp_path)
    found.targets(ruler=target(server))
    return found


def target(server: Ruler, **more: object) -> dict[str, object]:
    return {"kind": "ruler", "url": server.url, "tenant": "team", "wait": "3s"} | more


def ours(server: Ruler) -> list[str]:
    return sorted(
        f"{space}/{name}"
        for space, groups in server.of("team").items()
        for name in groups
        if space != "theirs"
    )


def test_a_good_build_is_visible_and_a_second_deploy_has_nothing_to_do(repo, server):
    repo.done(GOOD)
    assert ours(server) == [
        "sloforge.shop.build/slo-build",
        "sloforge.shop.recording-a/one",
        "sloforge.shop.rules-a/two",
    ]
    assert server.of("team")["theirs"] == FOREIGN["theirs"]
    assert not repo.plan(GOOD).changes


def test_a_foreign_group_keeps_what_ours_never_have(repo, server):
    group = {"name": "g", "limit": 5, "query_offset": "1m", "rules": [record("a:b", "vector(1)")]}
    repo.done(made(**{"recording_mixins/disk": yaml.safe_dump({"groups": [group]})}))
    assert ours(server)[-1] == "sloforge.shop.recording-mixins.disk/g"
    found = server.of("team")["sloforge.shop.recording-mixins.disk"]["g"]
    assert (found["limit"], found["query_offset"]) == (5, "1m")
    assert not repo.plan(
        made(**{"recording_mixins/disk": yaml.safe_dump({"groups": [group]})})
    ).changes


def test_groups_are_updated_and_deleted_and_those_of_others_stay(repo, server):
    repo.done(GOOD)
    changed = made(rules_a=rule_file(alert("Burning", "vector(1) > 3"), group="two"))
    plan = repo.plan(changed)
    assert verbs(plan.steps) == {
        "group sloforge.shop.build/slo-build": "update",
        "group sloforge.shop.rules-a/two": "update",
        "group sloforge.shop.recording-a/one": "delete",
    }
    assert "threshold 2 -> 3" in shown.plan(plan, "text")
    repo.done(changed)
    assert ours(server) == ["sloforge.shop.build/slo-build", "sloforge.shop.rules-a/two"]
    assert server.of("team")["theirs"] == FOREIGN["theirs"]


def test_a_group_is_split_where_it_has_too_many_rules(repo, server):
    rules = [record(f"a:b{at}", "vector(1)") for at in range(45)]
    repo.done(made(recording_a=rule_file(*rules, group="one")))
    groups = server.of("team")["sloforge.shop.recording-a"]
    assert {name: len(group["rules"]) for name, group in groups.items()} == {
        "one": 20,
        "one-part-2": 20,
        "one-part-3": 5,
    }


def test_too_many_groups_are_noticed_before_the_first_write(repo, server):
    many = made(**{f"rules_{at}": rule_file(record("a:b", "vector(1)")) for at in range(70)})
    with pytest.raises(Problem, match="would hold 72 rule groups, 70 are allowed; raise ruler_max"):
        repo.deploy(many)
    assert ours(server) == []
    server.max_groups = 100
    repo.targets(ruler=target(server, max_groups=100))
    repo.done(many)


def test_a_write_that_fails_takes_the_others_back(repo, server):
    repo.done(GOOD)
    before = copy.deepcopy(server.of("team"))
    newer = made(
        recording_a=rule_file(record("a:b", "vector(3)"), group="one"),
        rules_b=rule_file(record("a:c", "vector(1)", slo_name="n")),
    )
    server.max_groups = 4
    outcome = repo.deploy(newer)
    assert outcome.result == "undone"
    assert "answered 400 `per-user rule groups limit (limit: 4) exceeded`" in str(outcome.cause)
    assert server.of("team") == before


def test_a_rule_that_fails_in_the_ruler_is_taken_back(repo, server):
    repo.done(GOOD)
    server.errors["a:z"] = "many-to-many matching not allowed"
    outcome = repo.deploy(made(recording_a=rule_file(record("a:z", "vector(1)"), group="one")))
    assert outcome.result == "undone"
    assert "record a:z: many-to-many matching not allowed" in str(outcome.cause)
    assert not repo.plan(GOOD).changes


def test_a_group_that_is_evaluated_seldom_is_asked_by_a_query_and_said_to_be(repo, server):
    server.unseen = {"slow"}
    slow = rule_file(record("a:period", "sum(x)", slo_name="n"), group="slow", interval="300s")
    build = made(recording_a=slow, rules_a=rule_file(alert("Burning", "vector(1) > 2")))
    outcome = repo.done(build)
    assert server.queries == ["sum(x)"]
    assert outcome.notes == (
        (
            "1 rule that is evaluated every 300 s: evaluated by a query, without an error; "
            "the server itself has not come to them yet"
        ),
    )
    two = [{"metric": {"slo_name": one}, "value": [0, "1"]} for one in "ab"]
    server.results["sum(y)"] = two
    outcome = repo.deploy(made(recording_a=slow.replace("sum(x)", "sum(y)")))
    assert outcome.result == "undone"
    assert "group slow: record a:period of n: its labels make two series one" in str(outcome.cause)


def test_what_never_becomes_visible_is_taken_back(repo, server):
    repo.targets(ruler=target(server, wait="200ms"))
    server.lag = 10_000
    outcome = repo.deploy(GOOD)
    assert outcome.result == "undone"
    assert "not evaluated: group sloforge.shop.build/slo-build is not loaded" in str(outcome.cause)
    assert ours(server) == []


def test_a_deletion_that_was_accepted_and_never_done_is_found_out(repo, server):
    repo.targets(ruler=target(server, wait="200ms"))
    server.lag = 0
    repo.done(GOOD)
    server.deaf = True
    outcome = repo.deploy(made(rules_a=files_of(GOOD)[1].text))
    assert outcome.result == "undone"
    assert "not shown as sent: sloforge.shop.recording-a/one" in str(outcome.cause)
    assert not repo.plan(GOOD).changes


def test_an_edit_after_the_plan_stops_the_deploy_and_stays(repo, server):
    repo.done(GOOD)
    newer = made(
        recording_a=files_of(GOOD)[0].text,
        rules_a=rule_file(alert("Burning", "vector(1) > 3"), group="two"),
    )
    found = repo.environment()
    wanted = running.plan(found, newer)
    server.of("team")["sloforge.shop.rules-a"]["two"]["rules"][0]["expr"] = "vector(1) > 9"
    outcome = running.carry_out(found, newer, wanted, (NOW, repo.tell))
    assert outcome.result == "undone"
    assert "was changed since the plan; plan again" in str(outcome.cause)
    kept = server.of("team")["sloforge.shop.rules-a"]["two"]["rules"][0]["expr"]
    assert kept == "vector(1) > 9"


def test_an_undo_leaves_what_somebody_has_changed_and_does_without_what_is_gone(repo, server):
    repo.done(GOOD)
    ruler_target = repo.environment().targets["ruler"]
    newer = made(
        recording_b=rule_file(record("a:c", "vector(1)", slo_service="b"), group="one"),
        rules_a=rule_file(alert("Burning", "vector(1) > 3"), group="two"),
    )
    steps = {step.key: step for step in ruler_target.plan(newer, {})}
    changed, made_new = steps["sloforge.shop.rules-a/two"], steps["sloforge.shop.recording-b/one"]
    receipts = [ruler_target.apply(changed), ruler_target.apply(made_new)]
    server.of("team")["sloforge.shop.rules-a"]["two"]["rules"][0]["expr"] = "vector(1) > 9"
    with pytest.raises(Moved, match="was changed by somebody else; left as it is"):
        ruler_target.undo(receipts[0])
    kept = server.of("team")["sloforge.shop.rules-a"]["two"]["rules"][0]["expr"]
    assert kept == "vector(1) > 9"
    ruler_target.undo(receipts[1])
    ruler_target.undo(receipts[1])
    assert "sloforge.shop.recording-b" not in server.of("team")


def test_what_is_gone_the_moment_it_is_to_be_deleted_is_deleted(repo, server):
    repo.done(GOOD)
    server.vanishing = True
    repo.done(made(rules_a=files_of(GOOD)[1].text))
    assert "sloforge.shop.recording-a" not in server.of("team")


def test_a_server_that_is_busy_is_asked_again(repo, server):
    server.faults = [503, 429]
    repo.done(GOOD)
    assert not repo.plan(GOOD).changes


def test_an_edit_by_somebody_else_is_drift(repo, server):
    repo.done(GOOD)
    server.of("team")["sloforge.shop.rules-a"]["two"]["rules"][0]["expr"] = "vector(1) > 9"
    (found,) = drift.drift(repo.plan(GOOD), repo.environment().state.applied())
    assert (found.step.key, found.state) == ("sloforge.shop.rules-a/two", "edited")
    repo.done(GOOD)


def test_another_spelling_of_the_same_group_is_no_change(repo, server):
    repo.done(GOOD)
    group = server.of("team")["sloforge.shop.rules-a"]["two"]
    group["interval"] = "0h0m0s100ms"
    group["rules"][0]["for"] = "0s"
    assert not repo.plan(GOOD).changes


def test_a_tenant_is_named_and_a_token_is_never_shown(repo, server, monkeypatch):
    server.token = "s3cret-token"
    repo.targets(ruler=target(server, token_env="RULER_TOKEN"))
    monkeypatch.setenv("RULER_TOKEN", "other-secret")
    with pytest.raises(Problem, match=r"answered 401 `invalid token .*check the token") as refused:
        repo.plan(GOOD)
    assert "other-secret" not in str(refused.value)
    monkeypatch.setenv("RULER_TOKEN", "s3cret-token")
    repo.done(GOOD)
    monkeypatch.delenv("RULER_TOKEN")
    with pytest.raises(Problem, match="environment variable `RULER_TOKEN`: must hold a secret"):
        repo.plan(GOOD)
    repo.targets(ruler=target(server, tenant="", token_env=""))
    with pytest.raises(Problem, match="answered 401 `no org id`"):
        repo.plan(GOOD)


def test_an_answer_that_is_no_ruler_is_said_so(repo, server):
    repo.targets(ruler=target(server, url=server.url.replace("/prometheus", "/elsewhere")))
    with pytest.raises(Problem, match="answered 404 `404 page not found`; is the URL right"):
        repo.plan(GOOD)
