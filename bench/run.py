"""Measures cost and speed, prints the figures and writes them into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A script finds its own folder; the live servers are the tests'.
sys.path.insert(0, str(ROOT))

import planes  # noqa: E402
from builds import builds, starting  # noqa: E402
from costs import costs  # noqa: E402
from deploys import FEW, MANY, MOST, dashboards, rules  # noqa: E402
from figures import Section, merged, missed, shown  # noqa: E402
from traffic import SIZES  # noqa: E402

import probe  # noqa: E402

Measure = Callable[[Path], Section]
FULL: dict[str, Measure] = {
    "start": lambda folder: starting(folder, services=4, repeats=20),
    "probe": lambda _: probe.section(),
    "planes": lambda folder: planes.section(
        folder, planes.Load(planes=200, hung=20, interval=60, rounds=4)
    ),
    "builds": lambda folder: builds(folder, services=1000, repeats=3),
    "costs": lambda folder: costs(folder, SIZES, days=31, repeats=3),
    "grafana": lambda folder: dashboards(folder, (FEW, MANY, MOST)),
    "swap": lambda folder: rules(folder, repeats=3),
}
QUICK: dict[str, Measure] = {
    "start": lambda folder: starting(folder, services=1, repeats=1),
    "planes": lambda folder: planes.section(
        folder, planes.Load(planes=4, hung=1, interval=2, rounds=4)
    ),
    "builds": lambda folder: builds(folder, services=2, repeats=1),
    "costs": lambda folder: costs(folder, (replace(SIZES[0], scrape=60),), days=2, repeats=1),
    "grafana": lambda folder: dashboards(folder, (2, 5)),
}


def main() -> int:
    """Always 0 when everything could be measured: a missed target is printed, not an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, in seconds; write no page")
    parser.add_argument("sections", nargs="*", help=f"some of {', '.join(FULL)}; all by default")
    given = parser.parse_args()
    known = QUICK if given.quick else FULL
    if unknown := set(given.sections) - known.keys():
        parser.error(f"unknown section {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    page = ROOT / "docs" / "benchmarks.md"
    sections = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in given.sections or known:
            section = known[name](Path(folder, name))
            print(shown(section), flush=True)
            sections.append(section)
            if not given.quick:
                # One after the other: what took an hour is not lost with what fails after it.
                before = page.read_text(encoding="utf-8") if page.exists() else ""
                page.write_text(merged(before, section), encoding="utf-8")
    print("\n".join(missed(sections)) or "no target was missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
