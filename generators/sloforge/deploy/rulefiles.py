"""Rule files as values: groups and rules, read from the YAML of a build or of a server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from sloforge.artifacts import OneLine, yaml_text
from sloforge.deploy.target import Desired, digest
from sloforge.errors import Problem
from sloforge.libyaml import load
from sloforge.model import Pairs
from sloforge.naming import MIXINS, is_foreign

FOLDERS = ("recording", "rules")
BUILD_INFO = "slo_rules_build_info"
BUILD_GROUP = "slo-build"
# No service's name begins with an underscore, so no rule file of a service has this name.
BUILD_FILE = "_build.yml"
SHORT = 12
# Of a group, and kept where a server is given groups and no files.
_MORE = ("limit", "query_offset", "labels")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[ywdhms])")
_UNITS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_UNITS |= {"ms": 0.001}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A recording rule or an alert; times in seconds."""

    kind: str
    name: str
    expr: str
    wait: float = 0.0
    keep: float = 0.0
    labels: Pairs = ()
    annotations: Pairs = ()

    @property
    def identity(self) -> tuple[str, Pairs]:
        """What tells it from the other rules, whatever it computes."""
        return self.name, self.labels

    @property
    def title(self) -> str:
        """`alert CheckoutFastBurn`, with the SLO where the name alone does not tell."""
        labels = dict(self.labels)
        of = "/".join(labels[key] for key in ("slo_service", "slo_name") if key in labels)
        return f"{self.kind} {self.name}" + (f" of {of}" if of else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group with its interval in seconds; 0 means the server's own.

    A server knows it by its `file` and its name: under others it is another group. `more` is what
    foreign groups may have beside it, as JSON.
    """

    name: str
    interval: float
    rules: tuple[Rule, ...]
    more: Pairs = ()
    file: str = ""

    def document(self) -> dict[str, object]:
        """As rule files and the ruler's API spell it."""
        head: dict[str, object] = {}
        head |= {"interval": duration(self.interval)} if self.interval else {}
        head |= {key: json.loads(value) for key, value in self.more}
        return {"name": self.name} | head | {"rules": [_spelled(rule) for rule in self.rules]}


def groups(text: str, path: str) -> tuple[Group, ...]:
    """The groups of a rule file. Raises Problem where it is none."""
    try:
        found = load(text)
        return tuple(group(one, path) for one in (found or {}).get("groups") or ())
    except yaml.YAMLError as error:
        first = " ".join(str(error).split())
        raise Problem(f"{path}: not valid YAML: {first}") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Problem(f"{path}: expected the groups of a rule file; build it again") from None


def group(found: Mapping[str, Any], file: str = "") -> Group:
    """Raises KeyError, TypeError or ValueError for what is no group."""
    return Group(
        name=str(found["name"]),
        interval=seconds(found.get("interval", 0)),
        rules=tuple(_rule(one) for one in found.get("rules") or ()),
        more=tuple((key, json.dumps(found[key])) for key in _MORE if found.get(key)),
        file=file,
    )


def _rule(found: Mapping[str, Any]) -> Rule:
    kind = "alert" if "alert" in found else "record"
    return Rule(
        kind=kind,
        name=str(found[kind]),
        expr=str(found["expr"]).strip(),
        wait=seconds(found.get("for", 0)),
        keep=seconds(found.get("keep_firing_for", 0)),
        labels=pairs(found.get("labels")),
        annotations=pairs(found.get("annotations")),
    )


def pairs(found: Mapping[str, Any] | None) -> Pairs:
    return tuple(sorted((str(key), str(value)) for key, value in (found or {}).items()))


def _spelled(rule: Rule) -> dict[str, object]:
    found: dict[str, object] = {rule.kind: rule.name, "expr": rule.expr}
    found |= {"for": duration(rule.wait)} if rule.wait else {}
    found |= {"keep_firing_for": duration(rule.keep)} if rule.keep else {}
    found |= {"labels": dict(rule.labels)} if rule.labels else {}
    return found | ({"annotations": dict(rule.annotations)} if rule.annotations else {})


def seconds(value: object) -> float:
    """Of a number, or of a duration in Prometheus' or Go's spelling: `1m`, `1m0s`, `1h30m`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value)
    parts = _PART.findall(text)
    if text == "0":
        return 0.0
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise ValueError(f"expected a duration, got `{text}`")
    return sum(float(count) * _UNITS[unit] for count, unit in parts)


def duration(value: float) -> str:
    """As Prometheus reads it: whole seconds where they will do."""
    millis = timedelta(seconds=value) // timedelta(milliseconds=1)
    return f"{millis // 1000}s" if millis % 1000 == 0 else f"{millis}ms"


def chosen(desired: Desired) -> Iterator[tuple[str, str]]:
    """The rule files of a build as `recording-checkout.yml` and text: one folder, one glob.

    Those of mixins are `recording-mixins.kubernetes.yml`: no service's name has a dot.
    """
    for artifact in desired.under(*(f"{folder}/" for folder in FOLDERS)):
        folder, _, name = artifact.path.partition("/")
        if "/" not in name or is_foreign(artifact.path):
            yield f"{folder}-{name.replace('/', '.')}", artifact.text


def is_foreign_name(name: str) -> bool:
    """Whether a file that `chosen` named is a mixin's."""
    return name.partition("-")[2].startswith(f"{MIXINS}.")


def owner(found: Iterable[Group]) -> str:
    """The project that the groups say they are of; empty where they do not."""
    labels = (dict(r.labels) for group in found for r in group.rules if r.name == BUILD_INFO)
    return next((one.get("project", "") for one in labels), "")


def build_file(texts: Mapping[str, str], project: str) -> str:
    """A rule file that tells which rule files are live, in queries and in /api/v1/rules, and whose.

    The same files have the same hash on every kind of server.
    """
    lines = "".join(f"{digest(text)}  {name}\n" for name, text in sorted(texts.items()))
    build = digest(lines)[:SHORT]
    rule = {
        "record": BUILD_INFO,
        "expr": "vector(1)",
        "labels": OneLine(hash=build, project=project),
    }
    document = {"groups": [{"name": BUILD_GROUP, "rules": [rule]}]}
    return f"# Written by `sloforge deploy`: which build is live.\n{yaml_text(document)}"
