"""The socket: reads requests, keeps a log of them, lets faults happen."""

from __future__ import annotations

import base64
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.grafana_server.faults import Fault, Script
from tests.grafana_server.replies import Refused
from tests.grafana_server.routes import Call, handler, login_of
from tests.grafana_server.store import EVERYTHING, Behaviour, Store

TOKEN = "glsa_" + "k7Q2mZx9" * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    body: Any
    status: int


class GrafanaServer:
    """On a free port of loopback, in a thread; closes with its context."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.store = Store(behaviour or Behaviour())
        self.store.tokens[TOKEN] = dict.fromkeys(EVERYTHING, ("*",))
        self.script = Script()
        self.seen: list[Seen] = []
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.grafana = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{self.store.behaviour.sub_path}"

    def grant(self, token: str, rights: dict[str, tuple[str, ...]]) -> None:
        self.store.tokens[token] = rights

    def writes(self) -> list[Seen]:
        """The requests that could have changed something."""
        return [seen for seen in self.seen if seen.method != "GET"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.cut_all()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    grafana: GrafanaServer

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        """A client that keeps its connection does not keep a thread alive with it."""
        for one in list(self._open):
            with _quietly():
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what many tests are about."""


class _quietly:  # noqa: N801 - reads as a verb
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silence."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        grafana = self.server.grafana
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        split = urlsplit(self.path)
        path = unquote(split.path)
        fault = grafana.script.next(self.command, path)
        if fault and fault.before:
            fault.before(path)
        kept = fault is None or fault.kind == "only"
        if kept or (fault and (fault.committed or fault.kind in ("cut", "unframed"))):
            status, answer = self._answer(path, split.query, raw)
        else:
            status, answer = 0, None
        body = json.loads(raw) if raw.startswith(b"{") else None
        grafana.seen.append(Seen(method=self.command, path=self.path, body=body, status=status))
        text = json.dumps(answer).encode()
        if fault is None or fault.kind == "only":
            self._send(status, text)
        else:
            self._spoil(fault, status, text)

    def _answer(self, path: str, query: str, raw: bytes) -> tuple[int, Any]:
        store = self.server.grafana.store
        prefix = store.behaviour.sub_path
        try:
            if not path.startswith(prefix):
                raise Refused(404, "Not found")
            path = path.removeprefix(prefix)
            if path == "/api/health" and self.command == "GET":
                hidden = (
                    {} if store.behaviour.hide_version else {"version": store.behaviour.version}
                )
                return 200, {"database": "ok"} | hidden
            with store.lock:
                login = login_of(store, *self._credentials())
                org = self.headers.get("x-grafana-org-id")
                if org and org != str(store.behaviour.org_id):
                    raise Refused(401, "Unauthorized")
                function, parts = handler(self.command, path)
                body = _json(raw)
                call = Call(store=store, login=login, parts=parts, lists=parse_qs(query), body=body)
                return 200, function(call)
        except Refused as refused:
            return refused.status, refused.body

    def _credentials(self) -> tuple[str, tuple[str, str]]:
        scheme, _, value = (self.headers.get("authorization") or "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(value).decode().partition(":")
            return "basic", (user, password)
        return scheme.lower(), ("", value)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _spoil(self, fault: Fault, status: int, body: bytes) -> None:
        if fault.kind == "status":
            self._send(fault.status, fault.body.encode(), dict(fault.headers))
            return
        self.close_connection = True
        if fault.kind in ("cut", "unframed"):
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            if fault.kind == "cut":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
        elif fault.kind == "silent":
            # Until the client has had enough, or the server is closed.
            with _quietly():
                self.connection.recv(1)


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(400, "bad request data") from None
