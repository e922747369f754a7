"""One server on loopback for what is not real: scrape targets, the on-call's phone, runbooks."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sloforge.demo.service import Service
from sloforge.errors import Problem

TARGETS, NOTIFY, RUNBOOKS = "/targets/", "/notify/", "/runbooks/"
MOST_BYTES = 2**20
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message of Alertmanager: by which kind of integration, to which receiver."""

    kind: str
    receiver: str
    body: dict[str, Any]


class Desk:
    """What the server serves, and the deliveries that it took."""

    def __init__(self, service: Service, url: str, runbooks: Path) -> None:
        self.service, self.url = service, url
        self._deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._runbooks = {
            path.relative_to(runbooks).as_posix(): path for path in runbooks.rglob("*.md")
        }

    def page(self, path: str) -> str | None:
        """The text of a page; None where there is none."""
        if path.startswith(TARGETS):
            name, _, metrics = path.removeprefix(TARGETS).partition("/")
            return self.service.scraped(name) if metrics == "metrics" else None
        found = self._runbooks.get(path.removeprefix(RUNBOOKS))
        return found.read_text(encoding="utf-8") if found else None

    def taken(self) -> Iterator[Delivery]:
        """What has been delivered since the last time."""
        while not self._deliveries.empty():
            yield self._deliveries.get()

    def take(self, path: str, body: bytes) -> bool:
        """Whether the request was one of ours."""
        if path in ("/break", "/mend"):
            self.service.shatter() if path == "/break" else self.service.mend()
            return True
        kind, _, receiver = path.removeprefix(NOTIFY).partition("/")
        if not path.startswith(NOTIFY) or not receiver:
            return False
        found = json.loads(body)
        self._deliveries.put(Delivery(kind=kind, receiver=receiver, body=found))
        return True


@contextmanager
def serving(desk: Desk, port: int) -> Iterator[None]:
    """Raises Problem where the port is taken."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(desk))
    except OSError as error:
        raise Problem(f"127.0.0.1:{port}: cannot listen: {error.strerror}; free it") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = desk.page(self.path.partition("?")[0])
            self._answer(HTTPStatus.OK if text is not None else HTTPStatus.NOT_FOUND, text or "")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            size = int(length) if length.isdecimal() else 0
            if size > MOST_BYTES:
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "")
                return
            try:
                taken = desk.take(self.path, self.rfile.read(size))
            except ValueError:
                self._answer(HTTPStatus.BAD_REQUEST, "expected JSON\n")
                return
            # PagerDuty answers 202 to an event that it took.
            paged = self.path.startswith(f"{NOTIFY}pagerduty/")
            good = HTTPStatus.ACCEPTED if paged else HTTPStatus.OK
            self._answer(good if taken else HTTPStatus.NOT_FOUND, "ok\n" if taken else "")

        def _answer(self, status: HTTPStatus, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", TEXT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Says nothing: the terminal is for the tale."""

    return Handler
