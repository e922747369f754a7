"""A deploy in a process of its own, which kills itself where it is told to.

python -m tests.deploy.one_deploy ROOT BUILD before|after STEP, where BUILD is a file of paths and
texts, and STEP the id of a step.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sloforge.artifacts import Artifact
from sloforge.deploy import build, running
from sloforge.deploy.running import Chosen
from sloforge.deploy.target import Receipt, Step, Target


class Deadly:
    """A target that ends the process as the kernel would."""

    def __init__(self, target: Target, where: str, step: str) -> None:
        self._target, self._where, self._step = target, where, step
        self.name, self.concurrency = target.name, target.concurrency
        self.plan, self.verify, self.undo = target.plan, target.verify, target.undo

    def apply(self, step: Step) -> Receipt:
        self._die("before", step)
        receipt = self._target.apply(step)
        self._die("after", step)
        return receipt

    def _die(self, where: str, step: Step) -> None:
        if (where, step.id) == (self._where, self._step):
            os.kill(os.getpid(), signal.SIGKILL)


def main(root: str, file: str, where: str, step: str) -> None:
    texts = json.loads(Path(file).read_text())
    what = build.of(Artifact(path, text) for path, text in texts.items())
    found = running.environment(Path(root), Chosen())
    deadly = {name: Deadly(target, where, step) for name, target in found.targets.items()}
    found = replace(found, targets=deadly)
    with found.state.lock("now"):
        wanted = running.plan(found, what)
        running.carry_out(found, what, wanted, (datetime.now(UTC), lambda _verb, _step: None))


if __name__ == "__main__":
    main(*sys.argv[1:])
