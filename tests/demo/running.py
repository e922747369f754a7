"""A run of `sloforge demo` as a process, what it says, and what it leaves behind."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.alertmanager import until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from sloforge.cli import main; main()", "-C", str(ROOT), "demo")
LINE = re.compile(r"^(\d\d:\d\d:\d\d)  (\S*) +(.*)$")
# On a machine that does other things, too.
STARTING, ENDING = 240.0, 30.0


@dataclass(slots=True)
class Run:
    """What it has said so far is read beside the test; `folder` is where it keeps its files."""

    process: subprocess.Popen[str]
    folder: Path
    deaf_after: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.said)

    def words(self) -> list[str]:
        """The word that each line begins with, one after the other."""
        return [found[2] for line in self.said if (found := LINE.match(line)) and found[2]]

    def of(self, word: str) -> list[str]:
        """What is said under a word, with what goes on below."""
        texts: list[str] = []
        mine = False
        for line in self.said:
            if found := LINE.match(line):
                mine = found[2] == word
                if mine:
                    texts.append(found[3])
            elif mine and (more := line.strip(" │\n")):
                texts[-1] += f" {more}"
        return texts

    def wait_for(self, word: str) -> str:
        """The first text under a word."""
        until(lambda: self.ended() or self.of(word), lambda: f"no {word}:\n{self.text}", STARTING)
        assert self.of(word), self.text
        return self.of(word)[0]

    def ended(self) -> bool:
        return self.process.poll() is not None

    def url(self, name: str) -> str:
        """The address of a server, without its path."""
        found = re.search(rf"^  {name} +(http://[0-9.]+:[0-9]+)", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def servers(self) -> list[int]:
        """The processes that have this run's folder in their command line."""
        pids = [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [int(pid) for pid in pids if self._is_ours(pid)]

    def _is_ours(self, pid: str) -> bool:
        with contextlib.suppress(OSError):
            line = Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace")
            return str(self.folder) in line and int(pid) != self.process.pid
        return False

    def left_behind(self) -> list[str]:
        """Processes, ports and files that are still there once it has ended."""
        ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", self.text)]
        found = [f"process {pid}" for pid in self.servers()]
        found += [f"port {port}" for port in sorted(set(ports)) if listens(port)]
        return found + [str(path) for path in self.folder.rglob("*")]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def demo(folder: Path, *arguments: str, deaf_after: str = "", **environment: str) -> Iterator[Run]:
    """Starts it with its temporary files in a folder of its own; killed if the test leaves it.

    Its output is closed after the line with `deaf_after`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), **environment},
        start_new_session=True,
    )
    run = Run(process=process, folder=folder, deaf_after=deaf_after)
    reader = threading.Thread(target=_read, args=(run,), daemon=True)
    reader.start()
    try:
        yield run
    finally:
        if process.poll() is None:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
        process.kill()
        reader.join(ENDING)
        for pid in run.servers():
            os.kill(pid, 9)


def _read(run: Run) -> None:
    assert run.process.stdout is not None
    for line in run.process.stdout:
        run.said.append(line)
        if run.deaf_after and run.deaf_after in line:
            break
    run.process.stdout.close()
