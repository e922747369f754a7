"""The server of the preview: GET only, from this machine only, no script but our own files.

For other rooms there is one function:

    serve(folder: Path, prometheus: str, *, host: str = "127.0.0.1", port: int = 0) -> Serving

`folder` holds dashboards as JSON, as `dashboards/` does; they are read again for every request.
Port 0 takes a free one. `Serving` is a context manager with `.url` (no closing slash; a board is at
`.url + "/d/" + uid`), `.board(uid)` and `.close()`; it answers from threads of its own until then.
"""

from __future__ import annotations

import ipaddress
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore, Thread
from types import TracebackType
from typing import Self

from sloforge.errors import Problem
from sloforge.preview.app import App, Reply
from sloforge.preview.source import Prometheus

# Nothing is fetched from elsewhere, nothing runs that is not a file of ours, and no other page
# shows this one in a frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# A client that sends half a request holds a thread no longer than this, in seconds.
PATIENCE = 30.0
# So many requests are worked on at once; the others wait.
AT_ONCE = 24
LONGEST_PATH = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server that runs until it is closed."""

    url: str
    _server: _Server = field(repr=False)
    _thread: Thread = field(repr=False)

    def board(self, uid: str) -> str:
        """Where a dashboard is shown."""
        return f"{self.url}/d/{uid}"

    def close(self) -> None:
        """Stops the server; the port is free afterwards."""
        self._server.shutdown()
        self._server.server_close()
        self._server.app.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(folder: Path, prometheus: str, *, host: str = "127.0.0.1", port: int = 0) -> Serving:
    """Serves the dashboards of a folder. Raises Problem where it cannot."""
    return serving(App(folder, Prometheus(prometheus)), host=host, port=port)


def serving(app: App, *, host: str = "127.0.0.1", port: int = 0) -> Serving:
    """Serves an app. Raises Problem where the address cannot be used."""
    try:
        server = _Server(app, host, port)
    except (OSError, OverflowError) as error:
        app.close()
        reason = getattr(error, "strerror", None) or error
        raise Problem(
            f"cannot listen on {host}:{port}: {reason}; choose another --host or --port"
        ) from None
    thread = Thread(target=server.serve_forever, args=(0.05,), name="preview", daemon=True)
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    return Serving(url=f"http://{shown}:{server.port}", _server=server, _thread=thread)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: App, host: str, port: int) -> None:
        self.app = app
        self.host = host
        self.turns = BoundedSemaphore(AT_ONCE)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def is_for_us(self, named: str) -> bool:
        """Whether a Host header names this server.

        A page of another site may have its own name point here (DNS rebinding), but it cannot
        have a number for a name.
        """
        name, port = _split(named)
        if port not in (str(self.port), "" if self.port == _HTTP else str(self.port)):
            return False
        if name in ("localhost", self.host):
            return True
        try:
            found = ipaddress.ip_address(name)
        except ValueError:
            return False
        return found.is_loopback or not is_loopback(self.host)

    def handle_error(self, *_: object) -> None:
        """A client that hung up in the middle is no news."""


_HTTP = 80


def _split(named: str) -> tuple[str, str]:
    """`[::1]:80` -> `::1`, `80`."""
    if named.startswith("["):
        name, _, rest = named[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = named.partition(":")
    return name.lower(), port


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server_version, sys_version = "sloforge", ""

    def do_GET(self) -> None:
        with self.server.turns:
            reply = self._reply()
        self._send(reply)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _reply(self) -> Reply:
        if not self.server.is_for_us(self.headers.get("Host", "")):
            return Reply.words(421, "this server is known by its own address only")
        if self.headers.get("Sec-Fetch-Site") == "cross-site" and "/api/" in self.path:
            return Reply.words(403, "another site may not ask this one")
        if len(self.path) > LONGEST_PATH:
            return Reply.words(414, "the address is too long")
        try:
            return self.server.app.answer(self.path)
        except Exception:  # noqa: BLE001 - one panel that is our fault does not end the server
            traceback.print_exc()
            return Reply.json(200, {"error": "this is a bug in sloforge; its terminal says more"})

    def _send(self, reply: Reply) -> None:
        known = self.headers.get("If-None-Match")
        if reply.tag and known == reply.tag:
            reply = Reply(status=304, kind=reply.kind, body=b"", tag=reply.tag)
        self.send_response(reply.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-cache" if reply.tag else "no-store")
        if reply.tag:
            self.send_header("ETag", reply.tag)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """A line for every request helps nobody."""
