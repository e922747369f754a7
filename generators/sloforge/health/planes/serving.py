"""The exporter: an HTTP server that asks the store at every scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from sloforge.errors import Problem

# A client that sends half a request holds a thread no longer than this.
PATIENCE = 10.0
LAST_PORT = 65_535
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is written anew for every request, and its content type."""

    kind: str
    render: Callable[[], str]


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:9480`, `[::1]:9480`, `:9480`. Raises Problem."""
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) <= LAST_PORT):
        raise Problem(f"listen: expected an address such as 127.0.0.1:9480, got `{text}`")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - `:9480` asks for all of them


@contextmanager
def served(where: tuple[str, int], pages: Mapping[str, Page]) -> Iterator[int]:
    """Serves the pages and /healthz until the block ends; gives the port. Raises Problem."""

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE
        server_version, sys_version = "sloforge", ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in pages:
                self._answer(200, pages[path].kind, pages[path].render())
            elif path == "/healthz":
                self._answer(200, PLAIN, "ok\n")
            else:
                self._answer(404, PLAIN, f"see {', '.join(sorted(pages))}\n")

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A line for every scrape helps nobody."""

    try:
        server = _Server(where, Handler)
    except OSError as error:
        message = f"listen: cannot use {where[0]}:{where[1]}: {error.strerror}"
        raise Problem(message) from None
    thread = Thread(target=server.serve_forever, args=(0.05,), name="exporter", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, where: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in where[0]:
            import socket  # noqa: PLC0415 - for its one constant

            self.address_family = socket.AF_INET6
        super().__init__(where, handler)

    def handle_error(self, *_: object) -> None:
        """A client that hung up in the middle is no news."""
