import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus on PATH")
def test_the_benchmark_runs_and_names_no_machine():
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_bytes() if page.exists() else None
    command = [sys.executable, str(ROOT / "bench" / "run.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for section in (
        "What the rules of one SLO cost",
        "A build of 2 services",
        "A command, a test",
        "The prober of 4 planes",
    ):
        assert f"## {section}" in done.stdout
    assert "| sloforge, with its alerts |" in done.stdout
    assert str(ROOT) not in done.stdout
    assert (page.read_bytes() if page.exists() else None) == before
