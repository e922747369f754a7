"""Foreign rule groups: just enough of their shape that they can be written down again.

What an expression or a key means is promtool's to judge, once the file is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sloforge.errors import Finding
from sloforge.located import tree
from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.specs.mistakes import Place

# The order in which people read a rule; whatever else it has comes behind.
_ORDER = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_TEXTS = frozenset(("expr", "for", "keep_firing_for"))
_OPERATOR = "PrometheusRule"


def spec_of(document: Node) -> Node:
    """The part of an Operator's manifest that is a rule file; any other document as it is."""
    kind, spec = tree.child_of(document, "kind"), tree.child_of(document, "spec")
    return spec if spec is not None and kind is not None and kind.value == _OPERATOR else document


def groups(
    document: Node, findings: list[Finding], seen: set[str] | None = None
) -> list[dict[str, Any]]:
    """The groups of a rule file, as data; `findings` grow by each that is none.

    `seen` are the names that the file they are written to has already.
    """
    place = Place(document).at("groups")
    if not isinstance(_value(place), list):
        findings.append(place.wrong(f"expected a list of rule groups, got {_shown(place)}"))
        return []
    seen = set() if seen is None else seen
    found = []
    for at in range(len(_value(place))):
        here = place.at(at)
        mistakes = list(_mistakes(here, seen))
        findings += mistakes
        if not mistakes:
            found.append(_group(here))
    return found


def _mistakes(group: Place, seen: set[str]) -> Iterator[Finding]:
    name, rules = group.at("name"), group.at("rules")
    if not isinstance(_value(name), str) or not _value(name):
        yield name.wrong(f"expected the name of a rule group, got {_shown(name)}")
    elif _value(name) in seen:
        what = f"the group {shown(_value(name))} is there twice, and Prometheus refuses that"
        yield name.wrong(what, "rename or remove one of them", id_="S004")
    else:
        seen.add(_value(name))
    if not isinstance(_value(rules), list):
        yield rules.wrong(f"expected a list of rules, got {_shown(rules)}")
        return
    for at in range(len(_value(rules))):
        yield from _rule_mistakes(rules.at(at))


def _rule_mistakes(rule: Place) -> Iterator[Finding]:
    if not isinstance(_value(rule), dict):
        yield rule.wrong(f"expected a rule, got {_shown(rule)}")
        return
    named = [key for key in ("alert", "record") if _value(rule.at(key)) is not None]
    if len(named) != 1:
        yield rule.wrong("expected one of `alert` and `record`", id_="S002")
        return
    for key in (named[0], "expr"):
        if not isinstance(_value(rule.at(key)), str | int | Decimal):
            yield rule.at(key).wrong(f"expected text, got {_shown(rule.at(key))}")
    for key in ("labels", "annotations"):
        below = rule.at(key)
        if _value(below) is None:
            continue
        if not isinstance(_value(below), dict):
            yield below.wrong(f"expected a mapping of texts, got {_shown(below)}")
            continue
        for one in _value(below):
            if isinstance(_value(below.at(one)), dict | list):
                yield below.at(one).wrong(f"expected text, got {_shown(below.at(one))}")


def _group(place: Place) -> dict[str, Any]:
    found = dict(_plain(_value_of(place)))
    found["rules"] = [_rule(rule) for rule in found["rules"]]
    first = {key: found.pop(key) for key in ("name", "interval") if key in found}
    rules = found.pop("rules")
    return {**first, **dict(sorted(found.items())), "rules": rules}


def _rule(found: dict[str, Any]) -> dict[str, Any]:
    """Without keys that hold nothing: an empty mapping says no more than none."""
    kept = {key: value for key, value in found.items() if value not in ({}, None)}
    for key in ("labels", "annotations"):
        if key in kept:
            kept[key] = {name: _text(one) for name, one in sorted(kept[key].items())}
    for key in _TEXTS & kept.keys():
        kept[key] = _text(kept[key])
    order = {key: at for at, key in enumerate(_ORDER)}
    return dict(sorted(kept.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0])))


def _text(value: Any) -> str:
    """As YAML would be read by Prometheus, for which `severity: 1` is a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    """JSON has no decimals of its own."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def _value_of(place: Place) -> Any:
    assert place.node is not None
    return tree.plain(place.node)


def _value(place: Place) -> Any:
    return place.node.value if place.node is not None else None


def _shown(place: Place) -> str:
    value = _value(place)
    return tree.kind(value) if value is None or isinstance(value, list) else shown(value)
