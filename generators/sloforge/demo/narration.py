"""What is printed: a line for everything that happens, with the time, the messages as messages."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.style import Style
from rich.text import Text

from sloforge.demo.messages import Link, Message

WIDTH = 100
# The columns of the time, of the word that says what a line is about, and of what a link is to.
CLOCK, WORD, LABEL = 10, 11, 11
INDENT = CLOCK + WORD
WHOLE = {"Runbook", "Dashboard"}
STYLES: Mapping[str, str] = {
    "FIRING": "bold red",
    "PAGE": "bold red",
    "TICKET": "bold yellow",
    "pending": "yellow",
    "break": "red",
    "mend": "green",
    "RESOLVED": "bold green",
    "ended": "green",
    "inhibited": "cyan",
    "released": "cyan",
    "missing": "bold red",
    "done": "bold green",
}
Clock = Callable[[], datetime]


def utc() -> datetime:
    return datetime.now(UTC)


class Narrator:
    """Writes to a terminal or a pipe; lines are never wider than 100 columns, but for a link."""

    def __init__(self, console: Console, clock: Clock = utc) -> None:
        self._console, self._clock = console, clock
        self._deaf = False
        self._width = min(WIDTH, console.width) if console.is_terminal else WIDTH

    @property
    def is_deaf(self) -> bool:
        """Whether what was printed last could not be: the terminal or the pipe is closed."""
        return self._deaf

    def title(self, text: str) -> None:
        self._print(Text(text, style="bold"))

    def note(self, text: str) -> None:
        """A paragraph."""
        for part in textwrap.wrap(text, self._width - 2):
            self._print(Text(f"  {part}", style="dim"))
        self._print(Text())

    def addresses(self, found: Mapping[str, str]) -> None:
        self._print(Text())
        width = max(map(len, found)) + 2
        for name, url in found.items():
            line = Text(f"  {name.ljust(width)}")
            self._print(line.append(url, style=Style(link=url, bold=True)))
        self._print(Text())

    def say(self, word: str, text: str) -> None:
        """A line; what is longer goes on below its beginning."""
        first, *more = textwrap.wrap(text, self._width - INDENT) or [""]
        line = Text(self._clock().strftime("%H:%M:%S").ljust(CLOCK), style="dim")
        line.append(word.ljust(WORD), style=STYLES.get(word, "not dim"))
        line.append(first, style="not dim")
        self._print(line)
        for part in more:
            self._print(Text(" " * INDENT + part))

    def message(self, message: Message, severity: str) -> None:
        """As the one who gets it sees it; without a text it is a line."""
        word = "RESOLVED" if message.over else severity.upper() or "ALERT"
        if not message.lines:
            self.say(word, f"{message.channel} {message.title}")
            return
        self.say(word, f"a message in {message.channel}:")
        for part in textwrap.wrap(message.title, self._room):
            self._row(part, style="bold")
        for line in message.lines:
            self._line(line)
        self._print(Text())

    @property
    def _room(self) -> int:
        """The columns within a message."""
        return self._width - CLOCK - 2

    def _line(self, line: str | Link) -> None:
        if isinstance(line, str):
            for part in textwrap.wrap(line, self._room) or [""]:
                self._row(part)
            return
        # What is long for its query is cut; runbook and dashboard must be whole to be opened.
        room = self._room - LABEL
        is_whole = line.text in WHOLE or len(line.url) <= room
        shown = line.url if is_whole else f"{line.url[: room - 1]}…"
        self._row(line.text.ljust(LABEL), url=Text(shown, Style(link=line.url, color="blue")))

    def _row(self, text: str, *, style: str = "", url: Text | None = None) -> None:
        row = Text(" " * CLOCK)
        row.append("│ ", style="dim").append(text, style=style)
        row.append_text(url or Text())
        row.rstrip()
        self._print(row)

    def _print(self, text: Text) -> None:
        try:
            self._console.print(text, soft_wrap=True, highlight=False)
        except OSError:
            self._deaf = True
            raise
