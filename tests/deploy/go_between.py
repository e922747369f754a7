"""Stands between a deploy and a real server, and changes what the server answers."""

import contextlib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The path that was asked and what the server answered -> what is passed on.
Lie = Callable[[str, str], str]


@contextlib.contextmanager
def go_between(url: str, lie: Lie) -> Iterator[str]:
    """Passes every request on to `url`; yields its own URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        def _pass_on(self, body: bytes | None) -> None:
            try:
                with urllib.request.urlopen(f"{url}{self.path}", data=body, timeout=10) as answer:
                    status, text = answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    status, text = error.code, error.read().decode()
            sent = lie(self.path.partition("?")[0], text).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
