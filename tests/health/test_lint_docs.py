"""Each rule has a page, each page the same outline and an example that says what it says."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from sloforge.health.lint.command import lint_health
from sloforge.health.lint.policy import DEFAULT, Policy
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.run import gather, lint

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "checks").glob("HC*.md"))
GUIDE = (ROOT / "docs" / "lint-health.md").read_text()
OUTLINE = [
    "What it means",
    "Why it matters",
    "Example that fails",
    "How to put it right",
    "How to suppress",
]


def test_every_rule_has_its_page_and_no_page_is_left_over():
    assert [page.stem for page in PAGES] == sorted(CATALOG)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_title_the_severity_and_the_outline(page):
    text = page.read_text()
    level, title = CATALOG[page.stem]
    assert text.startswith(f"# {page.stem}: {title}\n\nSeverity: {level}\n")
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert re.findall(r"^## (.+)$", outside, re.MULTILINE) == OUTLINE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_of_a_page_fails_as_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = page.read_text().partition("## Example that fails\n")[2].partition("\n## ")[0]
    name = re.search(r"^`(\S+)`:$", example, re.MULTILINE)
    assert name
    source, said = re.findall(r"^```\w*\n(.*?)^```$", example, re.MULTILINE | re.DOTALL)
    Path(name[1]).write_text(source)
    policy = Policy(latency=Decimal(1)) if "--latency 1s" in example else DEFAULT
    hits = [str(hit) for hit in lint(gather([name[1]]), policy).hits if hit.id == page.stem]
    assert hits == said.splitlines()


def test_the_guide_names_every_option_and_every_rule():
    for option in lint_health.params:
        for spelling in option.opts:
            assert f"`{spelling}" in GUIDE or not spelling.startswith("-"), spelling
    for id_, (level, title) in CATALOG.items():
        assert f"| [{id_}](checks/{id_}.md) | {level} | {title} |" in GUIDE
