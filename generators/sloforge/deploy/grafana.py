"""dashboards/ -> Grafana: plan by reading, write over what was seen, verify by reading again."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sloforge import naming
from sloforge.artifacts import Artifact
from sloforge.deploy import grafana_folder, grafana_write
from sloforge.deploy.access import client
from sloforge.deploy.grafana_api import Api, Live, Server
from sloforge.deploy.grafana_board import (
    MARK_PREFIX,
    UID_PREFIX,
    Board,
    of_artifact,
    other_marks,
    with_refresh,
)
from sloforge.deploy.grafana_words import summary
from sloforge.deploy.target import Config, Desired, Receipt, Step, Target, digest
from sloforge.deploy.together import each
from sloforge.errors import Problem

KIND = "dashboard"
CONCURRENCY = 4
SOURCE = "dashboards/"
# Every repository makes these, and they show all services of a data source: one of each is enough.
SHARED = (naming.FLEET_UID, naming.INCIDENT_UID)
MESSAGE = "deployed by sloforge"


def target(config: Config) -> Target:
    """Options: `folder`, `folder_uid`, `org_id`; the project's name, as a tag, marks our boards."""
    return Grafana(config)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a plan is made from: the server, and what is known of the last deploy."""

    api: Api
    server: Server
    applied: Mapping[str, str]


class Grafana:
    """One organisation of one Grafana; folders and dashboards over the HTTP API."""

    concurrency = CONCURRENCY

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.mark = MARK_PREFIX + config.project
        self._adopt = config.adopt
        options = config.options
        self._folder = grafana_folder.Wanted(
            target=config.name,
            uid=str(options.get("folder_uid", "slo")),
            title=str(options.get("folder", "SLO")),
            adopt=config.adopt,
        )
        self._endpoint = config.endpoint
        if options.get("org_id"):
            header = ("X-Grafana-Org-Id", str(options["org_id"]))
            self._endpoint = replace(self._endpoint, headers=(*self._endpoint.headers, header))
        self._lock = threading.Lock()
        self._opened: Api | None = None
        self._stack = ExitStack()
        self._close = weakref.finalize(self, self._stack.close)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._opened = None
        self._stack.close()

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> Iterator[Step]:
        look = _Look(api=self._api(), server=self._api().server(), applied=applied)
        ours = (a for a in desired.under(SOURCE) if a.path.endswith(".json"))
        yield from grafana_folder.plan(look.api, look.server, self._folder, applied)
        wanted: set[str] = set()
        for step in each(lambda artifact: self._step(look, artifact), ours, CONCURRENCY):
            wanted.add(step.key)
            yield step
        strangers = self._strangers(look, wanted)
        gone = each(lambda uid: self._deletion(look, uid), strangers, CONCURRENCY)
        yield from (step for step in gone if step is not None)

    def apply(self, step: Step) -> Receipt:
        if step.kind == grafana_folder.KIND:
            with self._lock:
                return grafana_folder.apply(self._api(), step)
        return grafana_write.apply(self._api(), step, MESSAGE)

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        found = [words for words in each(self._difference, steps, CONCURRENCY) if words]
        if found:
            raise Problem("\n".join(found))
        return ()

    def undo(self, receipt: Receipt) -> None:
        if receipt.step.kind == grafana_folder.KIND:
            with self._lock:
                grafana_folder.undo(self._api(), receipt)
        else:
            grafana_write.undo(self._api(), receipt, f"undone: {MESSAGE}")

    def announce(self, text: str) -> str:
        """Mark this moment in every dashboard; what kept it from being marked, or nothing."""
        annotation = {
            "time": int(time.time() * 1000),
            "tags": ["deploy", self.mark],
            "text": text,
        }
        try:
            answer = self._api().annotate(annotation)
        except Problem as problem:
            return str(problem)
        if answer.ok:
            return ""
        return str(self._api().refusal(answer, "to annotate: `annotations:create`"))

    def _api(self) -> Api:
        with _OPENING:
            if self._opened is None:
                opened = self._stack.enter_context(client(self._endpoint))
                self._opened = Api(opened, self.mark)
            return self._opened

    def _strangers(self, look: _Look, wanted: set[str]) -> tuple[str, ...]:
        """Uids that may be ours and are not wanted; the search lags, so memory is asked, too."""
        prefix = f"{self.name}/{KIND}/"
        known = {id_.removeprefix(prefix) for id_ in look.applied if id_.startswith(prefix)}
        marked = set(look.api.marked()) - known - wanted
        ours = {uid for uid in marked if uid.startswith(UID_PREFIX) or _is_deployed(look, uid)}
        return tuple(sorted((known | ours) - wanted))

    def _wanted(self, look: _Look, artifact: Artifact) -> Board:
        board = of_artifact(artifact, self._folder.uid, self.mark)
        return with_refresh(board, look.server.least_refresh)

    def _step(self, look: _Look, artifact: Artifact) -> Step:
        wanted = self._wanted(look, artifact)
        step = Step(target=self.name, kind=KIND, key=wanted.uid, verb="create", after=wanted.text)
        last = look.applied.get(step.id)
        live = look.api.board(wanted.uid)
        if live is None:
            warnings = ("was deleted in Grafana since the last deploy",) if last else ()
            lacking = "dashboards:create" if look.server.lacks("dashboards:create") else ""
            return _blocked(step, _lack(lacking)) if lacking else replace(step, warnings=warnings)
        seen = str(live.version)
        if live.board.same(wanted):
            return replace(step, verb="unchanged", before=step.after, seen=seen)
        keepers = () if self._adopt or live.board.mark else other_marks(live.board)
        if keepers and wanted.uid in SHARED:
            warning = f"is kept by {', '.join(keepers)}: one of it is enough for all repositories"
            return replace(step, verb="unchanged", after=None, seen=seen, warnings=(warning,))
        step = replace(step, verb="update", before=live.board.text, seen=seen)
        reason = self._obstacle(look, live)
        if reason:
            return _blocked(step, reason)
        moved = live.board.mark == wanted.mark and live.board.looks_like(wanted)
        edited = last is not None and last != digest(live.board.text)
        warning = f"overwrites what `{live.editor}` changed in Grafana, version {live.version}"
        return replace(
            step,
            verb="move" if moved else "update",
            summary=summary(live.board, wanted),
            warnings=(warning,) if edited else (),
        )

    def _obstacle(self, look: _Look, live: Live) -> str:
        if live.provisioned:
            return (
                f"provisioned from {live.provisioned}: Grafana refuses to save it; "
                "take it out of the provisioning, or out of slos/"
            )
        if not live.board.mark:
            manager = look.api.manager(live.board.uid, look.server.namespace)
            if manager:
                return f"owned by another tool: {manager}; let that one go of it first"
        if not live.board.mark and not self._adopt:
            others = other_marks(live.board)
            owner = f"belongs to {', '.join(others)}" if others else "does not bear our tag"
            return f"{owner}, last saved by `{live.editor}`; `--adopt` takes it over"
        if not live.can_save or look.server.lacks("dashboards:write"):
            return _lack("dashboards:write")
        return ""

    def _deletion(self, look: _Look, uid: str) -> Step | None:
        live = look.api.board(uid)
        if live is None or not live.board.mark:
            return None
        step = Step(
            target=self.name,
            kind=KIND,
            key=uid,
            verb="delete",
            before=live.board.text,
            seen=str(live.version),
            summary=(f"`{live.board.title}` is not in the build any more",),
        )
        if live.provisioned:
            return _blocked(step, f"provisioned from {live.provisioned}: remove it there")
        if not live.can_delete or look.server.lacks("dashboards:delete"):
            return _blocked(step, _lack("dashboards:delete"))
        return step

    def _difference(self, step: Step) -> str:
        """A read may come from a replica: what differs is looked at again before it is told."""
        words = ""
        for pause in (*grafana_folder.PAUSES[:4], 0.0):
            if step.kind == grafana_folder.KIND:
                words = grafana_folder.difference(self._api(), step)
            else:
                words = grafana_write.difference(self._api(), step)
            if not words:
                return ""
            time.sleep(pause)
        return words


def _is_deployed(look: _Look, uid: str) -> bool:
    """Of a uid that is not ours by its name: a copy made in Grafana bears our tag, too."""
    return any(message.endswith(MESSAGE) for message in look.api.messages(uid))


_OPENING = threading.Lock()


def _blocked(step: Step, reason: str) -> Step:
    return replace(step, verb="blocked", reason=reason)


def _lack(permission: str) -> str:
    return f"no permission: `{permission}`; grant it to the service account"
