"""When two dashboards are the same, and what is said where they are not."""

from __future__ import annotations

import json

import pytest

from sloforge.artifacts import Artifact, json_artifact
from sloforge.deploy.grafana_board import of_artifact, of_live, of_text, parsed, with_refresh
from sloforge.deploy.grafana_words import summary
from sloforge.errors import Problem

MARK = "sloforge:ours"
PANEL = {"id": 7, "type": "stat", "title": "Burn", "gridPos": {"h": 4, "w": 3, "x": 0, "y": 0}}
TARGETS = [{"refId": "A", "expr": "up"}]
PLAIN = {"id": None, "uid": "slo-x", "title": "X", "tags": ["slo"], "panels": [PANEL]}


def built(**changes):
    return of_artifact(json_artifact("dashboards/slo-x.json", PLAIN | changes), "slo", MARK)


def live(folder="slo", tags=("slo", MARK), **changes):
    return of_live(PLAIN | {"tags": list(tags), "id": 12, "version": 3} | changes, folder, MARK)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": 99, "id": 4},
        {"iteration": 1699999999},
        {"tags": (MARK, "slo")},
        {"tags": ("slo", MARK, "slo")},
        {"panels": [dict(reversed(list(PANEL.items())))]},
    ],
    ids=str,
)
def test_what_grafana_counts_or_orders_makes_no_difference(changes):
    assert live(**changes).same(built())


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Y"},
        {"folder": ""},
        {"tags": ("slo",)},
        {"tags": (MARK,)},
        {"tags": ("slo", MARK, "more")},
        {"panels": []},
        {"panels": [{**PANEL, "transparent": True}]},
        {"extra": None},
    ],
    ids=str,
)
def test_everything_else_does(changes):
    assert not live(**changes).same(built())


def test_true_is_not_one_and_one_is_one_however_it_is_spelled():
    board = built(panels=[{**PANEL, "max": 1}])
    spelled = json_artifact("dashboards/slo-x.json", PLAIN | {"panels": [{**PANEL, "max": 1}]})
    other = Artifact(spelled.path, spelled.text.replace('"max": 1', '"max": 1.0'))
    assert of_artifact(other, "slo", MARK).same(board)
    assert not built(panels=[{**PANEL, "max": True}]).same(board)


def test_the_text_of_a_live_dashboard_is_that_of_the_file_that_would_make_it():
    assert live().text == built().text
    assert built().text.endswith(json_artifact("", PLAIN).text)


@pytest.mark.parametrize("spelled", ["1.0", "1", "1e3", "0.50", "2.5"])
def test_a_number_is_spelled_in_one_way_on_both_sides(spelled):
    text = json_artifact("", PLAIN | {"step": 77}).text.replace("77", spelled)
    board = of_artifact(Artifact("dashboards/slo-x.json", text), "slo", MARK)
    assert board.text == live(step=parsed(spelled)).text


@pytest.mark.parametrize("board", [built(), live(), live(folder="", tags=("a",))])
def test_a_text_is_read_back(board):
    assert of_text(board.text) == board


def test_a_text_that_is_none_is_told():
    with pytest.raises(Problem, match="holds something that is no dashboard; plan again"):
        of_text("---\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "must be JSON: .* run `make build`"),
        ("[]", "must be a dashboard, got no object"),
        ('{"uid": "a b"}', "its uid must be 1 to 40 letters, digits, `-` and `_`, got `a b`"),
        ("{}", "its uid must be 1 to 40 letters, digits, `-` and `_`, got `None`"),
    ],
)
def test_a_file_that_is_no_dashboard_is_told(text, words):
    with pytest.raises(Problem, match=words):
        of_artifact(Artifact("dashboards/slo-x.json", text), "slo", MARK)


@pytest.mark.parametrize(
    ("asked", "least", "stored"),
    [
        ("30s", "1m", "1m"),
        ("1m", "1m", "1m"),
        ("1m", "30s", "1m"),
        ("", "1m", ""),
        ("auto", "1m", "auto"),
        ("30s", "", "30s"),
        ("30s", "1m30s", "1m30s"),
    ],
)
def test_a_refresh_is_planned_as_grafana_stores_it(asked, least, stored):
    board = with_refresh(built(refresh=asked), least)
    assert board.document["refresh"] == stored
    assert json.loads(board.text.split("\n", 2)[2])["refresh"] == stored


def panel(**changes):
    return {"panels": [PANEL | changes]}


def content(text):
    return {"options": {"content": f"**{text} % over 30d**\n\nWords."}}


def steps(*values):
    found = [{"color": "red", "value": value} for value in values]
    return {"fieldConfig": {"defaults": {"thresholds": {"steps": found}}}}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"title": "A"}, {"title": "B"}, "title `A` -> `B`"),
        ({"refresh": "1m"}, {"refresh": "30s"}, "refresh `1m` -> `30s`"),
        ({"time": 1}, {"time": 2}, "time changed"),
        ({"tags": ["slo"]}, {"tags": ["slo", "new"]}, "tag new added"),
        ({"tags": ["slo", "old"]}, {"tags": ["slo"]}, "tag old removed"),
        ({}, {"templating": {"list": [{"name": "slo"}]}}, "variable slo added"),
        ({"templating": {"list": [{"name": "slo"}]}}, {}, "variable slo removed"),
        (panel(), {"panels": []}, "panel `Burn` removed"),
        ({"panels": []}, panel(), "panel `Burn` added"),
        (panel(), panel(title="Fire"), "`Fire`: renamed from `Burn`"),
        (panel(), panel(gridPos={"h": 8}), "`Burn`: moved"),
        (panel(targets=[]), panel(targets=TARGETS), "`Burn`: query changed"),
        (panel(**steps(None, 1)), panel(**steps(None, 2)), "`Burn`: threshold 1 -> 2"),
        (panel(**steps(None)), panel(**steps(None, 2)), "`Burn`: threshold none -> 2"),
        (
            panel(**content("99.9")),
            panel(**content("99.5")),
            "`Burn`: objective 99.9 % over 30d -> 99.5 % over 30d",
        ),
        (panel(description="a"), panel(description="b"), "`Burn`: description changed"),
        (
            {"panels": [{"id": 1, "type": "row", "panels": [PANEL]}]},
            {"panels": [{"id": 1, "type": "row", "panels": []}]},
            "panel `Burn` removed",
        ),
        ({"weekStart": "monday"}, {}, "details that the raw diff shows"),
    ],
)
def test_a_change_is_said_in_words(before, after, words):
    assert summary(built(**before), built(**after)) == (words,)


def test_a_long_list_of_changes_is_cut():
    many = [{**PANEL, "id": number, "title": str(number)} for number in range(30)]
    lines = summary(built(panels=[]), built(panels=many))
    assert len(lines) == 9
    assert lines[-1] == "and 22 more"
