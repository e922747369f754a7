"""Alertmanager: its configuration and templates, checked, written, loaded and proven."""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sloforge import amtool
from sloforge.deploy import access, files
from sloforge.deploy.reload import Server, gauge
from sloforge.deploy.target import Config, Desired, Moved, Receipt, Step, digest, verb_of
from sloforge.errors import Problem

SOURCE = "alertmanager/alertmanager.yml"
TEMPLATES = "alertmanager/templates/"
RELOAD = "configuration"
# The line that says whose it is: an Alertmanager has one configuration, and one owner.
MARK = "# Deployed by `sloforge deploy` for {}.\n"
_OWNER = re.compile("^# Deployed by `sloforge deploy` for (.+)[.]$", re.MULTILINE)
REMEDY = "check that no proxy forbids POST /-/reload, or set pid_file"
# Keys whose values let somebody in; a webhook's address does, too.
_SECRETS = re.compile(
    r"^(?P<key>\s*(?:- )?(?:\w*(?:url|password|secret|token|credentials|routing_key|service_key"
    r"|api_key|user_key)):)[ \t]*(?P<value>\S.*)$",
    re.MULTILINE,
)


def redacted(text: str) -> str:
    """The configuration as it may be shown."""
    return _SECRETS.sub(r"\g<key> <secret>", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file of ours: how a plan calls it, and where it is."""

    kind: str
    key: str
    path: Path


class Alertmanager:
    """An Alertmanager that reads its configuration from this machine."""

    def __init__(self, config: Config) -> None:
        self.name, self.concurrency = config.name, 1
        self._endpoint, self._adopt = config.endpoint, config.adopt
        self._project = config.project
        self._config = (config.root / config.options["config"]).absolute()
        pid_file = config.options.get("pid_file", "")
        metrics = "alertmanager_config"
        self._server = Server(
            endpoint=config.endpoint, metrics=metrics, pid_file=pid_file, remedy=REMEDY
        )

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> tuple[Step, ...]:
        if foreign := self._foreign():
            return (self._blocked(foreign),)
        wanted = {file.path: text for file, text in self._wanted(desired)}
        ours = {file.path: file for file, _ in self._wanted(desired)}
        ours |= {path: self._template(path.name) for path in self._left_behind(applied)}
        steps = [self._step(ours[path], wanted.get(path), applied) for path in sorted(ours)]
        return (*steps, self._reload_step(steps))

    def apply(self, step: Step) -> Receipt:
        if step.kind == "reload":
            self._check()
            self._server.reload()
            return Receipt(step=step)
        path = self._path(step)
        live = files.text_of(path)
        if live == step.after:
            return Receipt(step=step)
        if digest(live) != step.seen:
            raise Moved(f"{path}: was changed since the plan; plan again")
        if step.kind == "config":
            self._rehearse(step.after or "")
        self._keep(path, live)
        files.remove(path) if step.after is None else files.write(path, step.after)
        return Receipt(step=step)

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """What is loaded is what is in the file, to the byte where the server tells its hash."""
        if not any(step.kind == "reload" for step in steps):
            return ()
        text = files.text_of(self._config) or ""
        loaded = gauge(self._server.metrics_text(), "alertmanager_config_hash")
        if loaded is not None and loaded != fingerprint(text):
            what = "expected the file's configuration to be loaded, another one is"
            raise Problem(f"{self._endpoint.url}: {what}; does it read {self._config}?")
        with access.client(self._endpoint) as http:
            answer = http.request("GET", "/api/v2/status")
        if not answer.ok:
            raise access.refused(answer)
        if missing := tuple(_missing(_loaded(text), _loaded(_original(answer.json())))):
            raise Problem(f"{self._endpoint.url}: loaded without {', '.join(missing[:5])}")
        return ()

    def undo(self, receipt: Receipt) -> None:
        step = receipt.step
        if step.kind == "reload":
            # Undone last to first, the files are still the new ones: the first file reloads.
            return
        path = self._path(step)
        live = files.text_of(path)
        if digest(live) != step.seen:
            if live != step.after:
                raise Moved(f"{path}: was changed by somebody else; left as it is")
            self._bring_back(path, step)
        if self._valid():
            self._server.reload()

    def _wanted(self, desired: Desired) -> Iterator[tuple[_File, str]]:
        for artifact in desired.under(SOURCE, TEMPLATES):
            if artifact.path == SOURCE:
                key = self._config.name
                text = MARK.format(self._project) + artifact.text
                yield _File(kind="config", key=key, path=self._config), text
            else:
                yield self._template(artifact.path.removeprefix(TEMPLATES)), artifact.text

    def _foreign(self) -> str:
        """Why the configuration is not ours; empty where it is, or there is none."""
        live = files.text_of(self._config)
        if self._adopt or live is None:
            return ""
        owner = _OWNER.match(live)
        if owner is None:
            return "was not deployed from here; `--adopt` replaces it, base.yml keeps what it says"
        if owner[1] == self._project:
            return ""
        remedy = "route its alerts in that repository's base.yml, or replace it with `--adopt`"
        return f"belongs to project {owner[1]}, and an Alertmanager has one configuration; {remedy}"

    def _blocked(self, reason: str) -> Step:
        key = self._config.name
        return Step(target=self.name, kind="config", key=key, verb="blocked", reason=reason)

    def _template(self, name: str) -> _File:
        path = self._config.parent / "templates" / name
        return _File(kind="template", key=name, path=path)

    def _path(self, step: Step) -> Path:
        return self._template(step.key).path if step.kind == "template" else self._config

    def _left_behind(self, applied: Mapping[str, str]) -> Iterator[Path]:
        """Templates that an earlier deploy wrote, and nobody has changed since."""
        for identity, sign in applied.items():
            start = f"{self.name}/template/"
            path = self._template(identity.removeprefix(start)).path
            if identity.startswith(start) and digest(files.text_of(path)) == sign:
                yield path

    def _step(self, file: _File, after: str | None, applied: Mapping[str, str]) -> Step:
        live = files.text_of(file.path)
        identity = f"{self.name}/{file.kind}/{file.key}"
        # What nobody but us wrote holds what the repository holds; a hand may have put secrets in.
        known = live == after or applied.get(identity) == digest(live)
        before = live if live is None or known else redacted(live)
        return Step(
            target=self.name,
            kind=file.kind,
            key=file.key,
            verb=verb_of(live, after),
            before=before,
            after=after,
            seen=digest(live),
            summary=_summary(live, after) if file.kind == "config" else (),
        )

    def _reload_step(self, steps: list[Step]) -> Step:
        changed = [step for step in steps if step.changes]
        loaded = gauge(self._server.metrics_text(), "alertmanager_config_hash")
        text = files.text_of(self._config)
        late = loaded is not None and text is not None and loaded != fingerprint(text)
        reason = "the file is in place, but the server has not loaded it" * (late and not changed)
        before = "".join(f"{step.key} {step.seen}\n" for step in steps if step.seen)
        signs = [f"{step.key} {digest(step.after)}\n" for step in steps if step.after is not None]
        return Step(
            target=self.name,
            kind="reload",
            key=RELOAD,
            verb="update" if changed or late else "unchanged",
            reason=reason,
            before=before,
            after="".join(signs),
        )

    def _rehearse(self, text: str) -> None:
        """Check what would be written before it is, with the templates that are there by now."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, self._config.name)
            file.write_text(text, encoding="utf-8")
            templates = self._config.parent / "templates"
            if templates.is_dir():
                with files.problems("read"):
                    shutil.copytree(templates, Path(folder, "templates"))
            self._believe(file)

    def _check(self) -> None:
        self._believe(self._config)

    def _believe(self, file: Path) -> None:
        if findings := amtool.locate().check_config(file, str(self._config)):
            raise Problem("\n".join(str(finding) for finding in findings))

    def _valid(self) -> bool:
        """False half-way back, where the configuration and its templates do not fit together."""
        exists = self._config.exists()
        return exists and not amtool.locate().check_config(self._config, str(self._config))

    def _kept(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.before-deploy")

    def _keep(self, path: Path, live: str | None) -> None:
        """A copy beside the file, with its rights: what it holds is for no journal."""
        if live is not None:
            mode = path.stat().st_mode & 0o7777
            # One from an earlier deploy would lend its rights to this one.
            files.remove(self._kept(path))
            files.write(self._kept(path), live, mode)

    def _bring_back(self, path: Path, step: Step) -> None:
        if not step.seen:
            files.remove(path)
            return
        kept = files.text_of(self._kept(path))
        if digest(kept) != step.seen:
            raise Problem(f"{path}: the copy from before the deploy is gone; restore it by hand")
        files.write(path, kept or "", self._kept(path).stat().st_mode & 0o7777)


def target(config: Config) -> Alertmanager:
    return Alertmanager(config)


def fingerprint(text: str) -> float:
    """`alertmanager_config_hash` of a file: 48 bits of its MD5 (config/coordinator.go)."""
    sign = hashlib.md5(text.encode(), usedforsecurity=False).digest()[:6]
    return float(struct.unpack("<Q", sign + b"\0\0")[0])


def _original(status: Any) -> str:
    try:
        return str(status["config"]["original"])
    except (KeyError, TypeError):
        raise Problem("/api/v2/status: expected the configuration, got none") from None


def _loaded(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _missing(wanted: Mapping[str, Any], loaded: Mapping[str, Any]) -> Iterator[str]:
    """Receivers and numbers of routes: the server prints the rest with its defaults."""
    theirs = {one["name"] for one in loaded.get("receivers") or ()}
    for one in wanted.get("receivers") or ():
        if one["name"] not in theirs:
            yield f"receiver {one['name']}"
    for what, ours, live in (
        ("routes", _routes(wanted.get("route")), _routes(loaded.get("route"))),
        ("inhibitions", _count(wanted, "inhibit_rules"), _count(loaded, "inhibit_rules")),
    ):
        if ours != live:
            yield f"{ours} {what} (it has {live})"


def _count(config: Mapping[str, Any], key: str) -> int:
    return len(config.get(key) or ())


def _routes(route: Mapping[str, Any] | None) -> int:
    return 1 + sum(_routes(one) for one in route.get("routes") or ()) if route else 0


def _summary(before: str | None, after: str | None) -> tuple[str, ...]:
    """Receivers that come and go, and how many routes there are."""
    if before is None or after is None or before == after:
        return ()
    old, new = _loaded(before), _loaded(after)
    ours, theirs = ({str(r.get("name")) for r in c.get("receivers") or ()} for c in (old, new))
    lines = [f"+ receiver {name}" for name in sorted(theirs - ours)]
    lines += [f"- receiver {name}" for name in sorted(ours - theirs)]
    for what, was, now in (
        ("routes", _routes(old.get("route")), _routes(new.get("route"))),
        ("inhibitions", _count(old, "inhibit_rules"), _count(new, "inhibit_rules")),
    ):
        lines += [f"{what} {was} -> {now}"] if was != now else []
    return tuple(lines)
