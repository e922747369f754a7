"""What the embedded prober costs, and how late it is, when a tenth of its planes hang."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, Section
from prometheus_client.parser import text_string_to_metric_families
from tests.health.plane_server import planes_server
from tests.health.planes_kit import config
from tests.live.alertmanager import until

COMMAND = Path(sys.executable).with_name("sloforge")
SCRAPE = 15.0
SCRAPES = 50
LAST = "workload_plane_last_check_timestamp_seconds"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many planes, every how many seconds, and for how many rounds."""

    planes: int
    hung: int
    interval: int
    rounds: int


@dataclass(slots=True)
class Seen:
    """When each plane's checks ended, as the exporter said; the first gap is shorter by design."""

    ends: dict[str, list[float]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        for family in text_string_to_metric_families(text):
            for one in family.samples if family.name == LAST else ():
                times = self.ends.setdefault(one.labels["plane"], [])
                if one.value and one.value not in times:
                    times.append(one.value)

    def late(self, interval: int, names: set[str]) -> list[float]:
        """By how much each check came later than an interval after the one before."""
        return [
            after - before - interval
            for name in names
            for before, after in zip(self.ends[name][1:], self.ends[name][2:], strict=False)
        ]


def section(folder: Path, load: Load) -> Section:
    """Lateness, processor, memory and the price of a scrape, over the rounds of a load."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"p{at:03}" for at in range(load.planes)]
    hung = set(names[:: max(1, load.planes // load.hung)][: load.hung])
    with planes_server() as server:
        for name in names:
            server.plane(name).hung = name in hung
        interval, times = f"{load.interval}s", {"timeout": "5s", "deadline": "30s"}
        short = {"timeout": "500ms", "deadline": "1s", "slow_after": "500ms"}
        text = config(
            server.url,
            names,
            interval=interval,
            ttl=f"{2 * load.interval}s",
            **(times | {"slow_after": "10s"} if load.interval >= 60 else short),
        )
        (folder / "planes.yaml").write_text(text, encoding="utf-8")
        with _prober(folder) as (process, url):
            return _measured(load, process.pid, url, set(names) - hung)


@contextmanager
def _prober(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "prober.log").open("wb") as log:
        process = subprocess.Popen(
            [COMMAND, "prober", "--listen", address], cwd=folder, stdout=log, stderr=log
        )
    url = f"http://{address}/metrics"
    try:
        until(lambda: _answers(url), (folder / "prober.log").read_text, 30)
        yield process, url
    finally:
        process.terminate()
        process.wait(20)


def _measured(load: Load, pid: int, url: str, healthy: set[str]) -> Section:
    seen, began = Seen(), time.monotonic()
    # A round is over an interval after its beginning; the last checks end a moment later.
    end = began + load.interval * (load.rounds + 0.5)
    every = min(SCRAPE, load.interval / 4)
    while time.monotonic() < end:
        time.sleep(every)
        seen.note(_scraped(url))
    spent, passed = _processor(pid), time.monotonic() - began
    late = seen.late(load.interval, healthy)
    checks = load.planes * passed / load.interval
    before, walls = _processor(pid), []
    for _ in range(SCRAPES):
        at = time.perf_counter()
        text = _scraped(url)
        walls.append(time.perf_counter() - at)
    scrape = (_processor(pid) - before) / SCRAPES
    return Section(
        title=f"The prober of {load.planes} planes, {load.hung} of them hung",
        about=f"`sloforge prober` in a process of its own, checks every {load.interval} s against a "
        f"server on the same machine, scraped every {every:g} s, for {passed:.0f} s: "
        f"{len(late)} times between two checks of one healthy plane. A hung plane keeps its "
        "connection open for good.",
        figures=(
            Figure(name="the latest healthy check", value=max(late), unit="s", target=1),
            Figure(name="the median one", value=statistics.median(late) * 1000, unit="ms"),
            Figure(name="processor, share of one core", value=spent / passed * 100, unit="%"),
            Figure(name="processor for a check", value=spent / checks * 1000, unit="ms"),
            Figure(name="memory at its highest", value=_memory(pid), unit="MB"),
            Figure(name="a scrape", value=statistics.median(walls) * 1000, unit="ms"),
            Figure(name="its processor time", value=scrape * 1000, unit="ms"),
            Figure(name="its size", value=len(text) / 1000, unit="KB"),
        ),
    )


def _answers(url: str) -> bool:
    try:
        return bool(_scraped(url))
    except OSError:
        return False


def _scraped(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def _processor(pid: int) -> float:
    """Seconds of user and system time; proc(5), fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> float:
    """The most that was resident, in megabytes."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kibibytes = next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))
    return int(kibibytes) * 1024 / 1e6
