import json
import warnings
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.dashboard_project import PROJECT

from sloforge.generate.boards.board import (
    Board,
    Column,
    Grid,
    Look,
    Panel,
    Read,
    Section,
    Words,
    steps,
)
from sloforge.generate.boards.layout import placed
from sloforge.generate.dashboards import dashboards
from sloforge.generate.panels import dashboard, ref_id

BOARDS = {one.path: json.loads(one.text) for one in dashboards(PROJECT)}
# The one path at which the independent reader gives back less than it was given.
TOLERATED = {
    "/id: DROPPED None",  # null asks every import and API for a new number; the reader writes no null
}


def one_of(kind, **more):
    defaults = {
        "slug": kind,
        "kind": kind,
        "title": f"A {kind}",
        "description": "What it shows.",
        "width": 12,
        "height": 8,
        "reads": () if kind == "text" else (Read(expr="up", legend="{{job}}"),),
    }
    return Panel(**(defaults | more))


def board_of(*panels, collapsed=False):
    section = Section(slug="s", title="A row", panels=panels, collapsed=collapsed)
    return Board(
        uid="slo-x",
        title="A board",
        description="For a test.",
        tags=("slo",),
        sections=(section,),
        variables=(),
        marks=(),
        links=(),
        start="now-1h",
        refresh="1m",
    )


KINDS = ("bargauge", "state-timeline", "stat", "table", "text", "timeseries")
BOARDS["one panel of each kind"] = dashboard(board_of(*map(one_of, KINDS)))


def made(panel):
    return dashboard(board_of(panel))["panels"][1]


def walk(value, path=""):
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, f"{path}/{key}")
    if isinstance(value, list):
        for at, inner in enumerate(value):
            yield from walk(inner, f"{path}/{at}")


def everything(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


@pytest.fixture(scope="module")
def reread():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard

        register_default_plugins()
        yield lambda board: json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))


def lost(given, back, path=""):
    """What a reader dropped or changed; what it adds are its defaults."""
    if isinstance(given, dict) and isinstance(back, dict):
        for key, value in given.items():
            if key in back:
                yield from lost(value, back[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}: DROPPED {value}"
    elif isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        for at, (one, other) in enumerate(zip(given, back, strict=True)):
            yield from lost(one, other, f"{path}/{at}")
    elif given != back:
        yield f"{path}: CHANGED {given} {back}"


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_models_keep_everything(reread, name):
    assert set(lost(BOARDS[name], reread(BOARDS[name]))) == TOLERATED


def test_the_reader_would_notice_what_grafanalib_emits(reread):
    board = json.loads(json.dumps(BOARDS["one panel of each kind"]))
    board["panels"][1]["span"] = 4
    board["panels"][1]["options"]["fieldOptions"] = {}
    found = set(lost(board, reread(board))) - TOLERATED
    assert found == {"/panels/1/span: DROPPED 4", "/panels/1/options/fieldOptions: DROPPED {}"}


@pytest.mark.parametrize("name", BOARDS)
def test_the_only_nulls_are_the_id_and_the_lowest_thresholds(name):
    nulls = [path for path, value in walk(BOARDS[name]) if value is None]
    assert "/id" in nulls
    assert all(path == "/id" or path.endswith("/steps/0/value") for path in nulls)


@pytest.mark.parametrize("name", BOARDS)
def test_no_key_of_old_grafanas_is_left(name):
    legacy = {"span", "minSpan", "cacheTimeout", "hideTimeOverride", "fieldOptions"}
    legacy |= {"intervalFactor", "gnetId", "hideControls", "sharedCrosshair", "style", "rows"}
    legacy |= {"useTags", "tagsQuery", "tagValuesQuery", "time_options", "__inputs"}
    keys = {path.rsplit("/", 1)[-1] for path, _ in walk(BOARDS[name])}
    assert keys & legacy == set()


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_and_query_reads_the_chosen_prometheus(name):
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in everything(BOARDS[name]):
        if panel["type"] in ("row", "text"):
            assert "datasource" not in panel
            continue
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap_and_stay_within_24_columns(name):
    top = BOARDS[name]["panels"]
    for group in (top, *(row["panels"] for row in top if row.get("panels"))):
        cells = [cell for panel in group for cell in cells_of(panel["gridPos"])]
        assert len(cells) == len(set(cells))
        assert all(0 <= x < 24 and y >= 0 for x, y in cells)


def cells_of(place):
    columns = range(place["x"], place["x"] + place["w"])
    return [(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])]


@pytest.mark.parametrize("name", BOARDS)
def test_ids_are_unique_and_fit_into_32_bits(name):
    ids = [panel["id"] for panel in everything(BOARDS[name])]
    assert len(ids) == len(set(ids))
    assert all(0 < one < 2**31 for one in ids)


@pytest.mark.parametrize("name", BOARDS)
def test_ref_ids_of_a_panel_differ(name):
    for panel in everything(BOARDS[name]):
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(refs) == len(set(refs))


def test_ref_ids_count_as_the_editor_does():
    assert [ref_id(at) for at in (0, 25, 26, 51, 52, 701, 702)] == (
        ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
    )


def test_an_id_comes_from_the_slug_and_not_from_the_place():
    # crc32(b"a") is 0xe8b7be43; modulo 2^31 - 1, plus 1.
    alone = placed([Section(slug="s", title="t", panels=(one_of("stat", slug="a"),))])
    later = placed(
        [Section(slug="s", title="t", panels=(one_of("stat"), one_of("stat", slug="a")))]
    )
    assert alone[1].id == later[2].id == 0xE8B7BE43 % (2**31 - 1) + 1


def test_two_panels_with_one_slug_have_two_ids():
    section = Section(slug="s", title="t", panels=(one_of("stat"), one_of("stat")))
    _, one, other = placed([section])
    assert one.id != other.id


def test_panels_flow_from_left_to_right_and_wrap():
    widths = [(12, 4), (12, 8), (8, 3), (20, 3)]
    panels = tuple(
        one_of("stat", slug=str(at), width=w, height=h) for at, (w, h) in enumerate(widths)
    )
    found = placed([Section(slug="s", title="t", panels=panels)])
    assert [(one.box.x, one.box.y) for one in found] == [(0, 0), (0, 1), (12, 1), (0, 9), (0, 12)]


def test_a_collapsed_row_holds_its_panels_and_takes_one_line():
    board = board_of(one_of("stat"), collapsed=True)
    again = Section(slug="t", title="After", panels=())
    made = dashboard(replace(board, sections=(*board.sections, again)))
    row, after = made["panels"]
    assert [one["title"] for one in row["panels"]] == ["A stat"]
    assert row["collapsed"] is True
    assert after["gridPos"] == {"h": 1, "w": 24, "x": 0, "y": 1}


def test_thresholds_start_with_a_null_and_rise():
    look = Look(unit="s", steps=steps("green", ("14.4", "red"), (1, "yellow")))
    found = made(one_of("stat", look=look))["fieldConfig"]["defaults"]["thresholds"]
    assert found == {
        "mode": "absolute",
        "steps": [
            {"color": "green", "value": None},
            {"color": "yellow", "value": 1},
            {"color": "red", "value": 14.4},
        ],
    }


def test_numbers_keep_their_decimal_digits():
    look = Look(unit="percentunit", steps=steps("red", ("0.9995", "green")), maximum=Decimal(1))
    text = json.dumps(made(one_of("stat", look=look)))
    assert '"value": 0.9995' in text
    assert '"max": 1,' in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            Words(text="none", value=Decimal(0)),
            {"type": "value", "options": {"0": {"index": 0, "text": "none"}}},
        ),
        (
            Words(text="no traffic", color="text"),
            {
                "type": "special",
                "options": {
                    "match": "null+nan",
                    "result": {"index": 0, "text": "no traffic", "color": "text"},
                },
            },
        ),
        (
            Words(text="spent", between=(Decimal(-9), Decimal(0))),
            {
                "type": "range",
                "options": {"from": -9, "to": 0, "result": {"index": 0, "text": "spent"}},
            },
        ),
    ],
    ids=["a value", "no number", "a range"],
)
def test_numbers_can_be_words(words, expected):
    panel = made(one_of("stat", look=Look(unit="none", words=(words,))))
    assert panel["fieldConfig"]["defaults"]["mappings"] == [expected]


def test_a_table_joins_keeps_orders_and_sorts():
    grid = Grid(
        columns=(
            Column(field="Value #B", title="Left", cell="color-text", look=Look(unit="s")),
            Column(field="job", title="Job", hidden=True, width=9),
        ),
        key="job",
        sort="Left",
    )
    reads = (Read(expr="up", table=True), Read(expr="up", table=True))
    panel = made(one_of("table", grid=grid, reads=reads))
    assert [one["id"] for one in panel["transformations"]] == [
        "joinByField",
        "filterFieldsByName",
        "organize",
        "sortBy",
    ]
    left, job = panel["fieldConfig"]["overrides"]
    assert left["matcher"] == {"id": "byName", "options": "Left"}
    assert {"id": "custom.cellOptions", "value": {"type": "color-text"}} in left["properties"]
    assert job["properties"] == [
        {"id": "custom.width", "value": 9},
        {"id": "custom.hidden", "value": True},
    ]
