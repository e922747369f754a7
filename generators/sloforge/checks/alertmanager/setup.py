"""What the checks of an Alertmanager configuration look at, and where it was written."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import yaml

from sloforge import naming
from sloforge.alerts import alerts
from sloforge.errors import Finding, Location
from sloforge.libyaml import SafeLoader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sloforge.alerts import Alert
    from sloforge.checks.alertmanager.routing import Path
    from sloforge.model import Pairs, Project

BASE = "alertmanager/base.yml"
FILE = "alertmanager/alertmanager.yml"
PROJECT = "slos/project.yaml"
# What a rule's expression adds to its alert beside the labels of the SLO.
_FROM_EXPRESSIONS = ("job", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A generated alert as Alertmanager sees it; `alert` is None for the Watchdog."""

    alert: Alert | None
    labels: Mapping[str, str]

    @property
    def subject(self) -> tuple[str, str]:
        """The service and the SLO; the latter is empty for a service's own alert."""
        return self.labels.get("slo_service", ""), self.labels.get("slo_name", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A configuration beside the project that it serves."""

    project: Project
    config: Mapping[str, Any]
    templates: Pairs
    fired: tuple[Fired, ...]
    watchdog: Fired
    base: yaml.Node | None

    @classmethod
    def of(cls, project: Project, config: Mapping[str, Any], templates: Pairs) -> Setup:
        watchdog = {"severity": "none", **dict(project.settings.labels)}
        return cls(
            project=project,
            config=config,
            templates=templates,
            fired=tuple(_fired(alert) for alert in alerts(project)),
            watchdog=Fired(alert=None, labels={"alertname": naming.WATCHDOG, **watchdog}),
            base=_base(project),
        )

    @property
    def receivers(self) -> tuple[str, ...]:
        return tuple(str(one.get("name", "")) for one in self.config.get("receivers") or ())

    @property
    def labels(self) -> frozenset[str]:
        """Every label that an alert of the project can have."""
        own = {label for fired in (*self.fired, self.watchdog) for label in fired.labels}
        by = {label for slo in self.project.slos for label in slo.by}
        return frozenset(own | by | set(_FROM_EXPRESSIONS))

    def where(self, path: Path) -> Location:
        """In base.yml where it was written there: what is authored comes first in every list."""
        node = self.base
        for segment in path:
            child = _child(node, segment)
            if child is None and not (isinstance(node, yaml.MappingNode) and node is not self.base):
                return Location(FILE)
            node = child or node
        if node is None:
            return Location(FILE)
        return Location(BASE, node.start_mark.line + 1, node.start_mark.column + 1)

    def finding(self, id_: str, path: Path, what: str, remedy: str = "") -> Finding:
        """An error at a path of the configuration."""
        text = f"{spelled(path)}: {what}"
        return Finding(id=id_, where=self.where(path), what=text, remedy=remedy)


def _fired(alert: Alert) -> Fired:
    """With a value for each `by` label, save where the rule counts over all of them."""
    by = alert.slo.by if alert.slo and alert.kind != "rules-stale" else ()
    labels = dict.fromkeys(by, "any") | dict(alert.labels)
    return Fired(alert=alert, labels={"alertname": alert.name, **labels})


def _base(project: Project) -> yaml.Node | None:
    try:
        found: yaml.Node | None = yaml.compose(project.text(BASE) or "", Loader=SafeLoader)
    except yaml.YAMLError:
        return None
    return found


def _child(node: yaml.Node | None, segment: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == segment), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(segment, int):
        return next(iter(node.value[segment : segment + 1]), None)
    return None


def spelled(path: Path) -> str:
    """`route.routes[0].matchers`."""
    text = ""
    for segment in path:
        text += f"[{segment}]" if isinstance(segment, int) else f"{'.' * bool(text)}{segment}"
    return text


def near(word: str, known: Iterable[str]) -> str:
    """A remedy: the name that was probably meant, else all that there are."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known are {', '.join(names)}"


def rules(setup: Setup) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The inhibitions with their places."""
    for at, rule in enumerate(setup.config.get("inhibit_rules") or ()):
        yield ("inhibit_rules", at), rule


Side = Literal["source_", "target_"]
SIDES: tuple[Side, ...] = ("source_", "target_")
