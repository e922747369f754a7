"""dashboards/*.json: a board per service, the fleet's, and the first look of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.artifacts import Artifact, json_artifact
from sloforge.generate.boards.fleet import fleet_board
from sloforge.generate.boards.incident import incident_board
from sloforge.generate.boards.service import service_board
from sloforge.generate.panels import dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.generate.boards.board import Board
    from sloforge.model import Project


def dashboards(project: Project) -> Iterator[Artifact]:
    """Importable as they are: by hand, through the API, and from files."""
    yield from service_dashboards(project)
    yield from shared_dashboards(project)


def service_dashboards(project: Project) -> Iterator[Artifact]:
    """One board per service, which depends on that service and the settings alone."""
    for service in project.services:
        yield _artifact(service_board(project, service))


def shared_dashboards(project: Project) -> Iterator[Artifact]:
    """The boards on all services."""
    yield _artifact(fleet_board(project))
    yield _artifact(incident_board(project))


def _artifact(board: Board) -> Artifact:
    return json_artifact(naming.dashboard_file(board.uid), dashboard(board))
