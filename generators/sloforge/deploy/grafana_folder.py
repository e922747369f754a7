"""The folder of our dashboards: created first, renamed when asked to, deleted when empty."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sloforge.deploy.grafana_api import Api, Folder, Server
from sloforge.deploy.target import Moved, Receipt, Step
from sloforge.errors import Problem
from sloforge.web import PASSING, Answer, Lost

KIND = "folder"
ATTEMPTS = 3
# What Grafana answers where the uid or the title is taken: 412 up to 10.4, 409 since.
EXISTS = (409, 412)
# Between looks at what may lag behind, in seconds; their sum is how long it is waited for.
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
_TITLE = "title: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The folder that dashboards go to; an empty uid is the root, which is always there."""

    target: str
    uid: str
    title: str
    adopt: bool

    @property
    def id(self) -> str:
        return f"{self.target}/{KIND}/{self.uid}"


def plan(api: Api, server: Server, wanted: Wanted, applied: Mapping[str, str]) -> tuple[Step, ...]:
    """One step, or none for the root."""
    if not wanted.uid:
        return ()
    live = api.folder(wanted.uid)
    after = _text(wanted.title)
    step = Step(target=wanted.target, kind=KIND, key=wanted.uid, verb="create", after=after)
    if live is None:
        return (_refused(step, "folders:create") if server.lacks("folders:create") else step,)
    before, seen = _text(live.title), str(live.version)
    if live.title == wanted.title:
        return (replace(step, verb="unchanged", before=before, seen=seen),)
    renaming = f"title {live.title} -> {wanted.title}"
    if not wanted.adopt and wanted.id not in applied:
        # Somebody's folder that happens to have our uid is good enough for our dashboards.
        warning = f"is called `{live.title}`; `--adopt` renames it to `{wanted.title}`"
        # Without `after`, so that no later deploy takes it for one that we have called so.
        return (replace(step, verb="unchanged", after=None, before=before, warnings=(warning,)),)
    if not live.can_save or server.lacks("folders:write"):
        return (_refused(replace(step, verb="update", before=before, seen=seen), "folders:write"),)
    return (replace(step, verb="update", before=before, seen=seen, summary=(renaming,)),)


def apply(api: Api, step: Step) -> Receipt:
    """Returns once the folder can be read: dashboards sent before that fail."""
    title = _title(step)
    live = api.folder(step.key)
    if live is not None and live.title == title:
        return Receipt(step=step, undo={"wrote": False})
    if not _as_seen(live, step):
        raise _moved(step, live)
    wrote = _write(api, step, live, title)
    _wait(api, step, title)
    return Receipt(step=step, undo={"wrote": wrote})


def undo(api: Api, receipt: Receipt) -> None:
    """A folder that was created is deleted, unless it holds something: Grafana deletes that, too.

    Raises Moved where it has to stay.
    """
    step = receipt.step
    if receipt.undo.get("wrote") is False:
        return
    live = api.folder(step.key)
    if live is None or step.before == _text(live.title):
        return
    if live.title != _title(step):
        raise Moved(f"folder `{step.key}`: {_found(live)}, and not what was deployed; it stays")
    if step.before is not None:
        title = step.before.removeprefix(_TITLE).strip()
        _check(api, api.rename_folder(step.key, title, live.version), "folders:write")
        return
    # What this deploy put into it is gone, and may still be counted for a moment.
    for pause in PAUSES[:5]:
        if not api.inside(step.key):
            _check(api, api.delete_folder(step.key), "folders:delete")
            return
        time.sleep(pause)
    raise Moved(f"folder `{step.key}`: holds what is not from this deploy; it stays")


def difference(api: Api, step: Step) -> str:
    """What in Grafana is not as the step wants it; empty where all is."""
    live = api.folder(step.key)
    if live is not None and live.title == _title(step):
        return ""
    return f"folder `{step.key}`: {_found(live)}, and should be called `{_title(step)}`"


def _write(api: Api, step: Step, live: Folder | None, title: str) -> bool:
    """Whether it was us. Raises Moved where somebody was faster and wants something else."""
    permission = "folders:create" if live is None else "folders:write"
    for attempt in range(ATTEMPTS):
        try:
            if live is None:
                answer = api.create_folder(step.key, title)
            else:
                answer = api.rename_folder(step.key, title, live.version)
        except Lost as lost:
            status, refusal = 0, Problem(str(lost))
        else:
            if answer.ok:
                return True
            status, refusal = answer.status, api.refusal(answer, _wish(permission))
        now = api.folder(step.key)
        if (now is not None and now.title == title) or (live is now is None and status in EXISTS):
            # Where a read lags behind, it is there and not to be seen yet.
            return status not in EXISTS
        if now != live:
            raise Moved(
                f"folder `{step.key}`: {_found(now)}, and was planned otherwise; plan again"
            )
        if (status and status not in PASSING) or attempt + 1 == ATTEMPTS:
            raise refusal
        time.sleep(PAUSES[attempt])
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _wait(api: Api, step: Step, title: str) -> None:
    for pause in PAUSES:
        live = api.folder(step.key)
        if live is not None and live.title == title:
            return
        time.sleep(pause)
    raise Problem(
        f"folder `{step.key}`: is there and cannot be read as `{title}`; "
        "grant `folders:read` to the service account, or look into Grafana"
    )


def _moved(step: Step, live: Folder | None) -> Moved:
    return Moved(f"folder `{step.key}`: {_found(live)}, and was planned otherwise; plan again")


def _check(api: Api, answer: Answer, permission: str) -> None:
    if not answer.ok:
        raise api.refusal(answer, _wish(permission))


def _wish(permission: str) -> str:
    return f"on this folder: `{permission}`"


def _as_seen(live: Folder | None, step: Step) -> bool:
    if live is None or step.before is None:
        return live is None and step.before is None
    return _text(live.title) == step.before and str(live.version) == step.seen


def _found(live: Folder | None) -> str:
    return "is not there" if live is None else f"is called `{live.title}`"


def _refused(step: Step, permission: str) -> Step:
    reason = f"no permission: `{permission}`; grant it to the service account"
    return replace(step, verb="blocked", reason=reason)


def _text(title: str) -> str:
    return f"{_TITLE}{title}\n"


def _title(step: Step) -> str:
    return (step.after or "").removeprefix(_TITLE).strip()
