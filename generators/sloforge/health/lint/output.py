"""Hits and derived numbers -> text, JSON, SARIF 2.1.0, or GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

import click

from sloforge.health.lint.model import HealthCheck, Hit, Unit, plain
from sloforge.health.lint.policy import Policy
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.rules.look import Look
from sloforge.health.lint.timing import Timing, replicas, timing

Form = Literal["text", "json", "sarif", "github"]
_COLORS = {"error": "red", "warning": "yellow", "info": "blue"}
_SARIF = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB = {"error": "error", "warning": "warning", "info": "notice"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_DAY = 86_400


def rendered(hits: Iterable[Hit], units: Iterable[Unit], policy: Policy, form: Form) -> str:
    """The whole report in one of the formats."""
    match form:
        case "text":
            return "\n".join((*(_line(one) for one in hits), *_tables(units, policy)))
        case "json":
            return _dumped(_json(hits, units, policy))
        case "sarif":
            return _dumped(_sarif(hits))
        case "github":
            return "\n".join(_annotation(one) for one in hits)


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _line(hit: Hit) -> str:
    label = click.style(f"{hit.level}[{hit.id}]", fg=_COLORS[hit.level])
    return f"{hit.where}: {label}: {_message(hit)}"


def _message(hit: Hit) -> str:
    return hit.what + (f"; {hit.remedy}" if hit.remedy else "")


def _looks(units: Iterable[Unit], policy: Policy) -> Iterable[Look]:
    for unit in units:
        for check in unit.checks:
            yield Look(unit=unit, check=check, policy=policy)


def _tables(units: Iterable[Unit], policy: Policy) -> Iterable[str]:
    for look in _looks(units, policy):
        yield f"\n{look.check.where}: {look.label}"
        found = timing(look.check, look.unit, policy)
        yield from (f"  {name:<11}{text}" for name, text in numbers(look, found))


def numbers(look: Look, found: Timing) -> Iterable[tuple[str, str]]:
    """What is printed below a check: a word, and its figure in words."""
    check, policy = look.check, look.policy
    if check.passive:
        fails, again = plain(check.fail.value), plain(check.interval.value)
        yield "detection", f"with failed request {fails}; tried again after {again} s"
        return
    if check.kind == "startup":
        yield (
            "start",
            f"{plain(check.budget)} s allowed, restarted after {plain(found.worst)} s worst",
        )
        return
    yield "detection", f"{plain(found.worst)} s worst, {plain(found.best)} s best"
    if check.instant:
        once = check.interval.value
        yield "", f"a wrong status: {plain(once)} s worst, at once best"
    yield from _after(look, found)
    start = "" if policy.start is not None else "start + "
    if found.traffic is not None:
        yield "to traffic", f"{start}{plain(found.traffic)} s worst"
    if found.rollout is not None and look.unit.rollout is not None:
        yield "rollout", _rollout(look, found.rollout)
    if found.cost is not None:
        yield "budget", _cost(look, found)


def _after(look: Look, found: Timing) -> Iterable[tuple[str, str]]:
    """A liveness probe restarts, the others let an instance come back."""
    kind, rollout = look.check.kind, look.unit.rollout
    if kind == "autoheal":
        yield "restart", f"{plain(found.worst)} s worst"
    elif kind == "liveness" and rollout is not None:
        worst = found.worst + rollout.grace
        yield "restart", f"{plain(worst)} s worst, {plain(rollout.grace)} s grace included"
    else:
        yield "recovery", f"{plain(found.recovery)} s worst"


def _rollout(look: Look, value: Decimal) -> str:
    rollout = look.unit.rollout
    assert rollout is not None
    waves = f"{rollout.waves} wave" + "s" * (rollout.waves > 1)
    start = "" if look.policy.start is not None else f"{rollout.waves} x start + "
    down = ", down all the while" if rollout.recreate else ""
    return f"{start}{plain(value)} s worst, {waves} of {rollout.replicas}{down}"


def _cost(look: Look, found: Timing) -> str:
    promise = look.policy.promise
    assert promise is not None
    assert found.cost is not None
    instances = replicas(look.unit, look.policy)
    percent = plain(_rounded(found.cost * 100))
    minutes = plain(_rounded(promise.budget / 60))
    objective = plain(promise.objective * 100)
    return (
        f"{percent} % for one failure of 1/{instances} that lasts {plain(found.worst)} s, "
        f"of {minutes} min ({objective} % over {plain(promise.window / _DAY)} d)"
    )


def _rounded(value: Decimal) -> Decimal:
    """Three digits that count."""
    return Decimal(f"{value:.3g}")


def _json(hits: Iterable[Hit], units: Iterable[Unit], policy: Policy) -> dict[str, object]:
    return {
        "findings": [_hit_object(one) for one in hits],
        "checks": [_check_object(one) for one in _looks(units, policy)],
    }


def _hit_object(hit: Hit) -> dict[str, object]:
    place = {"path": hit.where.path, "line": hit.where.line, "column": hit.where.column}
    words = {"what": hit.what, "remedy": hit.remedy, "fixable": bool(hit.edits)}
    return {"id": hit.id, "severity": hit.level} | place | words


def _check_object(look: Look) -> dict[str, object]:
    check, found = look.check, timing(look.check, look.unit, look.policy)
    return {
        "name": look.label,
        "platform": check.platform,
        "kind": check.kind,
        "path": check.where.path,
        "line": check.where.line,
        "settings": _settings(check),
        "implicit": sorted(check.implicit),
        "seconds": {
            "detection_worst": _number(found.worst),
            "detection_best": _number(found.best),
            "recovery_worst": _number(found.recovery),
            "to_traffic_worst": _number(found.traffic),
            "rollout_worst": _number(found.rollout),
        },
        "budget_share": _number(found.cost),
    }


def _settings(check: HealthCheck) -> dict[str, object]:
    return {one.name: _number(one.value) for one in check.settings}


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _sarif(hits: Iterable[Hit]) -> dict[str, object]:
    """https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    rules = [_rule(id_) for id_ in sorted(CATALOG)]
    driver = {"name": "sloforge lint-health", "rules": rules}
    results = [_result(one) for one in hits]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(id_: str) -> dict[str, Any]:
    level, title = CATALOG[id_]
    return {
        "id": id_,
        "shortDescription": {"text": title},
        "defaultConfiguration": {"level": _SARIF[level]},
    }


def _result(hit: Hit) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(hit.where.path)}}
    if hit.where.line:
        place["region"] = {"startLine": hit.where.line, "startColumn": max(1, hit.where.column)}
    return {
        "ruleId": hit.id,
        "ruleIndex": sorted(CATALOG).index(hit.id),
        "level": _SARIF[hit.level],
        "message": {"text": _message(hit)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    return quote(path, safe="/-._~")


def _annotation(hit: Hit) -> str:
    """https://docs.github.com/en/actions/reference/workflow-commands"""
    where = f"file={_property(hit.where.path)}"
    where += f",line={hit.where.line}" * bool(hit.where.line)
    where += f",col={hit.where.column}" * bool(hit.where.column)
    data = f"{hit.id} {_message(hit)}".replace("%", "%25").replace("\r", "%0D")
    return f"::{_GITHUB[hit.level]} {where}::" + data.replace("\n", "%0A")


def _property(text: str) -> str:
    return text.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
