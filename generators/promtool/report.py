"""Results as text for people and as JSON for programs."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promtool.results import Assertion, File, Group, Status, Suite

_DOTS: dict[Status, str] = {"passed": ".", "failed": "F", "error": "E", "skipped": "s"}
_WIDTH = 80


def as_text(suite: Suite) -> str:
    """Write a line of dots, every failure, the reasons of skips, and a summary."""
    dots = "".join(_DOTS[group.status] for group in suite.groups)
    lines = [dots[start : start + _WIDTH] for start in range(0, len(dots), _WIDTH)]
    for file in suite.files:
        lines += [str(problem) for problem in file.problems]
        for group in file.groups:
            lines += group_lines(file.path, group)
    lines += _skips(suite)
    return "\n".join([*lines, _summary(suite)]) + "\n"


def group_lines(path: Path, group: Group) -> list[str]:
    """Describe what failed in one test group; a group that passed has no lines."""
    if group.status in {"passed", "skipped"}:
        return []
    wrong = sum(each.status != "passed" for each in group.assertions)
    count = f"{wrong} of {len(group.assertions)} assertions not passed"
    lines = [f"{path}:{group.line}: {group.name}: {count}"]
    lines += [f"  {problem.path}:{problem.line}: {problem.text}" for problem in group.problems]
    lines += [f"  {line}" for line in group.raw.splitlines()]
    return lines + list(_assertion_lines(path, group))


def as_json(suite: Suite) -> str:
    """Write all results; statuses of groups and files are included."""
    document = {
        "promtool": suite.promtool,
        "status": suite.status,
        "duration": suite.duration,
        "files": [_file(file) for file in suite.files],
    }
    return json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n"


def _assertion_lines(path: Path, group: Group) -> Iterator[str]:
    for assertion in group.assertions:
        if assertion.status in {"passed", "skipped"} or _follows(assertion, group):
            continue
        yield f"  {path}:{assertion.line}: {assertion.title}: {assertion.status}"
        yield from (f"    {line}" for line in assertion.difference.splitlines())


def _follows(assertion: Assertion, group: Group) -> bool:
    """Tell whether an assertion only repeats what the group has said already."""
    return bool(group.raw) and assertion.difference.startswith("not evaluated: ")


def _skips(suite: Suite) -> list[str]:
    reasons: dict[str, int] = {}
    for group in suite.groups:
        if group.skipped:
            reasons[group.skipped] = reasons.get(group.skipped, 0) + 1
    return [f"skipped {count}: {reason}" for reason, count in sorted(reasons.items())]


def _summary(suite: Suite) -> str:
    problems = sum(len(file.problems) for file in suite.files)
    statuses: tuple[Status, ...] = ("failed", "error", "passed", "skipped")
    parts = [f"{suite.count(status)} {status}" for status in statuses if suite.count(status)]
    if problems:
        parts.insert(0, f"{problems} {'problem' if problems == 1 else 'problems'}")
    what = ", ".join(parts) or "no test groups"
    return f"{what} in {suite.duration:.2f}s (promtool {suite.promtool})"


def _file(file: File) -> dict[str, Any]:
    return {
        "path": file.path,
        "status": file.status,
        "problems": [dataclasses.asdict(problem) for problem in file.problems],
        "groups": [dataclasses.asdict(group) | {"status": group.status} for group in file.groups],
    }
