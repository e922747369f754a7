"""Findings and changes for people, for programs and for a workflow."""

import json

import pytest

from sloforge import report
from sloforge.artifacts import Change
from sloforge.errors import Finding, Location

WRONG = Finding(id="Q001", where=Location("rules/a.yml", 3, 5), what="too many", remedy="use fewer")
DRAWN = Finding(
    id="S006", where=Location("a.yaml"), what="bad expression\n  up ==\n     ^", remedy="fix it"
)


def plain(text: str) -> str:
    import click

    return click.unstyle(text)


def test_a_finding_is_a_clickable_line() -> None:
    assert (
        plain(report.findings([WRONG], "text"))
        == "rules/a.yml:3:5: error[Q001]: too many; use fewer"
    )


def test_what_is_drawn_stays_below_the_message() -> None:
    assert plain(report.findings([DRAWN], "text")).splitlines() == [
        "a.yaml: error[S006]: bad expression; fix it",
        "  up ==",
        "     ^",
    ]


def test_findings_are_objects() -> None:
    assert json.loads(report.findings([WRONG], "json")) == [
        {
            "id": "Q001",
            "severity": "error",
            "path": "rules/a.yml",
            "line": 3,
            "column": 5,
            "what": "too many",
            "remedy": "use fewer",
        }
    ]
    assert json.loads(report.findings([], "json")) == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Location("a.yml"), "file=a.yml"),
        (Location("a.yml", 3), "file=a.yml,line=3"),
        (Location("a.yml", 3, 5), "file=a.yml,line=3,col=5"),
        (Location("a,b%.yml", 3, 5), "file=a%2Cb%25.yml,line=3,col=5"),
        (Location("a\nb.yml", 3), "file=a%0Ab.yml,line=3"),
    ],
)
def test_an_annotation_says_where(where: Location, expected: str) -> None:
    assert report.github("error", "50 %\r\nmore", where) == f"::error {expected}::50 %25%0D%0Amore"


def test_a_change_is_a_verb_and_a_path() -> None:
    changes = [Change("a", None, "x"), Change("b", "x", "y"), Change("c", "x", None)]
    assert plain(report.changes(changes, "text")) == "create a\nupdate b\ndelete c"
    assert json.loads(report.changes(changes, "json"))[2] == {"path": "c", "change": "delete"}


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert (
        report.table(("a", "long"), [("wide", "b"), ("c", "d")]) == "a     long\nwide  b\nc     d"
    )
