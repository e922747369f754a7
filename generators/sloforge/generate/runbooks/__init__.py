"""runbooks/: the generated blocks inside authored runbooks, the table of all of them, new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from sloforge.alerts import Alert, service_alerts, state_alerts
from sloforge.artifacts import COMMAND, Artifact
from sloforge.errors import Finding, Problem
from sloforge.generate.runbooks.links import links
from sloforge.generate.runbooks.markers import begin, end, marked, refreshed
from sloforge.generate.runbooks.meaning import alert, alert_table, budget, meaning
from sloforge.generate.runbooks.page import (
    README,
    ROOT,
    Page,
    by_runbook,
    directory,
    foreign,
    new_page,
    pages,
)
from sloforge.generate.runbooks.planes import planes
from sloforge.generate.runbooks.queries import queries
from sloforge.generate.runbooks.spelling import code, listed, table
from sloforge.generate.runbooks.timing import timing
from sloforge.model import Project, Service

BLOCKS: dict[str, Callable[[Page], str]] = {
    "alert": alert,
    "meaning": meaning,
    "queries": queries,
    "timing": timing,
    "links": links,
    "alerts": alert_table,
    "budget": budget,
    "planes": planes,
}
# What the runbook of an alert must hold.
REQUIRED = ("alert", "meaning", "queries", "timing", "links")
SECTIONS = (
    "What this alert means",
    "Symptoms users see",
    "First-look queries",
    "Mitigation steps",
    "Root-cause hypotheses",
    "Escalate",
    "Postmortem checklist",
    "Related",
)


def runbooks(project: Project) -> Iterator[Artifact]:
    """Every runbook with its blocks refreshed, and the table of all alerts.

    Raises Problem with every marker that is out of order: where a block ends is not guessed.
    """
    found = tuple(pages(project))
    yield from _refreshed(found)
    yield Artifact(README, _readme(project, found))


def service_runbooks(project: Project) -> Iterator[Artifact]:
    """Those in the services' own directories, which depend on their service alone."""
    own = {f"{ROOT}{service.name}" for service in project.services}
    yield from _refreshed(page for page in pages(project) if directory(page.path) in own)


def shared_runbooks(project: Project) -> Iterator[Artifact]:
    """Those of all services, and the table."""
    own = {f"{ROOT}{service.name}" for service in project.services}
    found = tuple(pages(project))
    yield from _refreshed(page for page in found if directory(page.path) not in own)
    yield Artifact(README, _readme(project, found))


def _refreshed(found: Iterable[Page]) -> Iterator[Artifact]:
    texts = [(page, marked(page.path, page.text, BLOCKS)) for page in found]
    findings: list[Finding] = [finding for _, text in texts for finding in text.findings]
    if findings:
        raise Problem(findings=findings)
    for page, text in texts:
        yield Artifact(page.path, refreshed(text, partial(_block, page)))


def skeleton(project: Project, name: str) -> str:
    """A new runbook by `service/name`: its blocks are written, the rest says what belongs there.

    Raises Problem where no alert leads to it.
    """
    path = f"{ROOT}{name.removesuffix('.md')}.md"
    page = new_page(project, path)
    if not page.alerts:
        raise Problem(_unknown(project, name))
    text = _TEMPLATE.format(
        title=_title(path),
        **{block: f"{begin(block)}\n{end(block)}" for block in REQUIRED},
        **dict(zip(_KEYS, SECTIONS, strict=True)),
    )
    return refreshed(marked(path, text, BLOCKS), partial(_block, page))


def _block(page: Page, name: str) -> str:
    return BLOCKS[name](page)


def _unknown(project: Project, name: str) -> str:
    missing = sorted(path for path in by_runbook(project) if project.text(path) is None)
    names = [path.removeprefix(ROOT).removesuffix(".md") for path in missing]
    remedy = f"without one are {listed(map(code, names))}" if names else "each alert has one"
    return f"expected the runbook of an alert as `service/name`, got `{name}`; {remedy}"


def _title(path: str) -> str:
    folder, _, name = path.removeprefix(ROOT).removesuffix(".md").rpartition("/")
    return f"{folder}: {name.replace('-', ' ')}" if folder else name.replace("-", " ")


def _readme(project: Project, found: Iterable[Page]) -> str:
    theirs = foreign(project)
    procedures = [page.path for page in found if not page.alerts and page.path not in theirs]
    parts = [_INTRODUCTION.format(command=COMMAND)]
    parts += [_service(project, service) for service in project.services]
    if theirs:
        rows = [(code(alert), mixin, _link(path)) for path, (alert, mixin) in theirs.items()]
        parts.append(f"## Mixins\n\n{table(('Alert', 'Mixin', 'Runbook'), rows)}")
    if procedures:
        lines = "\n".join(f"- [{_title(path)}]({_here(path)})" for path in procedures)
        parts.append(f"## Procedures\n\nNo alert leads to these; other runbooks do.\n\n{lines}")
    return "\n\n".join(parts) + "\n"


def _service(project: Project, service: Service) -> str:
    states = (one for one in state_alerts(project) if one.service is service)
    rows = [_row(project, one) for one in (*service_alerts(project, service), *states)]
    head = ("Alert", "Severity", "Of", "Owner", "Reaches", "Runbook")
    return "\n\n".join([f"## {service.name}", service.description, table(head, rows)])


def _row(project: Project, one: Alert) -> tuple[str, ...]:
    owner = project.settings.owner(one.service.owner)
    receiver = owner.page if one.severity == "page" else owner.ticket
    about = (code(one.name), one.severity, code(one.subject), owner.name)
    return (*about, code(receiver), _link(one.runbook))


def _link(path: str) -> str:
    return f"[{_here(path).removesuffix('.md')}]({_here(path)})"


def _here(path: str) -> str:
    return path.removeprefix(ROOT)


_INTRODUCTION = """\
<!-- Generated by sloforge from slos/. Do not edit; run `{command}`. -->

# Runbooks

Every alert, whom it reaches, and what to do then. A page wakes somebody; a ticket waits for
the day."""

_KEYS = ("what", "symptoms", "first", "steps", "causes", "escalate", "after", "related")
_TEMPLATE = """\
# {title}

{alert}

## {what}

<!-- Three to five sentences: what is broken, for whom, and since when this alert tells it. -->

{meaning}

{timing}

## {symptoms}

<!-- What users, callers and probes report, from the outside in. -->

## {first}

{queries}

## {steps}

<!-- Numbered, the fastest first, each with its command and with how to see that it worked. -->

## {causes}

<!-- A table of five: hypothesis, how to confirm, how to fix; the likeliest first. -->

## {escalate}

<!-- To whom, after how many minutes, above which numbers. -->

## {after}

<!-- Five to seven points. -->

## {related}

{links}
"""
