"""Fake workload planes on loopback, each with a behaviour that a test may change at any time."""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Behaviour:
    """What a plane does; all is well by default."""

    user: int = 200
    oracle: int = 200
    predict: int = 200
    submit: int = 202
    result: int = 200
    delay: float = 0.0
    async_seconds: float = 0.0
    state: str = "done"
    cached: bool = False
    hung: bool = False


@dataclass(slots=True)
class Server:
    """The planes by name; `asked` counts the checks that began, `nonces` what they sent."""

    url: str = ""
    planes: dict[str, Behaviour] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    nonces: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    cancelled: list[str] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)
    let_go: threading.Event = field(default_factory=threading.Event)
    _jobs: dict[str, tuple[float, str]] = field(default_factory=dict)
    _now: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plane(self, name: str) -> Behaviour:
        return self.planes.setdefault(name, Behaviour())

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name, kind, *rest = path.strip("/").split("/")
        does = self.plane(name)
        if kind == "users":
            with self._lock:
                self.asked[name] = self.asked.get(name, 0) + 1
        if does.hung:
            self.let_go.wait()
        match method, kind:
            case "GET", "users":
                return does.user, {"user": rest[0]}
            case "GET", "oracles":
                return does.oracle, {"oracle": rest[0]}
            case "POST", "predict":
                self.nonces.append(body["input"])
                time.sleep(does.delay)
                echo = "what a cache kept" if does.cached else body["input"]
                return does.predict, {"result": echo}
            case "POST", "async_predict":
                job = uuid.uuid4().hex
                self._jobs[job] = (time.monotonic(), body["input"])
                return does.submit, {"job": job}
            case "GET", "jobs":
                begun, nonce = self._jobs[rest[0]]
                done = time.monotonic() - begun >= does.async_seconds
                state = does.state if done else "pending"
                return does.result, {"status": state, "result": nonce}
            case "DELETE", "jobs":
                self.cancelled.append(rest[0])
                return 204, {}
        return 404, {}

    def entered(self, path: str) -> None:
        """Counts requests of a plane at once: one check never has two."""
        name = path.strip("/").split("/")[0]
        with self._lock:
            self._now[name] = self._now.get(name, 0) + 1
            self.most[name] = max(self.most.get(name, 0), self._now[name])

    def left(self, path: str) -> None:
        with self._lock:
            self._now[path.strip("/").split("/")[0]] -= 1


@contextlib.contextmanager
def planes_server() -> Iterator[Server]:
    """Serves at /<plane>/...; always stopped."""
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            found.tokens.add(self.headers.get("Authorization", ""))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            found.entered(self.path)
            try:
                status, answer = found.answer(self.command, self.path, body)
            finally:
                found.left(self.path)
            text = json.dumps(answer).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(0 if status == 204 else len(text)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(text)

        def do_GET(self) -> None:
            self.handle_any()

        def do_POST(self) -> None:
            self.handle_any()

        def do_DELETE(self) -> None:
            self.handle_any()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 512

        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
