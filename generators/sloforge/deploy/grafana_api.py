"""Grafana's HTTP API as far as a deploy needs it: what is asked, and what each refusal means.

The status codes are those of pkg/services/dashboards/errors.go and pkg/api in Grafana's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sloforge.deploy.grafana_board import Board, of_live, parsed
from sloforge.errors import Problem
from sloforge.web import Answer, Client, Params

OLDEST = (10, 4)
PAGE = 1000
# As many as Grafana keeps, if nobody has told it otherwise.
_VERSIONS = 20
MESSAGE_LIMIT = 500
FORBIDDEN, NOT_FOUND, CONFLICT, STALE = 403, 404, 409, 412
PENDING = 202


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What there is to know before anything is asked; empty where the server keeps it back."""

    version: str = ""
    least_refresh: str = ""
    namespace: str = ""
    allowed: frozenset[str] | None = None

    def lacks(self, action: str) -> bool:
        """Whether the login is known not to have this permission on anything."""
        return self.allowed is not None and action not in self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A dashboard in Grafana, with what `meta` says about it."""

    board: Board
    version: int
    provisioned: str
    can_save: bool
    can_delete: bool
    editor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder in Grafana."""

    uid: str
    title: str
    version: int
    can_save: bool


@dataclass(frozen=True, slots=True)
class Api:
    """One Grafana, read and written as one project: `mark` is the tag of what is ours."""

    client: Client
    mark: str

    def server(self) -> Server:
        """Raises Problem where the login is refused, or Grafana is older than 10.4."""
        health = self._object(self.client.request("GET", "/api/health"), "to look at it")
        # https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#hide_version
        settings = self._perhaps("/api/frontend/settings")
        build = settings.get("buildInfo")
        hidden = build.get("version", "") if isinstance(build, dict) else ""
        version = str(health.get("version") or hidden)
        _refuse_old(self.client.base_url, version)
        allowed = self._perhaps("/api/access-control/user/permissions")
        return Server(
            version=version,
            least_refresh=str(settings.get("minRefreshInterval", "")),
            namespace=str(settings.get("namespace", "")),
            allowed=frozenset(allowed) or None,
        )

    def board(self, uid: str) -> Live | None:
        """None where there is no dashboard of this uid."""
        answer = self.client.request("GET", f"/api/dashboards/uid/{quote(uid, safe='')}")
        if answer.status == NOT_FOUND:
            return None
        found = self._object(answer, "to read dashboards: `dashboards:read`")
        return _live(answer, found, self.mark)

    def manager(self, uid: str, namespace: str) -> str:
        """The tool that says this dashboard is its own, as Grafana 12 and newer record it.

        Read in the version that is stored as it was written, so that nothing is migrated for it.
        """
        if not namespace:
            return ""
        place = f"/apis/dashboard.grafana.app/v0alpha1/namespaces/{quote(namespace, safe='')}"
        metadata = self._perhaps(f"{place}/dashboards/{quote(uid, safe='')}").get("metadata")
        notes = metadata.get("annotations") if isinstance(metadata, dict) else None
        found = notes if isinstance(notes, dict) else {}
        names = (found.get("grafana.app/managedBy"), found.get("grafana.app/managerId"))
        return " ".join(str(name) for name in names if name)

    def marked(self) -> Iterator[str]:
        """The uids that the search finds with our mark; it may lag behind, and is never trusted."""
        read: set[str] = set()
        page = 1
        while True:
            params: Params = {"type": "dash-db", "tag": self.mark, "limit": PAGE, "page": page}
            answer = self.client.request("GET", "/api/search", params=params)
            hits = _hits(answer, self._json(answer, "to search: `dashboards:read`"))
            fresh = [(uid, tags) for uid, tags in hits if uid not in read]
            # A server that does not know `tag` or `page` ignores it without a word.
            yield from (uid for uid, tags in fresh if self.mark in tags)
            if len(hits) < PAGE or not fresh:
                return
            read |= {uid for uid, _ in fresh}
            page += 1

    def messages(self, uid: str) -> Iterator[str]:
        """What those who saved the dashboard said of it, the last twenty times at most."""
        path = f"/api/dashboards/uid/{quote(uid, safe='')}/versions"
        answer = self.client.request("GET", path, params={"limit": _VERSIONS})
        if not answer.ok:
            return
        found = self._json(answer, "to read dashboards: `dashboards:read`")
        # Since 12 in a mapping, with where to go on.
        listed = found.get("versions") if isinstance(found, dict) else found
        yield from (str(one.get("message", "")) for one in listed or () if isinstance(one, dict))

    def save(self, board: Board, seen: int | None, message: str) -> Answer:
        """`seen` is the version that may be replaced, None for a dashboard that is not there."""
        body = board.body if seen is None else {**board.body, "version": seen}
        request = {
            "dashboard": body,
            "folderUid": board.folder,
            "message": message[:MESSAGE_LIMIT],
            "overwrite": False,
        }
        return self.client.request("POST", "/api/dashboards/db", json=request, repeatable=False)

    def delete_board(self, uid: str) -> Answer:
        # Asked twice, it would delete what somebody put there in between.
        path = f"/api/dashboards/uid/{quote(uid, safe='')}"
        return self.client.request("DELETE", path, repeatable=False)

    def folder(self, uid: str) -> Folder | None:
        """None where there is none, or none that this login may see."""
        answer = self.client.request("GET", f"/api/folders/{quote(uid, safe='')}")
        # The right to read is checked before the folder: an editor gets 403 for what is not there.
        if answer.status in (NOT_FOUND, FORBIDDEN):
            return None
        found = self._object(answer, f"to read folder `{uid}`: `folders:read`")
        return Folder(
            uid=str(found.get("uid", uid)),
            title=str(found.get("title", "")),
            version=_whole(found.get("version")),
            can_save=found.get("canSave") is not False,
        )

    def create_folder(self, uid: str, title: str) -> Answer:
        body = {"uid": uid, "title": title}
        return self.client.request("POST", "/api/folders", json=body, repeatable=False)

    def rename_folder(self, uid: str, title: str, seen: int) -> Answer:
        body = {"title": title, "version": seen, "overwrite": False}
        path = f"/api/folders/{quote(uid, safe='')}"
        return self.client.request("PUT", path, json=body, repeatable=False)

    def inside(self, uid: str) -> int:
        """How many objects a folder holds, by its own count and by the search."""
        path = f"/api/folders/{quote(uid, safe='')}/counts"
        counts = self._object(self.client.request("GET", path), "to read folders: `folders:read`")
        params: Params = {"folderUIDs": uid, "limit": PAGE}
        answer = self.client.request("GET", "/api/search", params=params)
        hits = self._json(answer, "to search: `dashboards:read`")
        listed = [hit for hit in hits if isinstance(hit, dict) and hit.get("folderUid") == uid]
        return sum(map(_whole, counts.values())) + len(listed)

    def delete_folder(self, uid: str) -> Answer:
        path = f"/api/folders/{quote(uid, safe='')}"
        return self.client.request("DELETE", path, repeatable=False)

    def annotate(self, annotation: Mapping[str, object]) -> Answer:
        path = "/api/annotations"
        return self.client.request("POST", path, json=annotation, repeatable=False)

    def refusal(self, answer: Answer, wish: str) -> Problem:
        """What an answer without success means, and what to do about it."""
        what = f"{answer.asked}: Grafana answered {answer.status} `{answer.quoted}`"
        return Problem(f"{what}; {_remedy(answer, wish)}")

    def _perhaps(self, path: str) -> dict[str, Any]:
        """An object that not every Grafana has; empty where it is not to be had."""
        answer = self.client.request("GET", path)
        found = parsed(answer.text) if answer.ok and answer.text.startswith("{") else {}
        return found if isinstance(found, dict) else {}

    def _json(self, answer: Answer, wish: str) -> Any:
        if not answer.ok:
            raise self.refusal(answer, wish)
        try:
            return parsed(answer.text)
        except ValueError:
            return answer.json()

    def _object(self, answer: Answer, wish: str) -> dict[str, Any]:
        found = self._json(answer, wish)
        if not isinstance(found, dict):
            raise _unexpected(answer)
        return found


def done(answer: Answer) -> bool:
    """Whether Grafana says that it has done it: neither a login page nor a promise is enough."""
    return answer.ok and answer.status != PENDING and bool(_fields(answer))


def status_of(answer: Answer) -> str:
    """The word by which Grafana tells one 412 from another."""
    return str(_fields(answer).get("status", ""))


def _fields(answer: Answer) -> dict[str, Any]:
    try:
        found = parsed(answer.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _live(answer: Answer, found: dict[str, Any], mark: str) -> Live:
    document, meta = found.get("dashboard"), found.get("meta")
    if not isinstance(document, dict) or not isinstance(meta, dict):
        raise _unexpected(answer)
    file = str(meta.get("provisionedExternalId") or "a file")
    return Live(
        board=of_live(document, str(meta.get("folderUid") or ""), mark),
        version=_whole(meta.get("version", document.get("version"))),
        provisioned=file if meta.get("provisioned") else "",
        can_save=meta.get("canSave") is not False,
        can_delete=meta.get("canDelete") is not False,
        editor=str(meta.get("updatedBy") or "somebody"),
    )


def _hits(answer: Answer, found: Any) -> list[tuple[str, list[str]]]:
    if not isinstance(found, list):
        raise _unexpected(answer)
    return [(str(h.get("uid", "")), h.get("tags") or []) for h in found if isinstance(h, dict)]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _unexpected(answer: Answer) -> Problem:
    return Problem(
        f"{answer.asked}: expected what Grafana answers, got `{answer.quoted}`; "
        "is the URL that of a Grafana, with its sub-path?"
    )


def _refuse_old(url: str, version: str) -> None:
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise Problem(f"{url}: must be Grafana 10.4 or newer, got {version}; upgrade it")


_REMEDIES = {
    400: "this is what Grafana asks for; correct it in the build",
    401: "check the token or the password, whether it has expired, and the organisation",
    404: "check the URL, with the sub-path that Grafana is served under",
    413: "a proxy in front of Grafana refuses large bodies: raise its limit",
    422: "Grafana finds the dashboard invalid: run `make check`",
    429: "Grafana or a proxy asks for fewer requests: deploy again later",
}


def _remedy(answer: Answer, wish: str) -> str:
    if answer.status == FORBIDDEN:
        return f"this login has no permission {wish}; grant it to the service account"
    if answer.status == PENDING:
        return "a listener holds changes back for review: deploy through it"
    return _REMEDIES.get(answer.status, "read Grafana's log and deploy again")
