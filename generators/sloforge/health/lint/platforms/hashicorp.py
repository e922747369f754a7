"""What Consul and Nomad share: keys in two spellings, thresholds of which 0 means 1, scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from sloforge.health.lint.fields import Fields, Form, Notes
from sloforge.health.lint.model import Setting
from sloforge.located.tree import Node, frozen

HCL = Form(unit="go", insert="{name} = ", quote='"')
JSON = Form(unit="go", quote='"')
# What the API of Nomad hands out: a machine wrote it, and nobody edits it.
API = Form(unit="nanos")


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping whose keys are found as `snake_case` and as `CamelCase`."""

    node: Node
    form: Form

    def key(self, name: str) -> str:
        """The key as it is written; as asked for where it is not."""
        wanted = _bare(name)
        return next((key for key, _ in self.node.items() if _bare(key) == wanted), name)

    def get(self, name: str) -> Node | None:
        return self.node.get(self.key(name))

    def text(self, name: str) -> str:
        return self.node.text(self.key(name))

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(one.text() for one in self.node.list(self.key(name)))

    def blocks(self, *names: str) -> Iterator[Block]:
        """The mappings below these keys: blocks of HCL, lists, or a single one."""
        for name in dict.fromkeys(self.key(one) for one in names):
            for one in self.node.list(name):
                yield Block(one, self.form)

    def labelled(self, name: str) -> Iterator[tuple[str, Block]]:
        """Blocks of HCL with their label."""
        for one in self.node.list(name):
            for label, body in one.items():
                yield label, Block(body, self.form)

    def fields(self, notes: Notes) -> Fields:
        api = self.form.unit == "nanos"
        return Fields(frozen(self.node) if api else self.node, notes, self.form)


def seconds(block: Block, name: str, default: str | None, notes: Notes) -> Setting:
    """A time; 0 in what an API hands out means that it is not set."""
    found = block.fields(notes).seconds(block.key(name), default)
    if not found.value and default is not None:
        return replace(found, value=Decimal(default), explicit=False)
    return found


def threshold(block: Block, name: str, notes: Notes) -> Setting:
    """How many in a row: none and one are the same, and none is the default."""
    found = block.fields(notes).count(block.key(name), "0")
    return found if found.value else replace(found, value=Decimal(1), said="0")


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
