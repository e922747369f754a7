"""A small project for tests of routes: two owners, an SLO by region, one burn that is a ticket."""

from pathlib import Path

from sloforge import specs
from sloforge.model import Project

PROJECT = """\
version: sloforge-project/v1
owners:
  sales: {page: sales-page, ticket: sales-ticket}
  store: {page: store-page, ticket: store-ticket}
runbook_base_url: https://runbooks.example.org/
dashboard_base_url: https://grafana.example.org
"""

CART = """\
version: sloforge/v1
service: cart
owner: sales
tier: 1
description: The cart.
job: cart
scrape_interval: 15s
slos:
- name: answers
  description: Requests are answered.
  rationale: A test.
  objective: 99.9
  window: 30d
  by: [region]
  sli: {ratio: {total: requests_total, bad: 'requests_total{code="500"}'}}
"""

STOCK = """\
version: sloforge/v1
service: stock
owner: store
tier: 2
description: The stock.
job: stock
scrape_interval: 15s
slos:
- name: updates
  description: Updates arrive.
  rationale: A test.
  objective: 99
  window: 30d
  sli: {ratio: {total: updates_total, bad: 'updates_total{state="lost"}'}}
"""

RECEIVERS = ("sales-page", "sales-ticket", "store-page", "store-ticket", "fallback", "watchdog")
BASE = "receivers:\n" + "".join(f"- name: {name}\n" for name in RECEIVERS)


def load(root: Path, *, base: str | None = BASE, **changed: str) -> Project:
    """The toy project written under `root`; `project`, `cart` and `stock` replace its files."""
    texts = {"project": PROJECT, "cart": CART, "stock": STOCK} | changed
    (root / "slos").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (root / "slos" / f"{name}.yaml").write_text(text, encoding="utf-8")
    if base is not None:
        (root / "alertmanager").mkdir(exist_ok=True)
        (root / "alertmanager" / "base.yml").write_text(base, encoding="utf-8")
    return specs.load(root, runbooks=False)
