"""/api/folders: unique uids, titles that were unique once, and a deletion that takes the content."""

from __future__ import annotations

from typing import Any

from tests.grafana_server import replies
from tests.grafana_server.replies import Refused
from tests.grafana_server.store import Folder, Store


def create(store: Store, command: Any) -> dict[str, Any]:
    if not isinstance(command, dict):
        raise Refused(400, "bad request data")
    title = str(command.get("title") or "").strip()
    uid = str(command.get("uid") or "") or f"folder{store.number()}"
    if not title:
        raise Refused(400, "folder title cannot be empty")
    old = store.behaviour.major <= 10
    if uid in store.folders:
        # 10.4 compares versions, as for dashboards; later ones have an error of its own for it.
        if old:
            raise replies.folder_version_mismatch()
        raise Refused(409, "a folder/dashboard with the same uid already exists")
    if old and any(folder.title == title for folder in store.folders.values()):
        what = "a folder or dashboard in the general folder with the same name already exists"
        raise Refused(409, what)
    lag = store.behaviour.folder_lag
    store.folders[uid] = Folder(uid=uid, id=store.number(), title=title, hidden=lag)
    store.changed()
    return shown(store.folders[uid])


def read(store: Store, uid: str) -> dict[str, Any]:
    found = store.folders.get(uid)
    if found is None:
        raise replies.folder_not_found()
    if found.hidden:
        found.hidden -= 1
        raise replies.folder_not_found()
    return shown(found)


def update(store: Store, uid: str, command: Any) -> dict[str, Any]:
    found = store.folders.get(uid)
    if found is None:
        raise replies.folder_not_found()
    if not command.get("overwrite") and command.get("version") != found.version:
        raise replies.folder_version_mismatch()
    found.title = str(command.get("title") or found.title)
    found.version += 1
    store.changed()
    return shown(found)


def delete(store: Store, uid: str) -> dict[str, Any]:
    found = store.folders.pop(uid, None)
    if found is None:
        raise replies.folder_not_found()
    store.dashboards = {u: d for u, d in store.dashboards.items() if d.folder != uid}
    store.changed()
    return {"message": f"Folder {found.title} deleted", "id": found.id, "title": found.title}


def counts(store: Store, uid: str) -> dict[str, int]:
    if uid not in store.folders:
        raise replies.folder_not_found()
    inside = sum(1 for d in store.dashboards.values() if d.folder == uid)
    return {"dashboard": inside, "folder": 0, "alertrule": 0, "librarypanel": 0}


def listed(store: Store) -> list[dict[str, Any]]:
    return [{"id": f.id, "uid": f.uid, "title": f.title} for f in store.folders.values()]


def shown(folder: Folder) -> dict[str, Any]:
    rights = dict.fromkeys(("canSave", "canEdit", "canAdmin", "canDelete"), True)
    who = {"createdBy": "admin", "updatedBy": "admin"}
    where = {"id": folder.id, "uid": folder.uid, "title": folder.title, "version": folder.version}
    return where | rights | who | {"url": f"/dashboards/f/{folder.uid}", "hasAcl": False}
