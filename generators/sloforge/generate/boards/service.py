"""`slo-<service>`: whether a service keeps its promises, and what its users and machines see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.boards.board import Board, Link, Section, Variable
from sloforge.generate.boards.common import FLEET, REFRESH, TAGS, incident_link, marks, slo_variable
from sloforge.generate.boards.details import details
from sloforge.generate.boards.http import http, route_variable
from sloforge.generate.boards.summary import summary
from sloforge.generate.boards.team import team, variables
from sloforge.generate.boards.trust import events, trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project, Service


def service_board(project: Project, service: Service) -> Board:
    """One service, all its SLOs."""
    return Board(
        uid=naming.dashboard_uid(service.name),
        title=f"SLO / {service.name}",
        description=service.description or f"The promises of {service.name}.",
        tags=(*TAGS, f"owner:{service.owner}"[:50]),
        sections=tuple(_sections(project, service)),
        variables=tuple(_variables(service)),
        marks=marks(f'slo_service="{service.name}"', f"service:{service.name}"),
        links=tuple(_links(service)),
        datasource=project.settings.datasource,
        start="now-7d",
        refresh=REFRESH,
    )


def _sections(project: Project, service: Service) -> Iterator[Section]:
    cells = [cell for slo in service.slos for cell in summary(project, service, slo)]
    yield Section(slug="summary", title="Are the promises kept?", panels=tuple(cells))
    for at, slo in enumerate(service.slos):
        yield details(project, service, slo, collapsed=at > 0)
    yield from http(service)
    yield events(service)
    yield trust(service)
    yield from team(service)


def _variables(service: Service) -> Iterator[Variable]:
    # A constant: a link with another service in its address cannot mix two services on one board.
    yield Variable(name="service", label="Service", query=service.name, fixed=True)
    yield slo_variable(many=True)
    yield from route_variable(service)
    yield from variables(service)


def _links(service: Service) -> Iterator[Link]:
    yield FLEET
    yield incident_link(service.name)
    links = service.links
    named = (("Repository", links.repository), ("Logs", links.logs), ("Traces", links.traces))
    yield from (Link(title=title, url=url) for title, url in named if url)
