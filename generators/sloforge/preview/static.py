"""All dashboards with their numbers in one HTML file that needs no server and no network."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, product
from typing import Any

from sloforge.preview import plotly
from sloforge.preview.app import page_file
from sloforge.preview.boards import Dashboard
from sloforge.preview.choosing import Choice
from sloforge.preview.opened import Opened, Query, opened
from sloforge.preview.source import Source

Json = dict[str, Any]
# A dashboard is recorded once for each value of the choices that allow only one, up to this many.
MOST_CHOICES = 24
_SINGLE = ("query", "custom", "interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What the file says of itself, above every dashboard."""

    banner: str
    sample: bool


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: the time range, the source, and the moment in Unix seconds."""

    query: Query
    numbers: Source
    now: float

    def of(self, board: Dashboard, more: Query) -> Opened:
        return opened(board, {**self.query, **more}, self.numbers, self.now)


def document(dashboards: tuple[Dashboard, ...], view: View, about: Recording) -> str:
    """The HTML of the file."""
    pages = [_page(one) for board in dashboards for one in _opened(board, view)]
    listed = [
        {
            "uid": board.uid,
            "title": board.title,
            "description": board.description.split("\n")[0],
            "tags": list(board.tags),
        }
        for board in dashboards
    ]
    return _html(
        {
            "banner": about.banner,
            "sample": about.sample,
            "listed": {"boards": listed, "source": view.numbers.name},
            "pages": pages,
        }
    )


def _opened(board: Dashboard, view: View) -> Iterator[Opened]:
    first = view.of(board, {})
    yield first
    single = [choice for choice in first.choices if _is_single(choice)]
    values = [[value for value, _ in choice.options] for choice in single]
    for chosen in islice(product(*values) if single else (), MOST_CHOICES):
        names = [f"var-{choice.name}" for choice in single]
        asked = dict(zip(names, chosen, strict=True))
        if any(choice.chosen[:1] != (asked[f"var-{choice.name}"],) for choice in single):
            yield view.of(board, {name: (value,) for name, value in asked.items()})


def _is_single(choice: Choice) -> bool:
    return not choice.many and choice.kind in _SINGLE and len(choice.options) > 1


def _page(one: Opened) -> Json:
    return {
        "uid": one.board.uid,
        "chosen": {f"var-{c.name}": [*c.chosen, *_members(c)] for c in one.choices},
        "board": one.shown(),
        "marks": one.marks(),
        "panels": {panel.key: one.panel(panel.key) for row in one.rows for panel in row.panels},
    }


def _members(choice: Choice) -> list[str]:
    """A link that asks for one of several is served by the page that shows all of them."""
    return [value for value, _ in choice.options] if choice.many else []


def _html(data: Json) -> str:
    scripts = [
        _safe(text) for text in (plotly.script(), page_file("charts.js"), page_file("app.js"))
    ]
    style = page_file("app.css")
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; "
        f"style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    # Inside of a script nothing but `<` can end it, and JSON has another way to write that.
    recorded = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    head = page_file("index.html")
    head = re.sub(r"<(?:script|link rel=\"stylesheet\")[^>]*>(?:</script>)?\n", "", head)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    head = head.replace('<meta name="viewport"', f'{meta}<meta name="viewport"', 1)
    head = head.replace("</head>", f"<style>{style}</style>\n</head>", 1)
    inside = "".join(f"<script>{text}</script>\n" for text in scripts)
    kept = f'<script type="application/json" id="recorded">{recorded}</script>\n'
    top, _, end = head.partition("<!--guards-->")
    return f"{top}{plotly.guards()}\n{kept}{inside}{end.lstrip()}"


def _safe(script: str) -> str:
    """A script within HTML: `</script` in one of its strings would end it."""
    return re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE).replace("<!--", "<\\!--")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
