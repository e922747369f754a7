"""amtool, wrapped: found, asked for its version, its exit codes not believed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sloforge.errors import Finding, Location, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

MINIMUM = (0, 25)
TIMEOUT = 30.0
_BANNER = re.compile(r"amtool, version v?(\d+)\.(\d+)")
_INSTALL = (
    "install it with `apt-get install --no-install-recommends prometheus-alertmanager`, "
    "`brew install alertmanager` or from https://prometheus.io/download/, "
    "or set $AMTOOL to its path"
)
_RECEIVERS = re.compile(r"^ - (\d+) receivers$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amtool:
    """A binary that was found and has told its version."""

    path: Path
    version: tuple[int, int]

    def check_config(self, config: Path, name: str) -> tuple[Finding, ...]:
        """What it says against a file that the user knows as `name`; its templates are read too."""
        done = _run(self.path, "check-config", str(config))
        said = done.stdout
        found = _RECEIVERS.search(said)
        if done.returncode == 0 and "FAILED" not in said and found and int(found[1]):
            return ()
        return (Finding(id="A015", where=Location(name), what=f"amtool: {_complaint(done)}"),)

    def routes(self, config: Path, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The receivers of an alert, in the order of the routes. Raises Problem."""
        wanted = [f"{key}={_quoted(value)}" for key, value in sorted(labels.items()) if value]
        arguments = ["config", "routes", "test", f"--config.file={config}", *wanted]
        done = _run(self.path, *arguments)
        answer = done.stdout.strip()
        if done.returncode or not answer or "\n" in answer:
            raise Problem(f"amtool config routes test: {_complaint(done)}")
        return tuple(answer.split(","))


def locate(environment: Mapping[str, str] = os.environ) -> Amtool:
    """Find amtool at $AMTOOL, else on PATH. Raises Problem when there is none, or it is too old."""
    named = environment.get("AMTOOL", "")
    found = shutil.which(named or "amtool", path=environment.get("PATH"))
    if found is None:
        what = f"`{named}` from $AMTOOL is not an executable" if named else "no amtool on PATH"
        raise Problem(f"{what}; {_INSTALL}")
    path = Path(found).absolute()
    version = _version(path)
    if version < MINIMUM:
        got, least = (".".join(map(str, pair)) for pair in (version, MINIMUM))
        raise Problem(f"`{path}` is amtool {got}, expected {least} or newer; {_INSTALL}")
    return Amtool(path=path, version=version)


def _version(path: Path) -> tuple[int, int]:
    done = _run(path, "--version")
    match = _BANNER.search(done.stdout + done.stderr)
    if match is None:
        first = (done.stdout + done.stderr).strip().splitlines()[:1]
        what = f"`{path}`: expected `amtool, version X.Y`, got `{''.join(first)}`"
        raise Problem(f"{what}; check that the binary is amtool")
    return int(match[1]), int(match[2])


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(path), *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
    except OSError as error:
        raise Problem(f"cannot start `{path}`: {error.strerror}; {_INSTALL}") from None
    except subprocess.TimeoutExpired:
        raise Problem(f"`{path} {arguments[0]}` did not end within {TIMEOUT:g} s") from None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    """What says why: behind FAILED with its indented lines, else the first error, else all."""
    text = f"{done.stdout}\n{done.stderr}"
    failed = re.search(r"FAILED: (.+(?:\n +.+)*)", text) or re.search(r"error: (.+)", text)
    if failed:
        return " ".join(failed[1].split())
    said = " ".join(text.split())
    return f"exit code {done.returncode}, and no receiver was found: {said[:500] or 'no output'}"
