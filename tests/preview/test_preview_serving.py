"""The preview's server: who may ask, what goes back, and that it ends."""

import http.client
import urllib.request
from pathlib import Path

import pytest

from sloforge.errors import Problem
from sloforge.preview.serving import serve

ROOT = Path(__file__).parents[2]
BOARDS = ROOT / "dashboards"
NOBODY = "http://127.0.0.1:9"


def get(url, path="/", **headers):
    """Status, headers and text of an answer."""
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def url():
    with serve(BOARDS, NOBODY) as running:
        yield running.url


def test_the_start_page_needs_no_prometheus(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200


def test_every_answer_forbids_all_that_is_not_ours(url):
    for path in ("/", "/nothing"):
        _, headers, _ = get(url, path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "", "10.0.0.1:{port}"]
)
def test_another_name_for_this_server_is_refused(url, host):
    status, _, text = get(url, Host=host.format(port=url.rpartition(":")[2]))
    assert (status, text) == (421, "this server is known by its own address only\n")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"]
)
def test_this_machine_by_any_of_its_names_is_answered(url, host):
    status, _, _ = get(url, Host=host.format(port=url.rpartition(":")[2]))
    assert status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(url, method):
    request = urllib.request.Request(url, method=method, data=b"x" if method != "OPTIONS" else None)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 501
    refused.value.close()


def test_the_port_is_free_once_it_is_closed():
    first = serve(BOARDS, NOBODY)
    first.close()
    port = int(first.url.rpartition(":")[2])
    with serve(BOARDS, NOBODY, port=port) as again:
        assert again.url == first.url
        assert again.board("slo-fleet") == f"{first.url}/d/slo-fleet"


def test_a_port_that_is_taken_is_told(url):
    port = int(url.rpartition(":")[2])
    with pytest.raises(Problem, match=rf"cannot listen on 127.0.0.1:{port}: .*; choose another"):
        serve(BOARDS, NOBODY, port=port)
