"""What a Grafana holds: folders, dashboards with versions, a search index of its own, annotations."""

from __future__ import annotations

import copy
import json
import threading
from dataclasses import dataclass, field
from typing import Any

EVERYTHING = (
    "dashboards:read",
    "dashboards:create",
    "dashboards:write",
    "dashboards:delete",
    "folders:read",
    "folders:create",
    "folders:write",
    "folders:delete",
    "annotations:create",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Which Grafana this is, and how it was set up."""

    version: str = "11.6.0"
    hide_version: bool = False
    min_refresh: str = "5s"
    # How many reads of a new folder, after its creation, still do not see it.
    folder_lag: int = 0
    # Writes come into the index only when a test says so.
    search_lags: bool = False
    permissions_endpoint: bool = True
    sub_path: str = ""
    org_id: int = 1

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


@dataclass(slots=True, kw_only=True)
class Dashboard:
    uid: str
    id: int
    document: dict[str, Any]
    folder: str
    version: int = 1
    provisioned: str = ""
    plugin: str = ""
    manager: str = ""
    editor: str = "admin"
    # Each version, and what was said when it was saved.
    history: list[tuple[int, str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return str(self.document["title"])

    def image(self) -> str:
        """Everything about it as text: equal only where nothing has happened to it."""
        parts = [self.uid, self.id, self.folder, self.version, self.provisioned, self.plugin]
        return json.dumps([*parts, self.editor, self.document])


@dataclass(slots=True, kw_only=True)
class Folder:
    uid: str
    id: int
    title: str
    version: int = 1
    hidden: int = 0


class Store:
    """Guarded by one lock."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.lock = threading.RLock()
        self.dashboards: dict[str, Dashboard] = {}
        self.folders: dict[str, Folder] = {}
        self.annotations: list[dict[str, Any]] = []
        self.tokens: dict[str, dict[str, tuple[str, ...]]] = {}
        self.logins: dict[str, str] = {"admin": "hunter2-secret"}
        self._index: list[dict[str, Any]] = []
        self._stale = False
        self._ids = 0

    def number(self) -> int:
        self._ids += 1
        return self._ids

    def put_folder(self, uid: str, title: str) -> Folder:
        """As if somebody else had made it."""
        with self.lock:
            self.folders[uid] = Folder(uid=uid, id=self.number(), title=title)
            self.changed()
            return self.folders[uid]

    def put(self, document: dict[str, Any], folder: str = "", **more: Any) -> Dashboard:
        """As if somebody else had saved it: past every check."""
        with self.lock:
            uid = document["uid"]
            old = self.dashboards.get(uid)
            made = Dashboard(
                uid=uid,
                id=old.id if old else self.number(),
                document=copy.deepcopy(document),
                folder=folder,
                version=old.version + 1 if old else 1,
                **more,
            )
            made.document |= {"id": made.id, "version": made.version}
            self.dashboards[uid] = made
            self.changed()
            return made

    def changed(self) -> None:
        """After a write through the API."""
        self._stale = self._stale or not self.behaviour.search_lags

    def refresh(self) -> None:
        """The search catches up."""
        with self.lock:
            self._index, self._stale = self._indexed(), False

    @property
    def index(self) -> list[dict[str, Any]]:
        """What the search sees."""
        if self._stale:
            self.refresh()
        return self._index

    def _indexed(self) -> list[dict[str, Any]]:
        folders = [
            {"uid": f.uid, "title": f.title, "type": "dash-folder", "tags": [], "folderUid": ""}
            for f in self.folders.values()
        ]
        boards = [
            {
                "id": d.id,
                "uid": d.uid,
                "title": d.title,
                "type": "dash-db",
                "tags": list(d.document.get("tags") or []),
                "folderUid": d.folder,
                "url": f"/d/{d.uid}",
            }
            for d in self.dashboards.values()
        ]
        return folders + boards
