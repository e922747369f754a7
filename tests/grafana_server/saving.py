"""POST /api/dashboards/db and DELETE, check by check in the order of Grafana's dashboard service."""

from __future__ import annotations

import re
from typing import Any

from tests.grafana_server import replies
from tests.grafana_server.replies import Refused
from tests.grafana_server.store import Dashboard, Store

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def save(store: Store, command: Any, editor: str) -> dict[str, Any]:
    """The body of a successful answer; raises Refused."""
    if not isinstance(command, dict) or not isinstance(command.get("dashboard"), dict):
        raise Refused(400, "bad request data")
    document = dict(command["dashboard"])
    overwrite = command.get("overwrite") is True
    if command.get("isFolder"):
        raise Refused(400, "Use folders endpoint for saving folders.")
    _check_words(document, str(command.get("message") or ""))
    _raise_refresh(store, document)
    uid = document.get("uid") or f"generated{store.number()}"
    existing = _existing(store, document, uid)
    if existing and existing.provisioned:
        raise Refused(400, "Cannot save provisioned dashboard")
    if existing and existing.manager and store.behaviour.major >= 12:
        raise Refused(403, f"Cannot update a resource managed by {existing.manager}")
    folder = _folder(store, command)
    if existing and existing.plugin and not overwrite:
        raise replies.plugin_dashboard(existing.plugin)
    if existing and not overwrite and document.get("version", 0) != existing.version:
        raise replies.version_mismatch()
    _check_title(store, document, (uid, folder), overwrite=overwrite)
    _check_alerts(store, document)
    words = str(command.get("message") or "")
    return _commit(store, existing, (uid, folder, editor, words), document)


def delete(store: Store, uid: str) -> dict[str, Any]:
    found = store.dashboards.get(uid)
    if found is None:
        raise replies.not_found()
    if found.provisioned:
        raise Refused(400, "provisioned dashboard cannot be deleted")
    del store.dashboards[uid]
    store.changed()
    return {"title": found.title, "message": f"Dashboard {found.title} deleted", "uid": uid}


def _check_words(document: dict[str, Any], message: str) -> None:
    title = str(document.get("title") or "").strip()
    if not title:
        raise Refused(400, "Dashboard title cannot be empty", "empty-name")
    if len(title) > 5000:
        what = "Dashboard title cannot contain more than 5 000 characters"
        raise Refused(400, what, "title-too-long")
    uid = str(document.get("uid") or "")
    if not re.fullmatch(r"[a-zA-Z0-9\-_]*", uid):
        raise Refused(400, "uid contains illegal characters")
    if len(uid) > 40:
        raise Refused(400, "uid too long, max 40 characters")
    if len(message) > 500:
        raise Refused(400, "message too long, max 500 characters")


def _raise_refresh(store: Store, document: dict[str, Any]) -> None:
    """SaveDashboard logs a warning, and stores another value than it was given."""
    asked = str(document.get("refresh") or "")
    if asked and _seconds(asked) < _seconds(store.behaviour.min_refresh):
        document["refresh"] = store.behaviour.min_refresh


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text)
    return float(found[1]) * _UNITS[found[2]] if found else float("inf")


def _existing(store: Store, document: dict[str, Any], uid: str) -> Dashboard | None:
    number = document.get("id") or 0
    by_uid = store.dashboards.get(uid)
    if not number:
        return by_uid
    by_id = next((d for d in store.dashboards.values() if d.id == number), None)
    if by_id is None:
        raise Refused(404, "Dashboard not found", "not-found")
    if by_uid is not None and by_uid is not by_id:
        raise Refused(400, "A dashboard with the same uid already exists")
    return by_id


def _folder(store: Store, command: dict[str, Any]) -> str:
    """Without a folder, the dashboard goes to the root; Grafana 13 ignores the number of one."""
    uid = str(command.get("folderUid") or "")
    number = command.get("folderId") or 0
    if not uid and number and store.behaviour.major < 13:
        uid = next((f.uid for f in store.folders.values() if f.id == number), "-")
    if uid and (uid not in store.folders or store.folders[uid].hidden):
        raise Refused(404 if store.behaviour.major >= 12 else 400, "folder not found")
    return uid


def _check_title(
    store: Store, document: dict[str, Any], place: tuple[str, str], *, overwrite: bool
) -> None:
    """Up to 10.4 a title is unique in its folder, and `overwrite` takes the other one's place."""
    uid, folder = place
    if store.behaviour.major > 10:
        return
    title = str(document["title"]).strip()
    clash = [d for d in store.dashboards.values() if d.folder == folder and d.title == title]
    for other in clash:
        if other.uid != uid and not overwrite:
            raise replies.name_exists()
        if other.uid != uid:
            del store.dashboards[other.uid]


def _check_alerts(store: Store, document: dict[str, Any]) -> None:
    if store.behaviour.major <= 10 and any("alert" in p for p in document.get("panels") or []):
        raise Refused(422, "alert validation error: legacy alerts are not valid")


def _commit(
    store: Store,
    existing: Dashboard | None,
    place: tuple[str, str, str, str],
    document: dict[str, Any],
) -> dict[str, Any]:
    """Every save makes a version, also one that changes nothing."""
    uid, folder, editor, words = place
    number = existing.id if existing else store.number()
    version = existing.version + 1 if existing else 1
    history = existing.history if existing else []
    document |= {"id": number, "uid": uid, "version": version}
    if existing and existing.uid != uid:
        del store.dashboards[existing.uid]
    made = Dashboard(
        uid=uid, id=number, document=document, folder=folder, version=version, editor=editor
    )
    made.history = [*history, (version, words)]
    store.dashboards[uid] = made
    store.changed()
    slug = re.sub(r"[^a-z0-9]+", "-", made.title.lower()).strip("-")
    path = f"{store.behaviour.sub_path}/d/{uid}/{slug}"
    answer = {"id": number, "uid": uid, "url": path, "status": "success", "version": version}
    return answer | {"slug": slug, "folderUid": folder}
