"""One whole run for all tests of the demo, started before the first: it takes minutes to watch."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.demo.running import Run, demo
from tests.grafana_server.serving import TOKEN, GrafanaServer
from tests.live import alertmanager as am
from tests.live import prometheus as prom
from tests.live.alertmanager import until

LONGEST = 600
FAST = "AvailabilityHttpFastBurn"
AVAILABILITY = 'slo_name="availability-http"'


@dataclass(slots=True)
class Played:
    """A run that has ended by itself, and what its servers answered before it did."""

    run: Run
    grafana: GrafanaServer
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> float:
        (one,) = self.answers[name]
        return float(one["value"][1])

    def ask(self) -> None:
        """Everything, once the page is there."""
        self.run.wait_for("PAGE")
        server, desk = self.run.url("Prometheus"), self.run.url("the service")
        self.pages.update({path: get(desk, path) for path in PAGES})
        self.answers.update({name: ask(server, query) for name, query in QUERIES.items()})


QUERIES = {
    "left": f"slo:period_error_budget_remaining:ratio{{{AVAILABILITY}}}",
    "budgets": "slo:period_error_budget_remaining:ratio",
    "most": f"max_over_time(slo:sli_total:rate5m_5m{{{AVAILABILITY}}}[1d])",
    "least": f"min_over_time(slo:sli_total:rate5m_5m{{{AVAILABILITY}}}[1d])",
    "quantiles": "slo:sli_quantile:rate5m",
    "burning": f"(slo:sli_error:ratio_rate5m{{{AVAILABILITY}}} > bool 0.072)[30d:5m]",
    "slow": '(slo:sli_quantile:rate5m{slo_name="invoke-p95"} > bool 0.5)[30d:5m]',
    "stuck": '(slo:sli_error:ratio_rate5m{slo_name="iteration-freshness"} > bool 0.5)[30d:5m]',
    "fired": f'count_over_time(ALERTS{{alertname="{FAST}"}}[29d] offset 1d)',
    "build": "slo_rules_build_info",
    "up": "sum by (job) (up)",
    "scraped": 'sum(increase(tensor_wasm_http_requests_total{status="503"}[1m]))',
}
PAGES = ("/runbooks/tensor-wasm/availability-fast-burn.md", "/runbooks/../deploy.yaml")


@pytest.fixture(scope="session", autouse=True)
def playing(request, tmp_path_factory) -> Iterator[Callable[[], Played]]:
    """It plays beside the other tests, where there is one that asks for it; waits for its end."""
    if not any("played" in getattr(one, "fixturenames", ()) for one in request.session.items):
        yield lambda: pytest.skip("nobody asked for it")
        return
    if prom.binary() is None or am.binary() is None:
        yield lambda: pytest.skip("no prometheus or no alertmanager on PATH")
        return
    folder = tmp_path_factory.mktemp("demo")
    with (
        GrafanaServer() as grafana,
        demo(folder, "--script", "aftermath", "--grafana", grafana.url, GRAFANA_TOKEN=TOKEN) as run,
    ):
        played = Played(run=run, grafana=grafana)
        asking = threading.Thread(target=played.ask, daemon=True)
        asking.start()

        def ended() -> Played:
            asking.join(LONGEST)
            until(run.ended, lambda: run.text, LONGEST)
            return played

        yield ended


def ask(url: str, query: str) -> list[dict[str, Any]]:
    data = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/query", data, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def get(url: str, path: str) -> str:
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)
    return text
