"""What Alertmanager sends to Slack, PagerDuty and webhooks -> the lines that a person would see."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LINK = re.compile(r"<(?P<url>[^|>]+)\|(?P<text>[^>]+)>")
_EMOJI = re.compile(r":[a-z_]+: ?")
_MARKED = re.compile(r"(?<!\w)([*_])(\S(?:[^*_\n]*\S)?)\1(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A line of a message that leads somewhere."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`over` says that it tells of the end; `channel` how it reaches whom."""

    channel: str
    title: str
    lines: tuple[str | Link, ...]
    over: bool

    @property
    def links(self) -> Mapping[str, str]:
        """Its links by their text."""
        return {line.text: line.url for line in self.lines if isinstance(line, Link)}


def slack(body: Mapping[str, Any]) -> Message:
    """The first attachment, as all of ours have one."""
    attachment = body["attachments"][0]
    title = str(attachment["title"])
    return Message(
        channel=f"Slack {body.get('channel', '')}".strip(),
        title=html.unescape(title),
        lines=tuple(_lines(str(attachment["text"]))),
        over=title.startswith("[RESOLVED]"),
    )


def pagerduty(body: Mapping[str, Any]) -> Message:
    """An event of the Events API v2; one that resolves has no payload to speak of."""
    payload = body.get("payload") or {}
    over = body["event_action"] == "resolve"
    wakes = "its incident is resolved" if over else f"wakes the on-call, {payload['severity']}"
    return Message(
        channel="PagerDuty",
        title=f"{wakes}: {payload['summary']}" if payload.get("summary") else wakes,
        lines=(),
        over=over,
    )


def _lines(text: str) -> Iterator[str | Link]:
    """Slack's marks taken away; every link on a line of its own."""
    for line in text.splitlines():
        found = [Link(text=m["text"], url=html.unescape(m["url"])) for m in _LINK.finditer(line)]
        rest = _EMOJI.sub("", _LINK.sub("", line)).strip()
        if rest or not found:
            yield html.unescape(_MARKED.sub(r"\2", rest))
        yield from found


# The kinds of integration that a person reads.
READERS: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "slack": slack,
    "pagerduty": pagerduty,
}
