"""Manifests for the Prometheus Operator: one object for each service, none too large."""

from typing import Any

import pytest
import yaml
from tests.deploy.project import Repository, alert, made, record, rule_file, verbs

from sloforge.errors import Problem

GOOD = made(
    recording_a=rule_file(record("a:b", "vector(1)"), group="one"),
    rules_a=rule_file(alert("Burning", "vector(1) > 2"), group="two"),
    rules__watchdog=rule_file(alert("Watchdog", "vector(1)")),
)


@pytest.fixture
def repo(tmp_path):
    found = Repository(tmp_path)
    found.targets(cluster={"kind": "kubernetes", "labels": {"release": "prometheus"}})
    return found


def objects(repo: Repository) -> dict[str, dict[str, Any]]:
    folder = repo.root / "dist" / "kubernetes"
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*"))}


def test_a_mixin_is_an_object_of_its_own(repo):
    repo.done(made(**{"rules_mixins/disk": rule_file(alert("Full", "vector(1) > 2"))}))
    assert objects(repo)["slo.shop.mixins.disk.yaml"]["metadata"]["name"] == "slo.shop.mixins.disk"


def test_each_service_is_an_object_that_the_rule_selector_finds(repo):
    repo.done(GOOD)
    found = objects(repo)
    assert found.keys() == {
        "slo.shop.a.yaml",
        "slo.shop.shared.build.yaml",
        "slo.shop.shared.watchdog.yaml",
    }
    assert found["slo.shop.a.yaml"]["metadata"] == {
        "name": "slo.shop.a",
        "namespace": "monitoring",
        "labels": {
            "app.kubernetes.io/managed-by": "sloforge",
            "app.kubernetes.io/part-of": "shop",
            "release": "prometheus",
        },
    }
    spec = found["slo.shop.a.yaml"]["spec"]
    assert [group["name"] for group in spec["groups"]] == ["one", "two"]
    assert not repo.plan(GOOD).changes


def test_a_service_that_is_gone_loses_its_object_and_files_of_others_stay(repo):
    repo.done(GOOD)
    theirs = repo.root / "dist" / "kubernetes" / "other.yaml"
    theirs.write_text("kind: Other\n")
    smaller = made(rules_a=rule_file(alert("Burning", "vector(1) > 3"), group="two"))
    plan = repo.plan(smaller)
    assert verbs(plan.steps) == {
        "rules slo.shop.a.yaml": "update",
        "rules slo.shop.shared.build.yaml": "update",
        "rules slo.shop.shared.watchdog.yaml": "delete",
    }
    assert plan.steps[0].summary == (
        "alert Burning: threshold 2 -> 3",
        "- record a:b",
    )
    repo.done(smaller)
    assert theirs.read_text() == "kind: Other\n"


def test_a_file_of_somebody_else_is_not_replaced(repo):
    folder = repo.root / "dist" / "kubernetes"
    folder.mkdir(parents=True)
    (folder / "slo.shop.a.yaml").write_text("kind: Other\n")
    (blocked,) = repo.plan(GOOD).blocked
    assert blocked.key == "slo.shop.a.yaml"
    assert blocked.reason == (
        "a file of this name is there, and not by us; move it away, or `--adopt` it"
    )
    repo.done(GOOD, adopt=True)
    assert objects(repo)["slo.shop.a.yaml"]["kind"] == "PrometheusRule"


def test_an_object_is_split_below_what_the_operator_takes(repo):
    rules = [
        rule_file(record("a:b", f'x{{y="{"z" * 1000}"}}', slo_name=str(at))) for at in range(600)
    ]
    groups = [yaml.safe_load(text)["groups"][0] for text in rules]
    for at, group in enumerate(groups):
        group["name"] = f"g{at}"
    repo.done(made(recording_a=yaml.safe_dump({"groups": groups})))
    folder = repo.root / "dist" / "kubernetes"
    parts = [folder / "slo.shop.a.yaml", folder / "slo.shop.a.2.yaml"]
    assert sorted(folder.glob("slo.shop.a*")) == sorted(parts)
    assert all(path.stat().st_size < 512 * 1024 for path in parts)
    names = [
        group["name"]
        for one in parts
        for group in yaml.safe_load(one.read_text())["spec"]["groups"]
    ]
    assert names == [f"g{at}" for at in range(600)]


def test_no_object_has_two_groups_of_one_name(repo):
    """An API server keys the groups by their names, and refuses the object."""
    recorded = rule_file(record("a:b", "vector(1)"), group="one")
    alerts = rule_file(alert("Burning", "vector(1) > 2"), group="one")
    repo.done(made(recording_a=recorded, rules_a=alerts))
    found = objects(repo)
    groups = {
        name: [(group["name"], len(group["rules"])) for group in found[name]["spec"]["groups"]]
        for name in ("slo.shop.a.yaml", "slo.shop.a.2.yaml")
    }
    assert groups == {"slo.shop.a.yaml": [("one", 1)], "slo.shop.a.2.yaml": [("one", 1)]}


def test_a_group_that_fits_nowhere_is_refused(repo):
    huge = rule_file(*(record("a:b", f'x{{y="{"z" * 1000}"}}') for _ in range(600)), group="huge")
    with pytest.raises(Problem, match=r"group huge: is .* bytes, .* fit into a PrometheusRule"):
        repo.plan(made(recording_a=huge))


def test_an_edit_after_the_plan_is_left_alone(repo):
    from tests.deploy.project import NOW

    from sloforge.deploy import running

    repo.done(GOOD)
    file = repo.root / "dist" / "kubernetes" / "slo.shop.a.yaml"
    newer = made(rules_a=rule_file(alert("Burning", "vector(1) > 3")))
    found = repo.environment()
    wanted = running.plan(found, newer)
    file.write_text(file.read_text() + "# by hand\n")
    outcome = running.carry_out(found, newer, wanted, (NOW, repo.tell))
    assert outcome.result == "undone"
    assert file.read_text().endswith("# by hand\n")
