"""A few large numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sloforge.preview.asking import Results
from sloforge.preview.context import Context
from sloforge.preview.fields import Look, Matched, Number, Shown, look
from sloforge.preview.links import address, of_cell
from sloforge.preview.series import Series, reduced

Json = dict[str, Any]
MOST = 60


def stat(panel: Json, found: Results, context: Context) -> Json:
    """One number for each series, or the words for none."""
    options = panel.get("options") or {}
    items = [_item(one, value, panel, context) for one, value, _ in numbers(panel, found)]
    if not items:
        items = [nothing(panel)]
    return {
        "kind": "stat",
        "empty": not found.series,
        "items": items[:MOST],
        "named": _named(str(options.get("textMode") or "auto"), len(items)),
        "valued": options.get("textMode") != "name",
        "paint": str(options.get("colorMode") or "value"),
        "upright": options.get("orientation") == "horizontal",
    }


def numbers(panel: Json, found: Results) -> Iterator[tuple[Series, Number, Look]]:
    """Each series with the number that the panel reduces it to, and how that is shown."""
    reduce = (panel.get("options") or {}).get("reduceOptions") or {}
    how = (reduce.get("calcs") or ["lastNotNull"])[0]
    config = panel.get("fieldConfig") or {}
    for one in found.series:
        seen = look(config, Matched(name=one.name, ref=one.ref))
        if reduce.get("values"):
            for value in one.values[: int(reduce.get("limit") or MOST)]:
                yield one, value, seen
        else:
            yield one, reduced(one.values, str(how)), seen


def nothing(panel: Json) -> Json:
    """What a panel says that has no series: a mapping of nothing, or its text for no value."""
    said = look(panel.get("fieldConfig") or {}, Matched(name=""))
    return {"name": "", "text": said.empty, "color": "text"}


def _item(one: Series, value: Number, panel: Json, context: Context) -> Json:
    seen = look(panel.get("fieldConfig") or {}, Matched(name=one.name, ref=one.ref))
    said = seen.of(value)
    return {
        "name": seen.title or one.name,
        "text": said.text,
        "color": said.color or "text",
        "links": linked(seen, said, context),
    }


def linked(seen: Look, said: Shown, context: Context) -> list[Json]:
    """The links of a value that lead somewhere."""
    found = [
        (
            str(one.get("title") or "Link"),
            address(_valued(str(one.get("url") or ""), said), context.page),
        )
        for one in seen.links
    ]
    return [{"title": context.text(title), "href": href} for title, href in found if href]


def _valued(url: str, said: Shown) -> str:
    return of_cell(url, {}, said.text)


def _named(mode: str, count: int) -> bool:
    return mode in ("value_and_name", "name") or (mode == "auto" and count > 1)
