import socket
from pathlib import Path

import pytest
from tests.probe.programs import run
from tests.probe.servers import BODY, answer, serving, whole


def ask(name, url, *more):
    return run(name, ["--check", "x >= 1", "--url", url, *more])


def unhealthy(url, reason):
    return f"slo-probe: unhealthy: {url}: {reason}\n"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
FINE = {
    "a length": whole(),
    "no length": answer(b"HTTP/1.1 200 OK"),
    "HTTP/1.0": answer(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain"),
    "bare line ends": lambda c, r, s: c.sendall(b"HTTP/1.0 200 OK\nContent-Length: 4\n\n" + BODY),
    "chunks": answer(CHUNKED, b"1\r\nx\r\n2;ext=1\r\n 1\r\n001\r\n\n\r\n0\r\nTrailer: 1\r\n\r\n"),
    "an interim answer": answer(
        b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4"
    ),
    "one byte at a time": lambda c, r, s: [
        c.send(bytes((b,))) for b in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + BODY
    ],
    "bytes after the end": whole(more=b"\r\nConnection: keep-alive"),
    "OpenMetrics": answer(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0",
        b"x 1\n# EOF\n",
    ),
}


@pytest.mark.parametrize("how", FINE.values(), ids=FINE)
def test_an_answer_of_any_kind_is_understood(how, name):
    with serving(how) as server:
        assert ask(name, server.url).code == 0


BAD = {
    "a server error": (whole(b"", b"500 No"), "status 500"),
    "not found": (whole(b"", b"404 No"), "status 404"),
    "a partial answer": (whole(status=b"206 Partial Content"), "status 206"),
    "a redirect": (
        whole(b"", b"302 Found", b"\r\nLocation: http://else\x1bwhere/"),
        "status 302, redirects to http://else?where/: redirects are not followed",
    ),
    "a truncated body": (
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 99"),
        "the body is truncated: 4 of 99 bytes",
    ),
    "a truncated line": (
        answer(b"HTTP/1.1 200 OK", b"x 1"),
        "the body is truncated: the last line has no end",
    ),
    "no last chunk": (
        answer(CHUNKED, b"4\r\nx 1\n\r\n"),
        "the body is truncated: the last chunk is missing",
    ),
    "half a chunk": (
        answer(CHUNKED, b"40\r\nx 1\n"),
        "the body is truncated: the last chunk is missing",
    ),
    "a bad chunk": (answer(CHUNKED, b"zz\r\nx 1\n\r\n0\r\n\r\n"), "bad chunk in the body"),
    "a negative length": (answer(b"HTTP/1.1 200 OK\r\nContent-Length: -4"), "bad Content-Length"),
    "two lengths": (
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5"),
        "bad Content-Length",
    ),
    "gzip": (
        whole(b"\x1f\x8b", more=b"\r\nContent-Encoding: gzip"),
        "Content-Encoding gzip is not supported, none was asked for",
    ),
    "deflate in transfer": (
        whole(more=b"\r\nTransfer-Encoding: gzip, chunked"),
        "Transfer-Encoding gzip, chunked is not supported",
    ),
    "a web page": (
        whole(b"<html>\n", more=b"\r\nContent-Type: text/html; charset=utf-8"),
        "Content-Type text/html; charset=utf-8 is not an exposition",
    ),
    "no HTTP": (lambda c, r, s: c.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "the answer is not HTTP"),
    "nothing": (lambda c, r, s: None, "the server closed the connection without an answer"),
    "half a header": (
        lambda c, r, s: c.sendall(b"HTTP/1.1 200 OK\r\nConten"),
        "the response header is truncated",
    ),
    "an endless header": (
        lambda c, r, s: c.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000),
        "the response header is longer than 16384 bytes",
    ),
    "OpenMetrics without its end": (
        answer(b"HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text"),
        "the body is truncated: the last line is not # EOF",
    ),
}


@pytest.mark.parametrize(("how", "reason"), BAD.values(), ids=BAD)
def test_an_answer_that_cannot_be_trusted_is_unhealthy(how, reason, name):
    with serving(how) as server:
        said = ask(name, server.url)
    assert (said.code, said.err) == (1, unhealthy(server.url, reason))


def test_a_hung_server_ends_at_the_deadline(name):
    with serving(lambda c, r, s: s.stopped.wait()) as server:
        said = ask(name, server.url, "--timeout", "150ms", "--json")
    assert (said.code, said.err) == (1, unhealthy(server.url, "no answer within 0.15s"))
    assert 0.15 <= said.json["seconds"] < 1


def test_a_slow_drip_does_not_move_the_deadline(name):
    def drip(connection, request, server):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.stopped.wait(0.02):
            connection.sendall(b"# still here\n")

    with serving(drip) as server:
        said = ask(name, server.url, "--timeout", "200ms", "--json")
    assert said.err == unhealthy(server.url, "no answer within 0.2s")
    assert said.json["seconds"] < 1


def test_a_full_backlog_ends_at_the_deadline(name):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        said = ask(name, url, "--timeout", "150ms")
        for each in waiting:
            each.close()
    assert said.err == unhealthy(url, "no answer within 0.15s")


def test_a_pipe_that_nobody_writes_ends_at_the_deadline(name, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    said = ask(name, f"file:{tmp_path}/pipe", "--timeout", "100ms")
    assert said.code == 1
    assert said.err.endswith("no answer within 0.1s\n")


def test_a_huge_body_stops_at_the_cap(name):
    def huge(connection, request, server):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"# padding\n" * 10000)

    with serving(huge) as server:
        said = ask(name, server.url, "--max-bytes", "1000000")
    assert said.err == unhealthy(server.url, "the body is larger than 1000000 bytes")


def test_a_promised_huge_body_is_not_read(name):
    with serving(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999")) as server:
        said = ask(name, server.url)
    assert said.err == unhealthy(server.url, "the body is larger than 33554432 bytes")


def test_nobody_listens(name):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert ask(name, url).err == unhealthy(url, "connection refused")


def test_ipv6(name):
    with serving(whole(), "::1") as server:
        assert ask(name, server.url).code == 0
    assert b"\r\nHost: [::1]:" in server.requests[0]


def test_localhost_falls_back_to_the_other_address(name):
    with serving(whole()) as server:
        assert ask(name, f"http://localhost:{server.port}/").code == 0


def test_a_unix_socket(name, tmp_path):
    with serving(whole(), path=tmp_path / "s") as server:
        assert ask(name, f"{server.url}!/other").code == 0
        assert ask(name, server.url).code == 0
    assert [r.split(b"?")[0] for r in server.requests] == [b"GET /other", b"GET /metrics"]


def test_a_file(name, tmp_path):
    (tmp_path / "m").write_bytes(BODY)
    assert ask(name, f"file:{tmp_path}/m").code == 0
    assert ask(name, f"file://{tmp_path}/m").code == 0
    assert ask(name, f"file:{tmp_path}/none").err.endswith("/none: no such file or directory\n")


def test_only_what_is_needed_is_asked_for(name):
    with serving(whole('x 1\nh_bucket{le="+Inf"} 1\n{"n.ü"} 1\n'.encode())) as server:
        checks = ["quantile(0, h) > 0", '{"n.ü"} == 1', "x == 1"]
        run(name, [*[f"--check={c}" for c in checks], "--url", server.url + "?a=b#c"])
        run(name, ["--check", "x == 1", "--url", server.url, "--no-select"])
        run(name, ["--check", "absent(y)", "--url", server.url])
    targets = [request.split(b" ")[1] for request in server.requests]
    assert targets == [
        b"/metrics?a=b&name%5B%5D=h_bucket&name%5B%5D=h&name%5B%5D=n%2E%C3%BC&name%5B%5D=x",
        b"/metrics",
        b"/metrics",
    ]


@pytest.mark.parametrize("strict", ["status 400", "nothing", "less"])
def test_a_server_that_cannot_be_asked_by_name_is_asked_for_everything(strict, name):
    refusal = {
        "status 400": whole(b"", b"400 Bad"),
        "nothing": lambda c, r, s: None,
        "less": whole(b""),
    }

    def how(connection, request, server):
        (refusal[strict] if b"name%5B" in request else whole())(connection, request, server)

    with serving(how) as server:
        assert ask(name, server.url).code == 0
    assert len(server.requests) == 2


def test_a_token_and_headers_are_sent_and_never_said(name, tmp_path):
    (tmp_path / "token").write_text(" s3cret\n")
    with serving(whole(b"", b"401 No")) as server:
        said = ask(
            name, server.url, "--bearer-token-file", str(tmp_path / "token"),
            "--header", "X-Scope:  team ", "-v", "--json", "--no-select",
        )  # fmt: skip
    assert b"\r\nAuthorization: Bearer s3cret\r\nX-Scope: team\r\n\r\n" in server.requests[0]
    assert said.err == unhealthy(server.url, "status 401")
    assert "s3cret" not in said.out + said.err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the token file cannot be read: no such file or directory"),
        (b"", "the token file holds no token: one line of visible ASCII is needed"),
        (b"a\r\nX: y", "the token file holds no token: one line of visible ASCII is needed"),
    ],
    ids=["no file", "empty", "two lines"],
)
def test_a_bad_token_file_is_unhealthy(content, reason, name, tmp_path):
    file: Path = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with serving(whole()) as server:
        said = ask(name, server.url, "--bearer-token-file", str(file))
    assert (said.err, server.requests) == (unhealthy(server.url, reason), [])


def test_retries_stay_inside_the_deadline(name):
    def second(connection, request, server):
        (whole() if len(server.requests) > 1 else whole(b"", b"503 No"))(
            connection, request, server
        )

    with serving(second) as server:
        more = ("--no-select", "--retries", "5", "--retry-delay", "1ms")
        assert ask(name, server.url, *more).code == 0
    assert len(server.requests) == 2
    with serving(whole(b"", b"503 No")) as server:
        longer = (
            "--no-select",
            "--retries",
            "1000000",
            "--retry-delay",
            "5ms",
            "--timeout",
            "100ms",
            "--json",
        )
        said = ask(name, server.url, *longer)
    assert said.json["seconds"] < 1
    assert said.err == unhealthy(server.url, "status 503")
