"""mixins/ -> foreign rules and dashboards: jsonnet mixins, and files that are rendered already.

`mixins/kubernetes.jsonnet` is a mixin of the shape that https://monitoring.mixins.dev describes,
with its `_config` overridden in jsonnet; `mixins/redis/` is a folder of rule files and dashboards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sloforge.errors import Finding, Location
from sloforge.located import tree, yamltext
from sloforge.located.words import shown
from sloforge.model import Mixin
from sloforge.specs import files, groups, jsonnet
from sloforge.specs.boards import Boards
from sloforge.specs.fields import NAME_PATTERN, PATTERNS
from sloforge.specs.project import Context
from sloforge.specs.words import did_you_mean

FOLDER = "mixins"
FIELDS = ("prometheusAlerts", "prometheusRules", "grafanaDashboards")
# The fields of a mixin are hidden, and any may be missing.
VIEW = (
    "function(m) if std.isObject(m) then { [name]: m[name] "
    f"for name in {json.dumps(FIELDS)} if std.objectHasAll(m, name) }} else m"
)
_RULES, _BOARDS = (".yml", ".yaml"), ".json"
# What a folder of a mixin holds beside its rules and dashboards.
_LOCKS = ("jsonnetfile.json", "jsonnetfile.lock.json")
_LIBRARY = "mixin.libsonnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A mixin on its way."""

    name: str
    source: Location
    alerts: list[Any] = field(default_factory=list)
    recordings: list[Any] = field(default_factory=list)
    boards: dict[str, str] = field(default_factory=dict)


def load(root: Path, context: Context, findings: list[Finding]) -> tuple[Mixin, ...]:
    """Every mixin, sorted by name; `findings` grow by whatever none of our readers could take."""
    programs, folders = _listed(root, findings)
    boards = Boards(findings)
    found = [*_programs(root, programs, context, boards), *_folders(root, folders, boards)]
    names = {one.name for one in found} | {path.stem for path in programs}
    for name, choice in context.mixins.items():
        if name not in names:
            what = f"mixins.{name}: there is no such mixin"
            remedy = did_you_mean(name, names) if names else f"write {FOLDER}/{name}.jsonnet"
            findings.append(Finding(id="S005", where=choice.where, what=what, remedy=remedy))
    return tuple(_mixin(one, context) for one in sorted(found, key=lambda one: one.name))


def _mixin(parts: _Parts, context: Context) -> Mixin:
    choice = context.mixins.get(parts.name)
    return Mixin(
        name=parts.name,
        source=parts.source,
        owner=choice.owner if choice else "",
        alerts=json.dumps(parts.alerts, ensure_ascii=False),
        recordings=json.dumps(parts.recordings, ensure_ascii=False),
        dashboards=tuple(sorted(parts.boards.items())),
    )


def _listed(root: Path, findings: list[Finding]) -> tuple[list[Path], list[Path]]:
    """Programs, and folders that are no program's library."""
    try:
        entries = sorted((root / FOLDER).iterdir())
    except FileNotFoundError:
        return [], []
    except OSError as error:
        findings.append(_wrong(Location(FOLDER), f"cannot be listed: {error.strerror}"))
        return [], []
    entries = [path for path in entries if not path.name.startswith(".")]
    programs = [path for path in entries if path.suffix == jsonnet.SUFFIX]
    libraries = {path.stem for path in programs}
    folders = [path for path in entries if path.is_dir() and path.name not in libraries]
    for path in entries:
        if path.suffix in (*_RULES, _BOARDS) and not path.is_dir():
            where = Location(files.name_of(root, path))
            remedy = f"move it to {FOLDER}/{path.stem}/, a folder for each mixin"
            findings.append(_wrong(where, "expected a folder of rule files and dashboards", remedy))
    good = [_is_named(root, path, findings) for path in programs]
    return [path for path, fine in zip(programs, good, strict=True) if fine], folders


def _is_named(root: Path, path: Path, findings: list[Finding]) -> bool:
    """Its name becomes that of files and of rule groups' namespaces."""
    if re.fullmatch(NAME_PATTERN, path.stem):
        return True
    where = Location(files.name_of(root, path))
    what = f"expected {PATTERNS[NAME_PATTERN]}, got {shown(path.stem)}"
    findings.append(_wrong(where, what, "rename it", id_="S003"))
    return False


def _programs(
    root: Path, paths: Sequence[Path], context: Context, boards: Boards
) -> Iterator[_Parts]:
    results = jsonnet.evaluate(root, paths, context.variables, VIEW)
    for path, result in zip(paths, results, strict=True):
        try:
            yield _evaluated(path.stem, result, boards)
        except tree.Malformed as refused:
            boards.findings.append(refused.finding)


def _evaluated(name: str, result: jsonnet.Result, boards: Boards) -> _Parts:
    if result.wrong:
        raise tree.Malformed(result.where, result.wrong, result.remedy)
    found = json.loads(result.text)
    if not isinstance(found, dict) or not found:
        what = f"expected a mixin with one of {', '.join(FIELDS)}, got none of them"
        raise tree.Malformed(result.where, what, "add an imported mixin: `(import '...') + {...}`")
    made = _Parts(name=name, source=result.where)
    for key, into in ((FIELDS[0], made.alerts), (FIELDS[1], made.recordings)):
        if key in found:
            node = jsonnet.located(found[key], result.where, key)
            into.extend(groups.groups(node, boards.findings))
    made.boards.update(boards.of(name, found.get(FIELDS[2], {}), result.where))
    return made


def _folders(root: Path, folders: Iterable[Path], boards: Boards) -> Iterator[_Parts]:
    for folder in folders:
        name = files.name_of(root, folder)
        below = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        rules = [path for path in below if path.suffix in _RULES]
        dashboards = [p for p in below if p.suffix == _BOARDS and p.name not in _LOCKS]
        if not rules and not dashboards:
            if (folder / _LIBRARY).exists():
                what = f"{_LIBRARY} is a library, and nothing imports it"
                text = f"import '{folder.name}/{_LIBRARY}'"
                remedy = f"write {FOLDER}/{folder.name}.jsonnet with `{text}`"
                boards.findings.append(_wrong(Location(name), what, remedy))
            continue
        if _is_named(root, folder, boards.findings):
            made = _Parts(name=folder.name, source=Location(name))
            _read_rules(root, rules, made, boards.findings)
            boards.read(root, dashboards, made.name, made.boards)
            yield made


def _read_rules(root: Path, paths: Iterable[Path], made: _Parts, findings: list[Finding]) -> None:
    """Rule files as Prometheus reads them, and the Operator's PrometheusRule."""
    seen: set[str] = set()
    for path in paths:
        try:
            text = files.text_of(root, path, document=files.MAX_TOTAL)
            documents = yamltext.mappings(text, files.name_of(root, path))
        except tree.Malformed as refused:
            findings.append(refused.finding)
            continue
        for document in documents:
            for group in groups.groups(groups.spec_of(document), findings, seen):
                alerting = any("alert" in rule for rule in group["rules"])
                (made.alerts if alerting else made.recordings).append(group)


def _wrong(where: Location, what: str, remedy: str = "", *, id_: str = "S001") -> Finding:
    return Finding(id=id_, where=where, what=what, remedy=remedy)
