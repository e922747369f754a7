"""What one check costs: slo-probe beside `curl | grep`, started in turns, medians of 200."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, Section

PROBE = Path(__file__).resolve().parents[1] / "generators" / "probe"
ROUNDS = 200
LINES = (200, 2000)
CHECKS = ("zz_state >= 1", "fresh(zz_last) < 300s")


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds of wall clock, medians; `budget` says what must hold and whether it does."""

    command: str
    lines: int
    median: float
    p95: float
    budget: str = ""
    holds: bool = True


def exposition(lines: int) -> bytes:
    """Histograms as a service has them, and at the very end what is looked for: the worst place."""
    out: list[str] = []
    part = 0
    while len(out) < lines - 4:
        name = f"svc_{part}_request_duration_seconds"
        out += [f"# HELP {name} Request duration.", f"# TYPE {name} histogram"]
        out += [
            f'{name}_bucket{{route="/predict",method="POST",status="200",le="{le / 100}"}} {le}.0'
            for le in range(1, 14)
        ]
        part += 1
    out = out[: lines - 4]
    out += [
        "# TYPE zz_state gauge",
        "zz_state 1.0",
        "# TYPE zz_last gauge",
        f"zz_last {time.time()}",
    ]
    return "\n".join(out).encode() + b"\n"


@contextmanager
def endpoint() -> Iterator[str]:
    """Answers /200 and /2000 from memory, so that little of what is measured is the server."""
    bodies = {str(lines).encode(): exposition(lines) for lines in LINES}
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(4096)
                if b"/" in request:
                    body = bodies[request.split(b" ")[1].partition(b"?")[0].strip(b"/")]
                    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                    connection.sendall(head + body)

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def commands(url: str, directory: Path) -> dict[tuple[str, int], list[str]]:
    """The system's own python3 runs the script, as in an image; curl and grep are the system's too."""
    script = directory / "slo-probe"
    shutil.copy2(PROBE / "slo_probe.py", script)
    native = _native()
    found: dict[tuple[str, int], list[str]] = {}
    for lines in LINES:
        at = f"{url}/{lines}"
        checks = [part for check in CHECKS for part in ("--check", check)]
        shell = f"curl -s {at} | grep -q '^zz_state 1'"
        found["curl | grep", lines] = ["/bin/sh", "-c", shell]
        found["slo-probe, native", lines] = [str(native), "--url", at, *checks]
        found["slo-probe, Python", lines] = [str(script), "--url", at, *checks]
    return found


def _native() -> Path:
    """What `make probe` built, else what the local compiler makes; this file has the package's name."""
    built = PROBE / "build" / "slo-probe"
    if built.exists():
        return built
    spec = importlib.util.spec_from_file_location("probe_compiler", PROBE / "compiler.py")
    assert spec
    assert spec.loader
    compiler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compiler)
    found: Path = compiler.cached()
    return found


def measured() -> dict[tuple[str, int], list[float]]:
    """Every command once per round in another order: what disturbs the machine disturbs all alike."""
    quiet = os.open(os.devnull, os.O_RDWR)
    files = [(os.POSIX_SPAWN_DUP2, quiet, n) for n in (0, 1)]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    with endpoint() as url, tempfile.TemporaryDirectory() as directory:
        tried = commands(url, Path(directory))
        times: dict[tuple[str, int], list[float]] = {key: [] for key in tried}
        for round_ in range(-3, ROUNDS):
            order = list(tried)
            random.shuffle(order)
            for key in order:
                begun = time.perf_counter()
                child = os.posix_spawn(tried[key][0], tried[key], environment, file_actions=files)
                _, status = os.waitpid(child, 0)
                spent = time.perf_counter() - begun
                if status:
                    raise RuntimeError(f"{key[0]} says that a healthy endpoint is not")
                if round_ >= 0:
                    times[key].append(spent * 1000)
    os.close(quiet)
    return times


def rows() -> tuple[Row, ...]:
    """One row per command and size, with its budget; needs curl, and /usr/bin/python3."""
    for tool in ("curl", "grep", "/usr/bin/python3"):
        if not shutil.which(tool):
            raise RuntimeError(f"{tool} is needed to compare with: install it")
    times = measured()
    medians = {key: statistics.median(spent) for key, spent in times.items()}
    return tuple(_row(key, medians, statistics.quantiles(times[key], n=20)[-1]) for key in times)


def _row(key: tuple[str, int], medians: dict[tuple[str, int], float], p95: float) -> Row:
    command, lines = key
    median, curl = medians[key], medians["curl | grep", lines]
    small = medians[command, LINES[0]]
    budgets: list[tuple[str, bool]] = []
    if command.endswith("native"):
        budgets = [("below 2 ms", median < 2), (f"a third of {curl:.2f}", median <= curl / 3)]
    elif command.endswith("Python"):
        budgets = [(f"1.25 x {curl:.2f}", median <= 1.25 * curl)]
    if lines != LINES[0] and command != "curl | grep":
        budgets.append((f"twice {small:.2f}", median <= 2 * small))
    words = "; ".join(f"{text}: {'yes' if holds else 'NO'}" for text, holds in budgets)
    return Row(command, lines, median, p95, words, all(holds for _, holds in budgets))


def section() -> Section:
    """The rows, and how many of their budgets do not hold."""
    found = rows()
    broken = sum(not row.holds for row in found)
    return Section(
        title="slo-probe",
        about=f"Interleaved, medians of {ROUNDS}, against a server in a process of its own.",
        figures=(Figure(name="Rows with a broken budget", value=broken, unit="rows", target=0),),
        head=("Command", "Lines", "Median", "p95", "Budget"),
        rows=tuple(
            (
                r.command.replace("|", "\\|"),
                f"{r.lines:,}",
                f"{r.median:.2f} ms",
                f"{r.p95:.2f} ms",
                r.budget,
            )
            for r in found
        ),
    )


def main() -> int:
    found = rows()
    for row in found:
        print(
            f"{row.command:<18} {row.lines:>5} lines  median {row.median:6.2f} ms  p95 {row.p95:6.2f} ms  {row.budget}"
        )
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
