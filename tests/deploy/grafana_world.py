"""A Grafana to deploy to, real or ours, with somebody else at work in it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.grafana_server import Behaviour, GrafanaServer
from tests.grafana_server.serving import TOKEN

from sloforge.artifacts import Artifact, json_artifact
from sloforge.deploy import build
from sloforge.deploy.grafana import Grafana
from sloforge.deploy.target import Config, Endpoint, Moved, Receipt, Step, digest

VARIABLE = "SLOFORGE_TEST_GRAFANA_TOKEN"
ORDER = ("folder", "dashboard")


class Eager(Grafana):
    """Plans for artifacts as a test has them, and all at once."""

    def plan(self, desired: Any, applied: Mapping[str, str]) -> tuple[Step, ...]:  # type: ignore[override]
        return tuple(super().plan(build.of(desired), applied))


class World:
    """Names are unique to each one, so that many can share a Grafana and leave nothing behind."""

    def __init__(self, url: str, server: GrafanaServer | None = None) -> None:
        self.url = url
        self.server = server
        run = uuid.uuid4().hex[:8]
        self.project = f"test-{run}"
        self.folder = f"slo-test-{run}"
        self.prefix = f"slo-t{run}"
        self.applied: dict[str, str] = {}
        self._targets: list[Eager] = []
        self._uids: set[str] = set()

    @property
    def mark(self) -> str:
        return f"sloforge:{self.project}"

    @property
    def ours(self) -> GrafanaServer:
        assert self.server is not None
        return self.server

    def uid(self, name: str) -> str:
        self._uids.add(f"{self.prefix}-{name}")
        return f"{self.prefix}-{name}"

    def target(self, *, adopt: bool = False, **changes: Any) -> Eager:
        options = {"folder_uid": self.folder, "folder": self.folder}
        endpoint = Endpoint(url=self.url, token_env=VARIABLE, timeout=changes.pop("timeout", 10.0))
        endpoint = replace(endpoint, **changes.pop("endpoint", {}))
        made = Eager(
            Config(
                project=self.project,
                name="grafana",
                kind="grafana",
                environment="test",
                root=Path(),
                endpoint=endpoint,
                options=options | changes,
                adopt=adopt,
            )
        )
        self._targets.append(made)
        return made

    def board(self, name: str, **changes: Any) -> Artifact:
        document = {
            "id": None,
            "uid": self.uid(name),
            "title": f"SLO / {self.uid(name)}",
            "tags": ["slo"],
            "refresh": "1m",
            "schemaVersion": 39,
            "panels": [
                {
                    "id": 1,
                    "type": "text",
                    "title": "availability",
                    "gridPos": {"h": 4, "w": 3, "x": 0, "y": 0},
                    "options": {"content": "**99.9 % over 30d**\n\nRequests that are answered."},
                },
                {
                    "id": 2,
                    "type": "stat",
                    "title": "Burn rate now",
                    "gridPos": {"h": 4, "w": 3, "x": 3, "y": 0},
                    "fieldConfig": {
                        "defaults": {"thresholds": {"steps": [{"value": None}, {"value": 14.4}]}}
                    },
                    "targets": [{"expr": "slo:current_burn_rate:ratio", "refId": "A"}],
                },
            ],
            "templating": {"list": [{"name": "datasource", "type": "datasource"}]},
        }
        return json_artifact(f"dashboards/{self.uid(name)}.json", document | changes)

    def deploy(self, *desired: Artifact, adopt: bool = False, **changes: Any) -> tuple[Step, ...]:
        """What the engine does, in small: plan, apply in order, verify, undo on failure."""
        target = self.target(adopt=adopt, **changes)
        steps = target.plan(desired, self.applied)
        run(target, steps)
        self.remember(steps)
        return steps

    def remember(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.verb == "delete":
                self.applied.pop(step.id, None)
            elif step.changes:
                self.applied[step.id] = digest(step.after)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """As somebody else: past all code under test."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {os.environ[VARIABLE]}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def read(self, uid: str) -> dict[str, Any]:
        status, found = self.ask("GET", f"/api/dashboards/uid/{uid}")
        assert status == 200, found
        return dict(found)

    def edit(self, uid: str, **changes: Any) -> None:
        """An edit in the user interface."""
        found = self.read(uid)
        command = {"dashboard": found["dashboard"] | changes, "overwrite": True}
        status, answer = self.ask(
            "POST",
            "/api/dashboards/db",
            command | {"folderUid": found["meta"].get("folderUid", "")},
        )
        assert status == 200, answer

    def create(self, document: Mapping[str, Any], folder: str = "") -> None:
        command = {"dashboard": dict(document), "folderUid": folder, "overwrite": False}
        status, answer = self.ask("POST", "/api/dashboards/db", command)
        assert status == 200, answer
        self._uids.add(document["uid"])

    def remove(self, uid: str) -> None:
        assert self.ask("DELETE", f"/api/dashboards/uid/{uid}")[0] == 200

    def close(self) -> None:
        if self.server is None:
            # By name: the search may not have seen them yet.
            for uid in self._uids:
                self.ask("DELETE", f"/api/dashboards/uid/{uid}")
            self.ask("DELETE", f"/api/folders/{self.folder}")
        for target in self._targets:
            target.close()


def run(target: Eager, steps: tuple[Step, ...]) -> tuple[Receipt, ...]:
    """Apply and verify; on a failure undo what this run did, the last thing first."""
    done: list[Receipt] = []
    try:
        for step in ordered(steps):
            try:
                done.append(target.apply(step))
            except BaseException:
                # How far it came is not known; what it has not changed, it leaves alone.
                with suppress(Moved):
                    target.undo(Receipt(step=step))
                raise
        target.verify(tuple(receipt.step for receipt in done))
    except BaseException:
        for receipt in reversed(done):
            target.undo(receipt)
        raise
    return tuple(done)


def ordered(steps: tuple[Step, ...]) -> list[Step]:
    """Folders, dashboards, deletions."""
    changing = [step for step in steps if step.changes]
    return sorted(changing, key=lambda s: (s.verb == "delete", ORDER.index(s.kind), s.key))


def verbs(steps: tuple[Step, ...], kind: str = "dashboard") -> dict[str, str]:
    return {step.key: step.verb for step in steps if step.kind == kind}


@contextmanager
def world(monkeypatch: Any, **behaviour: Any) -> Iterator[World]:
    """Ours."""
    monkeypatch.setenv(VARIABLE, TOKEN)
    with GrafanaServer(Behaviour(**behaviour)) as server:
        made = World(server.url, server)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def any_world(monkeypatch: Any) -> Iterator[World]:
    """A real Grafana where the environment names one, else ours."""
    url, token = os.environ.get("GRAFANA_URL", ""), os.environ.get("GRAFANA_TOKEN", "")
    if not url or not token:
        with world(monkeypatch) as made:
            yield made
        return
    monkeypatch.setenv(VARIABLE, token)
    made = World(url.rstrip("/"))
    try:
        yield made
    finally:
        made.close()
