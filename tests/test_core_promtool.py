"""The hand-written promtool tests, run against rules that are generated from the spec beside them.

The numbers in them are typed by hand: they check the generator, and the generated tests with it.
"""

from pathlib import Path

import pytest
from tests import core_project as core

import promtool
from promtool.report import as_text
from sloforge import specs

HERE = Path(__file__).parent / "promtool" / "core"
TESTS = sorted(path.name for path in HERE.glob("*.yml"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture project with its rules, and the hand-written tests where their paths fit."""
    root = tmp_path_factory.mktemp("core")
    (root / "slos").mkdir()
    for spec in HERE.glob("slos/*.yaml"):
        (root / "slos" / spec.name).write_text(spec.read_text("utf-8"), encoding="utf-8")
    core.write(root, specs.load(root, runbooks=False), "recording", "rules")
    for test in TESTS:
        text = (HERE / test).read_text("utf-8")
        (root / test.replace(".yml", ".promtest.yml")).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("test", TESTS)
def test_hand_typed_numbers_hold(test: str, root: Path) -> None:
    suite = promtool.run_tests([root / test.replace(".yml", ".promtest.yml")])
    assert suite.ok, as_text(suite)[:4000]
    if suite.status == "skipped":
        pytest.skip(suite.groups[0].skipped)
