"""The block `links` of a runbook: dashboards, the promise itself, its siblings, its owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from sloforge import naming
from sloforge.alerts import Alert
from sloforge.generate import text
from sloforge.generate.runbooks.page import Page
from sloforge.generate.runbooks.spelling import code, table
from sloforge.model import Owner, Service

_HEAD = ("Service", "Dashboards", "Promise", "Sources", "Owner")


def links(page: Page) -> str:
    """A list for one service, a table for several, and the runbooks beside this one."""
    rows = [_row(page, service, alerts) for service, alerts in page.by_service()]
    beside = "\n".join(_beside(page))
    if len(rows) != 1:
        return f"{table(_HEAD, rows)}\n\n{beside}"
    _, *cells = rows[0]
    lines = [
        f"- {name.lower()}: {cell}" for name, cell in zip(_HEAD[1:], cells, strict=True) if cell
    ]
    return "\n".join([*lines, beside])


def _row(page: Page, service: Service, alerts: tuple[Alert, ...]) -> tuple[str, ...]:
    return (
        service.name,
        ", ".join(_boards(page, service, alerts)),
        f"[{service.source.path}]({page.link(service.source.path)})",
        ", ".join(_sources(service)),
        _owner(page.project.settings.owner(service.owner)),
    )


def _boards(page: Page, service: Service, alerts: tuple[Alert, ...]) -> Iterator[str]:
    base = page.project.settings.dashboard_base_url
    if not base:
        return
    if alerts:
        yield f"[first look]({text.dashboard_url(page.project, alerts[0])})"
    yield f"[{service.name}]({base}/d/{naming.dashboard_uid(service.name)})"
    yield f"[all SLOs]({base}/d/{naming.FLEET_UID})"


def _sources(service: Service) -> Iterator[str]:
    found = service.links
    for name, url in (
        ("repository", found.repository),
        ("logs", found.logs),
        ("traces", found.traces),
    ):
        if url:
            yield f"[{name}]({url})"


def _owner(owner: Owner) -> str:
    found = "".join(f", [{name}]({url})" for name, url in owner.links)
    return f"{owner.name} (pages reach {code(owner.page)}, tickets {code(owner.ticket)}){found}"


def _beside(page: Page) -> Iterator[str]:
    for name, used in (("runbooks", True), ("procedures", False)):
        found = [path for path, is_used in page.beside if is_used is used]
        if found:
            shown = (f"[{PurePosixPath(path).stem}]({page.link(path)})" for path in found)
            yield f"- {name} beside this one: {', '.join(shown)}"
