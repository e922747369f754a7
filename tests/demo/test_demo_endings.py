"""How it ends otherwise: whatever happens, it says why, and nothing is left behind."""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import termios
from pathlib import Path

import pytest
from tests.demo.running import COMMAND, ENDING, STARTING, Run, demo
from tests.live import alertmanager as am
from tests.live import prometheus as prom
from tests.live.alertmanager import until

pytestmark = [
    pytest.mark.skipif(prom.binary() is None, reason="no prometheus on PATH"),
    pytest.mark.skipif(am.binary() is None, reason="no alertmanager on PATH"),
    pytest.mark.xdist_group("demo"),
]


def prometheus_of(run: Run) -> list[int]:
    """promtool is one of its processes, too."""
    names = {pid: Path("/proc", str(pid), "comm") for pid in run.servers()}
    return [
        pid for pid, comm in names.items() if comm.exists() and "prometheus" in comm.read_text()
    ]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 0)]
)
def test_a_signal_while_it_starts_leaves_nothing(tmp_path, number, code):
    with demo(tmp_path) as run:
        run.wait_for("build")
        until(lambda: prometheus_of(run) or run.ended(), lambda: run.text, STARTING)
        run.process.send_signal(number)
        assert run.process.wait(ENDING) == code
        until(lambda: run.of("end"), lambda: run.text)
        assert run.left_behind() == []


def test_a_key_breaks_and_mends_and_ctrl_c_ends_it(tmp_path):
    pid, terminal = pty.fork()
    if not pid:
        os.execve(COMMAND[0], COMMAND, {**os.environ, "TMPDIR": str(tmp_path)})
    before, said = termios.tcgetattr(terminal), bytearray()
    try:
        read_until(terminal, said, b"press b to break")
        os.write(terminal, b"b")
        read_until(terminal, said, b"users get a 503")
        os.write(terminal, b"b")
        read_until(terminal, said, b"users are served again")
        os.write(terminal, b"\x03")
        read_until(terminal, said, b"SIGINT")
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert termios.tcgetattr(terminal) == before
        assert list(tmp_path.iterdir()) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        os.close(terminal)


def read_until(terminal: int, said: bytearray, words: bytes) -> None:
    until(lambda: _more(terminal, said, words), said.decode, STARTING)


def _more(terminal: int, said: bytearray, words: bytes) -> bool:
    ready, _, _ = select.select([terminal], [], [], 1)
    if ready:
        said += os.read(terminal, 65536)
    return words in said


def test_a_script_that_is_interrupted_says_so_by_its_code(tmp_path):
    with demo(tmp_path, "--script", "outage") as run:
        run.wait_for("build")
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(ENDING) == 130
        assert run.left_behind() == []


def test_a_server_that_dies_ends_it_with_its_last_words(tmp_path):
    with demo(tmp_path) as run:
        run.wait_for("build")
        (pid, *_) = until(lambda: prometheus_of(run), lambda: run.text, STARTING)
        os.kill(pid, signal.SIGKILL)
        assert run.process.wait(ENDING) == 1
        until(lambda: "ended by itself (signal 9)" in run.text, lambda: run.text)
        assert run.left_behind() == []


def test_nobody_who_listens_is_an_end_too(tmp_path):
    with demo(tmp_path, deaf_after="  build") as run:
        # It is noticed with the next line.
        assert run.process.wait(STARTING) == 1
        assert run.left_behind() == []


def test_a_port_that_is_taken_is_named_before_anything_is_started(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with demo(tmp_path, "--port", str(port)) as run:
            assert run.process.wait(ENDING) == 1
            until(lambda: run.text.endswith("\n"), lambda: run.text)
    assert run.text == (
        f"127.0.0.1:{port}: cannot listen: Address already in use; choose another --port\n"
    )


@pytest.mark.parametrize("missing", ["prometheus", "alertmanager", "promtool"])
def test_a_binary_that_is_missing_is_named_with_what_to_install(tmp_path, missing):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("prometheus", "alertmanager", "promtool", "amtool"):
        found = am.binary() if name == "alertmanager" else shutil.which(name)
        if name != missing and found:
            (tools / name).symlink_to(found)
    with demo(tmp_path / "tmp", PATH=str(tools), PROMTOOL="") as run:
        assert run.process.wait(ENDING) == 1
        until(lambda: run.text.endswith("\n"), lambda: run.text)
    assert re.match(rf"no {missing} on PATH; install it with `apt-get install ", run.text)
    assert len(run.text.splitlines()) == 1


def test_a_token_that_is_missing_is_noticed_before_anything_is_started(tmp_path):
    with demo(tmp_path, "--grafana", "http://127.0.0.1:3000", GRAFANA_TOKEN="") as run:
        assert run.process.wait(ENDING) == 1
        until(lambda: run.text.endswith("\n"), lambda: run.text)
    assert run.text.startswith("environment variable `GRAFANA_TOKEN`: must hold a secret")
