"""alertmanager/alertmanager.yml: the authored base, completed with a route for every owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.artifacts import Artifact, yaml_artifact
from sloforge.generate.alertmanager.base import BASE, base_config
from sloforge.generate.alertmanager.inhibitions import inhibitions, matcher
from sloforge.generate.alertmanager.planes import plane_inhibitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Owner, Project

Config = dict[str, object]
FILE = "alertmanager/alertmanager.yml"
SOURCE = f"{BASE} and slos/project.yaml"

# One notification per SLO and severity: PagerDuty makes one incident of a group.
ROOT: Config = {
    "group_by": ["slo_service", "slo_name", "severity"],
    "group_wait": "30s",
    "group_interval": "5m",
    "repeat_interval": "4h",
}
REPEAT = {"page": "4h", "ticket": "1d"}
# The severities of https://monitoring.mixins.dev, by those of ours that reach the same people.
FOREIGN = {"critical": "page", "warning": "ticket"}
# A group is looked at once per group_interval, and repeats when repeat_interval has passed by then:
# every minute, with ten seconds to spare.
WATCHDOG_PACE = {"group_wait": "0s", "group_interval": "30s", "repeat_interval": "50s"}


def alertmanager(project: Project) -> Iterator[Artifact]:
    """One file. Raises Problem where base.yml is missing or cannot be completed."""
    yield yaml_artifact(FILE, SOURCE, config(project))


def config(project: Project) -> Config:
    """The whole configuration; what base.yml says of routes and inhibitions stands first."""
    base = base_config(project)
    rest = {key: value for key, value in base.items() if key not in _OURS}
    return rest | {
        "route": _root(project, base),
        "inhibit_rules": [
            *_list(base, "inhibit_rules"),
            *inhibitions(project),
            *plane_inhibitions(project),
        ],
        "receivers": _list(base, "receivers"),
    }


_OURS = ("route", "inhibit_rules", "receivers")


def _root(project: Project, base: Config) -> Config:
    """base.yml may change the pace and the grouping, but not who gets what nobody claims."""
    authored = base.get("route") or {}
    assert isinstance(authored, dict)
    return {
        "receiver": project.settings.fallback_receiver,
        **ROOT,
        **authored,
        "routes": [
            *_list(authored, "routes"),
            _watchdog(project),
            *_owners(project),
            *_mixins(project),
        ],
    }


def _watchdog(project: Project) -> Config:
    return {
        "matchers": [matcher("alertname", naming.WATCHDOG)],
        "receiver": project.settings.watchdog_receiver,
        "group_by": ["alertname"],
        **WATCHDOG_PACE,
    }


def _owners(project: Project) -> Iterator[Config]:
    for owner in project.settings.owners:
        yield _route(owner, "page", owner.page)
        yield _route(owner, "ticket", owner.ticket)


def _mixins(project: Project) -> Iterator[Config]:
    """Foreign alerts have severities of their own, and no SLO to be grouped by."""
    owners = {mixin.owner for mixin in project.mixins}
    for owner in (one for one in project.settings.owners if one.name in owners):
        for foreign, ours in FOREIGN.items():
            receiver = owner.page if ours == "page" else owner.ticket
            yield {
                "matchers": [matcher("owner", owner.name), matcher("severity", foreign)],
                "receiver": receiver,
                "group_by": ["alertname"],
                "repeat_interval": REPEAT[ours],
            }


def _route(owner: Owner, severity: str, receiver: str) -> Config:
    return {
        "matchers": [matcher("owner", owner.name), matcher("severity", severity)],
        "receiver": receiver,
        "repeat_interval": REPEAT[severity],
    }


def _list(mapping: Config, key: str) -> list[object]:
    found = mapping.get(key) or []
    assert isinstance(found, list)
    return found
