"""One process of the prober, which a test may kill and start again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

RUN = """
import sys
from sloforge.health.planes.command import command
from sloforge.specs.planes import load_file
try:
    sys.exit(command(load_file).main(sys.argv[1:], standalone_mode=False) or 0)
except Exception as error:
    from sloforge.errors import Problem
    if not isinstance(error, Problem):
        raise
    print(error, file=sys.stderr)
    sys.exit(1)
"""


class Part:
    """Its words are those after `sloforge prober`; what it says is in a log."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self.log, self.words = folder / f"{name}.log", words
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN, *self.words],
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env={**os.environ, "SLOFORGE_PROBER_STORE": ""} | {"PYTHONWARNINGS": "ignore"},
            )

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> int:
        assert self.process
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)
