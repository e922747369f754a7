"""Headless Chromium over a pipe: opens a page, waits until it says it is drawn, takes a picture.

No port is opened and nothing is installed for it: the DevTools protocol runs over two file
descriptors, as `--remote-debugging-pipe` asks for.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any, Literal

from sloforge.errors import Problem

Json = dict[str, Any]
Theme = Literal["light", "dark"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Seconds for the browser's start and for each answer, and for a dashboard to be drawn.
PATIENCE, DRAWING = 30.0, 120.0
# Chromium draws no texture that is higher.
MOST_HEIGHT = 16_000
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--force-color-profile=srgb",
)
_DRAWN = """new Promise((done) => {
  const drawn = () => document.documentElement.dataset.drawn === "yes";
  if (drawn()) done(true);
  document.addEventListener("sloforge:drawn", () => done(true));
})"""
_HEIGHT = "Math.ceil(document.querySelector('main').getBoundingClientRect().bottom + scrollY)"


def find() -> str:
    """The path of the browser. Raises Problem where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise Problem(
            f"--png: needs Chromium, and none of {', '.join(NAMES)} is on PATH; "
            "install it, as with `apt-get install chromium`"
        )
    return found


@dataclass(slots=True)
class Browser:
    """A running browser; one page is open at a time."""

    _read: int
    _write: int
    _last: int = 0
    _rest: bytes = b""
    _session: str = ""
    _events: list[Json] = field(default_factory=list)

    def picture(self, url: str, *, width: int, theme: Theme) -> bytes:
        """The whole page as PNG. Raises Problem where it is not drawn in time."""
        media = [{"name": "prefers-color-scheme", "value": theme}]
        self._ask("Emulation.setEmulatedMedia", features=media)
        self._size(width, 1000)
        self._ask("Page.navigate", url=url)
        self._until("Page.loadEventFired", url)
        self._evaluate(_DRAWN, DRAWING, url)
        self._size(width, min(max(int(self._evaluate(_HEIGHT, PATIENCE, url)), 200), MOST_HEIGHT))
        # Two frames later the new height is laid out and painted.
        frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self._evaluate(frames, PATIENCE, url)
        shot = self._ask("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        return base64.b64decode(shot["data"])

    def open(self) -> None:
        """A page to work in."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self._ask("Page.enable")

    def close(self) -> None:
        self._session = ""
        with suppress(Problem, OSError):
            self._ask("Browser.close")

    def _size(self, width: int, height: int) -> None:
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _evaluate(self, expression: str, patience: float, url: str) -> Any:
        try:
            found = self._ask(
                "Runtime.evaluate",
                patience,
                expression=expression,
                awaitPromise=True,
                returnByValue=True,
            )
        except _LateError:
            raise Problem(f"{url}: was not drawn within {patience:.0f} s") from None
        if "exceptionDetails" in found:
            raise Problem(f"{url}: the page failed: {found['exceptionDetails'].get('text')}")
        return found["result"].get("value")

    def _until(self, event: str, url: str) -> None:
        end = time.monotonic() + PATIENCE
        try:
            while not any(one.get("method") == event for one in self._events):
                self._events.append(self._message(end))
        except _LateError:
            raise Problem(f"{url}: was not loaded within {PATIENCE:.0f} s") from None

    def _ask(self, method: str, patience: float = PATIENCE, **parameters: object) -> Json:
        self._last += 1
        self._events.clear()
        asked: Json = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        data = memoryview(json.dumps(asked).encode() + b"\0")
        try:
            while data:
                data = data[os.write(self._write, data) :]
        except OSError as error:
            raise Problem(f"the browser has ended: {error.strerror}") from None
        end = time.monotonic() + patience
        while True:
            said = self._message(end)
            if said.get("id") == self._last:
                if "error" in said:
                    raise Problem(f"the browser refused {method}: {said['error'].get('message')}")
                found: Json = said.get("result", {})
                return found
            self._events.append(said)

    def _message(self, end: float) -> Json:
        while b"\0" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select([self._read], [], [], left)[0]:
                raise _LateError("the browser does not answer")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise Problem("the browser ended by itself; does it start outside of sloforge?")
            self._rest += part
        first, _, self._rest = self._rest.partition(b"\0")
        found: Json = json.loads(first)
        return found


class _LateError(Problem):
    """Time is up."""


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """A browser with a profile of its own that is gone afterwards. Raises Problem."""
    with tempfile.TemporaryDirectory(prefix="sloforge-", ignore_cleanup_errors=True) as profile:
        options = [*_OPTIONS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            # Chromium refuses to start as root with its sandbox.
            options.append("--no-sandbox")
        pid, read, write = _started(path, options, Path(profile) / "log")
        try:
            found = Browser(read, write)
            found.open()
            yield found
            found.close()
        finally:
            os.close(write)
            os.close(read)
            _end(pid)


def _started(path: str, options: list[str], log: Path) -> tuple[int, int, int]:
    """The process in a group of its own, and our ends of its two pipes."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # File descriptors 3 and 4 are those that Chromium reads and writes.
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    high = [_above(end) for end in (theirs_in, theirs_out)]
    actions += [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
    try:
        pid = os.posix_spawn(
            path, [path, *options], _environment(), file_actions=actions, setpgroup=0
        )
    except OSError as error:
        os.close(ours_in)
        os.close(ours_out)
        raise Problem(f"{path}: cannot be started: {error.strerror}") from None
    finally:
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
    return pid, ours_in, ours_out


def _above(end: int) -> int:
    """A copy that is neither 3 nor 4, which are about to be replaced."""
    import fcntl  # noqa: PLC0415 - there is none on Windows, where nothing else of this runs

    return fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)


def _environment() -> Mapping[str, str]:
    """Ours without a desktop, to which the browser would talk."""
    return {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}


def _end(pid: int) -> None:
    """Asks the whole group to end, and waits for it; not for long."""
    for number, patience in ((0, 3.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
        if number:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if os.waitpid(pid, os.WNOHANG)[0]:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                return
            time.sleep(0.02)
