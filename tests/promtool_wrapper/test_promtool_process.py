"""Processes end in time, whatever they do, and leave nothing running and no file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promtool import Options, TimedOutError, ToolError, check_rules, locate, run_tests

SLOW = """\
rule_files: [rules.yml]
evaluation_interval: 1s
tests:
- name: slow
  interval: 1m
  input_series: [{series: 'errors_total{job="a"}', values: '0+60x5000'}]
  promql_expr_test: [{expr: 'vector(1)', eval_time: 300h, exp_samples: [{labels: '{}', value: 1}]}]
"""
FAST = """\
- name: fast %d
  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}]
"""


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_for(path: Path) -> str:
    until = time.monotonic() + 20
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < until
        time.sleep(0.01)
    return path.read_text()


def _wait_until_gone(pid: int) -> None:
    """A killed orphan is there until init has reaped it."""
    until = time.monotonic() + 20
    while _alive(pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_group_that_takes_too_long_is_stopped_and_the_others_run(write, tool):
    path = write(SLOW.replace("tests:\n", "tests:\n" + FAST % 1) + FAST % 2)
    began = time.monotonic()
    suite = run_tests([path], tool, Options(timeout=1.5, batch=9, jobs=1))
    assert time.monotonic() - began < 15
    assert [(group.name, group.status) for group in suite.groups] == [
        ("fast 1", "passed"),
        ("slow", "error"),
        ("fast 2", "passed"),
    ]
    assert (
        suite.groups[1].raw
        == "stopped after 1.5 s; raise the timeout, or make the test or its rules smaller"
    )
    assert suite.groups[1].assertions[0].status == "error"


def test_a_timeout_kills_what_a_wrapper_script_has_started(good, fake, tmp_path):
    path = fake(f'sleep 300 & echo $! > "{tmp_path}/pid"; wait')
    suite = run_tests([good], locate(path), Options(timeout=1))
    assert [group.status for group in suite.groups] == ["error", "error"]
    _wait_until_gone(int((tmp_path / "pid").read_text()))


def test_a_check_that_takes_too_long_is_stopped(good, fake):
    with pytest.raises(
        TimedOutError,
        match=r"`.*fake-promtool check rules ...` was stopped after 0.2 s; raise the timeout",
    ):
        check_rules([good], locate(fake("exec sleep 300")), timeout=0.2)


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (
            "echo 'panic: boom'; exit 2",
            "promtool ended with exit code 2 and no clear result\npanic: boom",
        ),
        ("kill -9 $$", "promtool ended with exit code -9 and no clear result"),
        ("echo '  SUCCESS'; exit 1", "promtool ended with exit code 1 and no clear result"),
        ("exit 0", "promtool ended with exit code 0 and no clear result"),
        ("echo '  FAILED:'; exit 1", "promtool said FAILED and gave no reason"),
        (
            "echo '  FAILED:'; echo '    alertname: X, time: 3d, '; echo '        exp:[], '; echo '        got:[]'; exit 1",
            "alert X at 3d:\nexpected []\ngot []",
        ),
        ("echo '  FAILED:'; echo odd; echo; echo words; exit 1", "odd\nwords"),
    ],
)
def test_whatever_promtool_says_is_never_taken_for_success(body, raw, good, fake):
    suite = run_tests([good], locate(fake(body)))
    assert [group.status for group in suite.groups] == ["error", "error"]
    assert suite.groups[0].raw == raw


def test_a_crash_in_a_batch_touches_only_the_group_that_crashes(write, tool, fake):
    path = write("rule_files: [rules.yml]\ntests:\n" + FAST % 1 + FAST % 2 + FAST % 3)
    crash = fake(
        f'for f in "$@"; do if grep -q "fast 2" "$f" 2>/dev/null; then exit 7; fi; done\nexec {tool.path} "$@"'
    )
    suite = run_tests([path], locate(crash), Options(jobs=1))
    assert [group.status for group in suite.groups] == ["passed", "error", "passed"]


RUN = "import promtool, sys; promtool.run_tests(sys.argv[2:], promtool.locate(sys.argv[1]))"


@pytest.mark.parametrize(
    ("number", "arguments", "code"),
    [
        (signal.SIGINT, ["-c", RUN], -signal.SIGINT),
        (signal.SIGINT, ["-m", "promtool", "test", "--promtool"], 130),
        (signal.SIGTERM, ["-m", "promtool", "test", "--promtool"], 130),
    ],
    ids=["interrupt of the API", "interrupt of the command", "termination of the command"],
)
def test_an_interrupt_ends_every_process_and_removes_every_file(
    number, arguments, code, good, fake, tmp_path
):
    path = fake(f'echo "$TMPDIR" > "{tmp_path}/tmp"; sleep 300 & echo $! > "{tmp_path}/pid"; wait')
    process = subprocess.Popen(
        [sys.executable, *arguments, str(path), str(good)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "generators")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that starts the tests in the background has them ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no threads here
    )
    pid = int(_wait_for(tmp_path / "pid"))
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == code
    _wait_until_gone(pid)
    assert not Path((tmp_path / "tmp").read_text().strip()).exists()


def test_a_stopped_run_starts_nothing_more():
    from promtool.process import Children

    children = Children()
    children.stop()
    with (
        pytest.raises(ToolError, match="the run was interrupted; start it again"),
        children.start(["true"]),
    ):
        pass


def test_each_process_has_one_core_and_its_own_temporary_folder(good, fake, tmp_path):
    path = fake(f'echo "$GOMAXPROCS $TMPDIR" > "{tmp_path}/env"')
    run_tests([good], locate(path))
    cores, folder = (tmp_path / "env").read_text().split()
    assert cores == "1"
    assert "promtool-" in folder


@pytest.mark.parametrize(("enough", "used"), [(0, True), (10**15, False)])
def test_shared_memory_is_used_when_there_is_enough_of_it(enough, used, tmp_path, monkeypatch):
    from promtool import process

    monkeypatch.setattr(process, "_SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(process, "_ENOUGH", enough)
    assert process.scratch_parent() == (str(tmp_path) if used else None)
    monkeypatch.setattr(process, "_SHARED_MEMORY", tmp_path / "gone")
    assert process.scratch_parent() is None
