"""The rules that are compared: ours, from the generator, and the shapes that others evaluate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from traffic import OBJECTIVE, Size

from sloforge import specs
from sloforge.generate import GENERATORS, artifacts

EVERY = 60
SPAN = "30d"
_PROJECT = """\
version: sloforge-project/v1
owners: {shop: {page: shop-page, ticket: shop-ticket}}
runbook_base_url: https://runbooks.example.org/
"""
_SERVICE = """\
version: sloforge/v1
service: {job}
owner: shop
tier: 1
description: Measured.
job: {job}
scrape_interval: {scrape}s
slos:
- name: availability
  description: Requests that are not answered with a 5xx.
  rationale: It is measured.
  grounding: measured
  objective: {objective}
  window: 30d
  sli:
    ratio:
      total: http_requests_total
      bad: http_requests_total{{code=~"5.."}}
  alerting:
    burns: four-windows
    runbook: availability
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Expressions, each with how often it is evaluated in seconds."""

    name: str
    rules: tuple[tuple[str, int], ...]


def ours(folder: Path, size: Size) -> list[dict[str, object]]:
    """The groups that the generator writes for a spec."""
    (folder / "slos").mkdir(parents=True)
    (folder / "slos" / "project.yaml").write_text(_PROJECT, encoding="utf-8")
    text = _SERVICE.format(job=size.job, scrape=size.scrape, objective=OBJECTIVE)
    (folder / "slos" / f"{size.job}.yaml").write_text(text, encoding="utf-8")
    project = specs.load(folder, runbooks=False)
    wanted = [g for g in GENERATORS if g.name in ("recording", "rules") and g.scope == "service"]
    return [
        group for one in artifacts(project, wanted) for group in yaml.safe_load(one.text)["groups"]
    ]


def shapes(size: Size, groups: list[dict[str, object]]) -> Iterator[Shape]:
    """Ours first. Of the others, only the rules that measure: their alerts read a sample each."""
    yield Shape(name="sloforge, with its alerts", rules=tuple(_generated(groups)))
    bad, total = (
        f'http_requests_total{{job="{size.job}",code=~"5.."}}',
        f'http_requests_total{{job="{size.job}"}}',
    )

    def ratio(window: str) -> str:
        return f"(sum(rate({bad}[{window}])))\n/\n(sum(rate({total}[{window}])))"

    raw = tuple((ratio(window), EVERY) for window in ("5m", "30m", "1h", "2h", "6h", "1d"))
    recorded = f'slo:sli_error:ratio_rate5m{{slo_service="{size.job}"}}[{SPAN}]'
    yield Shape(
        name="Sloth",
        rules=(*raw, (ratio("3d"), EVERY), (sloth_period(recorded), EVERY)),
    )
    # https://github.com/pyrra-dev/pyrra: windows up to 4d, and the increase of the whole period,
    # two and a half times as seldom.
    increase = f"sum by (code) (increase({total}[{SPAN}]))"
    yield Shape(name="Pyrra", rules=(*raw, (ratio("4d"), EVERY), (increase, EVERY * 5 // 2)))
    yield Shape(name="plain workbook", rules=(*raw, (ratio("3d"), EVERY), (ratio(SPAN), EVERY)))


def sloth_period(recorded: str) -> str:
    """The average of five-minute ratios, as Sloth's catalogue optimises the period."""
    return f"sum_over_time({recorded}) / count_over_time({recorded})"


def _generated(groups: list[dict[str, object]]) -> Iterator[tuple[str, int]]:
    for group in groups:
        every = {"1m": 60, "5m": 300}[str(group["interval"])]
        for rule in group["rules"]:  # type: ignore[attr-defined]
            yield rule["expr"], every
