"""What the documentation of OpenSLO, Sloth and Pyrra shows: it builds, or a finding names the field."""

import re
from pathlib import Path

import pytest
from tests.formats_project import SPECS, TOOLS, load, repository

from promtool import check_rules, run_tests
from sloforge import generate
from sloforge.errors import SpecProblem
from sloforge.formats import importing
from sloforge.model import Project

EXAMPLES = {tool: SPECS / tool / "examples" for tool in TOOLS if tool != "jsonnet"}
# Beside one another: alert windows are for all SLOs of a project.
GROUPS = [("openslo/examples", "sloth/examples", "pyrra/examples"), ("sloth/windows-7d",), ("sloth/windows-custom",)]  # fmt: skip


def sources(names: tuple[str, ...]) -> list[Path]:
    return [EXAMPLES[tool] / f"{name}.yaml" for tool, name in (one.split("/") for one in names)]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> list[Project]:
    """From the files as they are; nothing of them is lost."""
    found = []
    for names in GROUPS:
        root = repository(tmp_path_factory.mktemp("examples"))
        for path in sources(names):
            (root / "slos" / f"{path.parent.parent.name}-{path.name}").write_text(path.read_text())
        found.append(load(root))
    return found


def test_none_of_the_examples_is_forgotten(built):
    slos = [slo.id for project in built for slo in project.slos]
    # Of OpenSLO four, of Sloth thirteen and two with windows of their own, of Pyrra twenty-nine.
    assert len(slos) == 4 + 13 + 2 + 29
    assert len({slo.sli.kind for project in built for slo in project.slos}) == 4


def test_an_import_comes_to_the_same(built, tmp_path):
    for at, names in enumerate(GROUPS):
        root = repository(tmp_path / str(at))
        imported = importing.convert(root, sources(names))
        importing.write(root / "slos", imported)
        assert not imported.dropped
        assert {slo.id for slo in load(root).slos} == {slo.id for slo in built[at].slos}


def test_rules_and_tests_of_all_examples_pass_promtool(built, tmp_path):
    rules: list[Path] = []
    tests: list[Path] = []
    for at, project in enumerate(built):
        chosen = [g for g in generate.GENERATORS if g.name in ("recording", "rules", "tests")]
        for artifact in generate.artifacts(project, chosen):
            path = tmp_path / str(at) / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artifact.text)
            (tests if ".promtest." in path.name else rules).append(path)
    checked = check_rules(rules)
    assert checked.ok, checked.findings
    # Raw series to records; the other layers are made of those, alike for all kinds.
    quick = [one for one in tests if one.name.endswith("-sli.promtest.yml")]
    suite = run_tests(quick)
    assert len(suite.files) == len(quick) > 35
    assert [
        (file.path.name, case.title, case.difference)
        for file in suite.files
        for group in file.groups
        for case in group.assertions
        if case.status not in ("passed", "skipped")
    ] == []


@pytest.mark.parametrize("tool", ["openslo", "sloth"])
def test_the_other_examples_are_refused_by_findings_that_name_the_field(tool, tmp_path):
    """Pyrra shows nothing that cannot be said."""
    text = (EXAMPLES[tool] / "refused.yaml").read_text()
    with pytest.raises(SpecProblem) as caught:
        load(repository(tmp_path, examples=text))
    assert str(caught.value) + "\n" == (EXAMPLES[tool] / "refused.txt").read_text()
    starts = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith("# ")][1:]
    lines = [finding.where.line for finding in caught.value.findings]
    for start, end in zip(starts, [*starts[1:], 10_000], strict=True):
        assert any(start < line < end for line in lines), text.splitlines()[start - 1]
    assert all(re.match(r"[\w.\[\]]+: ", finding.what) for finding in caught.value.findings)
