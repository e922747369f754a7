"""What deploys cost: dashboards to the tests' own Grafana, rules to a real Prometheus."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from figures import Figure, Section

from sloforge.artifacts import json_artifact
from sloforge.deploy.rulefiles import groups

ROOT = Path(__file__).resolve().parents[1]
ONE = Path(__file__).with_name("onedeploy.py")
FEW, MANY, MOST = 100, 1000, 4000
VARIABLE = "SLOFORGE_BENCH_GRAFANA_TOKEN"
TOKEN = "glsa_bench"
MEGABYTE = 1000 * 1000
Measured = dict[str, float]


def dashboards(folder: Path, sizes: tuple[int, ...]) -> Section:
    """A first deploy and a plan that finds nothing to do, at growing numbers of dashboards."""
    found = {size: _dashboards(folder / str(size), size) for size in sizes}
    many = found[MANY if MANY in found else sizes[0]]
    size = (ROOT / "dashboards" / "slo-fleet.json").stat().st_size / 1000
    growth = (found[sizes[-1]]["deployed"] - found[sizes[0]]["deployed"]) * 1000
    each = growth / max(1, sizes[-1] - sizes[0])
    figures = (
        Figure(name="plan without changes", value=many["again"], unit="s", target=5),
        Figure(name="first deploy", value=many["plan"] + many["deploy"], unit="s", target=30),
        Figure(name="memory for each further dashboard", value=each, unit="KB", target=size / 10),
    )
    return Section(
        title=f"A deploy of {MANY if MANY in found else sizes[0]:,} dashboards",
        about=f"Each is as large as the fleet's, {size:.0f} KB, against the tests' stand-in for Grafana "
        "in a process of its own on the same machine: most of the time is that server's and JSON's. "
        "Peaks of memory are those of the deploying process, with Python and all libraries.",
        figures=figures,
        head=(
            "Dashboards",
            "Plan",
            "Apply and verify",
            "Plan again",
            "Peak of a plan",
            "of a deploy",
        ),
        rows=tuple(_row(size, one) for size, one in found.items()),
    )


def _row(size: int, one: Measured) -> tuple[str, ...]:
    times = (f"{one[name]:.1f} s" for name in ("plan", "deploy", "again"))
    return (f"{size:,}", *times, *(f"{one[name]:.0f} MB" for name in ("planned", "deployed")))


def _dashboards(root: Path, size: int) -> Measured:
    """The fleet's board under many names."""
    text = (ROOT / "dashboards" / "slo-fleet.json").read_text(encoding="utf-8")
    document = json.loads(text)
    (root / "dashboards").mkdir(parents=True)
    for number in range(size):
        name = f"slo-bench-{number}"
        made = json_artifact(name, {**document, "uid": name, "title": name})
        (root / "dashboards" / f"{name}.json").write_text(made.text, encoding="utf-8")
    with _grafana() as url:
        _target(root, {"kind": "grafana", "url": url, "token_env": VARIABLE, "timeout": "30s"})
        return _deployed(root)


def rules(folder: Path, repeats: int) -> Section:
    """The rules of this repository, swapped into a Prometheus again and again."""
    from tests.deploy.servers import prometheus

    shutil.copytree(ROOT / "recording", folder / "root" / "recording")
    shutil.copytree(ROOT / "rules", folder / "root" / "rules")
    with prometheus(folder / "prometheus") as server:
        found = {"kind": "prometheus", "url": server.url, "folder": str(server.folder / "slo")}
        _target(folder / "root", found | {"config": str(server.config)})
        times = []
        for at in range(repeats):
            _touch(folder / "root", at)
            times.append(_deployed(folder / "root")["swap"])
    interval = max(_alerting(folder / "root"))
    return Section(
        title="A swap of rules",
        about=f"From the swap of the link to the proof, on a real Prometheus: the worst of {repeats}, with "
        f"the {_count(folder / 'root')} rules of this repository, all of them changed. Alerts and what they read "
        f"are evaluated every {interval:g} s and are waited for; what is evaluated more seldom is asked by "
        "a query.",
        figures=(Figure(name="swap to verified", value=max(times), unit="s", target=interval + 2),),
    )


def _touch(root: Path, at: int) -> None:
    """Every rule becomes another: it is known by its labels, and starts anew."""
    for file in (*root.glob("recording/*.yml"), *root.glob("rules/*.yml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in document["groups"]:
            group["name"] = f"{group['name'].removesuffix(f'-{at - 1}')}-{at}"
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _alerting(root: Path) -> Iterator[float]:
    for file in root.glob("rules/*.yml"):
        for group in groups(file.read_text(encoding="utf-8"), file.name):
            yield group.interval


def _count(root: Path) -> int:
    files = (*root.glob("recording/*.yml"), *root.glob("rules/*.yml"))
    found = (groups(file.read_text(encoding="utf-8"), file.name) for file in files)
    return sum(len(group.rules) for one in found for group in one)


def _target(root: Path, target: dict[str, Any]) -> None:
    document = {"version": "sloforge-deploy/v1", "project": "bench"}
    document |= {"environments": {"bench": {"target": target}}}  # type: ignore[dict-item]
    (root / "deploy.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def _deployed(root: Path) -> Measured:
    """Raises RuntimeError where it fails."""
    command = [sys.executable, str(ONE), str(root)]
    environment = os.environ | {VARIABLE: TOKEN}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: Measured = json.loads(done.stdout)
    return found


@contextmanager
def _grafana() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.send("done")
        process.join()


def _serve(pipe: Connection) -> None:
    # Found from the root of the repository only.
    sys.path.insert(0, str(ROOT))
    from tests.grafana_server import GrafanaServer
    from tests.grafana_server.store import EVERYTHING

    with GrafanaServer() as server:
        server.grant(TOKEN, dict.fromkeys(EVERYTHING, ("*",)))
        # What it has seen would fill the memory, and a search is not what is measured.
        server.seen = _Forgetful()
        pipe.send(server.url)
        pipe.recv()


class _Forgetful(list):  # type: ignore[type-arg]
    def append(self, item: object) -> None:
        del item
