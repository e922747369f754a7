"""Files of any format -> native files, and what changes in meaning on the way."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sloforge import specs
from sloforge.errors import Finding, Problem, SpecProblem
from sloforge.formats import writing
from sloforge.located import tree
from sloforge.model import Project, Service
from sloforge.specs import files, native, project, reading
from sloforge.specs.foreign import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a promise loses, or what comes to mean something else; `slo` is `service/name`."""

    slo: str
    finding: Finding
    lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The services, their files' texts by path, and what is to be said of them.

    `dropped` are the SLOs that come to nothing; `ratios` are the error ratios as the other tool
    computes them.
    """

    project: Project
    texts: dict[str, str]
    notes: tuple[Note, ...]
    dropped: tuple[str, ...]
    ratios: dict[tuple[str, str], str]


def convert(root: Path, paths: Sequence[Path]) -> Imported:
    """Every service of the files, in the words of the project at `root`.

    Raises SpecProblem with what is wrong in any tool; what only we cannot say becomes a note.
    """
    findings: list[Finding] = []
    context = specs.context_of(root, findings)
    if not (root / project.FILE).exists():
        raise Problem(f"{project.FILE} is missing: owners stand there; run `sloforge init`")
    told = Told()
    base = _base(paths)
    found = reading.documents(base, [path.absolute() for path in paths], context, told)
    every = reading.translated(found, context, told)
    nodes = [node for node in every if _is_foreign(node, found)]
    told.wrong.extend(_nobodys(node) for node in found if _is_versionless(node))
    services = {id(node): native.read(node, context, findings) for node in nodes}
    if findings or told.wrong:
        raise SpecProblem(findings=[*findings, *told.wrong])
    sources = {files.name_of(base, path.absolute()): _text(path) for path in paths}
    read = [service for service in services.values() if service is not None]
    texts = {}
    for node in nodes:
        name = f"{tree.plain(node)['service']}.yaml"
        texts[name] = writing.text(node, sources)
    return Imported(
        project=Project(settings=context.settings, services=tuple(read)),
        texts=texts,
        notes=tuple(_notes(told)),
        dropped=tuple(_dropped(told, read)),
        ratios=told.ratios,
    )


def write(folder: Path, imported: Imported) -> list[Path]:
    """The new files. Raises Problem, and writes nothing, where one of them is there already."""
    targets = {folder / name: text for name, text in imported.texts.items()}
    if taken := [path for path in targets if path.exists()]:
        raise Problem(
            f"{taken[0]} is there already, and nothing was written; move it away, "
            "or choose another folder with --to"
        )
    return put(folder, imported.texts)


def put(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Files by name below a folder, whatever is there. Raises Problem where it cannot be done."""
    targets = {folder / name: text for name, text in texts.items()}
    try:
        for path, text in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {folder}: {error.strerror}") from error
    return list(targets)


def _base(paths: Sequence[Path]) -> Path:
    """Where names in messages begin: here, or the folder that all files have in common."""
    here = Path.cwd()
    every = [path.absolute() for path in paths]
    if all(path.is_relative_to(here) for path in every):
        return here
    return Path(os.path.commonpath([path.parent for path in every]))


def _is_foreign(node: tree.Node, found: Sequence[tree.Node]) -> bool:
    """A native document of a YAML file needs no import; one of jsonnet is written out."""
    given = any(node is one for one in found)
    return not given or node.where.path.endswith(".jsonnet")


def _is_versionless(document: tree.Node) -> bool:
    keys = ("version", "apiVersion")
    return all(tree.child_of(document, key) is None for key in keys)


def _nobodys(document: tree.Node) -> Finding:
    what = "missing key `version` or `apiVersion`, which says whose format it is"
    known = f"known are {', '.join(reading.READERS)}"
    return Finding(id="S002", where=document.where, what=what, remedy=known)


def _text(path: Path) -> str:
    if path.suffix not in (".yaml", ".yml"):
        return ""
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _notes(told: Told) -> list[Note]:
    """What is lost and what changes, each with the SLO that it stands in."""
    seen = sorted(told.seen.items())
    places = [at for at, _ in seen]
    found = []
    for lost, findings in ((True, told.lost), (False, told.changed)):
        for one in findings:
            before = bisect_right(places, one.where) - 1
            inside = before >= 0 and places[before].path == one.where.path
            slo = seen[before][1] if inside else ""
            found.append(Note(slo=slo, finding=one, lost=lost))
    return sorted(found, key=lambda note: (note.finding.where, not note.lost))


def _dropped(told: Told, services: Sequence[Service]) -> list[str]:
    """An OpenSLO with several objectives becomes several: their names begin with its own."""
    kept = {f"{slo.service}/{slo.name}" for service in services for slo in service.slos}
    return [
        slo
        for slo in told.seen.values()
        if slo not in kept and not any(one.startswith(f"{slo}-") for one in kept)
    ]
