"""The HTTP client: what it repeats, what it refuses, and what it keeps to itself."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sloforge.errors import Problem
from sloforge.web import Client, Lost, Options, Retry, Secret, Unreachable

TLS = Path(__file__).parent / "tls"
BUSY: tuple[int, dict[str, str], bytes] = (503, {}, b"{}")


@dataclass
class Served:
    """A script of answers, the last one for good, and the requests that came."""

    url: str = ""
    answers: list[Any] = field(default_factory=lambda: [(200, {}, b"{}")])
    requests: list[Any] = field(default_factory=list)

    def answer(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args):
        """Silence."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.served.requests.append((self.command, self.path, dict(self.headers), body))
        answer = self.server.served.answer()
        if answer is None:
            self.close_connection = True
            return
        status, headers, text = answer
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(text))} | headers).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = "Content-Length" in headers

    def do_POST(self):
        self.do_GET()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    served: Served

    def handle_error(self, *args):
        """A client that goes away is what some tests are about."""


def serving(context=None):
    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if context else "http"
    server.served = Served(url=f"{scheme}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server():
    yield from serving()


@pytest.fixture
def pauses(monkeypatch):
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def ask(served, method="GET", path="/x", options=None, **more):
    with Client(served.url, options) as client:
        return client.request(method, path, **more)


@pytest.mark.parametrize(
    ("base", "path", "asked"),
    [
        ("", "/api/x", "/api/x"),
        ("/", "api/x", "/api/x"),
        ("/grafana", "/api/x", "/grafana/api/x"),
        ("/grafana/", "/api/x", "/grafana/api/x"),
    ],
)
def test_a_base_url_may_have_a_path(server, base, path, asked):
    with Client(server.url + base) as client:
        assert client.request("GET", path, params={"a": "1 2", "b": 3}).ok
    assert server.requests[0][1] == f"{asked}?a=1+2&b=3"


def test_json_is_sent_and_read(server):
    server.answers = [(200, {}, b'{"b": [1]}')]
    assert ask(server, "POST", json={"a": "ü"}).json() == {"b": [1]}
    _, _, headers, body = server.requests[0]
    assert (headers["content-type"], body) == ("application/json", b'{"a":"\\u00fc"}')


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (Options(token=Secret(variable="ONE")), "Bearer first-secret"),
        (
            Options(user="bob", password=Secret(variable="ONE")),
            "Basic Ym9iOmZpcnN0LXNlY3JldA==",
        ),
        (Options(), None),
    ],
)
def test_a_login_is_sent_with_every_request(server, monkeypatch, options, sent):
    monkeypatch.setenv("ONE", " first-secret\n")
    ask(server, options=options)
    assert server.requests[0][2].get("authorization") == sent


def test_extra_headers_are_sent_and_secret_ones_are_read(server, monkeypatch):
    monkeypatch.setenv("ONE", "first-secret")
    headers = (("X-Org", "1"), ("X-Proxy", Secret(variable="ONE")))
    ask(server, options=Options(headers=headers))
    sent = server.requests[0][2]
    assert (sent["x-org"], sent["x-proxy"]) == ("1", "first-secret")


def test_an_extra_header_of_two_lines_is_refused(server):
    with pytest.raises(Problem, match="header `X-Org`: must be one line of plain text"):
        ask(server, options=Options(headers=(("X-Org", "1\r\nEvil: 2"),)))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_asked_again(server, pauses, status):
    server.answers = [(status, {}, b""), (status, {}, b""), (200, {}, b"{}")]
    assert ask(server).status == 200
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 500, 501])
def test_what_does_not_pass_is_an_answer(server, pauses, status):
    server.answers = [(status, {}, b'{"message": "no"}')]
    answer = ask(server)
    assert (answer.status, answer.ok, answer.quoted) == (status, False, "no")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "requests"), [(429, 2), (502, 1), (503, 1), (504, 1)])
def test_what_must_not_happen_twice_is_asked_again_only_after_429(server, pauses, status, requests):
    server.answers = [(status, {}, b""), (200, {}, b"{}")]
    ask(server, "POST", json={}, repeatable=False)
    assert len(server.requests) == requests


def test_a_request_that_is_refused_for_good_gives_its_last_answer(server, pauses):
    server.answers = [BUSY]
    assert ask(server, options=Options(retry=Retry(attempts=3))).status == 503
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "broken",
    [
        None,
        (200, {"Content-Length": "100"}, b'{"a": 1'),
        (200, {"Content-Length": "", "Content-Type": "application/json"}, b'{"a": 1'),
    ],
    ids=["no answer", "cut", "cut without a length"],
)
def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(server, pauses, broken):
    server.answers = [broken, (200, {}, b"{}")]
    assert ask(server).ok
    server.answers = [broken, (200, {}, b"{}")]
    with pytest.raises(Lost, match="whether the server carried it out is not known"):
        ask(server, "POST", repeatable=False)
    assert len(server.requests) == 3


def test_pauses_grow_with_full_jitter_and_follow_retry_after_up_to_a_cap(monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    retry = Retry(first=0.5, most=3.0, longest_after=30.0)
    assert [retry.pause(attempt, None) for attempt in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert retry.pause(0, "7") == 7.5
    assert retry.pause(0, "3600") == 30.5
    assert retry.pause(0, "Wed, 21 Oct 2015 07:28:00 GMT") == 0.5
    monkeypatch.setattr(random, "uniform", lambda least, most: least)
    assert retry.pause(4, None) == 0.0


def test_no_attempt_begins_after_the_deadline(server, pauses):
    server.answers = [(503, {"Retry-After": "20"}, b"{}")]
    options = Options(deadline=5.0)
    assert ask(server, options=options).status == 503
    assert pauses == []


def test_a_server_that_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = Options(timeout=0.1, retry=Retry(attempts=2, first=0.0))
        with Client(url, options) as client, pytest.raises(Lost, match=r"no answer in time"):
            client.request("GET", "/x")


def test_an_answer_that_never_ends_is_given_up_at_the_deadline():
    def drip(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            gone = threading.Event()
            while not gone.wait(0.02):
                try:
                    connection.sendall(b"1\r\nx\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = Options(timeout=5.0, deadline=0.2, retry=Retry(attempts=1))
        with Client(url, options) as client, pytest.raises(Lost, match="no answer in time"):
            client.request("GET", "/x")
        thread.join(5)
        assert not thread.is_alive()


def test_nobody_there_is_unreachable_even_for_what_must_not_happen_twice(pauses):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with Client(url) as client, pytest.raises(Unreachable, match="check that the server runs"):
        client.request("POST", "/x", repeatable=False)
    assert len(pauses) == 3


def test_an_answer_that_is_too_large_is_refused(server):
    server.answers = [(200, {}, b"x" * 2000)]
    with pytest.raises(Problem, match="the answer is larger than 1000 bytes"):
        ask(server, options=Options(max_bytes=1000))


def test_a_redirect_is_told_and_not_followed(server):
    server.answers = [(302, {"Location": "https://grafana.example.org/login"}, b"")]
    with pytest.raises(Problem, match=r"was sent to `https://grafana\.example\.org/login`"):
        ask(server)
    assert len(server.requests) == 1


def test_a_page_instead_of_json_is_told(server):
    server.answers = [(200, {}, b"<html>\n<title>Login")]
    with pytest.raises(Problem, match="expected JSON, got `<html> <title>Login`"):
        ask(server).json()


@pytest.mark.parametrize(
    "url",
    ["", "grafana", "ftp://grafana.example.org", "http://", "http://x:99999", "http://x/?a=1"],
)
def test_what_is_no_address_is_told(url):
    with pytest.raises(Problem, match=r"must be an address like|cannot be read"):
        Client(url)


def test_credentials_in_an_address_are_refused_without_repeating_them():
    with pytest.raises(Problem, match=r"^https://x/y: must not hold credentials") as caught:
        Client("https://bob:hunter2@x/y")
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_comes_back_is_masked_in_messages_and_left_alone_in_the_body(
    server, monkeypatch
):
    monkeypatch.setenv("ONE", "first-secret")
    server.answers = [(500, {}, b'{"message": "got first-secret"}')]
    answer = ask(server, path="/first-secret", options=Options(token=Secret(variable="ONE")))
    assert answer.quoted == "got ***"
    assert answer.asked.endswith("/***")
    assert "first-secret" not in repr(answer)
    assert answer.json() == {"message": "got first-secret"}


def test_no_representation_holds_a_secret(monkeypatch):
    monkeypatch.setenv("ONE", "first-secret")
    options = Options(token=Secret(variable="ONE"), headers=(("X", "plain"),))
    with Client("http://127.0.0.1:1", options) as client:
        assert repr(client) == "Client('http://127.0.0.1:1')"
        assert "first-secret" not in repr(options) + repr(client._http.__dict__["_headers"])


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(server).ok


def tls(*, client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(TLS / "ca.pem")
    return context


def test_a_certificate_of_an_authority_that_nobody_knows_is_refused(pauses):
    for served in serving(tls()):
        with pytest.raises(Unreachable, match="name the authority that signed"):
            ask(served)


def test_a_named_authority_is_trusted():
    for served in serving(tls()):
        assert ask(served, options=Options(ca=str(TLS / "ca.pem"))).ok


def test_a_client_shows_its_own_certificate(pauses):
    ca, own = str(TLS / "ca.pem"), str(TLS / "client.pem")
    for served in serving(tls(client=True)):
        assert ask(served, options=Options(ca=ca, certificate=own)).ok
        with pytest.raises(Problem):
            ask(served, options=Options(ca=ca, timeout=2.0))


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.pem", "No such file or directory"), ("token", "cannot use this certificate")],
)
def test_a_certificate_that_cannot_be_used_is_told(tmp_path, name, words):
    (tmp_path / "token").write_text("no certificate", encoding="utf-8")
    with pytest.raises(Problem, match=words):
        Client("https://grafana.example.org", Options(ca=str(tmp_path / name)))
