"""What changes in a rule file, said in words: `objective 99.9 -> 99.5`, `threshold 14.4 -> 10`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from sloforge import naming
from sloforge.deploy.rulefiles import BUILD_INFO, Group, Rule
from sloforge.promql import number

MOST, FEW = 12, 3
_VECTOR = re.compile(r"vector\(([0-9.]+)\)")
_THRESHOLD = re.compile(r"(?:[<>]=?|[=!]=)\s*(\(?[-+0-9.eE *]+\)?)")


def summary(before: Iterable[Group], after: Iterable[Group]) -> tuple[str, ...]:
    """One line for each rule that is added, removed or changed; long lists are cut.

    What is all new, or all gone, is counted.
    """
    before, after = tuple(before), tuple(after)
    if not (before and after) and (counted := _counted(before or after)):
        return (counted,)
    lines = tuple(dict.fromkeys(_lines(before, after)))
    return lines if len(lines) <= MOST else (*lines[:MOST], f"and {len(lines) - MOST} more")


def _counted(groups: tuple[Group, ...]) -> str:
    """Empty where there are few enough to name them all."""
    kinds = [rule.kind for group in groups for rule in group.rules]
    if len(kinds) <= FEW:
        return ""
    words = (("alert", "alerts"), ("record", "recording rules"))
    return ", ".join(f"{kinds.count(kind)} {word}" for kind, word in words if kind in kinds)


def _lines(before: tuple[Group, ...], after: tuple[Group, ...]) -> Iterator[str]:
    old, new = _rules(before), _rules(after)
    for identity in new.keys() - old.keys():
        if new[identity].name == BUILD_INFO:
            yield f"build {dict(new[identity].labels).get('hash', '')}"
    if before and after:
        yield from _groups(before, after)
    yield from _objectives(old, new)
    gone, come = ({rules[key].title for key in rules} for rules in (old, new))
    for identity in sorted(old.keys() | new.keys()):
        if BUILD_INFO in identity or naming.OBJECTIVE in identity:
            continue
        if identity in old and identity in new:
            if changed := "; ".join(_changed(old[identity], new[identity])):
                yield f"{new[identity].title}: {changed}"
            continue
        title = (new.get(identity) or old[identity]).title
        if title in gone and title in come:
            yield f"{title}: labels changed"
        else:
            yield f"{'+' if identity in new else '-'} {title}"


def _rules(groups: tuple[Group, ...]) -> dict[tuple[str, object], Rule]:
    return {rule.identity: rule for group in groups for rule in group.rules}


def _groups(before: tuple[Group, ...], after: tuple[Group, ...]) -> Iterator[str]:
    old, new = ({group.name: group for group in groups} for groups in (before, after))
    for name in sorted(old.keys() & new.keys()):
        if old[name].interval != new[name].interval:
            yield f"group {name}: interval {old[name].interval:g}s -> {new[name].interval:g}s"


def _objectives(
    old: dict[tuple[str, object], Rule], new: dict[tuple[str, object], Rule]
) -> Iterator[str]:
    for identity in sorted(old.keys() & new.keys()):
        ours, theirs = (_VECTOR.fullmatch(rules[identity].expr) for rules in (old, new))
        if naming.OBJECTIVE in identity and ours and theirs and ours[1] != theirs[1]:
            of = new[identity].title.partition(" of ")[2] or "every SLO"
            yield f"{of}: objective {_percent(ours[1])} -> {_percent(theirs[1])}"


def _percent(ratio: str) -> str:
    return number(Decimal(ratio) * 100)


def _changed(old: Rule, new: Rule) -> Iterator[str]:
    """What differs between two rules of the same name and labels."""
    if old.wait != new.wait:
        yield f"for {old.wait:g}s -> {new.wait:g}s"
    if old.keep != new.keep:
        yield f"keep_firing_for {old.keep:g}s -> {new.keep:g}s"
    if old.expr != new.expr:
        yield _expression(old.expr, new.expr)
    if old.annotations != new.annotations:
        keys = {key for key, _ in set(old.annotations) ^ set(new.annotations)}
        yield f"{', '.join(sorted(keys))} changed"


def _expression(old: str, new: str) -> str:
    """The thresholds, where nothing else differs."""
    ours, theirs = _THRESHOLD.findall(old), _THRESHOLD.findall(new)
    if _THRESHOLD.sub("", old) == _THRESHOLD.sub("", new) and ours != theirs:
        pairs = [(a.strip(), b.strip()) for a, b in zip(ours, theirs, strict=True) if a != b]
        return "threshold " + ", ".join(f"{a} -> {b}" for a, b in dict.fromkeys(pairs))
    return "expression changed"
