import re
import shutil
from pathlib import Path

import pytest
import yaml
from tests.toy_project import BASE, PROJECT, load

from sloforge import amtool
from sloforge.checks.alertmanager import alertmanager
from sloforge.errors import Problem
from sloforge.generate.alertmanager import FILE, config

PAGES = Path(__file__).parents[1] / "docs" / "checks"
IDS = [f"A{number:03}" for number in range(1, 16)]
HEADINGS = [
    "What it means",
    "Why it matters",
    "Example that fails",
    "How to put it right",
    "How to suppress",
]
TEMPLATE = ("alertmanager/templates/a.tmpl", '{{ define "title" }}{{ end }}')


def _page(id_: str) -> tuple[str, str]:
    """The example of a page and the message that it promises."""
    text = (PAGES / f"{id_}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {id_}: ")
    assert re.findall(r"^## (.+)", text, re.MULTILINE) == HEADINGS
    example = text.split("## Example that fails\n\n")[1].split("\n## ")[0]
    code = re.search(r"```yaml\n(.*?)\n```", example, re.DOTALL)
    message = re.search(r"\n\n```\n(.*?)\n```", example, re.DOTALL)
    assert message
    return (code[1] + "\n" if code else ""), message[1]


def _said(root: Path, id_: str, example: str) -> list[str]:
    project = PROJECT
    base: str | None = example if "receivers:" in example else example + BASE
    if example.startswith("# slos/project.yaml"):
        owner = re.search(r"  (sales|store): .*", example)
        assert owner
        project = re.sub(rf"  {owner[1]}: .*", owner[0], PROJECT)
        base = BASE
    loaded = load(root, project=project, base=base if example else None)
    try:
        found = config(loaded)
    except Problem as problem:
        return str(problem).splitlines()
    if id_ == "A015":
        file = root / "am.yml"
        file.write_text(yaml.safe_dump(found, sort_keys=False))
        return [str(one) for one in amtool.locate().check_config(file, FILE)]
    return [str(one) for one in alertmanager(loaded, found, (TEMPLATE,)) if one.id == id_]


@pytest.mark.parametrize("id_", IDS)
def test_the_example_of_a_page_says_what_the_page_shows(tmp_path, id_):
    if id_ == "A015" and shutil.which("amtool") is None:
        pytest.skip("no amtool on PATH")
    example, message = _page(id_)
    assert _unnumbered(message) in map(_unnumbered, _said(tmp_path, id_, example))


def _unnumbered(message: str) -> str:
    """amtool counts the lines of the generated file."""
    return re.sub(r" line \d+", " line", message)
