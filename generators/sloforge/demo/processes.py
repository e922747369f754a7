"""The servers as child processes: found, started, awaited, and never left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import promtool
from sloforge.errors import Problem

INSTALL = (
    "install it with `apt-get install --no-install-recommends prometheus prometheus-alertmanager`"
    " or `brew install prometheus alertmanager`"
)
# Debian calls it prometheus-alertmanager, everyone else alertmanager.
PROMETHEUS, ALERTMANAGER = ("prometheus",), ("alertmanager", "prometheus-alertmanager")
STARTING, STOPPING = 30.0, 5.0
PAUSE = 0.03
LAST_WORDS = 3


def locate(names: Sequence[str]) -> str:
    """The path of the first that is on PATH. Raises Problem where none is."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise Problem(f"no {names[0]} on PATH; {INSTALL}")


def locate_all() -> None:
    """Raises Problem for everything that is missing, before anything is started."""
    missing = []
    for what in (lambda: locate(PROMETHEUS), lambda: locate(ALERTMANAGER), promtool.locate):
        try:
            what()
        except (Problem, promtool.PromtoolError) as problem:
            missing.append(str(problem))
    if missing:
        raise Problem("\n".join(missing))


def free_ports(asked: Sequence[int]) -> tuple[int, ...]:
    """Ports that nobody listens on, the one that was asked for or, for 0, any.

    All are held until the last is found, so that none is given twice. Raises Problem.
    """
    with ExitStack() as held:
        return tuple(_free(port, held.enter_context(socket.socket())) for port in asked)


def refuse_taken(port: int) -> None:
    """Raises Problem where somebody else has taken it meanwhile, and would answer for ours."""
    free_ports((port,))


def _free(port: int, probe: socket.socket) -> int:
    # As servers do: what a client has left behind keeps nobody from listening.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError as error:
        message = f"127.0.0.1:{port}: cannot listen: {error.strerror}; choose another --port"
        raise Problem(message) from None
    found: int = probe.getsockname()[1]
    return found


class Child:
    """A process in a session of its own: what the terminal sends reaches only this program."""

    def __init__(self, name: str, argv: Sequence[str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            try:
                self._process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise Problem(f"cannot start {argv[0]}: {error.strerror}; {INSTALL}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code, once there is one."""
        return self._process.poll()

    def check(self) -> None:
        """Raises Problem with its last words where it has ended by itself."""
        code = self.ended()
        if code is not None:
            how = f"exit code {code}" if code >= 0 else f"signal {-code}"
            raise Problem(f"{self.name} ended by itself ({how}): {self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-LAST_WORDS:]) or "it said nothing"

    def until(self, ready: Callable[[], bool]) -> None:
        """Raises Problem where it ends before it is ready, or is not in time."""
        deadline = time.monotonic() + STARTING
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                what = f"{self.name} was not ready within {STARTING:g} s"
                raise Problem(f"{what}: {self.last_words()}")
            time.sleep(PAUSE)

    def stop(self) -> None:
        """End it and whatever it has started; kill what does not end in time."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOPPING)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        # Its number is given to no other process while it is not reaped.
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


class Brood:
    """Every process that was started; none is started and then forgotten by an interrupt."""

    def __init__(self, held: Callable[[], AbstractContextManager[None]]) -> None:
        self._held = held
        self._children: list[Child] = []

    def start(self, name: str, argv: Sequence[str], log: Path) -> Child:
        with self._held():
            child = Child(name, argv, log)
            self._children.append(child)
        return child

    def stop(self) -> None:
        """All of them, the youngest first."""
        for child in reversed(self._children):
            child.stop()
