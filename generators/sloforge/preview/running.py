"""What `sloforge preview` does: serve, or write a file, pictures or a recording."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

from sloforge.errors import Problem
from sloforge.preview import chromium, files, source
from sloforge.preview.app import App
from sloforge.preview.boards import Dashboard, boards
from sloforge.preview.moments import span
from sloforge.preview.opened import Query
from sloforge.preview.recording import Recorder, Replay
from sloforge.preview.serving import is_loopback, serving
from sloforge.preview.source import Prometheus, Source
from sloforge.preview.static import Recording, View, document
from sloforge.web import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command."""

    prometheus: str
    token_env: str
    host: str
    port: int
    static: Path | None
    png: Path | None
    dashboard: tuple[str, ...]
    variables: tuple[str, ...]
    first: str
    last: str
    back: str
    theme: chromium.Theme
    width: int
    record: Path | None
    replay: Path | None
    sample: bool

    @property
    def query(self) -> Query:
        """The time range and the variables, as a page's address holds them."""
        first = f"now-{self.back}" if self.back else self.first
        pairs = (("from", first), ("to", self.last))
        query: dict[str, tuple[str, ...]] = {name: (value,) for name, value in pairs if value}
        for name, _, value in (one.partition("=") for one in self.variables):
            query[f"var-{name}"] = (*query.get(f"var-{name}", ()), value)
        return query


def run(folder: Path, asked: Asked) -> int:
    """Raises Problem for what the user can put right; nothing is left half-written."""
    found = boards(folder, asked.dashboard)
    _known(asked, found)
    numbers, clock = _numbers(asked)
    now = clock()
    first, last = (asked.query.get(name, (usual,))[0] for name, usual in _USUAL)
    span(first, last, now)
    writes = asked.static or asked.png or asked.record
    if not writes:
        return _serve(App(folder, numbers, clock, asked.dashboard), asked)
    _reach(numbers)
    recorder = Recorder(numbers) if asked.record else None
    numbers = recorder or numbers
    if asked.png:
        _pictures(App(folder, numbers, lambda: now, asked.dashboard), asked, [b.uid for b in found])
    if asked.static or asked.record:
        sample = asked.sample or getattr(numbers, "sample", False)
        text = document(found, View(asked.query, numbers, now), _about(now, sample=sample))
        if asked.static:
            files.write(asked.static, text.encode())
            _say(f"{asked.static}: {len(found)} dashboards, {len(text) / 2**20:.1f} MiB")
    if recorder and asked.record:
        files.write(asked.record, recorder.text(now, sample=asked.sample).encode())
        _say(f"{asked.record}: the answers for {len(found)} dashboards")
    numbers.close()
    return 0


def _known(asked: Asked, found: tuple[Dashboard, ...]) -> None:
    """A variable that no dashboard has would change nothing, in silence."""
    names = {str(variable.get("name")) for board in found for variable in board.variables}
    for name in sorted({one.partition("=")[0] for one in asked.variables} - names):
        raise Problem(
            f"--var {name}: none of these dashboards has this variable, "
            f"expected one of {', '.join(sorted(names)) or 'none at all'}"
        )


_USUAL = (("from", "now-6h"), ("to", "now"))


def _numbers(asked: Asked) -> tuple[Source, Callable[[], float]]:
    if asked.replay:
        replay = Replay(asked.replay)
        return replay, replay.clock
    token = Secret(variable=asked.token_env) if asked.token_env else None
    return Prometheus(asked.prometheus, token), time.time


def _reach(numbers: Source) -> None:
    """A file full of excuses is worth nothing: one question first."""
    if isinstance(numbers, Prometheus):
        numbers.ask(source.instant("vector(1)", time.time()))


def _about(now: float, *, sample: bool) -> Recording:
    moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    what = "Sample data, not of any real system." if sample else "Recorded."
    return Recording(banner=f"{what} The numbers are of {moment} and do not change.", sample=sample)


def _pictures(app: App, asked: Asked, uids: list[str]) -> None:
    """One after the other, in one browser."""
    path = chromium.find()
    if asked.png is None:
        return
    query = {**asked.query, "theme": (asked.theme,)}
    with serving(app) as server, chromium.browser(path) as browser:
        for uid in uids:
            url = f"{server.board(uid)}?{urlencode(query, doseq=True)}"
            data = browser.picture(url, width=asked.width, theme=asked.theme)
            file = asked.png / f"{uid}.png"
            files.write(file, data)
            _say(f"{file}: {len(data) // 1024} KiB")


def _serve(app: App, asked: Asked) -> int:
    """Until Ctrl-C or a polite signal."""
    ended = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with serving(app, host=asked.host, port=asked.port) as server:
            for number in before:
                signal.signal(number, lambda *_: ended.set())
            if not is_loopback(asked.host):
                _warn(
                    f"listening on {asked.host}: whoever reaches it can read everything that "
                    "Prometheus knows; there is no login"
                )
            where = server.url
            if len(asked.dashboard) == 1:
                query = urlencode(asked.query, doseq=True)
                where = server.board(asked.dashboard[0]) + (f"?{query}" if query else "")
            _say(f"{where} shows {app.source}; Ctrl-C ends it")
            sys.stdout.flush()
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")
