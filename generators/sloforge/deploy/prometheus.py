"""Prometheus and vmalert: rule files in a release folder, a link that is swapped, and proof."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import promtool
from sloforge import web
from sloforge.deploy import consequences, liverules, proof, rulefiles, words
from sloforge.deploy.access import client
from sloforge.deploy.consequences import Setting
from sloforge.deploy.liverules import LiveGroup
from sloforge.deploy.releases import Releases, manifest, names
from sloforge.deploy.reload import Server, until
from sloforge.deploy.rulefiles import BUILD_FILE, BUILD_INFO, Group
from sloforge.deploy.target import Config, Desired, Moved, Receipt, Step, digest, verb_of
from sloforge.errors import Problem
from sloforge.located import tree, yamltext

RELEASE = "current"
# Beyond a group's interval: for the server to be slow in.
SLACK = 10.0
SETTLING = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What tells one server of rule files from another."""

    metrics: str
    formats: bool
    queries: bool
    remedy: str


PROMETHEUS = Flavour(
    metrics="prometheus_config",
    formats=True,
    queries=True,
    remedy="start Prometheus with --web.enable-lifecycle, or set pid_file",
)
VMALERT = Flavour(
    metrics="vmalert_config",
    formats=False,
    queries=False,
    remedy="check its -reloadAuthKey, or set pid_file",
)


def prometheus(config: Config) -> RuleFiles:
    return RuleFiles(config, PROMETHEUS)


def vmalert(config: Config) -> RuleFiles:
    return RuleFiles(config, VMALERT)


class RuleFiles:
    """A server that reads rule files from a folder on this machine."""

    def __init__(self, config: Config, flavour: Flavour) -> None:
        self.name, self.concurrency = config.name, 1
        self._project, self._adopt = config.project, config.adopt
        self._flavour, self._endpoint = flavour, config.endpoint
        options = config.options
        self._releases = Releases((config.root / options["folder"]).absolute())
        self._config = config.root / options["config"] if options.get("config") else None
        self._patience: float = options.get("wait", 0.0)
        self._server = Server(
            endpoint=config.endpoint,
            metrics=flavour.metrics,
            pid_file=options.get("pid_file", ""),
            remedy=flavour.remedy,
        )

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> tuple[Step, ...]:
        del applied
        live = self._releases.live()
        if foreign := self._foreign(live):
            return (self._refused(live, foreign),)
        wanted = dict(rulefiles.chosen(desired))
        wanted[BUILD_FILE] = rulefiles.build_file(wanted, self._project)
        steps = [self._file(name, live, wanted) for name in sorted(live.keys() | wanted.keys())]
        return (*steps, self._release(live, wanted, desired))

    def apply(self, step: Step) -> Receipt:
        if step.kind == "rules":
            return self._stage(step)
        live = self._releases.live()
        if step.after is None or digest(manifest(live)) not in (step.seen, digest(step.after)):
            raise Moved(f"{self._releases.current}: was changed since the plan; plan again")
        receipt = Receipt(step=step, undo={"live": self._releases.live_name()})
        name = self._releases.name_for(step.after)
        folder = self._releases.assemble(name, step.after)
        _believe(_loadable(folder))
        before = self._wrong_already()
        self._releases.swap(name)
        _believe(one for one in self._wrong_already() if one not in before)
        self._server.reload()
        self._releases.tidy(name, receipt.undo["live"])
        return receipt

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """What is loaded is the build, and every rule that changed works."""
        releases = (step for step in steps if step.kind == "release")
        return tuple(
            note
            for step in releases
            for note in self._prove(names(step.after or ""), names(step.before or ""))
        )

    def undo(self, receipt: Receipt) -> None:
        step = receipt.step
        if step.kind == "rules":
            self._releases.unstage()
            return
        live = manifest(self._releases.live())
        if live not in (step.before or "", step.after):
            raise Moved(f"{self._releases.current}: was changed by somebody else; left as it is")
        back = self._releases.find(step.before) if step.before else ""
        if back is None:
            raise Problem(f"{self._releases.folder}: the release before is gone; deploy it again")
        self._releases.swap(back)
        self._server.reload()

    def _foreign(self, live: Mapping[str, str]) -> str:
        """Why the live release is not ours; empty where it is, or there is none."""
        owner = rulefiles.owner(_groups({BUILD_FILE: live.get(BUILD_FILE, "")}, lenient=True))
        if not live or self._adopt or owner == self._project:
            return ""
        remedy = "give this target a folder of its own, or take this one over with `--adopt`"
        return f"belongs to {f'project {owner}' if owner else 'another tool'}; {remedy}"

    def _refused(self, live: Mapping[str, str], reason: str) -> Step:
        return Step(
            target=self.name,
            kind="release",
            key=RELEASE,
            verb="blocked",
            reason=reason,
            seen=digest(manifest(live)),
        )

    def _file(self, name: str, live: Mapping[str, str], wanted: Mapping[str, str]) -> Step:
        before, after = live.get(name), wanted.get(name)
        return Step(
            target=self.name,
            kind="rules",
            key=name,
            verb=verb_of(before, after),
            before=before,
            after=after,
            seen=digest(before),
            summary=_summary(name, before, after),
        )

    def _release(
        self, live: Mapping[str, str], wanted: Mapping[str, str], desired: Desired
    ) -> Step:
        before, after = (manifest(live) if live else None), manifest(wanted)
        with client(self._endpoint) as http:
            loaded = liverules.read(http)
            warnings = consequences.warnings(self._setting(live, wanted, loaded, desired), http)
        theirs = _hashes(group.group for group in self._ours(loaded).values())
        ours = _hashes(rulefiles.groups(wanted[BUILD_FILE], BUILD_FILE))
        stale = before == after and theirs != ours
        blocked = self._blocked()
        stale_reason = "the files are in place, but the server has not loaded them"
        return Step(
            target=self.name,
            kind="release",
            key=RELEASE,
            verb="blocked" if blocked else "update" if stale else verb_of(before, after),
            reason=blocked or (stale_reason if stale else ""),
            before=before,
            after=after,
            seen=digest(before or ""),
            warnings=warnings,
        )

    def _setting(
        self,
        live: Mapping[str, str],
        wanted: Mapping[str, str],
        loaded: tuple[LiveGroup, ...],
        desired: Desired,
    ) -> Setting:
        ours = {id(group) for group in self._ours(loaded).values()}
        return Setting(
            before=tuple(_groups(live, lenient=True)),
            after=tuple(_groups(wanted)),
            others=tuple(group for group in loaded if id(group) not in ours),
            desired=desired,
        )

    def _blocked(self) -> str:
        """Why Prometheus would not read the folder; empty where it would, or nothing is known."""
        if self._config is None:
            return ""
        patterns = _rule_files(self._config)
        wanted = os.path.abspath(self._releases.current / BUILD_FILE)  # noqa: PTH100 - keeps links
        if any(fnmatch.fnmatchcase(wanted, pattern) for pattern in patterns):
            return ""
        glob = self._releases.current.absolute() / "*.yml"
        return f"{self._config}: rule_files does not name the release folder; add `{glob}` to it"

    def _wrong_already(self) -> tuple[str, ...]:
        """What promtool says against the whole configuration; the files of others are in it, too.

        Only what a deploy adds to it is held against the deploy.
        """
        return promtool.check_config(self._config, lint=False).findings if self._config else ()

    def _stage(self, step: Step) -> Receipt:
        live = self._releases.live().get(step.key)
        if digest(live) not in (step.seen, digest(step.after)):
            path = self._releases.current / step.key
            raise Moved(f"{path}: was changed since the plan; plan again")
        if step.after is not None:
            self._releases.stage(step.key, step.after)
        return Receipt(step=step)

    def _prove(self, after: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
        changed = {name for name in after if before.get(name) != after[name]}
        wanted = {
            (name, group.name): group
            for name, text in self._releases.live().items()
            for group in rulefiles.groups(text, name)
        }
        with client(self._endpoint) as http:
            formatter = liverules.Formatter(http) if self._flavour.formats else None

            def wrong() -> tuple[str, ...]:
                return liverules.differences(wanted, self._ours(liverules.read(http)), formatter)

            # vmalert answers before it has loaded what it read.
            if until(lambda: None if wrong() else True, SETTLING) is None:
                raise Problem(f"{self._endpoint.url}: {liverules.some(wrong())}")
            return self._wait(http, changed)

    def _wait(self, http: web.Client, changed: set[str]) -> tuple[str, ...]:
        """For one evaluation of the groups that changed, but of those that it would take too long.

        Those are asked by queries, where the server answers any.
        """

        def ours() -> list[LiveGroup]:
            found = self._ours(liverules.read(http))
            return [group for (file, _), group in found.items() if file in changed]

        most = self._waited_for(self._ours(liverules.read(http)).values())
        self._refuse(proof.asked(http, [group for group in ours() if group.interval > most]))

        def waited_for() -> list[LiveGroup]:
            return [group for group in ours() if group.interval <= most]

        def settled() -> tuple[str, ...] | None:
            failing = liverules.unhealthy(ours())
            return failing if failing or not liverules.pending(waited_for()) else None

        bound = most + SLACK
        failing = until(settled, bound)
        if failing is None:
            late = liverules.some(liverules.pending(waited_for()))
            raise Problem(f"{self._endpoint.url}: not evaluated within {bound:g} s: {late}")
        self._refuse(failing)
        return tuple(proof.notes(ours()))

    def _waited_for(self, groups: Iterable[LiveGroup]) -> float:
        """The longest interval of a group that is not asked by a query."""
        if not self._flavour.queries:
            return max((group.interval for group in groups), default=0.0)
        return self._patience or proof.longest(groups)

    def _refuse(self, failing: tuple[str, ...]) -> None:
        if failing:
            raise Problem(f"{self._endpoint.url}: {liverules.some(failing)}")

    def _ours(self, loaded: Iterable[LiveGroup]) -> dict[tuple[str, str], LiveGroup]:
        """Our groups by the file's and the group's name: those of the folder as the server has it.

        In a container its path may be another; then that of other projects is told by their name.
        """
        places: dict[str, list[LiveGroup]] = {}
        for group in loaded:
            place = os.path.dirname(group.file)  # noqa: PTH120 - the server's path
            places.setdefault(place, []).append(group)
        ours = places.get(str(self._releases.current))
        if ours is None:
            end = f"/{self._releases.folder.name}/{RELEASE}"
            like = (found for place, found in places.items() if place.endswith(end))
            ours = [one for found in like if self._is_ours(found) for one in found]
        return {(os.path.basename(one.file), one.name): one for one in ours}  # noqa: PTH119

    def _is_ours(self, found: Iterable[LiveGroup]) -> bool:
        return rulefiles.owner(one.group for one in found) == self._project


def _loadable(folder: Path) -> Iterator[str]:
    """What promtool has against the files; its lint is not for those that are foreign."""
    every = sorted(folder.glob("*.yml"))
    foreign = [path for path in every if rulefiles.is_foreign_name(path.name)]
    yield from promtool.check_rules([path for path in every if path not in foreign]).findings
    if foreign:
        yield from promtool.check_rules(foreign, lint=False).findings


def _believe(findings: Iterable[str]) -> None:
    if found := tuple(findings):
        raise Problem("\n".join(f"promtool: {finding}" for finding in found))


def _summary(name: str, before: str | None, after: str | None) -> tuple[str, ...]:
    if before == after:
        return ()
    try:
        old = rulefiles.groups(before or "", name)
    except Problem:
        return ("what is there cannot be read as rules",)
    return words.summary(old, rulefiles.groups(after or "", name))


def _groups(texts: Mapping[str, str], *, lenient: bool = False) -> Iterator[Group]:
    for name, text in texts.items():
        try:
            yield from rulefiles.groups(text, name)
        except Problem:
            # What is live may have been broken by hand; what we are to write may not.
            if not lenient:
                raise


def _hashes(groups: Iterable[Group]) -> set[str]:
    """Which builds the groups say they are."""
    rules = (rule for group in groups for rule in group.rules if rule.name == BUILD_INFO)
    return {dict(rule.labels).get("hash", "") for rule in rules}


def _rule_files(config: Path) -> list[str]:
    """The patterns of a configuration, absolute. Raises Problem where it cannot be read."""
    try:
        found = tree.plain(yamltext.parse(config.read_text(encoding="utf-8"), str(config)))
    except OSError as error:
        raise Problem(f"{config}: cannot be read: {error.strerror}; correct `config`") from None
    except tree.Malformed as error:
        raise Problem(findings=[error.finding]) from None
    listed = found.get("rule_files") or ()
    return [os.path.abspath(config.parent / str(one)) for one in listed]  # noqa: PTH100 - keeps links
