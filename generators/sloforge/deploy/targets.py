"""Every kind of target there is: ours, and those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sloforge import plugins
from sloforge.deploy import alertmanager, grafana, grafana_files, kubernetes, prometheus, ruler
from sloforge.deploy.target import Config, Desired, Factory, Receipt, Step, Target
from sloforge.plugins import Plugin

# The kind of a target in deploy.yaml -> what makes it from its configuration.
TARGETS: tuple[tuple[str, Factory], ...] = (
    ("prometheus", prometheus.prometheus),
    ("vmalert", prometheus.vmalert),
    ("ruler", ruler.target),
    ("kubernetes", kubernetes.target),
    ("alertmanager", alertmanager.target),
    ("grafana", grafana.target),
    ("provisioning", grafana_files.provisioning),
    ("import", grafana_files.imports),
)


def make(config: Config) -> Target:
    """The target of a configuration, whose kind is ours or that of a plugin. Raises Problem."""
    known = dict(TARGETS)
    if config.kind in known:
        return known[config.kind](config)
    plugin = plugins.named("targets", config.kind, known)
    assert plugin is not None
    factory = plugin.load()
    with plugin.blamed():
        made = factory(config)
    return Offered(plugin, made)


class Offered:
    """A target of a plugin: what it raises, and what it returns, is put to its account."""

    def __init__(self, plugin: Plugin, target: Any) -> None:
        missing = [name for name in _METHODS if not callable(getattr(target, name, None))]
        if missing:
            raise plugin.wrong(f"expected a Target, got one without {', '.join(missing)}")
        self._plugin, self._target = plugin, target

    @property
    def name(self) -> str:
        return str(self._target.name)

    @property
    def concurrency(self) -> int:
        return int(getattr(self._target, "concurrency", 1))

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> Iterator[Step]:
        with self._plugin.blamed():
            found = tuple(self._target.plan(desired, applied))
        for one in found:
            if not isinstance(one, Step):
                raise self._plugin.wrong(f"expected a Step, got {type(one).__name__}")
            if one.target != self.name:
                raise self._plugin.wrong(f"plans `{one.id}`, which is no step of `{self.name}`")
        yield from found

    def apply(self, step: Step) -> Receipt:
        with self._plugin.blamed():
            found = self._target.apply(step)
        if not isinstance(found, Receipt):
            raise self._plugin.wrong(f"expected a Receipt, got {type(found).__name__}")
        return found

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        with self._plugin.blamed():
            return tuple(map(str, self._target.verify(steps) or ()))

    def undo(self, receipt: Receipt) -> None:
        with self._plugin.blamed():
            self._target.undo(receipt)


_METHODS = ("plan", "apply", "verify", "undo")
