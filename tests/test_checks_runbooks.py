import dataclasses
from pathlib import Path

import pytest
from tests.toy_project import load

from sloforge.checks import markdown
from sloforge.checks.runbooks import runbook_findings
from sloforge.generate.runbooks import SECTIONS, skeleton
from sloforge.model import Project

CART = """\
version: sloforge/v1
service: cart
owner: sales
job: cart
scrape_interval: 15s
slos:
- name: answers
  objective: 99.9
  window: 30d
  sli: {ratio: {total: requests_total, bad: 'requests_total{code="500"}'}}
  alerting: {runbook: errors}
"""
PATH = "runbooks/cart/errors.md"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load(tmp_path, cart=CART)


@pytest.fixture
def good(project: Project) -> str:
    """A skeleton with a word in every section."""
    text = skeleton(project, "cart/errors")
    for title in SECTIONS:
        text = text.replace(f"## {title}\n", f"## {title}\n\nA word.\n")
    return text


def messages(project: Project, text: str, **others: str) -> list[str]:
    pairs = {PATH: text} | {f"runbooks/cart/{key}.md": value for key, value in others.items()}
    found = dataclasses.replace(project, authored=tuple(sorted(pairs.items())))
    return [f"{one.id} {one.severity} {one}" for one in runbook_findings(found)]


def line_of(text: str, line: str) -> int:
    return text.split("\n").index(line) + 1


def test_a_runbook_that_is_written_has_no_findings(project: Project, good: str):
    assert messages(project, good) == []


def test_a_wrong_marker_is_found(project: Project, good: str):
    text = good.replace("<!-- sloforge:end links -->\n", "")
    begin = line_of(text, "<!-- sloforge:begin links -->")
    assert messages(project, text)[0] == (
        f"R002 error {PATH}:{begin}: block `links` never ends; "
        "put `<!-- sloforge:end links -->` after it"
    )


def test_a_missing_block_is_found(project: Project, good: str):
    begin, end = "<!-- sloforge:begin timing -->\n", "<!-- sloforge:end timing -->\n"
    text = good[: good.index(begin)] + good[good.index(end) + len(end) :]
    assert messages(project, text) == [
        (
            f"R003 error {PATH}: the generated block `timing` is missing; "
            "put `<!-- sloforge:begin timing -->` and its end where it belongs, then build"
        )
    ]


@pytest.mark.parametrize(
    ("title", "place"),
    [
        ("What this alert means", " as the first one"),
        ("Escalate", " after `## Root-cause hypotheses`"),
    ],
)
def test_a_missing_section_is_found(project: Project, good: str, title: str, place: str):
    text = good.replace(f"## {title}\n", f"### {title}\n")
    assert messages(project, text)[0] == (
        f"R004 error {PATH}: the section `{title}` is missing; add `## {title}`{place}"
    )


def test_sections_out_of_order_are_found(project: Project, good: str):
    text = good.replace("## Escalate", "## X").replace("## Mitigation steps", "## Escalate")
    text = text.replace("## X", "## Mitigation steps")
    line = line_of(text, "## Root-cause hypotheses")
    assert messages(project, text) == [
        (
            f"R004 error {PATH}:{line}: the section `Root-cause hypotheses` stands after `Escalate`; "
            f"the order is: {', '.join(SECTIONS)}"
        )
    ]


def test_a_heading_inside_code_is_no_section(project: Project, good: str):
    text = good.replace("## Escalate\n", "```\n## Escalate\n```\n")
    assert [one.split(" ", 1)[0] for one in messages(project, text)] == ["R004"]


def test_other_sections_may_stand_between(project: Project, good: str):
    assert messages(project, good.replace("## Escalate", "## Notes\n\n## Escalate")) == []


def test_a_section_that_was_never_written_is_a_warning(project: Project, good: str):
    text = good.replace("## Escalate\n\nA word.\n", "## Escalate\n")
    line = line_of(text, "## Escalate")
    assert messages(project, text) == [
        f"R007 warning {PATH}:{line}: the section `Escalate` is empty; write it"
    ]


REMEDY = "write where it is now, relative to this file, or remove the link"
DEAD = {
    "file": ("[a](b.md)", "5", "b.md", "runbooks/cart/b.md does not exist"),
    "directory": ("[a](../shop/b.md)", "5", "../shop/b.md", "runbooks/shop/b.md does not exist"),
    "anchor": ("[a](#nowhere)", "5", "#nowhere", f"{PATH} has no heading `#nowhere`"),
    "other's anchor": (
        "[a](roll.md#x)",
        "5",
        "roll.md#x",
        "runbooks/cart/roll.md has no heading `#x`",
    ),
    "spec": (
        "[a](../../slos/shop.yaml)",
        "5",
        "../../slos/shop.yaml",
        "slos/shop.yaml does not exist",
    ),
    "reference": ("[a]: b.md", "6", "b.md", "runbooks/cart/b.md does not exist"),
    "image": ("![a](b.png)", "6", "b.png", "runbooks/cart/b.png does not exist"),
}


@pytest.mark.parametrize(("link", "column", "target", "why"), DEAD.values(), ids=DEAD)
def test_a_dead_link_is_found(
    project: Project, good: str, link: str, column: str, target: str, why: str
):
    text = good + f"{link}\n"
    line = line_of(text, link)
    found = messages(project, text, roll="[back](errors.md)\n")
    assert [one for one in found if one.startswith("R005")] == [
        f"R005 error {PATH}:{line}:{column}: dead link `{target}`: {why}; {REMEDY}"
    ]


LIVE = {
    "sibling": "[a](roll.md)",
    "anchor": "[a](#symptoms-users-see)",
    "other's anchor": "[a](roll.md#if-it-fails)",
    "second of a name": "[a](roll.md#when-1)",
    "elsewhere": "[a](https://example.org/b.md)",
    "spec": "[a](../../slos/cart.yaml)",
    "table of alerts": "[a](../README.md)",
    "in code": "`[a](b.md)`",
    "not of ours": "[a](../../docs/b.md)",
    "directory": "[a](../cart/)",
}


@pytest.mark.parametrize("link", LIVE.values(), ids=LIVE)
def test_a_link_that_leads_somewhere_is_fine(project: Project, good: str, link: str):
    other = "## When\n\n## When\n\n## If it fails\n"
    assert messages(project, good + f"{link} [r](roll.md)\n", roll=other) == []


def test_links_out_of_the_runbooks_are_judged_where_the_files_are_known(
    project: Project, good: str
):
    text = good + "[a](../../docs/b.md) [b](../../docs/c.md)\n"
    found = dataclasses.replace(project, authored=((PATH, text),))
    files = {"docs/c.md", "slos/cart.yaml"}
    assert [str(one).split(": ", 1)[1] for one in runbook_findings(found, files)] == [
        f"dead link `../../docs/b.md`: docs/b.md does not exist; {REMEDY}"
    ]


def test_a_runbook_that_nothing_leads_to_is_a_warning(project: Project, good: str):
    assert messages(project, good, eror="# A\n") == [
        (
            "R006 warning runbooks/cart/eror.md: no alert leads here and no runbook links here; "
            "name it as `runbook` in a spec, link to it, or remove it"
        )
    ]


def test_a_list_of_siblings_makes_nothing_reachable(project: Project, good: str):
    text = good.replace(
        "<!-- sloforge:end links -->", "[lost](lost.md)\n<!-- sloforge:end links -->"
    )
    assert [one[:4] for one in messages(project, text, lost="# A\n")] == ["R006"]


def test_a_procedure_that_is_linked_needs_no_sections(project: Project, good: str):
    assert messages(project, good + "[r](roll.md)\n", roll="# Roll back\n") == []


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Roll back", "roll-back"),
        ("If it fails: what then?", "if-it-fails-what-then"),
        ("Root-cause `le` and _more_", "root-cause-le-and-_more_"),
        ("[Linked](x.md) text", "linked-text"),
    ],
)
def test_anchors_are_spelled_as_github_spells_them(title: str, anchor: str):
    assert markdown.anchors(f"## {title}\n") == {anchor}
