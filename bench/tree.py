"""A repository with many services, three SLOs each, and the runbooks they need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sloforge import specs, starting
from sloforge.generate.runbooks import skeleton

SLOS = ("availability", "latency", "freshness")
EDITED = "service-0000"
_SERVICE = """\
version: sloforge/v1
service: {name}
owner: shop
tier: {tier}
description: One of many.
job: {name}
http: {{requests: http_requests_total, duration: http_request_duration_seconds, route: handler, status: code}}

slos:
- name: availability
  description: Requests that are not answered with a 5xx.
  rationale: Below this, customers begin to call.
  grounding: measured
  objective: 99.{tier}
  sli:
    ratio:
      total: http_requests_total{{handler!="/metrics"}}
      bad: http_requests_total{{handler!="/metrics",code=~"5.."}}
  alerting:
    runbook: availability
- name: latency
  description: Requests that are answered within 300 ms.
  rationale: Above this, customers leave.
  grounding: modeled
  objective: 99
  sli:
    latency:
      histogram: http_request_duration_seconds{{handler!="/metrics"}}
      threshold: 300ms
  alerting:
    runbook: latency
- name: freshness
  description: The catalogue was synchronised within the last ten minutes.
  rationale: Older prices are wrong prices.
  grounding: guess
  objective: 99.5
  sli:
    freshness:
      timestamp: last_sync_timestamp_seconds
      max_age: 10m
  alerting:
    runbook: freshness
"""


def plant(root: Path, services: int) -> None:
    """The starter repository, with these services in place of its own."""
    starting.write(root)
    (root / "slos" / "checkout.yaml").unlink()
    for number in range(services):
        name = f"service-{number:04}"
        text = _SERVICE.format(name=name, tier=number % 4 + 1)
        (root / "slos" / f"{name}.yaml").write_text(text, encoding="utf-8")
    _runbooks(root)


def _runbooks(root: Path) -> None:
    project = specs.load(root, runbooks=False)
    for service in project.services:
        alone = replace(project, services=(service,))
        folder = root / "runbooks" / service.name
        folder.mkdir(parents=True)
        for slo in SLOS:
            text = skeleton(alone, f"{service.name}/{slo}")
            (folder / f"{slo}.md").write_text(text, encoding="utf-8")


def edit(root: Path, owner: str) -> None:
    """One service gets another description."""
    file = root / "slos" / f"{EDITED}.yaml"
    text = file.read_text(encoding="utf-8")
    lines = [
        f"description: {owner}" if line.startswith("description:") else line
        for line in text.splitlines()
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
