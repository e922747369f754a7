"""Projects for tests of the core: any SLI by any label in any mode, written and generated."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from sloforge import generate, specs
from sloforge.model import Project

PROJECT = """\
version: sloforge-project/v1
owners: {{web: {{page: web-page, ticket: web-ticket}}}}
evaluation: {{interval: {interval}, mode: {mode}}}
runbook_base_url: https://runbooks.example.org/
dashboard_base_url: https://grafana.example.org
"""

# One of every kind and shape; promtool 2.42 has no notation for native histograms.
SLIS = {
    "ratio-bad": 'ratio: {total: \'req_total{route!="/healthz"}\', bad: \'req_total{route!="/healthz",code=~"5.."}\'}',
    "ratio-good": "ratio: {total: sent_total, good: delivered_total}",
    "ratio-promql": "ratio: {total: 'rate(in_total[$window])', bad: 'rate(lost_total[$window])'}",
    "latency": "latency: {histogram: 'took_seconds{route=\"/buy\"}', threshold: 300ms}",
    "latency-whole": "latency: {histogram: took_seconds, threshold: 1s}",
    "latency-native": "latency: {histogram: felt_seconds, threshold: 250ms, native: true}",
    "quantile": "quantile: {histogram: took_seconds, quantile: 0.95, threshold: 500ms, windows: [1h, 5m]}",
    "quantile-native": "quantile: {histogram: felt_seconds, quantile: 0.95, threshold: 500ms, native: true}",
    "freshness": "freshness: {timestamp: backup_last_success_seconds, max_age: 5m}",
    "up": "up: {gauge: broker_connected}",
    "threshold": "threshold: {expression: queue_length, comparator: <=, bound: 100}",
    "threshold-promql": "threshold: {expression: sum(queue_length) / sum(workers), comparator: <, bound: 2.5}",
}


def slo(name: str, sli: str, **more: str) -> str:
    """One SLO as YAML; a quantile has no objective."""
    lines = [f"- name: {name}", f"  sli: {{{sli}}}"]
    if not sli.startswith("quantile"):
        more = {"objective": "99.9"} | more
    return "\n".join([*lines, *(f"  {key}: {value}" for key, value in more.items())])


def service(name: str, slos: Iterable[str], **more: str) -> str:
    """One service file; `job` and `scrape_interval` can be replaced, `None` leaves a key out."""
    head = {"version": "sloforge/v1", "service": name, "owner": "web", "tier": "1"}
    head |= {"job": name, "scrape_interval": "15s"} | more
    return "\n".join([*(f"{k}: {v}" for k, v in head.items() if v), "slos:", *slos]) + "\n"


def load(
    root: Path, *services: str, mode: str = "hybrid", interval: str = "1m", extra: str = ""
) -> Project:
    """The project written under `root`, read again."""
    (root / "slos").mkdir(parents=True, exist_ok=True)
    project = PROJECT.format(mode=mode, interval=interval) + extra
    (root / "slos" / "project.yaml").write_text(project, encoding="utf-8")
    for text in services:
        name = yaml.safe_load(text)["service"]
        (root / "slos" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return specs.load(root, runbooks=False)


def one(
    root: Path, sli: str, *, mode: str = "hybrid", interval: str = "1m", **more: str
) -> Project:
    """A project of one service `shop` with one SLO `x`."""
    return load(root, service("shop", [slo("x", sli, **more)]), mode=mode, interval=interval)


def generated(project: Project, *names: str) -> dict[str, str]:
    """The text of everything that the named generators write, by path."""
    chosen = [g for g in generate.GENERATORS if g.name in names]
    return {a.path: a.text for a in generate.artifacts(project, chosen)}


def write(root: Path, project: Project, *names: str) -> list[Path]:
    """The same, written below `root`."""
    files = []
    for path, text in generated(project, *(names or ("recording", "rules", "tests"))).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        files.append(file)
    return files


def groups(text: str) -> list[dict[str, Any]]:
    """The groups of a rule file."""
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"]
    return found


def rules(text: str) -> dict[str, dict[str, Any]]:
    """The rules of a rule file by name."""
    found: list[dict[str, Any]] = [rule for group in groups(text) for rule in group["rules"]]
    return {rule.get("record") or rule["alert"]: rule for rule in found}
