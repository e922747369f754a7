"""Foreign dashboards: as they are, but for what belongs to the server they come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sloforge import naming
from sloforge.errors import Finding, Location
from sloforge.located import tree
from sloforge.located.files import Unreadable
from sloforge.located.words import shown
from sloforge.specs import files

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")
_UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_ENDING = ".json"
# Counted by one server: another one refuses them, or takes them for those of its own.
_OF_A_SERVER = ("id", "version", "iteration")
_PROMPT = "${DS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where a dashboard is from, and how a mistake in it begins."""

    mixin: str
    file: str
    where: Location
    said: str = ""

    @property
    def name(self) -> str:
        return f"{self.mixin}/{self.file}"


class Boards:
    """The dashboards of all mixins, whose uids must differ; `findings` grow by what is wrong."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self._uids: dict[str, str] = {}

    def of(self, mixin: str, found: Any, where: Location) -> Iterator[tuple[str, str]]:
        """File name and JSON of each dashboard of a jsonnet mixin."""
        if not isinstance(found, dict):
            self._wrong(
                where, f"grafanaDashboards: expected dashboards by file name, got {shown(found)}"
            )
            return
        for name, board in found.items():
            file = name if name.endswith(_ENDING) else name + _ENDING
            said = f"grafanaDashboards['{name}']: "
            if not _FILE.fullmatch(name):
                what = f"{said}expected a file name of letters, digits, spaces and `._-`"
                self._wrong(where, what, "rename it")
                continue
            source = _Source(mixin=mixin, file=file, where=where, said=said)
            if (text := self._taken(source, board)) is not None:
                yield file, text

    def read(self, root: Path, paths: Iterable[Path], mixin: str, into: dict[str, str]) -> None:
        """The same of files."""
        for path in paths:
            where = Location(files.name_of(root, path))
            try:
                board = json.loads(files.text_of(root, path, document=files.MAX_TOTAL))
            except Unreadable as refused:
                self.findings.append(refused.finding)
                continue
            except json.JSONDecodeError as error:
                at = Location(where.path, error.lineno, error.colno)
                self._wrong(at, f"not valid JSON: {error.msg}", id_="S001")
                continue
            except RecursionError:
                self._wrong(where, "not valid JSON: it is nested too deep", id_="S001")
                continue
            source = _Source(mixin=mixin, file=path.name, where=where)
            if (text := self._taken(source, board)) is not None:
                into[path.name] = text

    def _taken(self, source: _Source, board: Any) -> str | None:
        """The board with a uid and nothing of another server's."""
        if mistakes := list(_mistakes(board)):
            for what, remedy in mistakes:
                self._wrong(source.where, source.said + what, remedy)
            return None
        stem = source.file.removesuffix(_ENDING)
        uid = board.get("uid") or naming.mixin_dashboard_uid(source.mixin, stem)
        if (first := self._uids.setdefault(uid, source.name)) != source.name:
            what = f"its uid `{uid}` is that of {first}: one would replace the other"
            remedy = "give it another uid"
            self._wrong(source.where, source.said + what, remedy, id_="S004")
            return None
        kept = {key: value for key, value in board.items() if key not in _OF_A_SERVER}
        return json.dumps(kept | {"uid": uid, "id": None}, ensure_ascii=False, sort_keys=True)

    def _wrong(self, where: Location, what: str, remedy: str = "", *, id_: str = "S003") -> None:
        self.findings.append(Finding(id=id_, where=where, what=what, remedy=remedy))


def _mistakes(board: Any) -> Iterator[tuple[str, str]]:
    """Why Grafana would not take it, or not keep it under its name."""
    if not isinstance(board, dict):
        yield f"expected a dashboard, got {tree.kind(board)}", ""
        return
    if "apiVersion" in board or isinstance(board.get("dashboard"), dict):
        what = "expected a dashboard as Grafana's classic JSON model, got something around it"
        yield what, "export it again, as classic JSON"
        return
    if not isinstance(board.get("title"), str) or not board["title"]:
        yield f"expected a title, got {shown(board.get('title'))}", ""
    uid = board.get("uid")
    if uid is not None and uid != "" and not (isinstance(uid, str) and _UID.fullmatch(uid)):
        yield f"expected a uid of 1 to 40 letters, digits, `-` and `_`, got {shown(uid)}", ""
    elif isinstance(uid, str) and uid.startswith(naming.UID_PREFIX):
        what = f"its uid `{uid}` begins with `{naming.UID_PREFIX}`, as those of ours do"
        yield what, "give it another uid"
    yield from ((what, "") for what in _shape(board))
    if any(_PROMPT in text for text in _texts(board)):
        what = (
            f"holds `{_PROMPT}...}}`, which Grafana replaces in its import dialog and nowhere else"
        )
        yield what, "write the variable `${datasource}` instead"


def _shape(board: dict[str, Any]) -> Iterator[str]:
    """What Grafana reads as a list or a mapping and is something else."""
    for panels in ("panels", "rows"):
        found = board.get(panels)
        for at, panel in enumerate(found if isinstance(found, list) else ()):
            yield from _panel_shape(panel, f"{panels}[{at}]")
    for name in ("templating", "annotations"):
        holder = _held(board, name)
        if not isinstance(holder, dict) or not _are_mappings(holder.get("list")):
            yield f"{name}: expected a mapping with a list of mappings"
    for name in ("panels", "rows", "links"):
        if not _are_mappings(board.get(name)):
            yield f"{name}: expected a list of mappings"


def _panel_shape(panel: Any, where: str) -> Iterator[str]:
    if not isinstance(panel, dict):
        return
    place = _held(panel, "gridPos")
    if not isinstance(place, dict) or not all(isinstance(n, int | float) for n in place.values()):
        yield f"{where}.gridPos: expected a mapping to numbers"
    if not isinstance(_held(panel, "options"), dict):
        yield f"{where}.options: expected a mapping"
    if not _are_mappings(panel.get("targets")):
        yield f"{where}.targets: expected a list of mappings"
    if not _are_mappings(panel.get("panels")):
        yield f"{where}.panels: expected a list of mappings"
        return
    for at, inner in enumerate(panel.get("panels") or ()):
        yield from _panel_shape(inner, f"{where}.panels[{at}]")


def _held(holder: dict[str, Any], key: str) -> Any:
    value = holder.get(key)
    return {} if value is None else value


def _are_mappings(value: Any) -> bool:
    listed = value is None or isinstance(value, list)
    return listed and all(isinstance(one, dict) for one in value or ())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
