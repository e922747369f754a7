"""A document of another format, as the reader of a plugin gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sloforge.errors import Location
from sloforge.located import tree
from sloforge.located.tree import Malformed, Node


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data with places: texts, int, Decimal, bool, lists and mappings."""

    node: Node

    @property
    def data(self) -> Any:
        return tree.plain(self.node)

    def at(self, *segments: str | int) -> Location:
        """The place of the value behind these keys and positions, or of what is nearest to it."""
        return tree.locate(self.node, segments)

    def refused(self, what: str, remedy: str = "", *segments: str | int) -> Malformed:
        """To be raised: why the value at these segments, or the whole, cannot be read."""
        return Malformed(self.at(*segments), what, remedy)
