"""The ruler of Mimir, Cortex or Grafana Cloud: rule groups over its configuration API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import yaml

from sloforge.artifacts import yaml_text
from sloforge.deploy import access, consequences, liverules, proof, rulefiles, words
from sloforge.deploy.access import Tenant
from sloforge.deploy.consequences import Setting
from sloforge.deploy.liverules import Key, LiveGroup
from sloforge.deploy.reload import until
from sloforge.deploy.rulefiles import Group
from sloforge.deploy.target import Config, Desired, Moved, Receipt, Step, digest, verb_of
from sloforge.errors import Problem

RULES = "/config/v1/rules"
NOT_FOUND = 404
Groups = dict[str, Group]


class Ruler:
    """The namespaces of one tenant that begin with `sloforge.`, the project's name and a dot."""

    def __init__(self, config: Config) -> None:
        self.name, self.concurrency = config.name, 4
        self._endpoint, self._options = config.endpoint, config.options
        self._tenant = str(config.options.get("tenant", ""))
        self._project = config.project
        # No name has a dot in it, so that none of two projects begins like the other.
        self._prefix = f"sloforge.{config.project}."

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> tuple[Step, ...]:
        del applied
        wanted = self._wanted(desired)
        with self._http() as http:
            every = self._read(http)
            live = {key: one for key, one in every.items() if key.startswith(self._prefix)}
            self._within_limits(wanted, every.keys())
            setting = self._setting(live, wanted, liverules.read(http), desired)
            warnings = consequences.warnings(setting, http)
        steps = [self._step(key, live, wanted) for key in sorted(live.keys() | wanted.keys())]
        first = next((at for at, step in enumerate(steps) if step.changes), None)
        if first is not None:
            steps[first] = replace(steps[first], warnings=warnings)
        return tuple(steps)

    def apply(self, step: Step) -> Receipt:
        with self._http() as http:
            live = self._one(http, step.key)
            if _text(live) == step.after:
                return Receipt(step=step)
            if digest(_text(live)) != step.seen:
                raise Moved(f"{step.id}: was changed since the plan; plan again")
            self._write(http, step.key, step.after)
        return Receipt(step=step)

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """The ruler shows every group as it was sent, and evaluates it."""
        steps = tuple(steps)
        with self._http() as http:
            self._stored(http, steps)
            return self._evaluated(http, steps)

    def undo(self, receipt: Receipt) -> None:
        step = receipt.step
        with self._http() as http:
            live = _text(self._one(http, step.key))
            if live == step.before:
                return
            if live != step.after:
                raise Moved(f"{step.id}: was changed by somebody else; left as it is")
            self._write(http, step.key, step.before)

    @contextmanager
    def _http(self) -> Iterator[Tenant]:
        with access.client(self._endpoint) as http:
            yield Tenant(http, {"X-Scope-OrgID": self._tenant} if self._tenant else {})

    def _wanted(self, desired: Desired) -> Groups:
        """`sloforge.shop.recording-checkout/slo-checkout-availability` -> its group."""
        chosen = dict(rulefiles.chosen(desired))
        chosen["build.yml"] = rulefiles.build_file(chosen, self._project)
        return {
            f"{space}/{part.name}": part
            for name, text in chosen.items()
            for space in (f"{self._prefix}{name.removesuffix('.yml')}",)
            for group in rulefiles.groups(text, space)
            for part in _split(group, self._options["max_rules"])
        }

    def _within_limits(self, wanted: Iterable[str], live: Iterable[str]) -> None:
        """While a deploy is under way, new groups are there beside those it will delete."""
        most, count = self._options["max_groups"], len({*wanted, *live})
        if most and count > most:
            what = f"the tenant would hold {count} rule groups, {most} are allowed"
            remedy = "raise ruler_max_rule_groups_per_tenant there and `max_groups` here"
            raise Problem(f"{self._endpoint.url}: {what}; {remedy}")

    def _setting(
        self,
        live: Groups,
        wanted: Groups,
        loaded: tuple[LiveGroup, ...],
        desired: Desired,
    ) -> Setting:
        return Setting(
            before=tuple(live.values()),
            after=tuple(wanted.values()),
            others=tuple(one for one in loaded if not one.file.startswith(self._prefix)),
            desired=desired,
        )

    def _step(self, key: str, live: Groups, wanted: Groups) -> Step:
        old, new = live.get(key), wanted.get(key)
        before, after = _text(old), _text(new)
        changed = (one for one in (old,) if one), (one for one in (new,) if one)
        return Step(
            target=self.name,
            kind="group",
            key=key,
            verb=verb_of(before, after),
            before=before,
            after=after,
            seen=digest(before),
            summary=words.summary(*changed) if before != after else (),
        )

    def _read(self, http: Tenant) -> Groups:
        """Every group of the tenant, those of others too."""
        answer = http.request("GET", RULES)
        if answer.status == NOT_FOUND and "no rule groups" in answer.text:
            return {}
        if not answer.ok:
            raise access.refused(answer)
        try:
            found: dict[str, Any] = yaml.safe_load(answer.text) or {}
            return {
                f"{namespace}/{one['name']}": rulefiles.group(one, namespace)
                for namespace, groups in found.items()
                for one in groups
            }
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
            what = "expected namespaces with rule groups"
            raise Problem(f"{answer.asked}: {what}, got `{answer.quoted}`") from None

    def _one(self, http: Tenant, key: str) -> Group | None:
        answer = http.request("GET", _path(key))
        if answer.status == NOT_FOUND:
            return None
        if not answer.ok:
            raise access.refused(answer)
        try:
            return rulefiles.group(yaml.safe_load(answer.text))
        except (yaml.YAMLError, KeyError, TypeError, ValueError):
            raise Problem(f"{answer.asked}: expected a group, got `{answer.quoted}`") from None

    def _write(self, http: Tenant, key: str, text: str | None) -> None:
        if text is None:
            answer = http.request("DELETE", _path(key))
            if answer.status == NOT_FOUND:
                return
        else:
            namespace = key.partition("/")[0]
            headers = {"content-type": "application/yaml"}
            path = f"{RULES}/{quote(namespace, safe='')}"
            answer = http.request("POST", path, content=text, headers=headers)
        if not answer.ok:
            raise access.refused(answer)

    def _stored(self, http: Tenant, steps: tuple[Step, ...]) -> None:
        def wrong() -> tuple[str, ...]:
            live = self._read(http)
            return tuple(s.key for s in steps if _text(live.get(s.key)) != s.after)

        self._until(lambda: not wrong(), lambda: f"not shown as sent: {liverules.some(wrong())}")

    def _evaluated(self, http: Tenant, steps: tuple[Step, ...]) -> tuple[str, ...]:
        """What the ruler shows lags behind what it stores: it may still be the groups of before."""
        wanted = dict(_sent(steps))
        formatter = liverules.Formatter(http)

        def ours() -> dict[Key, LiveGroup]:
            keys = {_split_key(step.key) for step in steps}
            found = {(one.file, one.name): one for one in liverules.read(http)}
            return {key: one for key, one in found.items() if key in keys}

        def unsettled() -> tuple[str, ...]:
            found = ours()
            if wrong := liverules.differences(wanted, found, formatter):
                return wrong
            if failing := liverules.unhealthy(found.values()):
                raise Problem(f"{self._endpoint.url}: {liverules.some(failing)}")
            return liverules.pending(one for one in found.values() if one.interval <= most)

        # From what was sent: what is shown may not be that yet.
        groups = [liverules.unseen(key, group) for key, group in wanted.items()]
        shown = (one for one in liverules.read(http) if one.file.startswith(self._prefix))
        most = proof.longest([*groups, *shown])
        seldom = [group for group in groups if group.interval > most]
        if wrong := proof.asked(http, seldom):
            raise Problem(f"{self._endpoint.url}: {liverules.some(wrong)}")
        late = lambda: f"not evaluated: {liverules.some(unsettled())}"  # noqa: E731 - as brief as its use
        self._until(lambda: not unsettled(), late, more=most)
        return tuple(proof.notes(ours().values()))

    def _until(self, done: Any, late: Any, *, more: float = 0.0) -> None:
        bound = self._options["wait"] + more
        if until(lambda: done() or None, bound) is None:
            raise Problem(f"{self._endpoint.url}: after {bound:g} s {late()}")


def target(config: Config) -> Ruler:
    return Ruler(config)


def _sent(steps: tuple[Step, ...]) -> Iterator[tuple[Key, Group]]:
    for step in steps:
        if step.after is not None:
            yield _split_key(step.key), rulefiles.group(yaml.safe_load(step.after))


def _split_key(key: str) -> Key:
    namespace, _, group = key.partition("/")
    return namespace, group


def _path(key: str) -> str:
    namespace, group = _split_key(key)
    return f"{RULES}/{quote(namespace, safe='')}/{quote(group, safe='')}"


def _text(group: Group | None) -> str | None:
    return None if group is None else yaml_text(group.document())


def _split(group: Group, most: int) -> Iterator[Group]:
    """Parts of at most so many rules; what reads a rule of another part sees it one interval later.

    The first part keeps the name.
    """
    size = most or len(group.rules) or 1
    for at in range(0, max(len(group.rules), 1), size):
        name = group.name if at == 0 else f"{group.name}-part-{at // size + 1}"
        yield replace(group, name=name, rules=group.rules[at : at + size])
