"""What is asked of running systems: health answers of a real server, times of a real Prometheus."""

import contextlib
import http.server
import json
import re
import threading
import time
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner
from tests.live.alertmanager import until
from tests.live.prometheus import SELF, prometheus

from sloforge.errors import Problem
from sloforge.health.lint import live
from sloforge.health.lint.command import lint_health
from sloforge.web import Options, Retry

GOOD = Path(__file__).parent / "fixtures/kubernetes/good/deployment.yaml"
SPRING = {"status": "DOWN", "components": {"db": {"status": "DOWN"}, "ping": {"status": "UP"}}}
ANSWERS = {
    "/spring": (503, json.dumps(SPRING)),
    "/plain": (200, "OK"),
    "/bare": (200, '{"status": "UP"}'),
    "/broken": (500, "boom"),
    "/cut": (200, '{"status": '),
    "/big": (200, '{"a": "' + "x" * 2**20 + '"}'),
    "/api/v1/query": (200, '{"data": {"resultType": "vector", "result": [{"value": [0, "x"]}]}}'),
}


class Server(http.server.ThreadingHTTPServer):
    """Remembers what it was asked; `ended` lets go what hangs."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str]] = []
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self):
        self.server.seen.append((self.command, self.path))
        path = self.path.partition("?")[0]
        if path == "/away":
            self.send_response(302)
            self.send_header("location", "/plain")
            self.end_headers()
            return
        if path == "/hung":
            self.server.ended.wait(20)
        status, body = ANSWERS.get(path, (404, "no such page"))
        self.send_response(status)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body.encode())

    def log_message(self, *words):
        """Nothing: pytest shows what matters."""


@pytest.fixture(scope="module")
def server():
    found = Server()
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.ended.set()
    found.shutdown()
    found.server_close()


def ran(*words):
    """What `main` makes of it: the exit code, and all that was said."""
    found = CliRunner().invoke(lint_health, [str(word) for word in words], standalone_mode=False)
    if found.exception is None:
        return found.return_value, found.output
    assert isinstance(found.exception, Problem | UsageError), found.exception
    code = 2 if isinstance(found.exception, UsageError) else 1
    return code, found.output + str(found.exception)


def said_by(answer):
    return [str(hit) for hit in answer.hits] or [list(one.remote) for one in answer.answers]


CASES = {
    "/spring?probe=1": [["db"]],
    "/plain": [],
    "/bare": [],
    "/broken": ["{}: expected a health answer, got status 500"],
    "/nowhere": ["{}: expected a health answer, got status 404"],
    "/cut": ["{}:1:12: not valid JSON: expected a value or a mark, got the end of the file"],
    "/big": ["{}: the answer is larger than 1048576 bytes; is the URL right"],
    "/away": [
        "{}: must not be redirected, was sent to `/plain`; set the URL to where the server really is, and check that the login is accepted"
    ],
}


@pytest.mark.parametrize(("path", "wanted"), CASES.items(), ids=CASES)
def test_a_health_url_is_asked_once_with_get_and_its_parts_are_read(server, path, wanted):
    server.seen.clear()
    url = server.url + path
    found = said_by(live.answer(url))
    assert found == [one.format(url) if isinstance(one, str) else one for one in wanted]
    assert server.seen == [("GET", path)]


def test_an_answer_that_does_not_come_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(live, "_ONCE", Options(timeout=0.2, deadline=0.2, retry=Retry(attempts=1)))
    began = time.monotonic()
    (said,) = said_by(live.answer(f"{server.url}/hung"))
    assert said == f"{server.url}/hung: no answer in time (ReadTimeout)"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("health", "health: expected a URL such as http://127.0.0.1:8080/health"),
        ("http://[::1", "http://[::1: not a URL: Invalid IPv6 URL"),
        (
            "http://me:hush@127.0.0.1/x",
            "http://127.0.0.1/x: http://127.0.0.1: must not hold credentials",
        ),
    ],
)
def test_what_is_no_url_is_said_and_no_password_with_it(url, what):
    (said,) = said_by(live.answer(url))
    assert said.startswith(what)
    assert "hush" not in said


def test_nothing_is_asked_unless_somebody_says_so(server):
    server.seen.clear()
    assert ran(GOOD)[0] == 0
    assert server.seen == []


def test_the_command_reports_an_answer_like_a_file(server):
    code, said = ran("--live", f"{server.url}/spring", "--fail-on", "warning")
    assert code == 1
    assert f"{server.url}/spring:1:20: warning[HC105]: the answer depends on db;" in said
    assert "0 health checks in 0 files, 1 answer asked for: 0 errors, 1 warning" in said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "expected files, directories or - to read, or --live URL"),
        ([GOOD, "--start-query", "x"], "a query needs --prometheus URL to be asked"),
        ([GOOD, "--prometheus", "http://x"], "--prometheus needs --latency-query or --start-query"),
        (
            [GOOD, "--prometheus", "http://x", "--start-query", "x", "--start-time", "5s"],
            "--start-time and --start-query say the same",
        ),
    ],
)
def test_options_that_do_not_fit_together_are_refused(words, what):
    code, said = ran(*words)
    assert (code, what in said) == (2, True)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    job = {"job_name": "self", "scrape_interval": "1s", "static_configs": [{"targets": [SELF]}]}
    with prometheus(folder / "data", {"scrape_configs": [job]}) as found:
        query = 'prometheus_http_requests_total{handler="/metrics"} > 0'
        until(
            lambda: found.instant(query, time.time()).series,
            lambda: "nothing was scraped",
            30,
        )
        yield found


QUANTILE = "histogram_quantile(0.99, sum by (le) (prometheus_http_request_duration_seconds_bucket{handler='{path}'}))"


@pytest.fixture
def manifest(tmp_path):
    """A deployment whose liveness asks what Prometheus has measured, and whose readiness does not."""
    path = tmp_path / "k8s.yaml"
    path.write_text(GOOD.read_text().replace("path: /livez", "path: /metrics"))
    return path


def test_a_time_out_below_what_answers_take_is_found(measured, manifest):
    slow = f"(9.5 + {QUANTILE}) * 1"
    code, said = ran(
        manifest, "--prometheus", measured.url, "--latency-query", slow, "--fail-on", "warning"
    )
    lines = [line for line in said.splitlines() if "HC207" in line]
    assert code == 1
    assert len(lines) == 2  # the liveness and the startup probe
    taken = [
        re.search(r"timeoutSeconds is [0-9]+ s, and answers of /metrics take ([0-9.]+) s;", line)
        for line in lines
    ]
    assert all(one and float(one[1]) > 9.5 for one in taken)
    assert "/servez: nothing measured: the query found no number" in said


def test_a_time_out_above_what_answers_take_is_fine(measured, manifest):
    code, said = ran(manifest, "--prometheus", measured.url, "--latency-query", QUANTILE)
    assert (code, "HC207" in said) == (0, False)


def test_a_measured_start_decides_about_the_startup_budget(measured):
    code, said = ran(GOOD, "--prometheus", measured.url, "--start-query", "80 + count(up)")
    assert code == 1
    assert "allows 120 s, and a start takes 81 s; allow 121.5 s: failureThreshold 25" in said
    assert ran(GOOD, "--prometheus", measured.url, "--start-query", "79 + count(up)")[0] == 0


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("absent(up)", "`absent(up)` found no number; correct it"),
        ("up > ", "parse error"),
        ("up[5m]", "expected a number from Prometheus"),
    ],
)
def test_a_query_that_gives_no_number_is_said(measured, query, what):
    code, said = ran(GOOD, "--prometheus", measured.url, "--start-query", query)
    assert (code, what in said) == (1, True)


def test_a_server_that_is_no_prometheus_is_said(server):
    with pytest.raises(Problem, match="expected a number from Prometheus"):
        live.longest(server.url, "up")


def test_a_path_cannot_break_out_of_the_query(measured):
    ask = live.measuring(measured.url, QUANTILE)
    assert ask(["/'} or vector(9)#", '/"', "/\\"]) == {}
