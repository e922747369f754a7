"""Runbooks that leave somebody alone at night: a part is missing, or a link leads nowhere."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

from sloforge.checks import markdown
from sloforge.errors import Finding, Location
from sloforge.generate.runbooks import BLOCKS, REQUIRED, SECTIONS
from sloforge.generate.runbooks.markers import Marked, begin, marked
from sloforge.generate.runbooks.page import README, ROOT, Page, foreign, pages
from sloforge.model import Project


def runbook_findings(project: Project, files: Iterable[str] | None = None) -> Iterator[Finding]:
    """R002 to R007, in the order of the files; R001 is found when the specs are loaded.

    `files` are the paths of the whole repository. Without them only links between runbooks and to
    specs are judged.
    """
    found = tuple(pages(project))
    linked = frozenset(target for page in found for target in _targets(page))
    linked |= foreign(project).keys()
    texts = {page.path: page.text for page in found} | {README: ""}
    known = _Known(
        runbooks=dict.fromkeys(_with_directories(texts), "") | texts,
        specs=frozenset(service.source.path for service in project.services),
        files=None if files is None else frozenset(_with_directories(files)),
    )
    for page in found:
        text = marked(page.path, page.text, BLOCKS)
        yield from text.findings
        if page.alerts:
            yield from _missing_blocks(page, text)
            yield from _sections(page)
            yield from _empty(page)
        elif page.path not in linked:
            yield _unused(page)
        yield from _links(page, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a link may lead to; `files` is None where only runbooks and specs are known."""

    runbooks: dict[str, str]
    specs: frozenset[str]
    files: frozenset[str] | None

    def has(self, path: str) -> bool:
        """Whether the path exists, given the benefit of the doubt."""
        if path.startswith(ROOT):
            return path in self.runbooks
        if self.files is not None:
            return path in self.files
        return path in self.specs or not path.startswith("slos/") or path == "slos/project.yaml"


def _with_directories(files: Iterable[str]) -> Iterator[str]:
    for file in files:
        yield file
        parts = file.split("/")[:-1]
        yield from ("/".join(parts[:at]) for at in range(1, len(parts) + 1))


def _missing_blocks(page: Page, text: Marked) -> Iterator[Finding]:
    have = {block.name for block in text.blocks}
    for name in REQUIRED:
        if name not in have:
            what = f"the generated block `{name}` is missing"
            remedy = f"put `{begin(name)}` and its end where it belongs, then build"
            yield Finding(id="R003", where=Location(page.path), what=what, remedy=remedy)


def _sections(page: Page) -> Iterator[Finding]:
    """Those that are missing; where none is, the first that stands too early."""
    order = {title: at for at, title in enumerate(SECTIONS)}
    have = [h for h in markdown.headings(page.text) if h.level == 2 and h.title in order]  # noqa: PLR2004 - <h2>
    titles = [heading.title for heading in have]
    missing = [title for title in SECTIONS if title not in titles]
    for title in missing:
        what, remedy = f"the section `{title}` is missing", f"add `## {title}`{_place(title)}"
        yield Finding(id="R004", where=Location(page.path), what=what, remedy=remedy)
    for before, after in pairwise(have):
        if order[after.title] <= order[before.title]:
            what = f"the section `{after.title}` stands after `{before.title}`"
            remedy = f"the order is: {', '.join(SECTIONS)}"
            yield Finding(
                id="R004", where=Location(page.path, after.line), what=what, remedy=remedy
            )
            return


def _place(title: str) -> str:
    at = SECTIONS.index(title)
    return f" after `## {SECTIONS[at - 1]}`" if at else " as the first one"


def _empty(page: Page) -> Iterator[Finding]:
    for heading, content in markdown.sections(page.text):
        if heading.title in SECTIONS and not content:
            where = Location(page.path, heading.line)
            what, remedy = f"the section `{heading.title}` is empty", "write it"
            yield Finding(id="R007", where=where, what=what, remedy=remedy, severity="warning")


def _unused(page: Page) -> Finding:
    return Finding(
        id="R006",
        where=Location(page.path),
        what="no alert leads here and no runbook links here",
        remedy="name it as `runbook` in a spec, link to it, or remove it",
        severity="warning",
    )


def _links(page: Page, known: _Known) -> Iterator[Finding]:
    for link in markdown.links(page.text):
        path, anchor = _resolved(page.path, link.target)
        if path is None:
            continue
        if not known.has(path):
            yield _dead(page, link, f"{path} does not exist")
        elif anchor and (text := known.runbooks.get(path)) and anchor not in markdown.anchors(text):
            yield _dead(page, link, f"{path} has no heading `#{anchor}`")


def _resolved(page: str, target: str) -> tuple[str | None, str]:
    """The path in the repository and the anchor; None for what lies outside of it."""
    path, _, anchor = target.partition("#")
    if "://" in target or target.startswith(("mailto:", "/")):
        return None, anchor
    if not path:
        return page, anchor
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(path))), anchor


def _targets(page: Page) -> Iterator[str]:
    """What the authored text links to: the lists in generated blocks make nothing reachable."""
    found = marked(page.path, page.text, BLOCKS)
    generated = {at + 1 for b in found.blocks for at in range(b.begin, b.end)}
    for link in markdown.links(page.text):
        path, _ = _resolved(page.path, link.target)
        if path is not None and path != page.path and link.line not in generated:
            yield path


def _dead(page: Page, link: markdown.Link, why: str) -> Finding:
    where = Location(page.path, link.line, link.column)
    what = f"dead link `{link.target}`: {why}"
    remedy = "write where it is now, relative to this file, or remove the link"
    return Finding(id="R005", where=where, what=what, remedy=remedy)
