"""Both implementations as installed programs, and how to run them."""

import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probe import compiler

PROBE = Path(compiler.__file__).parent
NAMES = ("python", "native")
LIMIT = 30


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@functools.cache
def installed() -> Path:
    """A bin directory as a wheel makes it: the binary, the script beside it, and a Python."""
    directory = Path(tempfile.mkdtemp(prefix="slo-probe-bin-"))
    shutil.copy2(compiler.cached(), directory / "slo-probe")
    shutil.copy2(PROBE / "slo_probe.py", directory / "slo-probe.py")
    (directory / "python3").symlink_to(sys.executable)
    return directory


def program(name: str) -> str:
    return str(installed() / {"native": "slo-probe", "python": "slo-probe.py"}[name])


def run(
    name: str,
    arguments: Sequence[str | bytes],
    stdin: bytes = b"",
    limit_memory: int = 0,
) -> Said:
    """Runs one of them to its end; `limit_memory` is its address space in bytes."""
    preexec: Callable[[], None] | None = None
    if limit_memory:
        preexec = functools.partial(
            resource.setrlimit, resource.RLIMIT_AS, (limit_memory, limit_memory)
        )
    done = subprocess.run(
        [program(name), *arguments],
        input=stdin,
        capture_output=True,
        timeout=LIMIT,
        check=False,
        preexec_fn=preexec,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )
    return Said(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def judge(name: str, exposition: bytes, checks: Sequence[str], *more: str) -> Said:
    """Evaluates checks over a body on stdin, with JSON on stdout."""
    asked = [part for check in checks for part in ("--check", check)]
    return run(name, ["--url", "-", "--json", *asked, *more], exposition)
