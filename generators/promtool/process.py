"""Start promtool as a child process that never outlives its time, its caller or an interrupt."""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from promtool.errors import TimedOutError, ToolError

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  only its existence matters: tempfile makes the names
_ENOUGH = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A process that ended by itself; `output` is stdout and stderr in the order of writing."""

    code: int
    output: str
    duration: float


class Children:
    """The processes that are running now, so that all of them can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    @contextlib.contextmanager
    def start(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process in a group of its own; the group is killed when the block is left."""
        process = self._spawn(argv, environment)
        try:
            yield process
        finally:
            kill(process)
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Kill every running process and refuse to start another."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for process in running:
            _signal(process)

    def _spawn(
        self, argv: Sequence[str], environment: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise ToolError("no new promtool process: the run was interrupted; start it again")
            try:
                # A session of its own: an interrupt at the terminal reaches this program alone,
                # and one signal to the group reaches whatever a wrapper script has started.
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
            except OSError as error:
                text = f"cannot start `{argv[0]}`: {error.strerror}"
                raise ToolError(f"{text}; check that it is promtool for this machine") from error
            self._running.add(process)
            return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its group, reap it and close its pipe."""
    _signal(process)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    children: Children | None = None,
) -> Completed:
    """Run to the end; raises TimedOutError after `timeout` seconds."""
    began = time.monotonic()
    with (children or Children()).start(argv, environment) as process:
        chunks = tuple(read(process, lambda: began + timeout))
        if chunks and chunks[-1] is None:
            text = f"`{' '.join(argv[:3])} ...` was stopped after {timeout:g} s"
            raise TimedOutError(f"{text}; raise the timeout or make its input smaller")
        code = ended(process)
    output = b"".join(chunk for chunk in chunks if chunk).decode(errors="replace")
    return Completed(code=code, output=output, duration=time.monotonic() - began)


def read(process: subprocess.Popen[bytes], deadline: Callable[[], float]) -> Iterator[bytes | None]:
    """Yield what the process writes until it ends; a last None says that the deadline passed."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline() - time.monotonic())):
                yield None
                return
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                return
            yield chunk


def ended(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that has closed its output."""
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired as error:
        text = f"`{process.args!r}` closed its output but did not end"
        raise ToolError(f"{text}; check that the binary is promtool") from error


def scratch_parent() -> str | None:
    """Return the folder for temporary files: shared memory where there is enough of it."""
    if not _SHARED_MEMORY.is_dir() or not os.access(_SHARED_MEMORY, os.W_OK):
        return None
    # A container often has 64 MB only, which a few large tests fill.
    return str(_SHARED_MEMORY) if shutil.disk_usage(_SHARED_MEMORY).free >= _ENOUGH else None


def _signal(process: subprocess.Popen[bytes]) -> None:
    # The group is signalled even after its leader ended: a wrapper's child may be left. While the
    # leader is not reaped its number cannot be given to another process.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
