"""One runbook as its blocks see it: its path, and the alerts that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from sloforge import naming
from sloforge.alerts import Alert, alerts
from sloforge.model import Project, Service, Slo

ROOT = "runbooks/"
README = "runbooks/README.md"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A file under runbooks/; without `alerts` it is a procedure.

    `beside` are the other files of its directory, each with whether an alert leads to it.
    """

    project: Project
    path: str
    text: str
    alerts: tuple[Alert, ...]
    beside: tuple[tuple[str, bool], ...]

    @property
    def services(self) -> tuple[Service, ...]:
        """Those of its alerts; a procedure's own, or all where it lies in no service's."""
        if self.alerts:
            return unique(alert.service for alert in self.alerts)
        own = directory(self.path).removeprefix(ROOT)
        found = tuple(s for s in self.project.services if s.name == own)
        return found or self.project.services

    @property
    def slos(self) -> tuple[Slo, ...]:
        return unique(alert.slo for alert in self.alerts if alert.slo is not None)

    def by_service(self) -> tuple[tuple[Service, tuple[Alert, ...]], ...]:
        """Each service with those alerts that are its own."""
        found: dict[int, list[Alert]] = {id(service): [] for service in self.services}
        for alert in self.alerts:
            found[id(alert.service)].append(alert)
        return tuple((service, tuple(found[id(service)])) for service in self.services)

    def link(self, path: str) -> str:
        """A path of the repository, relative to this file."""
        here, there = PurePosixPath(self.path).parent.parts, PurePosixPath(path).parts
        shared = 0
        for mine, other in zip(here, there, strict=False):
            if mine != other:
                break
            shared += 1
        return "/".join([*[".."] * (len(here) - shared), *there[shared:]])


def pages(project: Project) -> Iterator[Page]:
    """Every runbook there is, but the table of all of them."""
    yield from _pages(project, {path: text for path, text in project.authored if is_runbook(path)})


def new_page(project: Project, path: str) -> Page:
    """A runbook that is not written yet."""
    texts = {path: text for path, text in project.authored if is_runbook(path)} | {path: ""}
    return next(page for page in _pages(project, texts) if page.path == path)


def is_runbook(path: str) -> bool:
    return path.startswith(ROOT) and path.endswith(".md") and path != README


def _pages(project: Project, texts: dict[str, str]) -> Iterator[Page]:
    found = by_runbook(project)
    beside: dict[str, list[tuple[str, bool]]] = {}
    for path in sorted(texts):
        beside.setdefault(directory(path), []).append((path, path in found))
    for path, text in sorted(texts.items()):
        others = tuple(one for one in beside[directory(path)] if one[0] != path)
        alerts = found.get(path, ())
        yield Page(project=project, path=path, text=text, alerts=alerts, beside=others)


def directory(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()


def by_runbook(project: Project) -> dict[str, tuple[Alert, ...]]:
    """The alerts that lead to each runbook, in the order of the files."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts(project):
        found.setdefault(alert.runbook, []).append(alert)
    return {path: tuple(of) for path, of in found.items()}


def foreign(project: Project) -> dict[str, tuple[str, str]]:
    """The runbooks of mixins' alerts that are there, each with its alert and mixin."""
    named = ((alert, mixin.name) for mixin in project.mixins for alert in mixin.alert_names)
    found = {naming.mixin_runbook_file(alert): (alert, mixin) for alert, mixin in named}
    return {path: of for path, of in sorted(found.items()) if project.text(path) is not None}


def unique(values: Iterable[T]) -> tuple[T, ...]:
    """Each once, in order of appearance, by identity."""
    return tuple({id(value): value for value in values}.values())
