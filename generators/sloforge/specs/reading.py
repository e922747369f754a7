"""Files -> documents -> native trees: which format a document is in, and who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sloforge import plugins
from sloforge.errors import Finding
from sloforge.located import tree, yamltext
from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.plugins import Plugin
from sloforge.specs import (
    files,
    jsonnet,
    offered,
    openslo,
    openslo_alpha,
    project,
    pyrra,
    python,
    sloth,
)
from sloforge.specs.fitting import fitted
from sloforge.specs.foreign import Told
from sloforge.specs.forms import VERSION
from sloforge.specs.mistakes import Place
from sloforge.specs.project import Context
from sloforge.specs.settings import PROJECT_VERSION
from sloforge.specs.variables import Variables
from sloforge.specs.words import did_you_mean

Reader = Callable[[Sequence[Node], Context, Told], list[Node]]


def _as_it_is(documents: Sequence[Node], context: Context, told: Told) -> list[Node]:
    del context, told
    return list(documents)


# Version -> from all documents to native services; versions of one reader are read together.
READERS: Mapping[str, Reader] = {
    VERSION: _as_it_is,
    openslo.VERSION: openslo.services,
    openslo_alpha.VERSION: openslo_alpha.services,
    sloth.VERSION: sloth.services,
    sloth.RESOURCE: sloth.services,
    pyrra.VERSION: pyrra.services,
}


def documents(root: Path, paths: Iterable[Path], context: Context, told: Told) -> list[Node]:
    """Every document of the files, in order. What cannot be read is told."""
    read = {path: _text(root, path, told) for path in paths}
    there = [path for path in read if read[path] is not None]
    sources = [path for path in there if path.suffix == jsonnet.SUFFIX]
    evaluated = _jsonnet(root, sources, context.variables)
    programs = [path for path in there if path.suffix == python.SUFFIX]
    if context.python:
        evaluated |= _python(root, programs)
    elif context.complete:
        told.wrong.extend(python.refused(files.name_of(root, path)) for path in programs)
    found: list[Node] = []
    for path, text in read.items():
        if text is None or (path in programs and path not in evaluated):
            continue
        try:
            if path in evaluated:
                found += evaluated[path]()
            else:
                found += _parsed(text, files.name_of(root, path))
        except tree.Malformed as refused:
            told.wrong.append(refused.finding)
    return found


# What a program comes to, once it has run. Raises Malformed.
Evaluated = dict[Path, Callable[[], list[Node]]]


def _jsonnet(root: Path, paths: list[Path], given: Variables) -> Evaluated:
    results = zip(paths, jsonnet.evaluate(root, paths, given), strict=True)
    return {
        path: partial(jsonnet.documents, result, files.name_of(root, path))
        for path, result in results
    }


def _python(root: Path, paths: list[Path]) -> Evaluated:
    results = zip(paths, python.run(root, paths), strict=True)
    return {path: partial(python.documents, result) for path, result in results}


def translated(found: Iterable[Node], context: Context, told: Told) -> list[Node]:
    """The documents as native trees; each format's are read together, for they name one another."""
    by_reader: dict[Reader, list[Node]] = {reader: [] for reader in READERS.values()}
    offers: dict[Plugin, list[Node]] = {}
    for document in found:
        if (version := version_of(document, told)) is not None:
            if (plugin := _offered(version)) is not None:
                offers.setdefault(plugin, []).append(document)
            else:
                by_reader[READERS[version]].append(document)
    native = [
        node if reader is _as_it_is else _fitted(node, context, told)
        for reader, theirs in by_reader.items()
        for node in reader(theirs, context, told)
    ]
    for plugin in sorted(offers, key=lambda one: one.name):
        native += offered.services(plugin, offers[plugin], told)
    return native


def _offered(version: object) -> Plugin | None:
    """The plugin that reads a format that we do not."""
    if not isinstance(version, str) or version in READERS:
        return None
    return plugins.named("readers", version, READERS)


def _fitted(service: Node, context: Context, told: Told) -> Node:
    slos = service.value["slos"]
    kept = [fitted(slo, context, told) for slo in slos.value]
    return replace(service, value={**service.value, "slos": replace(slos, value=kept)})


def version_of(document: Node, told: Told) -> str | None:
    """The format; a missing version is found with the other keys of a native file."""
    own, other = tree.child_of(document, "version"), tree.child_of(document, "apiVersion")
    if own is None and other is not None:
        if _is_readable(other.value):
            return str(other.value)
        what = f"unknown format {shown(other.value)}"
        remedy = did_you_mean(str(other.value), READERS)
        here = Place(document, ("apiVersion",))
        told.wrong.append(here.wrong(what, remedy, id_="S002"))
        return None
    if own is not None and _is_readable(own.value):
        return str(own.value)
    return VERSION if is_known(document, VERSION, told.wrong) else None


def _is_readable(version: object) -> bool:
    return isinstance(version, str) and (version in READERS or _offered(version) is not None)


def is_known(node: Node, version: str, findings: list[Finding]) -> bool:
    """Whether the rest can be judged; a missing version is found with the other keys."""
    value = tree.child_of(node, "version")
    if value is None or not isinstance(value.value, str) or value.value == version:
        return True
    what = f"expected `{version}`, got `{value.value}`"
    remedy = _remedy(value.value, version)
    findings.append(Place(node, ("version",)).wrong(what, remedy, id_="S002"))
    return False


def _remedy(given: str, version: str) -> str:
    if given == PROJECT_VERSION:
        return f"the project's settings stand in {project.FILE}"
    if version != VERSION or given.startswith("sloforge"):
        return ""
    return "is the plugin that reads it installed? `sloforge plugins` lists what is"


def _text(root: Path, path: Path, told: Told) -> str | None:
    try:
        return files.text_of(root, path)
    except tree.Malformed as refused:
        told.wrong.append(refused.finding)
        return None


def _parsed(text: str, name: str) -> Iterator[Node]:
    """A native service has a file of its own; other formats keep several documents in one."""
    found = yamltext.mappings(text, name)
    if len(found) > 1 and not all(_is_foreign(one) for one in found):
        raise tree.Malformed(found[1].where, *yamltext.several(len(found)))
    yield from found


def _is_foreign(document: Node) -> bool:
    version = tree.child_of(document, "version")
    known = version is not None and version.value == sloth.VERSION
    known = known or (version is not None and _offered(version.value) is not None)
    return known or (version is None and tree.child_of(document, "apiVersion") is not None)
