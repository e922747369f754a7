"""plan, deploy, drift, rollback and deploys as a user types them: what they print and exit with."""

import json
import logging
import os
import pty
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.deploy.project import MINE, ROUTES, command
from tests.deploy.ruler_server import ruler
from tests.deploy.servers import (
    NEEDS_ALERTMANAGER,
    NEEDS_PROMETHEUS,
    alertmanager,
    prometheus,
)
from tests.grafana_server import GrafanaServer
from tests.grafana_server.faults import Fault
from tests.grafana_server.store import EVERYTHING
from tests.live.alertmanager import until

from sloforge import pipeline, starting
from sloforge.deploy import shown

ROOT = Path(__file__).parent.parent.parent
OBJECTS = ["slo.shop.checkout.yaml", "slo.shop.shared.build.yaml", "slo.shop.shared.watchdog.yaml"]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A repository as `sloforge init` and `sloforge build` leave it."""
    root = tmp_path_factory.mktemp("started")
    starting.write(root)
    pipeline.apply(root, pipeline.build(root))
    return root


@pytest.fixture
def root(started, tmp_path):
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    targets(tmp_path, cluster={"kind": "kubernetes"})
    return tmp_path


def targets(root: Path, **found: object) -> None:
    document = {"version": "sloforge-deploy/v1", "project": "shop", "environments": {"dev": found}}
    (root / "deploy.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def change(root: Path, before: str = "objective: 99.9", after: str = "objective: 99.5") -> None:
    file = root / "slos" / "checkout.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    pipeline.apply(root, pipeline.build(root))


def written(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "dist" / "kubernetes").glob("*"))


def test_plan_deploy_and_again_says_nothing_to_do(root):
    planned = command(root, "plan")
    assert planned.exit_code == 2, planned.output
    assert "+ create    rules slo.shop.checkout.yaml" in planned.stdout
    assert "3 to create" in planned.stderr
    assert written(root) == []
    done = command(root, "deploy", "--yes")
    assert done.exit_code == 0, done.output
    assert "is in place: 3 changes, verified" in done.stdout
    assert done.stderr.splitlines()[1:] == [
        "[1/3] create cluster/rules/slo.shop.checkout.yaml",
        "[2/3] create cluster/rules/slo.shop.shared.build.yaml",
        "[3/3] create cluster/rules/slo.shop.shared.watchdog.yaml",
        "[3/3] verify cluster: rules",
    ]
    assert written(root) == OBJECTS
    again = command(root, "deploy", "--yes")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "nothing to do: dev is build" in again.stderr
    assert command(root, "plan").exit_code == 0
    assert command(root, "drift").exit_code == 0


def test_a_changed_objective_is_told_in_words_and_with_v_line_by_line(root):
    command(root, "deploy", "--yes")
    change(root)
    text = command(root, "plan").stdout
    assert "checkout/availability: objective 99.9 -> 99.5" in text
    assert "+    - expr" not in text
    assert "-      expr: vector(0.999)" in command(root, "plan", "-v").stdout


def test_nothing_is_deployed_unasked(root):
    refused = command(root, "deploy")
    assert refused.exit_code == 1
    assert "expected a yes, and there is nobody to ask; give --yes" in refused.stderr
    assert written(root) == []


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_whoever_sits_before_a_terminal_is_asked(root, answer, code):
    ours, theirs = pty.openpty()
    tool = Path(sys.executable).with_name("sloforge")
    process = subprocess.Popen(
        [tool, "-C", root, "deploy"],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, said
    assert "carry out 3 changes? [y/N]:" in said
    assert written(root) == ([] if code else OBJECTS)


def test_a_build_that_is_out_of_date_is_not_deployed(root):
    file = root / "rules" / "checkout.yml"
    file.write_text(file.read_text() + "# by hand\n")
    for verb in (["plan"], ["deploy", "--yes"], ["drift"]):
        refused = command(root, *verb)
        assert refused.exit_code == 1
        what = "1 generated files are out of date (rules/checkout.yml)"
        assert f"{what}; run `make build`, test and commit it, then deploy" in refused.stderr


def test_a_saved_plan_is_applied_exactly_or_not_at_all(root):
    assert command(root, "plan", "--out", str(root / "plan.json")).exit_code == 2
    assert (root / "plan.json").stat().st_mode & 0o077 == 0
    done = command(root, "deploy", "--plan", str(root / "plan.json"), "--yes")
    assert done.exit_code == 0, done.output
    moved = command(root, "deploy", "--plan", str(root / "plan.json"), "--yes")
    assert moved.exit_code == 1
    assert "the live state has moved since the plan: cluster/rules/slo.shop.check" in moved.stderr
    change(root)
    other = command(root, "deploy", "--plan", str(root / "plan.json"), "--yes")
    assert "the plan is of build" in other.stderr
    assert "plan again, or check out what was planned" in other.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "expected a plan, found no file"),
        ("{}", "expected a plan, got something else"),
        ('{"version": 9}', "expected version 1 of a plan, got 9"),
    ],
)
def test_what_is_no_plan_is_refused(root, text, said):
    if text is not None:
        (root / "plan.json").write_text(text)
    refused = command(root, "deploy", "--plan", str(root / "plan.json"), "--yes")
    assert refused.exit_code == 1
    assert f"plan.json: {said}; make it again with `sloforge plan --out`" in refused.stderr


def test_deletions_beyond_the_maximum_need_a_word(root):
    command(root, "deploy", "--yes")
    (root / "slos" / "checkout.yaml").unlink()
    pipeline.apply(root, pipeline.build(root))
    refused = command(root, "deploy", "--yes", "--max-prune", "0")
    assert refused.exit_code == 1
    assert "the plan deletes 1 objects, expected at most 0" in refused.stderr
    assert written(root) == OBJECTS
    assert command(root, "deploy", "--yes").exit_code == 0
    assert "slo.shop.checkout.yaml" not in written(root)


def test_what_is_blocked_is_an_error_and_nothing_is_changed(root):
    folder = root / "dist" / "kubernetes"
    folder.mkdir(parents=True)
    (folder / "slo.shop.shared.build.yaml").write_text("theirs\n")
    assert command(root, "plan").exit_code == 1
    refused = command(root, "deploy", "--yes")
    assert refused.exit_code == 1
    assert "nothing was changed: some objects are blocked" in refused.stderr
    assert written(root) == ["slo.shop.shared.build.yaml"]
    assert command(root, "drift").exit_code == 1


COUNTS = {
    (0, 0): "there are no objects",
    (0, 1): "none of 1 object differs",
    (1, 1): "1 of 1 object differs",
    (0, 3): "none of 3 objects differs",
    (1, 3): "1 of 3 objects differs",
    (2, 3): "2 of 3 objects differ",
}


@pytest.mark.parametrize("counts", COUNTS)
def test_drift_counts_in_words(counts):
    assert shown.drifted(*counts) == COUNTS[counts]


def test_drift_tells_an_edit_from_a_commit(root):
    command(root, "deploy", "--yes")
    assert command(root, "drift").stderr.splitlines()[-1] == "none of 3 objects differs"
    change(root)
    undeployed = command(root, "drift")
    assert undeployed.exit_code == 2
    assert "undeployed cluster/rules/slo.shop.checkout.yaml" in undeployed.stdout
    file = root / "dist" / "kubernetes" / "slo.shop.shared.watchdog.yaml"
    file.write_text(file.read_text() + "# by hand\n")
    found = json.loads(command(root, "drift", "--format", "json").stdout)
    assert {one["key"]: one["drift"] for one in found} == {
        "slo.shop.shared.build.yaml": "undeployed",
        "slo.shop.checkout.yaml": "undeployed",
        "slo.shop.shared.watchdog.yaml": "edited",
    }
    github = command(root, "drift", "--format", "github").stdout
    assert (
        "::error::cluster/rules/slo.shop.shared.watchdog.yaml was changed live since the last deploy"
        in github
    )


def test_a_rollback_and_the_history(root):
    command(root, "deploy", "--yes")
    file = root / "dist" / "kubernetes" / "slo.shop.checkout.yaml"
    before = file.read_text()
    change(root)
    command(root, "deploy", "--yes")
    assert file.read_text() != before
    back = command(root, "rollback", "--yes")
    assert back.exit_code == 0, back.output
    assert "back to deploy" in back.stderr
    assert file.read_text() == before
    history = json.loads(command(root, "deploys", "--format", "json").stdout)
    assert [one["outcome"] for one in history] == ["done"] * 3
    assert history[0]["build"] == history[2]["build"] != history[1]["build"]
    assert history[0]["id"] in command(root, "deploys").stdout
    assert "unknown deploy `nope`" in command(root, "rollback", "nope", "--yes").stderr


def test_output_for_programs(root):
    plan = json.loads(command(root, "plan", "--format", "json").stdout)
    assert {(step["key"], step["verb"]) for step in plan["steps"]} == {
        (o, "create") for o in OBJECTS
    }
    github = command(root, "plan", "--format", "github").stdout
    assert (
        "::notice::cluster/rules/slo.shop.checkout.yaml: create: 8 alerts, 19 recording rules"
        in github
    )
    done = json.loads(command(root, "deploy", "--yes", "--format", "json").stdout)
    assert (done["result"], len(done["applied"])) == ("done", 3)
    assert json.loads(command(root, "deploy", "--yes", "--format", "json").stdout)["steps"]


def test_resume_and_undo_without_a_cut_are_refused(root):
    for option in ("--resume", "--undo"):
        refused = command(root, "deploy", option)
        assert refused.exit_code == 1
        assert "no deploy was cut short; there is nothing to resume or to undo" in refused.stderr
    assert command(root, "deploy", "--resume", "--undo").exit_code == 2


def test_another_deploy_at_the_same_time_is_told_who_is_first(root):
    from sloforge.deploy.state import State

    with State(root, "dev").lock("2026-01-05 10:15:00 UTC"):
        refused = command(root, "deploy", "--yes")
    assert refused.exit_code == 1
    assert f"process {os.getpid()}, since 2026-01-05 10:15:00 UTC is under way" in refused.stderr


@NEEDS_PROMETHEUS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_an_interrupt_takes_everything_back(root, tmp_path_factory, number):
    """The first evaluation of groups of a minute is waited for: there is time to interrupt."""
    with prometheus(tmp_path_factory.mktemp("server") / "prometheus") as server:
        folder = server.folder / "slo"
        rules = {"kind": "prometheus", "url": server.url, "folder": str(folder)}
        targets(root, prometheus=rules | {"config": str(server.config)})
        arguments = [
            str(Path(sys.executable).with_name("sloforge")),
            "-C",
            str(root),
            "deploy",
            "--yes",
        ]
        process = subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until(
            lambda: "slo_rules_build_info" in server.get("/api/v1/rules"),
            lambda: f"nothing was loaded: {process.poll()}",
            bound=60.0,
        )
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, out + err
        assert "interrupted\n" in err
        assert "was taken back: everything is as it was before" in err
        assert "slo_rules_build_info" not in server.get("/api/v1/rules")
        assert not (folder / "current").is_symlink()
    history = json.loads(command(root, "deploys", "--format", "json").stdout)
    assert [one["outcome"] for one in history] == ["undone"]


@NEEDS_ALERTMANAGER
def test_the_alertmanager_of_a_new_repository_is_deployed(root, tmp_path_factory):
    with alertmanager(tmp_path_factory.mktemp("server") / "alertmanager", MINE + ROUTES) as server:
        found = {"kind": "alertmanager", "url": server.url, "config": str(server.config)}
        targets(root, alertmanager=found)
        done = command(root, "deploy", "--yes")
        assert done.exit_code == 0, done.output
        assert "+ receiver watchdog" in done.stdout
        assert command(root, "deploy", "--yes").stdout == ""


def texts_in(root: Path) -> Iterator[str]:
    """Everything on the disk, packed builds unpacked."""
    for path in (path for path in root.rglob("*") if path.is_file()):
        yield path.read_text(errors="replace")
        if zipfile.is_zipfile(path):
            packed = zipfile.ZipFile(path)
            yield from (packed.read(name).decode() for name in packed.namelist())
            packed.close()


def test_a_secret_is_never_written_down(root, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    (root / "token").write_text("t0ken-of-the-grafana\n")
    secrets = {"RULER_TOKEN": "t0ken-of-the-ruler", "PROXY_KEY": "k3y-of-the-proxy"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    with ruler(token=secrets["RULER_TOKEN"]) as server, GrafanaServer() as boards:
        boards.grant("t0ken-of-the-grafana", dict.fromkeys(EVERYTHING, ("*",)))
        found: dict[str, object] = {"kind": "ruler", "url": server.url}
        found |= {"tenant": "team", "wait": "5s"}
        found |= {"token_env": "RULER_TOKEN", "secret_headers": {"X-Key": "PROXY_KEY"}}
        file = {"kind": "grafana", "url": boards.url, "token_file": str(root / "token")}
        targets(root, ruler=found, boards=file)
        said = [
            command(root, "plan", "-v", "--out", str(root / "plan.json")),
            command(root, "plan", "--format", "json"),
            command(root, "plan", "--format", "github"),
            command(root, "deploy", "--yes", "-v"),
            command(root, "drift"),
        ]
        assert [one.exit_code for one in said] == [2, 2, 2, 0, 0], said[3].stderr
        change(root)
        said += [
            command(root, "deploy", "--yes", "--format", "json"),
            command(root, "rollback", "--yes"),
            command(root, "deploys", "--format", "json"),
        ]
        assert [one.exit_code for one in said[5:]] == [0, 0, 0], said[6].stderr
        # A deploy that cannot be taken back, then is; servers that repeat what they were sent.
        server.errors["slo:objective:ratio"] = "a rule that fails"
        boards.script.add(Fault(path="/api/dashboards/.*", status=500, times=99))
        said.append(command(root, "deploy", "--yes"))
        boards.script.clear()
        server.errors.clear()
        said += [command(root, "deploy", "--resume"), command(root, "deploy", "--undo")]
        server.token = "changed"
        said += [command(root, "plan"), command(root, "deploy", "--yes")]
        assert "answered 401" in said[-1].stderr
    said.append(command(root, "plan"))
    assert "check that the server runs" in said[-1].stderr
    (root / "token").unlink()
    told = [caplog.text, *(one.output for one in said), *texts_in(root)]
    assert len(told) > 50
    for secret in (*secrets.values(), "t0ken-of-the-grafana"):
        assert not [text for text in told if secret in text]
