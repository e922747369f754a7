"""Measures cost and speed, prints the figures and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A script finds its own folder; the live Prometheus is the tests'.
sys.path.insert(0, str(ROOT))

import grafana  # noqa: E402
from builds import builds, starting  # noqa: E402
from costs import costs  # noqa: E402
from figures import Section, missed, page, shown, written  # noqa: E402
from traffic import SIZES  # noqa: E402

import probe  # noqa: E402


def main() -> int:
    """Always 0 when everything could be measured: a missed target is printed, not an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, in seconds; write no page")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sections = []
        for section in _quick(Path(folder)) if quick else _full(Path(folder)):
            print(shown(section), flush=True)
            sections.append(section)
    text = page(sections, "make bench")
    print("\n".join(missed(sections)) or "no target was missed")
    if not quick:
        written(ROOT / "docs" / "benchmarks.md", text)
    return 0


def _quick(folder: Path) -> Iterator[Section]:
    yield starting(folder / "few", services=1, repeats=1)
    yield builds(folder / "builds", services=2, repeats=1)
    yield costs(folder / "rules", (replace(SIZES[0], scrape=60),), days=2, repeats=1)


def _full(folder: Path) -> Iterator[Section]:
    yield starting(folder / "few", services=4, repeats=20)
    yield probe.section()
    yield grafana.section()
    yield builds(folder / "builds", services=1000, repeats=3)
    yield costs(folder / "rules", SIZES, days=31, repeats=3)


if __name__ == "__main__":
    sys.exit(main())
