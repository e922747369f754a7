"""A Prometheus that is dead, slow, lying or enormous: words in the panel, and never a number."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.preview.test_preview_serving import get
from tests.preview.world import RANGE, Target, panel

from sloforge.preview import source
from sloforge.preview.serving import serve


class Lying(ThreadingHTTPServer):
    """Answers every query as `reply` does; counts how many are asked at once."""

    daemon_threads = True
    reply = staticmethod(lambda: (200, b"{}"))
    now = most = 0

    def __init__(self, *where):
        self.tokens: set[str | None] = set()
        super().__init__(*where)

    def handle_error(self, *_):
        """The other side may have hung up."""


class Handler(BaseHTTPRequestHandler):
    server: Lying
    lock = threading.Lock()

    def do_GET(self):
        with self.lock:
            self.server.tokens.add(self.headers.get("Authorization"))
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        status, body = self.server.reply()
        with self.lock:
            self.server.now -= 1
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def lying(reply):
    server = Lying(("127.0.0.1", 0), Handler)
    server.reply = reply
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def folder(tmp_path):
    panels = [
        panel(1, "stat", Target("up")),
        panel(2, "timeseries", Target("up", instant=False)),
        panel(3, "table", Target("up", table=True)),
        panel(4, "state-timeline", Target("up", instant=False)),
        panel(5, "bargauge", Target("up")),
    ]
    variables = [{"name": "job", "type": "query", "query": {"query": "label_values(up, job)"}}]
    board = {"uid": "x", "title": "X", "panels": panels, "templating": {"list": variables}}
    (tmp_path / "x.json").write_text(json.dumps(board))
    return tmp_path


def views(folder, url, uid="x"):
    with serve(folder, url) as running:
        board = json.loads(get(running.url, f"/api/board/{uid}?{RANGE}")[2])
        keys = [one["key"] for row in board["rows"] for one in row["panels"]]
        return board, [
            json.loads(
                get(running.url, f"/api/panel/{uid}/{key}?{RANGE}&at={board['time']['at']}")[2]
            )
            for key in keys
        ]


def answer(result, kind="vector"):
    return json.dumps(
        {"status": "success", "data": {"resultType": kind, "result": result}}
    ).encode()


LIES = [
    (
        200,
        b"<html>Please log in</html>",
        "expected JSON, got `<html>Please log in</html>`; is the URL right",
    ),
    (200, b'{"status":"success","data":{"resultType":"vector","resu', "expected JSON, got"),
    (200, b'{"status":"success"}', "the server does not answer as Prometheus does"),
    (200, b"[1]", "the server does not answer as Prometheus does"),
    (200, b'{"status":"success","data":{"resultType":"vector","result":{}}}', "is it a Prometheus"),
    (200, answer([{"metric": {}, "value": ["x", "y"]}]), "is it a Prometheus"),
    (
        400,
        b'{"status":"error","errorType":"bad_data","error":"parse error: x"}',
        "Prometheus refused the query: parse error: x",
    ),
    (422, b'{"status":"error","error":"query timed out"}', "Prometheus said 422: query timed out"),
    (401, b"no", "Prometheus said 401: no"),
    (404, b"404 page not found", "not found; is the URL a Prometheus'"),
]


@pytest.mark.parametrize(("status", "body", "words"), LIES)
def test_a_server_that_is_no_prometheus_is_told_in_every_panel(folder, status, body, words):
    with lying(lambda: (status, body)) as (_, url):
        _, found = views(folder, url)
    for view in found:
        assert view["kind"] == "failed"
        assert words in view["message"]
        assert "items" not in view


def test_a_server_that_is_not_there_is_told_in_every_panel_and_choice(folder):
    board, found = views(folder, "http://127.0.0.1:9")
    for view in found:
        assert view["kind"] == "failed"
        assert "Connection refused" in view["message"]
    assert "Connection refused" in board["variables"][0]["note"]


def test_a_server_that_never_ends_its_answer_is_given_up(folder, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(source, "_OPTIONS", replace(source._OPTIONS, timeout=0.3, deadline=0.4))
    ended = threading.Event()
    with lying(lambda: (ended.wait(20), (200, b"{}"))[1]) as (_, url):
        begun = time.monotonic()
        _, found = views(folder, url)
        ended.set()
    assert time.monotonic() - begun < 15
    assert all("no answer in time" in view["message"] for view in found)


def test_an_answer_that_is_too_large_is_not_read_to_its_end(folder, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(source, "_OPTIONS", replace(source._OPTIONS, max_bytes=1000))
    with lying(lambda: (200, answer([{"metric": {"a": "x" * 2000}, "value": [0, "1"]}]))) as (
        _,
        url,
    ):
        _, found = views(folder, url)
    assert all("the answer is larger than 1000 bytes" in view["message"] for view in found)


def test_many_series_are_cut_and_that_is_said(folder):
    many = [{"metric": {"n": str(n)}, "value": [0, "1"]} for n in range(source.MAX_SERIES + 1)]
    with lying(lambda: (200, answer(many))) as (_, url):
        _, found = views(folder, url)
    assert found[4]["notes"] == ["only the first 500 of 501 series are shown"]
    assert len(found[4]["items"]) == 500


def test_warnings_of_prometheus_are_passed_on(folder):
    body = json.loads(answer([{"metric": {}, "value": [0, "1"]}])) | {
        "warnings": ["PromQL info: odd"]
    }
    with lying(lambda: (200, json.dumps(body).encode())) as (_, url):
        _, found = views(folder, url)
    assert found[0]["notes"] == ["Prometheus warns: PromQL info: odd"]
    assert found[0]["items"][0]["text"] == "1"


def test_not_a_number_and_infinity_pass_through_json(folder):
    for text, shown in (("NaN", "no data"), ("+Inf", "∞"), ("-Inf", "-∞")):
        body = answer([{"metric": {}, "value": [0, text]}])
        with lying(lambda body=body: (200, body)) as (_, url):
            _, found = views(folder, url)
        assert found[0]["items"][0]["text"] == shown
        assert found[2]["rows"][0][-1]["text"] == shown


def test_no_more_than_four_requests_reach_prometheus_at_once(folder):
    body = answer([{"metric": {}, "value": [0, "1"]}])

    def slowly():
        time.sleep(0.05)
        return 200, body

    with lying(slowly) as (server, url), serve(folder, url) as running:
        threads = [
            threading.Thread(target=get, args=(running.url, f"/api/panel/x/1?{RANGE}&at={n}"))
            for n in range(16)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert 1 < server.most <= 4


def test_a_dashboard_that_changed_on_disk_is_read_again(folder):
    with serve(folder, "http://127.0.0.1:9") as running:
        assert json.loads(get(running.url, "/api/board/x")[2])["title"] == "X"
        found = json.loads((folder / "x.json").read_text())
        (folder / "x.json").write_text(json.dumps(found | {"title": "Y"}))
        assert json.loads(get(running.url, "/api/board/x")[2])["title"] == "Y"
        (folder / "x.json").write_text("{")
        assert "expected JSON" in json.loads(get(running.url, "/api/board/x")[2])["error"]


ADDRESSES = [
    ("/api/board/nothing", "there is no dashboard nothing"),
    ("/api/panel/x/99", "`x` has no panel `99`"),
    ("/api/board/x?from=now&to=now-1h", "must be before"),
    (
        "/api/board/x?" + "&".join(f"a{n}=1" for n in range(600)),
        "the address has too many parameters",
    ),
    ("/api/board/..%2F..%2Fetc%2Fpasswd", "there is no dashboard"),
]


@pytest.mark.parametrize(("path", "words"), ADDRESSES)
def test_an_odd_address_gives_words(folder, path, words):
    with serve(folder, "http://127.0.0.1:9") as running:
        _, _, text = get(running.url, path)
    assert words in json.loads(text)["error"].replace("`nothing`", "nothing")


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/app.py",
        "/api",
        "/api/query?query=up",
        "/api/panel/x",
        "//evil.example/d/x",
        "/page/",
    ],
)
def test_nothing_but_the_page_and_its_answers_is_served(folder, path):
    with serve(folder, "http://127.0.0.1:9") as running:
        status, _, text = get(running.url, path)
    assert (status, text) == (404, "nothing here; the dashboards are listed at /\n")


def test_another_site_may_not_make_it_ask(folder):
    with serve(folder, "http://127.0.0.1:9") as running:
        status, _, _ = get(running.url, "/api/board/x", **{"Sec-Fetch-Site": "cross-site"})
        assert status == 403
        status, _, _ = get(running.url, "/d/x", **{"Sec-Fetch-Site": "cross-site"})
        assert status == 200


def test_a_file_of_the_page_is_sent_once(folder):
    with serve(folder, "http://127.0.0.1:9") as running:
        _, headers, text = get(running.url, "/page/plotly.js")
        assert len(text) > 4_000_000
        status, _, again = get(running.url, "/page/plotly.js", **{"If-None-Match": headers["ETag"]})
    assert (status, again) == (304, "")


def test_a_mistake_of_ours_is_told_and_does_not_end_the_server(folder, capfd):
    board = json.loads((folder / "x.json").read_text())
    board["panels"][0]["fieldConfig"]["defaults"]["thresholds"] = 5
    (folder / "x.json").write_text(json.dumps(board))
    with (
        lying(lambda: (200, answer([{"metric": {}, "value": [0, "1"]}]))) as (_, url),
        serve(folder, url) as running,
    ):
        status, _, text = get(running.url, f"/api/panel/x/1?{RANGE}")
        assert status == 200
        assert "this is a bug in sloforge" in json.loads(text)["error"]
        assert "Traceback" in capfd.readouterr().err
        assert get(running.url)[0] == 200


def test_a_token_is_sent_and_never_shown(folder, monkeypatch, tmp_path):
    from sloforge.preview.app import App
    from sloforge.preview.serving import serving
    from sloforge.web import Secret

    monkeypatch.setenv("PREVIEW_TOKEN", "s3cr3t")
    refused = b'{"status":"error","error":"no such token: s3cr3t"}'
    with lying(lambda: (401, refused)) as (server, url):
        app = App(folder, source.Prometheus(url, Secret(variable="PREVIEW_TOKEN")))
        with serving(app) as running:
            text = get(running.url, f"/api/panel/x/1?{RANGE}")[2]
        assert server.tokens == {"Bearer s3cr3t"}
    assert "no such token: ***" in text
    assert "s3cr3t" not in text
