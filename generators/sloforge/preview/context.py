"""What every panel of an opened dashboard is drawn with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from sloforge.preview.filling import Scope, Value, filled, in_text
from sloforge.preview.links import Page, address
from sloforge.preview.markdown import Node, nodes
from sloforge.preview.moments import Span
from sloforge.preview.source import Source

Json = dict[str, Any]
COLUMNS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The time, the choices and the numbers; `width` is that of the page in pixels."""

    over: Span
    zone: tzinfo
    width: int
    scope: Scope
    page: Page
    numbers: Source

    def text(self, template: str) -> str:
        """A title with its variables."""
        return filled(template, self.scope, in_text)

    def prose(self, markdown: str) -> list[Node]:
        return nodes(self.text(markdown), lambda url: address(url, self.page))

    def with_(self, scope: dict[str, Value]) -> Context:
        """The context of a clone, in which some variables are one value each."""
        if not scope:
            return self
        merged = {**self.scope, **scope}
        return replace(self, scope=merged, page=replace(self.page, scope=merged))
