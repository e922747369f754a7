"""Write history into a Prometheus data folder: from OpenMetrics text, or by evaluating rules."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from promtool.binary import Promtool, locate
from promtool.durations import milliseconds
from promtool.errors import ToolError
from promtool.process import run
from promtool.rulefiles import parse

# The importer reads its whole input once for each block, so the default of two hours makes a
# month 80 times slower than one block does. The flag is hidden from `--help` in all versions.
_ONE_BLOCK = timedelta(hours=8760)
# Prometheus answers no range query of more points than that, and each block is one such query.
_MOST_POINTS = 11_000


def backfill_openmetrics(  # noqa: PLR0913  two are optional and named
    source: Path | str,
    data: Path | str,
    promtool: Promtool | None = None,
    *,
    max_block_duration: timedelta = _ONE_BLOCK,
    timeout: float = 600.0,
) -> tuple[Path, ...]:
    """Write the samples of an OpenMetrics file as blocks into the folder `data`; return them.

    The file needs a timestamp in seconds on each sample and `# EOF` as its last line.
    """
    arguments = (
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        f"--max-block-duration={_seconds(max_block_duration)}",
        os.fspath(source),
        os.fspath(data),
    )
    return _blocks(arguments, Path(data), promtool, timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The Prometheus at `url`, from `start` to `end`, to be evaluated every `eval_interval`."""

    url: str
    start: datetime
    end: datetime
    eval_interval: timedelta = timedelta(minutes=1)


def backfill_rules(  # noqa: PLR0913  two are optional
    rule_files: Iterable[Path | str],
    data: Path | str,
    history: History,
    promtool: Promtool | None = None,
    *,
    max_block_duration: timedelta | None = None,
    timeout: float = 600.0,
) -> tuple[Path, ...]:
    """Evaluate recording rules over a history into blocks in `data`; alerts are ignored.

    Rules of one run do not see what the others record: run the layers one after another. Blocks
    are as long as Prometheus answers in one query, unless `max_block_duration` is given.
    """
    files = tuple(Path(path) for path in rule_files)
    if history.start >= history.end:
        text = f"expected a start before the end, got {history.start} and {history.end}"
        raise ToolError(f"{text}; swap them")
    arguments = (
        "tsdb",
        "create-blocks-from",
        "rules",
        f"--max-block-duration={_seconds(max_block_duration or _longest(files, history))}",
        f"--start={history.start.timestamp():.3f}",
        f"--end={history.end.timestamp():.3f}",
        f"--eval-interval={_seconds(history.eval_interval)}",
        f"--url={history.url}",
        f"--output-dir={os.fspath(data)}",
        *(os.fspath(path) for path in files),
    )
    return _blocks(arguments, Path(data), promtool, timeout)


def _longest(files: Iterable[Path], history: History) -> timedelta:
    """What the group with the shortest interval can have in one query."""
    groups = [group.interval for path in files for group in parse(path).groups]
    own = [timedelta(milliseconds=found) for one in groups if (found := milliseconds(one))]
    return min([history.eval_interval, *own]) * _MOST_POINTS


def _seconds(length: timedelta) -> str:
    text = f"{round(length.total_seconds())}s"
    if not milliseconds(text):
        raise ToolError(
            f"expected a duration of at least a second, got {length}; give a longer one"
        )
    return text


def _blocks(
    arguments: tuple[str, ...], data: Path, promtool: Promtool | None, timeout: float
) -> tuple[Path, ...]:
    """Run promtool and return the new blocks: it exits with 0 when it has written none."""
    before = set(data.glob("*/meta.json"))
    tool = promtool or locate()
    done = run((str(tool.path), *arguments), timeout=timeout)
    what = f"`promtool tsdb create-blocks-from {arguments[2]}`"
    if done.code != 0:
        raise ToolError(f"{what} failed: {done.output.strip()}; correct its input")
    written = sorted(set(data.glob("*/meta.json")) - before)
    if not written:
        text = f"{what} wrote no block: {done.output.strip() or 'it found no samples'}"
        raise ToolError(f"{text}; check that its input has samples in the range")
    return tuple(meta.parent for meta in written)
