"""Small servers on loopback that answer exactly the bytes a test wants, and keep what they were asked."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

BODY = b"x 1\n"


@dataclass
class Server:
    url: str
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)


Answer = Callable[[socket.socket, bytes, Server], object]


def answer(head: bytes, body: bytes = BODY) -> Answer:
    """Sends a head and a body, and closes."""
    return lambda connection, request, server: connection.sendall(head + b"\r\n\r\n" + body)


def whole(body: bytes = BODY, status: bytes = b"200 OK", more: bytes = b"") -> Answer:
    head = b"HTTP/1.1 %s\r\nContent-Length: %d%s" % (status, len(body), more)
    return answer(head, body)


@contextlib.contextmanager
def serving(how: Answer, host: str = "127.0.0.1", path: Path | None = None) -> Iterator[Server]:
    """Answers every connection in its own thread; `path` makes it a unix socket."""
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        server = Server(f"unix:{path}")
    else:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        server = Server(f"http://{shown}:{port}/metrics", port)
    listener.listen(64)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                data = connection.recv(65536)
                if not data:
                    return
                request += data
            server.requests.append(request)
            how(connection, request, server)
            # Whatever is still unread would turn the close into a reset.
            connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stopped.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
