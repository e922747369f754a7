"""Many services: how long a build takes, how much memory, and how large its tests are."""

from __future__ import annotations

import sys
from pathlib import Path

from figures import Figure, Section
from measure import Run, median, median_of, run
from tree import SLOS, edit, plant

COMMAND = Path(sys.executable).with_name("sloforge")
RULES = ("build", "--only", "recording,rules", "--no-cache")


def builds(folder: Path, services: int, repeats: int) -> Section:
    """Targets are for 1,000 services; a smaller run keeps to them with ease."""
    folder.mkdir()
    plant(folder, services)
    rules = median_of(repeats, lambda: _run(folder, *RULES))
    full = _run(folder, "build")
    nothing = median_of(repeats, lambda: _run(folder, "build"))
    edited = median([_edited(folder, f"Text {at}.").seconds for at in range(repeats)])
    figures = (
        Figure(name="recording and alert rules alone", value=rules.seconds, unit="s", target=5),
        Figure(name="its memory, all processes", value=rules.megabytes, unit="MB", target=300),
        Figure(name="everything, from nothing", value=full.seconds, unit="s", target=60),
        Figure(name="its memory, all processes", value=full.megabytes, unit="MB"),
        Figure(name="again after one edit", value=edited, unit="s", target=3),
        Figure(name="again after none", value=nothing.seconds, unit="s"),
        Figure(
            name="generated tests of an SLO",
            value=_kilobytes(folder, services),
            unit="KB",
            target=12,
        ),
    )
    return Section(
        title=f"A build of {services:,} services with {len(SLOS)} SLOs each",
        about=f"`sloforge build` in a process of its own, median of {repeats} (from nothing: once).",
        figures=figures,
    )


def _run(folder: Path, *arguments: str) -> Run:
    return run([COMMAND, "-C", folder, *arguments])


def _edited(folder: Path, text: str) -> Run:
    edit(folder, text)
    return _run(folder, "build")


def _kilobytes(folder: Path, services: int) -> float:
    files = (folder / "tests" / "rules").glob("*/*.promtest.yml")
    return sum(file.stat().st_size for file in files) / services / len(SLOS) / 1000


def starting(folder: Path, services: int, repeats: int) -> Section:
    """Start-up, and the generated tests of a few services through promtool."""
    folder.mkdir()
    plant(folder, services)
    _run(folder, "build")
    slos, few = services * len(SLOS), min(3, repeats)
    help_ = median_of(repeats, lambda: run([COMMAND, "--help"]))
    tests = median_of(few, lambda: _run(folder, "test"))
    return Section(
        title="A command, a test",
        about=f"`sloforge --help`, median of {repeats}; `sloforge test` over {slos} SLOs on all "
        f"cores, median of {few}, in seconds of one core.",
        figures=(
            Figure(name="`sloforge --help`", value=help_.seconds * 1000, unit="ms", target=150),
            Figure(name="generated tests of an SLO", value=tests.cpu / slos, unit="s", target=1.5),
        ),
    )
