"""`promtool check`, with every flag that makes it strict and its warnings taken as failures."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from promtool import nodes, rulefiles
from promtool.binary import Promtool, locate
from promtool.errors import ToolError
from promtool.process import run

_FAILED, _LINT_FAILED = 1, 3
_WRONG = re.compile(r"^ *(?:WARNING|FAILED):?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of a check: `findings` are promtool's words, one entry per finding or file."""

    ok: bool
    findings: tuple[str, ...]
    output: str


def check_rules(
    paths: Iterable[Path | str],
    promtool: Promtool | None = None,
    *,
    timeout: float = 60.0,
    lint: bool = True,
) -> Check:
    """Run `check rules --lint=all --lint-fatal`; a path that matches no file is a finding.

    Without `lint` a file need only be one that Prometheus loads.
    """
    named = tuple(os.fspath(path) for path in paths)
    lost = tuple(name for name in named if not rulefiles.match(name, Path.cwd()))
    if lost or not named:
        texts = [f"no file matches `{name}`; correct the path" for name in lost]
        return _missing(texts or ["expected rule files to check, got none; name some"])
    found = [str(path) for name in named for path in rulefiles.match(name, Path.cwd())]
    return _check(("rules", *_lint(lint=lint), *found), promtool, timeout)


def check_config(
    path: Path | str,
    promtool: Promtool | None = None,
    *,
    timeout: float = 60.0,
    lint: bool = True,
) -> Check:
    """Run `check config` with the same strictness; `rule_files` that match nothing are findings."""
    source = Path(path)
    if not source.is_file():
        return _missing([f"no file at `{path}`; correct the path"])
    check = _check(("config", *_lint(lint=lint), os.fspath(path)), promtool, timeout)
    empty = tuple(_empty_patterns(source)) if check.ok else ()
    return replace(check, ok=check.ok and not empty, findings=(*check.findings, *empty))


def _empty_patterns(path: Path) -> Iterator[str]:
    """Find what promtool passes over in silence: patterns without any file."""
    found = nodes.entries(nodes.compose(path))
    for key in ("rule_files", "scrape_config_files"):
        for item in nodes.items(found.get(key)):
            pattern = nodes.text_of(item)
            if not rulefiles.match(pattern, path.parent):
                where = f"{path}:{nodes.line_of(item)}: {key}"
                yield f"{where}: no file matches `{pattern}`; correct the path"


def _lint(*, lint: bool) -> tuple[str, ...]:
    return ("--lint=all", "--lint-fatal") if lint else ("--lint=none",)


def _missing(texts: list[str]) -> Check:
    return Check(ok=False, findings=tuple(texts), output="")


def _check(arguments: tuple[str, ...], promtool: Promtool | None, timeout: float) -> Check:
    tool = promtool or locate()
    done = run((str(tool.path), "check", *arguments), timeout=timeout)
    if done.code not in {0, _FAILED, _LINT_FAILED}:
        text = f"`promtool check {arguments[0]}` ended with exit code {done.code}"
        raise ToolError(f"{text}: {done.output.strip()}; check that the binary works")
    findings = tuple(_findings(done.output))
    if done.code != 0 and not findings:
        findings = (done.output.strip() or f"promtool ended with exit code {done.code}",)
    return Check(ok=not findings, findings=findings, output=done.output)


def _findings(output: str) -> Iterator[str]:
    """Return what failed, with the file it was found in; promtool names each file before it."""
    parts = re.split(r"^Checking (.*)$", output, flags=re.MULTILINE)
    for name, said in zip(["", *parts[1::2]], parts[::2], strict=True):
        for block in re.split(r"\n\s*\n", said):
            if _WRONG.search(block):
                yield f"{name}: {_words(block, name)}" if name else _words(block, name)


def _words(block: str, name: str) -> str:
    lines = (line.strip() for line in _WRONG.sub("", block).splitlines())
    kept = [line.removeprefix(f"{name}: ") for line in lines if line]
    return "; ".join(line for line in kept if not line.startswith("SUCCESS:"))
