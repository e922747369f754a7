"""Every panel, unit, threshold, variable and link that our generator writes is one the preview knows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard_project import PROJECT

from sloforge.generate.dashboards import dashboards
from sloforge.preview import units
from sloforge.preview.boards import Dashboard, boards
from sloforge.preview.colors import color, palette
from sloforge.preview.fields import Matched, look
from sloforge.preview.kinds import KINDS
from sloforge.preview.opened import opened
from sloforge.preview.source import Found

ROOT = Path(__file__).parents[2]
NOW = 1_767_225_600.0
# Few points are enough, and drawn faster.
NARROW = {"width": ("320",)}
Json = dict[str, Any]


class Answering:
    """One series for every query, one value for every label; remembers what was asked."""

    name = "http://prometheus"

    def __init__(self):
        self.asked = []

    def ask(self, request):
        parameters = dict(request.parameters)
        self.asked.append((request.path, parameters))
        if request.path.startswith("label/"):
            return Found(data=["one", "two"])
        if request.path == "query":
            return Found(
                data={
                    "resultType": "vector",
                    "result": [{"metric": {"slo": "a/b"}, "value": [NOW, "0.5"]}],
                }
            )
        start, end, step = (float(parameters[name]) for name in ("start", "end", "step"))
        values = [[start + n * step, "0.5"] for n in range(int((end - start) / step) + 1)]
        return Found(
            data={"resultType": "matrix", "result": [{"metric": {"slo": "a/b"}, "values": values}]}
        )

    def close(self):
        pass


def of_the_test_project() -> Iterator[Dashboard]:
    for artifact in dashboards(PROJECT):
        found = json.loads(artifact.text)
        yield Dashboard(uid=found["uid"], title=found["title"], description="", tags=(), json=found)


BOARDS = {
    f"{where}:{one.uid}": one
    for where, listed in (("ours", boards(ROOT / "dashboards")), ("test", of_the_test_project()))
    for one in listed
}


def panels(listed: list[Json]) -> Iterator[Json]:
    for one in listed:
        yield one
        yield from panels(one.get("panels", []))


ALL = [(name, one) for name, board in BOARDS.items() for one in panels(board.json["panels"])]
SEEN = [one for _, one in ALL if one["type"] != "row"]
CONFIGS = [one["fieldConfig"] for one in SEEN]


def properties(name: str) -> Iterator[Any]:
    """What stands under this name in any panel, overrides included."""
    for config in CONFIGS:
        if name in config["defaults"]:
            yield config["defaults"][name]
        for override in config["overrides"]:
            yield from (p["value"] for p in override["properties"] if p["id"] == name)


def test_there_is_something_to_look_at():
    assert len(BOARDS) >= 10
    assert {one["type"] for one in SEEN} >= {
        "bargauge",
        "stat",
        "state-timeline",
        "table",
        "text",
        "timeseries",
    }


def test_every_panel_type_is_drawn():
    # A gauge is in many a mixin.
    assert {one["type"] for one in SEEN} == {*KINDS, "text"} - {"gauge"}


def test_every_unit_is_one_of_grafanas_and_not_a_suffix():
    found = set(properties("unit"))
    assert found >= {"percentunit", "s", "dtdurations", "reqps", "short", "none", "bytes"}
    assert found <= units._FORMATS.keys()


def test_every_color_is_in_the_palette_of_both_themes():
    steps = [
        step["color"] for thresholds in properties("thresholds") for step in thresholds["steps"]
    ]
    marks = [
        one["iconColor"]
        for board in BOARDS.values()
        for one in board.annotations
        if not one.get("builtIn")
    ]
    found = {*steps, *marks}
    assert found
    for name in found:
        assert color(name) == name
        assert all(name in palette()[theme] for theme in ("light", "dark"))


def test_every_mapping_gives_its_words():
    found = 0
    for mapping in (one for listed in properties("mappings") for one in listed):
        seen = look({"defaults": {"mappings": [mapping]}}, Matched(name=""))
        for value, text in meant(mapping):
            assert seen.of(value).text == text
            found += 1
    assert found > 20


def meant(mapping: Json) -> Iterator[tuple[float | None, str]]:
    options = mapping["options"]
    match mapping["type"]:
        case "value":
            yield from ((float(value), result["text"]) for value, result in options.items())
        case "range":
            yield from (
                (options[end], options["result"]["text"])
                for end in ("from", "to")
                if options[end] is not None
            )
        case "special":
            assert options["match"] == "null+nan"
            yield from ((value, options["result"]["text"]) for value in (None, float("nan")))
        case other:
            raise AssertionError(other)


KNOWN = {
    "color", "custom", "decimals", "links", "mappings", "max", "min", "noValue", "thresholds", "unit",
    "custom.cellOptions", "custom.fillOpacity", "custom.hidden", "custom.lineStyle", "custom.width",
}  # fmt: skip
CUSTOM = {
    "align", "cellOptions", "drawStyle", "fillOpacity", "inspect", "lineWidth", "scaleDistribution", "showPoints",
    "spanNulls", "stacking", "thresholdsStyle",
}  # fmt: skip


def test_no_property_of_a_field_is_overlooked():
    defaults = {key for config in CONFIGS for key in config["defaults"]}
    overrides = {
        p["id"]
        for config in CONFIGS
        for override in config["overrides"]
        for p in override["properties"]
    }
    custom = {key for config in CONFIGS for key in config["defaults"].get("custom", {})}
    assert defaults | overrides <= KNOWN
    assert custom <= CUSTOM
    assert {
        override["matcher"]["id"] for config in CONFIGS for override in config["overrides"]
    } == {"byName"}


def test_every_way_to_draw_is_known():
    of = [config["defaults"].get("custom", {}) for config in CONFIGS]
    assert {one["drawStyle"] for one in of if "drawStyle" in one} <= {"line", "bars"}
    assert {one["thresholdsStyle"]["mode"] for one in of if "thresholdsStyle" in one} <= {
        "off",
        "dashed",
        "dashed+area",
    }
    assert {one["stacking"]["mode"] for one in of if "stacking" in one} <= {"none", "normal"}
    assert {p["cellOptions"]["type"] for p in of if "cellOptions" in p} <= {"auto"}
    assert {cell["type"] for cell in properties("custom.cellOptions")} <= {
        "color-text",
        "color-background",
    }


@pytest.mark.parametrize("name", BOARDS)
def test_a_generated_dashboard_is_resolved_with_nothing_left_over(name):
    board, numbers = BOARDS[name], Answering()
    found = opened(board, NARROW, numbers, NOW)
    shown = found.shown()
    assert [one["note"] for one in shown["variables"]] == [""] * len(shown["variables"])
    assert all(link["href"] for link in shown["links"])
    wanted = [one for one in panels(board.json["panels"]) if one["type"] != "row"]
    drawn = [found.panel(one["key"]) for row in shown["rows"] for one in row["panels"]]
    assert len(drawn) == len(wanted)
    for view in drawn:
        assert view["kind"] in ("bars", "graph", "stat", "table", "text", "timeline"), view
        assert not view.get("failures")
        assert not view.get("notes"), view["notes"]
    for _, parameters in numbers.asked:
        for text in (parameters.get("query", ""), parameters.get("match[]", "")):
            assert not re.search(r"\$\{?[a-zA-Z_]", text), text
    json.dumps([shown, drawn, found.marks()], allow_nan=False)


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_of_the_file_is_asked(name):
    board, numbers = BOARDS[name], Answering()
    found = opened(board, NARROW, numbers, NOW)
    sent = sum(
        len(found.panel(one.key).get("queries", ())) for row in found.rows for one in row.panels
    )
    assert sent == sum(len(one.get("targets", ())) for one in panels(board.json["panels"]))


def test_a_folder_without_dashboards_and_files_that_are_none(tmp_path):
    from sloforge.errors import Problem

    with pytest.raises(
        Problem, match=r"expected dashboards \(\*.json\), found none; run `sloforge build` first"
    ):
        boards(tmp_path)
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"uid": 5, "panels": []}')
    (tmp_path / "c.json").write_text('{"uid": "x", "panels": []}')
    (tmp_path / "d.json").write_text('{"uid": "x", "panels": []}')
    (tmp_path / "e.json").write_text("[]")
    with pytest.raises(Problem) as told:
        boards(tmp_path)
    lines = str(told.value).splitlines()
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "expected JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "uid: expected text, got `5`",
        f"uid: `x` is the uid of {tmp_path}/c.json, too",
        "expected a dashboard: an object with `panels`",
    ]


def test_a_dashboard_that_is_not_there_is_told():
    from sloforge.errors import Problem

    with pytest.raises(Problem, match="there is no dashboard `slo-flet`; known are slo-fleet, "):
        boards(ROOT / "dashboards", ("slo-flet",))


def test_dashboards_of_mixins_are_found_and_those_of_before_grafana_5_are_placed(tmp_path):
    (tmp_path / "mixins/redis").mkdir(parents=True)
    rows = [
        {
            "title": "Memory",
            "panels": [
                {"id": n, "type": "graph", "span": span} for n, span in enumerate((6, 6, 4))
            ],
        },
        {"collapse": True, "panels": [{"id": 9, "type": "stat"}]},
    ]
    (tmp_path / "mixins/redis/old.json").write_text(json.dumps({"uid": "old", "rows": rows}))
    found = opened(boards(tmp_path)[0], NARROW, Answering(), NOW)
    placed = [
        (row.title, row.collapsed, [(p.x, p.y, p.width) for p in row.panels]) for row in found.rows
    ]
    assert placed == [
        ("Memory", False, [(0, 0, 12), (12, 0, 12), (0, 7, 8)]),
        ("Row 2", True, [(0, 0, 24)]),
    ]
    assert (
        found.panel("1")["message"]
        == "panels of the type `graph` are not previewed; Grafana shows this one"
    )
