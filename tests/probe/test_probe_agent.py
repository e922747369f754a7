import contextlib
import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.probe.programs import program, run
from tests.probe.servers import serving, whole


@contextlib.contextmanager
def agent(name, *arguments, interval="20ms"):
    command = [
        program(name),
        "agent",
        "--listen",
        "127.0.0.1:0",
        "--interval",
        interval,
        *arguments,
    ]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert started.stderr
    try:
        first = started.stderr.readline()
        assert first.startswith("slo-probe: listening on "), first
        yield first.split()[-1], started
    finally:
        if started.poll() is None:
            started.terminate()
        started.wait(10)
        started.stderr.close()


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as wrong:
        with wrong:
            return wrong.code, wrong.read().decode()


def until(url, status):
    """Asks again until the answer has this status; the agent's own requests pace it."""
    for _ in range(2000):
        answer = get(url)
        if answer[0] == status:
            return answer
    raise AssertionError(answer)


class Changing:
    """An endpoint whose body a test changes; says when the next evaluation has read it."""

    def __init__(self, body):
        self.body = body
        self.seen = threading.Semaphore(0)

    def __call__(self, connection, request, server):
        whole(self.body)(connection, request, server)
        self.seen.release()


def test_liveness_and_readiness_follow_the_checks(name):
    app = Changing(b"x 1\ny 0\n")
    with (
        serving(app) as server,
        agent(name, "--url", server.url, "--check", "x == 1", "--ready-check", "y == 1") as (
            url,
            _,
        ),
    ):
        assert until(f"{url}/healthz", 200) == (200, "ok\n")
        assert get(f"{url}/readyz") == (503, "y == 1: y is 0, must be == 1\n")
        app.body = b"x 0\ny 1\n"
        assert until(f"{url}/healthz", 503) == (503, "x == 1: x is 0, must be == 1\n")
        assert get(f"{url}/other")[0] == 404


def test_its_metrics_are_a_valid_exposition(name):
    with (
        serving(whole(b'x{l="q"} 1\n')) as server,
        agent(name, "--url", server.url, "--check", 'x{l="q"} == 1', "--ready-check", "x > 5") as (
            url,
            _,
        ),
    ):
        until(f"{url}/healthz", 200)
        text = get(f"{url}/metrics")[1]
        own = run(
            "python",
            [
                "--url",
                f"{url}/metrics",
                "--check",
                'slo_probe_check_ok{endpoint="healthz"} == 1',
                "--check",
                "fresh(slo_probe_last_evaluation_timestamp_seconds) < 60s",
            ],
        )
    found = {
        (s.name, s.labels.get("check"), s.labels.get("result")): s.value
        for f in text_string_to_metric_families(text)
        for s in f.samples
    }
    assert found["slo_probe_healthy", None, None] == 1
    assert found["slo_probe_ready", None, None] == 0
    assert found["slo_probe_check_ok", 'x{l="q"} == 1', None] == 1
    assert found["slo_probe_check_ok", "x > 5", None] == 0
    assert found["slo_probe_evaluations_total", None, "unhealthy"] >= 1
    assert own.code == 0


def test_an_application_that_hangs_is_unhealthy(name):
    with (
        serving(lambda c, r, s: s.stopped.wait()) as server,
        agent(name, "--url", server.url, "--check", "x == 1", "--timeout", "50ms") as (url, _),
    ):
        assert get(f"{url}/healthz")[0] == 503
        for _ in range(2000):
            answer = get(f"{url}/healthz")
            if "no answer" in answer[1]:
                break
        assert answer == (503, f"{server.url}: no answer within 0.05s\n")


def test_an_old_answer_is_no_answer(name):
    with (
        serving(whole()) as server,
        agent(
            name, "--url", server.url, "--check", "x == 1", "--max-age", "100ms", interval="1h"
        ) as (url, _),
    ):
        until(f"{url}/healthz", 200)
        assert "the last evaluation is 0." in until(f"{url}/healthz", 503)[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_and_well(how, name):
    with (
        serving(whole()) as server,
        agent(name, "--url", server.url, "--check", "x == 1", interval="1h") as (url, started),
    ):
        until(f"{url}/healthz", 200)
        started.send_signal(how)
        assert started.wait(5) == 0
        assert started.stderr.read() == ""


def test_increases_is_remembered_between_evaluations(name):
    app = Changing(b"c 1\n")
    with (
        serving(app) as server,
        agent(name, "--url", server.url, "--check", "increases(c) within 50ms") as (url, _),
    ):
        until(f"{url}/healthz", 200)
        assert "c) within 50ms: has stayed at 1 for" in until(f"{url}/healthz", 503)[1]
        app.body = b"c 2\n"
        until(f"{url}/healthz", 200)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no checks given"),
        (["--check", "x > 1", "--listen", "80"], "--listen must be HOST:PORT"),
        (["--check", "x > 1", "--listen", "256.0.0.1:0"], "--listen: "),
        (["--check", "x > 1", "--interval", "0"], "--interval must be a duration"),
        (["--check", "x > 1", "--url", "-"], "an agent cannot read stdin again and again"),
        (["--ready-check", "x >", "--check", "x > 1"], "a number expected at byte 4"),
    ],
    ids=lambda part: " ".join(part)[-30:] if isinstance(part, list) else "",
)
def test_an_agent_that_makes_no_sense_does_not_start(arguments, reason, name):
    said = run(name, ["agent", *arguments])
    assert said.code == 1
    assert said.err.startswith(f"slo-probe: config: {reason}")


def test_https_goes_through_the_python_implementation(name, tmp_path):
    certificate = tmp_path / "c.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "k.pem"), "-out", str(certificate)],
        capture_output=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    import http.server
    import ssl

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"x 1\n")

        def log_message(self, *_):
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "k.pem")

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            return

    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://localhost:{server.server_port}/"
        ask = ["--url", url, "--check", "x == 1", "--timeout", "5s"]
        assert run(name, [*ask, "--ca-file", str(certificate)]).code == 0
        assert run(name, [*ask, "--insecure"]).code == 0
        said = run(name, ask)
        assert (said.code, "TLS: self" in said.err) == (1, True), said
        wrong = run(
            name,
            [*ask, "--ca-file", str(certificate), "--url", url.replace("localhost", "127.0.0.1")],
        )
        assert (wrong.code, "TLS: ip address mismatch" in wrong.err) == (1, True), wrong
        server.shutdown()
