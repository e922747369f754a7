"""Project -> artifacts. Pure: no clock, no environment, no disk, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sloforge.generate.alertmanager import alertmanager
from sloforge.generate.boards.planes import plane_dashboards
from sloforge.generate.dashboards import service_dashboards, shared_dashboards
from sloforge.generate.mixins import mixin_dashboards, mixin_recording, mixin_rules
from sloforge.generate.planes import plane_recording, plane_rules
from sloforge.generate.promtests import promtests
from sloforge.generate.promtests.planes import plane_tests
from sloforge.generate.recording import recording
from sloforge.generate.rules import rules, watchdog
from sloforge.generate.runbooks import service_runbooks, shared_runbooks

if TYPE_CHECKING:
    from sloforge.artifacts import Artifact
    from sloforge.model import Project

Generate = Callable[["Project"], Iterable["Artifact"]]


@dataclass(frozen=True, slots=True)
class Generator:
    """What writes a directory, and the patterns of the files there that are its own.

    Scope `service`: what comes out for a service depends on it, the settings and the authored
    texts alone, so that services can be generated apart from one another and remembered.
    """

    name: str
    generate: Generate
    owned: tuple[str, ...]
    scope: Literal["service", "project"] = "project"


GENERATORS: tuple[Generator, ...] = (
    Generator("recording", recording, ("recording/**/*",), "service"),
    Generator("rules", rules, ("rules/**/*",), "service"),
    Generator("rules", watchdog, ("rules/**/*",)),
    Generator("tests", promtests, ("tests/rules/**/*",), "service"),
    Generator("dashboards", service_dashboards, ("dashboards/**/*",), "service"),
    Generator("dashboards", shared_dashboards, ("dashboards/**/*",)),
    Generator("recording", plane_recording, ("recording/**/*",)),
    Generator("rules", plane_rules, ("rules/**/*",)),
    Generator("tests", plane_tests, ("tests/rules/**/*",)),
    Generator("dashboards", plane_dashboards, ("dashboards/**/*",)),
    Generator("recording", mixin_recording, ("recording/**/*",)),
    Generator("rules", mixin_rules, ("rules/**/*",)),
    Generator("dashboards", mixin_dashboards, ("dashboards/**/*",)),
    Generator("alertmanager", alertmanager, ("alertmanager/alertmanager.yml",)),
    Generator("runbooks", service_runbooks, (), "service"),
    Generator("runbooks", shared_runbooks, ("runbooks/README.md",)),
)


def artifacts(
    project: Project, generators: Iterable[Generator] = GENERATORS
) -> tuple[Artifact, ...]:
    """Everything that is generated, in the order of the generators."""
    return tuple(one for generator in generators for one in generator.generate(project))
