"""`sloforge deploy`, as anybody would run it, against the servers of the demo."""

from __future__ import annotations

import sys
from pathlib import Path

from sloforge.demo.processes import Brood, Child
from sloforge.errors import Problem

# As the script `sloforge` of this very environment does.
COMMAND = "from sloforge.cli import main; main()"


def deploy(brood: Brood, staged: Path, target: str, *more: str) -> Child:
    """Start `sloforge deploy` of one target in the staged project; its words go into a log."""
    log = staged.parent / f"deploy-{target}.log"
    flags = ("--env", "demo", "--target", target, "--yes", "--max-prune", "0", *more)
    argv = (sys.executable, "-c", COMMAND, "-C", str(staged), "deploy", *flags)
    return brood.start(f"deploy of {target}", argv, log)


def result(child: Child) -> str | None:
    """What it has put in place, in a line; None while it runs. Raises Problem with all it said."""
    code = child.ended()
    if code is None:
        return None
    said = child.log.read_text(encoding="utf-8").strip()
    if code:
        raise Problem(f"the {child.name} failed:\n{said}")
    lines = [line for line in said.splitlines() if line.startswith(("deploy ", "  note: "))]
    return "; ".join(line.partition(": ")[2] for line in lines) or "nothing to do"
