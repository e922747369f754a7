"""Method and path -> what Grafana does, with the permissions that each route asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.grafana_server import folders, replies, saving
from tests.grafana_server.replies import Refused
from tests.grafana_server.store import EVERYTHING, Store

MAX_LIMIT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks: action -> scopes."""

    name: str
    rights: dict[str, tuple[str, ...]]

    def may(self, action: str, *scopes: str) -> bool:
        found = self.rights.get(action, ())
        wide = {"*", "folders:*", "dashboards:*", "folders:uid:*", "dashboards:uid:*"}
        return bool(wide & set(found)) or bool(set(scopes) & set(found))

    def needs(self, action: str, *scopes: str) -> None:
        if not self.may(action, *scopes):
            raise replies.forbidden(action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `params` has the last value of each name, `lists` all of them."""

    store: Store
    login: Login
    parts: tuple[str, ...]
    lists: Mapping[str, list[str]]
    body: Any

    def param(self, name: str, default: str = "") -> str:
        return (self.lists.get(name) or [default])[-1]


def login_of(store: Store, scheme: str, value: tuple[str, str]) -> Login:
    """Raises Refused where nobody is known by it."""
    everything: dict[str, tuple[str, ...]] = dict.fromkeys(EVERYTHING, ("*",))
    if scheme == "bearer" and value[1] in store.tokens:
        return Login(name="sa-deployer", rights=store.tokens[value[1]])
    if scheme == "basic" and store.logins.get(value[0]) == value[1]:
        return Login(name=value[0], rights=everything)
    raise replies.unauthorized()


def handler(method: str, path: str) -> tuple[Callable[[Call], Any], tuple[str, ...]]:
    """Raises Refused for what there is no route for."""
    for wanted, pattern, function in _ROUTES:
        found = re.fullmatch(pattern, path)
        if wanted == method and found:
            return function, found.groups()
    raise Refused(404, "Not found")


def _settings(call: Call) -> Any:
    behaviour = call.store.behaviour
    hidden = "" if behaviour.hide_version else behaviour.version
    found = {"buildInfo": {"version": hidden or behaviour.version, "edition": "Open Source"}}
    namespace = {"namespace": "default"} if behaviour.major >= 11 else {}
    return found | namespace | {"minRefreshInterval": behaviour.min_refresh}


def _permissions(call: Call) -> Any:
    if not call.store.behaviour.permissions_endpoint:
        raise Refused(404, "Not found")
    return {action: list(scopes) for action, scopes in call.login.rights.items()}


def _read(call: Call) -> Any:
    found = call.store.dashboards.get(call.parts[0])
    if found is None:
        raise replies.not_found()
    call.login.needs(
        "dashboards:read", f"dashboards:uid:{found.uid}", f"folders:uid:{found.folder}"
    )
    scopes = (f"dashboards:uid:{found.uid}", f"folders:uid:{found.folder}")
    meta = {
        "type": "db",
        "canSave": call.login.may("dashboards:write", *scopes),
        "canEdit": call.login.may("dashboards:write", *scopes),
        "canDelete": call.login.may("dashboards:delete", *scopes),
        "slug": found.uid,
        "version": found.version,
        "updatedBy": found.editor,
        "createdBy": "admin",
        "folderUid": found.folder,
        "folderTitle": call.store.folders[found.folder].title if found.folder else "General",
        "provisioned": bool(found.provisioned),
        "provisionedExternalId": found.provisioned,
        "isFolder": False,
    }
    return {"meta": meta, "dashboard": found.document}


def _save(call: Call) -> Any:
    body = call.body if isinstance(call.body, dict) else {}
    dashboard = body.get("dashboard")
    uid = dashboard.get("uid", "") if isinstance(dashboard, dict) else ""
    found = call.store.dashboards.get(uid)
    action = "dashboards:write" if found else "dashboards:create"
    where = {str(body.get("folderUid") or "general"), found.folder if found else "general"}
    call.login.needs(action, f"dashboards:uid:{uid}", *(f"folders:uid:{f}" for f in where))
    return saving.save(call.store, call.body, call.login.name)


def _delete(call: Call) -> Any:
    found = call.store.dashboards.get(call.parts[0])
    if found is not None:
        scopes = (f"dashboards:uid:{found.uid}", f"folders:uid:{found.folder}")
        call.login.needs("dashboards:delete", *scopes)
    return saving.delete(call.store, call.parts[0])


def _versions(call: Call) -> Any:
    found = call.store.dashboards.get(call.parts[0])
    if found is None:
        raise replies.not_found()
    listed = [{"version": one, "message": words} for one, words in reversed(found.history)]
    return {"continueToken": "", "versions": listed} if call.store.behaviour.major > 11 else listed


def _may_find(login: Login, hit: Mapping[str, Any]) -> bool:
    if hit["type"] == "dash-folder":
        return login.may("folders:read", f"folders:uid:{hit['uid']}")
    where = f"folders:uid:{hit['folderUid'] or 'general'}"
    return login.may("dashboards:read", f"dashboards:uid:{hit['uid']}", where)


def _search(call: Call) -> Any:
    """What may be read; parameters it does not know are ignored without a word."""
    hits = [hit for hit in call.store.index if _may_find(call.login, hit)]
    for kind in call.lists.get("type", []):
        hits = [hit for hit in hits if hit["type"] == kind]
    for tag in call.lists.get("tag", []):
        hits = [hit for hit in hits if tag in hit["tags"]]
    inside = call.lists.get("folderUIDs", [])
    hits = [hit for hit in hits if not inside or hit["folderUid"] in inside]
    query = call.param("query").lower()
    hits = [hit for hit in hits if query in hit["title"].lower()]
    limit = min(int(call.param("limit", "1000") or 1000), MAX_LIMIT)
    page = int(call.param("page", "1") or 1)
    return hits[(page - 1) * limit : page * limit]


def _folder_list(call: Call) -> Any:
    call.login.needs("folders:read")
    return folders.listed(call.store)


def _folder_create(call: Call) -> Any:
    call.login.needs("folders:create")
    made = folders.create(call.store, call.body)
    # setDefaultFolderPermissions: who makes a folder may do in it what he may do anywhere.
    for action, scopes in list(call.login.rights.items()):
        call.login.rights[action] = (*scopes, f"folders:uid:{made['uid']}")
    return made


def _folder_read(call: Call) -> Any:
    call.login.needs("folders:read", f"folders:uid:{call.parts[0]}")
    return folders.read(call.store, call.parts[0])


def _folder_update(call: Call) -> Any:
    call.login.needs("folders:write", f"folders:uid:{call.parts[0]}")
    return folders.update(call.store, call.parts[0], call.body)


def _folder_delete(call: Call) -> Any:
    call.login.needs("folders:delete", f"folders:uid:{call.parts[0]}")
    return folders.delete(call.store, call.parts[0])


def _folder_counts(call: Call) -> Any:
    call.login.needs("folders:read", f"folders:uid:{call.parts[0]}")
    return folders.counts(call.store, call.parts[0])


def _annotate(call: Call) -> Any:
    call.login.needs("annotations:create")
    if not (call.body or {}).get("text"):
        raise Refused(400, "Failed to save annotation")
    call.store.annotations.append(call.body)
    return {"message": "Annotation added", "id": len(call.store.annotations)}


def _resource(call: Call) -> Any:
    """The stored dashboard as an object of the newer API; a part of it, for reading its owner."""
    found = call.store.dashboards.get(call.parts[0])
    if call.store.behaviour.major < 12 or found is None:
        raise Refused(404, "not found", kind="Status", reason="NotFound", code=404)
    kind, _, identity = found.manager.partition(" ")
    notes = {"grafana.app/managedBy": kind, "grafana.app/managerId": identity} if kind else {}
    metadata = {"name": found.uid, "annotations": notes | {"grafana.app/folder": found.folder}}
    return {"kind": "Dashboard", "metadata": metadata, "spec": found.document}


_ROUTES: tuple[tuple[str, str, Callable[[Call], Any]], ...] = (
    ("GET", "/api/frontend/settings", _settings),
    ("GET", "/api/access-control/user/permissions", _permissions),
    ("GET", "/api/org", lambda call: {"id": call.store.behaviour.org_id, "name": "Main Org."}),
    ("GET", "/api/user", lambda call: {"login": call.login.name, "orgId": 1}),
    ("GET", "/api/dashboards/uid/([^/]+)", _read),
    ("GET", "/api/dashboards/uid/([^/]+)/versions", _versions),
    ("DELETE", "/api/dashboards/uid/([^/]+)", _delete),
    ("POST", "/api/dashboards/db/?", _save),
    ("GET", "/api/search/?", _search),
    ("GET", "/api/folders/?", _folder_list),
    ("POST", "/api/folders/?", _folder_create),
    ("GET", "/api/folders/([^/]+)", _folder_read),
    ("PUT", "/api/folders/([^/]+)", _folder_update),
    ("DELETE", "/api/folders/([^/]+)", _folder_delete),
    ("GET", "/api/folders/([^/]+)/counts", _folder_counts),
    ("POST", "/api/annotations", _annotate),
    (
        "GET",
        "/apis/dashboard.grafana.app/v0alpha1/namespaces/default/dashboards/([^/]+)",
        _resource,
    ),
)
