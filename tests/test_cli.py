"""The command line: exit codes, what goes to which stream, and what each format looks like."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sloforge import pipeline, starting

SLOFORGE = (sys.executable, "-c", "from sloforge.cli import main; main()")
TESTED = "tests/rules/checkout/availability-windows.promtest.yml"


def run(root: Path, *arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    command = [*SLOFORGE, *arguments]
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command, capture_output=True, text=True, check=False, timeout=60, cwd=root, **how
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as `init` and `build` leave it; nobody changes it."""
    root = tmp_path_factory.mktemp("cli")
    starting.write(root)
    pipeline.apply(root, pipeline.build(root))
    return root


@pytest.fixture
def mine(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "mine"))


def harm(root: Path) -> None:
    """Two mistakes in the specs."""
    file = root / "slos/checkout.yaml"
    text = (
        file.read_text("utf-8")
        .replace("objective:", "objektive:", 1)
        .replace("owner:", "ovner:", 1)
    )
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["build"], 0),
        (["build", "--check"], 0),
        (["check"], 0),
        (["list"], 0),
        (["schema"], 0),
        (["test", TESTED], 0),
        (["completion", "bash"], 0),
        (["--version"], 0),
        (["init"], 1),
        (["runbook", "new", "checkout/nothing-leads-here"], 1),
        (["nonsense"], 2),
        (["build", "--only", "recordings"], 2),
        (["build", "--only", ","], 2),
        (["list", "--format", "xml"], 2),
        (["test", "missing.yml"], 2),
        (["test", "-j", "-1"], 2),
        (["test", "-k", "("], 2),
        (["test", "slos"], 1),
        (["-C", "missing", "list"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_codes(built: Path, arguments: list[str], code: int) -> None:
    done = run(built, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


def test_the_result_goes_to_stdout_and_the_rest_to_stderr(mine: Path) -> None:
    (mine / "rules/checkout.yml").unlink()
    done = run(mine, "build")
    assert done.stdout == "create rules/checkout.yml\n"
    assert done.stderr == "1 SLOs of 1 services: 1 files changed\n"
    assert run(mine, "build").stdout == ""


def test_every_mistake_is_told_with_its_place_in_one_run(mine: Path) -> None:
    harm(mine)
    done = run(mine, "check")
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line for line in done.stderr.splitlines() if line.startswith("slos/checkout.yaml:")]
    assert any("unknown key `objektive`; did you mean `objective`?" in line for line in lines)
    assert any("unknown key `ovner`; did you mean `owner`?" in line for line in lines)


@pytest.mark.parametrize("verb", ["build", "check", "list"])
def test_mistakes_are_json_where_json_is_wanted(verb: str, mine: Path) -> None:
    harm(mine)
    done = run(mine, verb, "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert {one["path"] for one in found} == {"slos/checkout.yaml"}
    assert found[0].keys() == {"id", "severity", "path", "line", "column", "what", "remedy"}


def test_mistakes_are_annotations_where_github_wants_them(mine: Path) -> None:
    harm(mine)
    lines = run(mine, "check", "--format", "github").stdout.splitlines()
    assert all(line.startswith("::error file=slos/checkout.yaml,line=") for line in lines)


def test_changes_have_every_format(mine: Path) -> None:
    (mine / "rules/checkout.yml").unlink()
    as_json = run(mine, "build", "--check", "--format", "json")
    assert json.loads(as_json.stdout) == [{"path": "rules/checkout.yml", "change": "create"}]
    github = run(mine, "build", "--check", "--format", "github")
    assert github.stdout == "::error file=rules/checkout.yml::would create; run `make build`\n"
    assert json.loads(run(mine, "build", "--format", "json").stdout) != []
    assert json.loads(run(mine, "build", "--format", "json").stdout) == []


def test_the_difference_is_shown_line_by_line(mine: Path) -> None:
    file = mine / "recording/checkout.yml"
    file.write_text(file.read_text("utf-8").replace("[5m]", "[6m]", 1), encoding="utf-8")
    shown = run(mine, "build", "--check", "--diff").stdout.splitlines()
    assert shown[0] == "update recording/checkout.yml"
    assert shown[1:3] == [
        "--- on disk: recording/checkout.yml",
        "+++ generated: recording/checkout.yml",
    ]
    assert [line[0] for line in shown[4:] if line[0] in "+-"] == ["-", "+"]


def test_only_the_named_generators_write(tmp_path: Path) -> None:
    starting.write(tmp_path)
    done = run(tmp_path, "build", "--only", "recording,rules")
    assert done.stdout.split() == [
        "create",
        "recording/checkout.yml",
        "create",
        "rules/_watchdog.yml",
        "create",
        "rules/checkout.yml",
    ]


def test_the_promises_are_listed(built: Path) -> None:
    (found,) = json.loads(run(built, "list", "--format", "json").stdout)
    assert (found["service"], found["slo"], found["sli"]) == ("checkout", "availability", "ratio")
    table = run(built, "list").stdout.splitlines()
    assert table[0].split() == ["service", "slo", "sli", "objective", "window", "budget", "owner"]
    alerts = json.loads(run(built, "list", "--alerts", "--format", "json").stdout)
    assert "CheckoutDown" in {one["alert"] for one in alerts}


def test_tests_pass_and_write_junit(built: Path, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    done = run(built, "test", TESTED, "--junit", str(junit))
    assert (done.returncode, done.stderr) == (0, "")
    assert " passed in " in done.stdout
    root = ET.fromstring(junit.read_text("utf-8"))
    assert int(root.get("tests", "0")) > 3
    assert (root.get("failures"), root.get("errors")) == ("0", "0")


def test_a_broken_rule_fails_its_tests_with_place_and_difference(mine: Path) -> None:
    rules = mine / "recording/checkout.yml"
    broken = (
        rules.read_text("utf-8").replace("[30d]", "[15d]").replace("vector(0.001)", "vector(0.01)")
    )
    rules.write_text(broken, encoding="utf-8")
    done = run(mine, "test", TESTED)
    assert done.returncode == 1
    assert f"{TESTED}:" in done.stdout
    github = run(mine, "test", TESTED, "--format", "github").stdout
    assert f"::error file={TESTED},line=" in github
    assert json.loads(run(mine, "test", TESTED, "--format", "json").stdout)["status"] == "failed"


def test_junit_that_cannot_be_written_is_a_message(built: Path) -> None:
    done = run(built, "test", TESTED, "--junit", "missing/junit.xml")
    assert done.returncode == 1
    assert done.stderr == (
        "cannot write missing/junit.xml: No such file or directory; name another file\n"
    )


def test_a_bug_shows_its_traceback(built: Path) -> None:
    broken = (
        "from sloforge import cli, specs\n"
        "def load(*_, **__): raise ZeroDivisionError('oops')\n"
        "specs.load = load\n"
        "cli.main(['list'])"
    )
    command = [sys.executable, "-c", broken]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=built, timeout=60
    )
    assert done.returncode == 3
    assert "ZeroDivisionError: oops" in done.stderr
    assert done.stderr.endswith("this is a bug in sloforge; please report the lines above\n")


def test_an_interrupt_is_130_and_no_traceback(built: Path) -> None:
    waiting = (
        "import signal\n"
        "from sloforge import cli, specs\n"
        "def load(*_, **__):\n"
        "    print('ready', flush=True)\n"
        "    signal.pause()\n"
        "specs.load = load\n"
        "cli.main(['list'])"
    )
    command = [sys.executable, "-c", waiting]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=built
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert (child.returncode, said.split()) == (130, ["interrupted"])


def test_a_reader_that_has_gone_is_no_bug(built: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*SLOFORGE, "schema"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=60
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def on_a_terminal(root: Path, *arguments: str) -> str:
    reader, terminal = pty.openpty()
    with subprocess.Popen(
        [*SLOFORGE, *arguments], stdout=terminal, stderr=terminal, cwd=root
    ) as child:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(reader, 4096)
            except OSError:  # the terminal's other side is closed
                break
            if not part:
                break
            shown += part
        child.wait(timeout=60)
    os.close(reader)
    return shown.decode()


def test_colours_are_for_a_terminal(mine: Path) -> None:
    (mine / "rules/checkout.yml").unlink()
    assert "\x1b[32mcreate\x1b[0m rules/checkout.yml" in on_a_terminal(mine, "build", "--check")
    assert "\x1b" not in run(mine, "build", "--check").stdout


VERBS = ("build", "check", "test", "list", "schema", "init", "runbook", "runbook new", "completion")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, tmp_path: Path) -> None:
    done = run(tmp_path, *verb.split(), "--help")
    assert done.returncode == 0
    assert verb == "runbook" or "Examples:" in done.stdout


def test_help_is_quick(tmp_path: Path) -> None:
    """Three times the promise of 150 ms, in work and not in time: a machine under test is busy."""
    before = os.times()
    run(tmp_path, "--help")
    after = os.times()
    assert after.children_user - before.children_user < 0.45
