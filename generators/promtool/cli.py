"""The command line: `test` and `check`, results on stdout, everything else on stderr."""

import argparse
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from promtool.binary import Promtool, locate
from promtool.checking import check_config, check_rules
from promtool.errors import PromtoolError
from promtool.junit import junit_xml
from promtool.options import Options
from promtool.report import as_json, as_text
from promtool.testing import run_tests

SUFFIXES = (".promtest.yml", ".promtest.yaml")

_FAILED, _INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when all is well, 1 when something failed, 2 on wrong usage, 130 on an interrupt."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace, Promtool], int] = arguments.command
    # A termination request unwinds like an interrupt: no process and no file is left behind.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command(arguments, locate(arguments.promtool))
    except PromtoolError as error:
        sys.stderr.write(f"promtool: {error}\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("promtool: interrupted\n")
        return _INTERRUPTED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m promtool", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="test | check")
    test = verbs.add_parser("test", help="run promtool test files, or all below a folder")
    test.set_defaults(command=_test)
    test.add_argument("files", nargs="+", type=Path, metavar="FILE")
    test.add_argument("-j", "--jobs", type=_count, default=0, help="processes (all cores)")
    test.add_argument("-k", "--select", type=_pattern, default="", help="regexp on group names")
    test.add_argument("--format", choices=("text", "json"), default="text")
    test.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    test.add_argument("--all-groups", action="store_true", help="load rule groups not in the order")
    test.add_argument("--enable-feature", action="append", default=[], metavar="NAME")
    check = verbs.add_parser("check", help="check rule files, with every lint fatal")
    check.set_defaults(command=_check)
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--config", action="store_true", help="the files are prometheus.yml")
    for verb in (test, check):
        verb.add_argument("--promtool", metavar="PATH", help="the binary ($PROMTOOL, PATH)")
        verb.add_argument("--timeout", type=_seconds, default=60.0, help="seconds (60)")
    return parser


def _test(arguments: argparse.Namespace, promtool: Promtool) -> int:
    options = Options(
        jobs=arguments.jobs,
        timeout=arguments.timeout,
        only_ordered_groups=not arguments.all_groups,
        select=arguments.select,
        features=tuple(arguments.enable_feature),
    )
    suite = run_tests(_expanded(arguments.files), promtool, options)
    if arguments.junit:
        arguments.junit.write_text(junit_xml(suite), encoding="utf-8")
    sys.stdout.write(as_json(suite) if arguments.format == "json" else as_text(suite))
    return 0 if suite.ok else _FAILED


def _check(arguments: argparse.Namespace, promtool: Promtool) -> int:
    timeout: float = arguments.timeout
    if arguments.config:
        checks = [check_config(path, promtool, timeout=timeout) for path in arguments.files]
    else:
        checks = [check_rules(arguments.files, promtool, timeout=timeout)]
    findings = [finding for check in checks for finding in check.findings]
    sys.stdout.write("\n".join([*findings, "failed" if findings else "ok"]) + "\n")
    return _FAILED if findings or not all(check.ok for check in checks) else 0


def _expanded(paths: Sequence[Path]) -> list[Path]:
    """Replace each folder by the test files below it."""
    found: list[Path] = []
    for path in paths:
        inside = (file for suffix in SUFFIXES for file in path.rglob(f"*{suffix}"))
        found += sorted(inside) if path.is_dir() else [path]
    return found


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes above 0, got `{text}`")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got `{text}`")
    return value


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"expected a regular expression, got `{text}`: {error}"
        ) from error
    return text
