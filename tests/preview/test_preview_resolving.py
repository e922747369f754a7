"""What a dashboard says -> what is asked and shown: time, variables, thresholds, tables, links."""

import math
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sloforge.errors import Problem
from sloforge.preview import links, moments
from sloforge.preview.asking import Results
from sloforge.preview.choosing import Choice, choices
from sloforge.preview.context import Context
from sloforge.preview.fields import Matched, look
from sloforge.preview.filling import Value, filled, in_query, in_text
from sloforge.preview.layout import rows
from sloforge.preview.links import Page
from sloforge.preview.markdown import nodes
from sloforge.preview.moments import Span, span
from sloforge.preview.series import Answered, Grid, Series, answered, named, reduced
from sloforge.preview.source import Found
from sloforge.preview.transform import Field, Frame, frames, transformed

NOON = datetime(2026, 1, 7, 12, 30, tzinfo=UTC).timestamp()
DAY = 86_400


# Time


@pytest.mark.parametrize(
    ("text", "up", "iso"),
    [
        ("now", False, "2026-01-07T12:30:00"),
        ("now-7d", False, "2025-12-31T12:30:00"),
        ("now-1h+30m", False, "2026-01-07T12:00:00"),
        ("now/d", False, "2026-01-07T00:00:00"),
        ("now/d", True, "2026-01-07T23:59:59.999000"),
        ("now-1d/d", False, "2026-01-06T00:00:00"),
        ("now/w", False, "2026-01-05T00:00:00"),
        ("now/M", True, "2026-01-31T23:59:59.999000"),
        ("now/y", False, "2026-01-01T00:00:00"),
        ("1767225600000", False, "2026-01-01T00:00:00"),
        ("2026-01-01", False, "2026-01-01T00:00:00"),
        ("2026-01-01T01:00:00+01:00", False, "2026-01-01T00:00:00"),
    ],
)
def test_a_time_is_read_as_grafana_reads_it(text, up, iso):
    found = moments.moment(text, NOON, up=up)
    assert datetime.fromtimestamp(found, UTC).isoformat() == f"{iso}+00:00"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "now-", "now-7", "now-7d;", "99999999999999999", "2026-13-01"]
)
def test_what_is_no_time_is_told(text):
    with pytest.raises(Problem, match="time: expected such as now-7d"):
        moments.moment(text, NOON)


def test_a_range_that_runs_backwards_is_told():
    with pytest.raises(Problem, match="`now` must be before `now-1h`; swap them"):
        span("now", "now-1h", NOON)


@pytest.mark.parametrize(
    ("seconds", "points", "least", "step"),
    # Range over points, rounded by Grafana's table, at least the panel's own interval.
    [
        (3600, 720, 0, 5),
        (3 * 3600, 700, 15, 15),
        (7 * DAY, 800, 15, 900),
        (7 * DAY, 810, 15, 600),
        (7 * DAY, 100, 15, 7200),
        (DAY, 800, 300, 300),
        (30 * DAY, 1000, 15, 1800),
    ],
)
def test_the_step_is_that_of_grafana(seconds, points, least, step):
    assert moments.step(seconds, points, least) == step


def test_no_range_asks_for_more_points_than_prometheus_gives():
    assert 400 * DAY / moments.step(400 * DAY, 10**9, 1) <= moments.MOST_POINTS


@pytest.mark.parametrize(
    ("step", "scrape", "rate"), [(15, 15, 60), (60, 15, 75), (600, 15, 615), (15, 60, 240)]
)
def test_a_rate_interval_holds_four_scrapes(step, scrape, rate):
    assert moments.rate_interval(step, scrape) == rate


def test_ticks_of_a_time_axis_are_local_midnights():
    where = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 27, 12, tzinfo=where).timestamp()
    over = Span(start=start, end=start + 4 * DAY, first="", last="")
    found = moments.ticks(over, 5, where)
    assert [text for _, text in found] == ["28 Mar", "29 Mar", "30 Mar", "31 Mar"]
    # The clocks go forward in the night to the 29th: that day has 23 hours.
    assert [(after - before) / 3_600_000 for (before, _), (after, _) in pairwise(found)] == [
        24,
        23,
        24,
    ]


# Variables


SCOPE = {
    "one": Value(values=("a.b",)),
    "quoted": Value(values=('x"} or vector(1) #\\',)),
    "many": Value(values=("a.b", "c|d"), many=True),
    "single": Value(values=("a.b",), many=True),
    "all": Value(values=("a", "b"), texts=("All",), many=True, pattern=".*"),
    "__range": Value(values=("3600s",)),
    "__from": Value(values=("1767225600000",)),
}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('up{a="$one"}', 'up{a="a.b"}'),
        ('up{a="$quoted"}', 'up{a="x\\"} or vector(1) #\\\\"}'),
        ('up{a=~"$many"}', 'up{a=~"(a\\\\.b|c\\\\|d)"}'),
        ('up{a=~"$single"}', 'up{a=~"a\\\\.b"}'),
        ('up{a=~"$all"}', 'up{a=~".*"}'),
        ("rate(x[$__range])", "rate(x[3600s])"),
        ("${one:raw} ${many:pipe} ${many:regex} ${many:csv}", "a.b a.b|c|d (a\\.b|c\\|d) a.b,c|d"),
        ("${many:glob} ${one:text} [[one]]", "{a.b,c|d} a.b a.b"),
        ("${__from:date:iso} ${__from:date:seconds}", "2026-01-01T00:00:00Z 1767225600"),
        ("$unknown ${unknown:raw} costs $5", "$unknown ${unknown:raw} costs $5"),
        ("$onely", "$onely"),
    ],
)
def test_a_variable_in_a_query_stays_within_its_string(text, query):
    assert filled(text, SCOPE, in_query) == query


def test_a_variable_in_a_title_is_what_people_read():
    assert (
        filled("$many and $all", SCOPE | {"all": Value(values=("a",), texts=("All",))}, in_text)
        == "a.b + c|d and All"
    )


class Labels:
    """Answers label values by what is asked."""

    name = "http://prometheus"

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def ask(self, request):
        match = dict(request.parameters).get("match[]", "")
        self.asked.append((request.path, match))
        answer = self.answers[match]
        if isinstance(answer, Problem):
            raise answer
        return Found(data=answer)

    def close(self):
        pass


OVER = Span(start=0, end=3600, first="now-1h", last="now")


def variable(name, query, **more):
    return {"name": name, "type": "query", "query": {"query": query}, **more}


def test_a_variable_that_reads_another_is_asked_after_it_whatever_their_order():
    numbers = Labels({"up": ["b", "a"], 'up{job=~"a"}': ["x"]})
    listed = [
        variable("instance", 'label_values(up{job=~"$job"}, instance)'),
        variable("job", "label_values(up, job)", sort=1, multi=True),
    ]
    found = choices(listed, {}, OVER, numbers)
    assert [one.chosen for one in found] == [("x",), ("a",)]
    assert numbers.asked == [("label/job/values", "up"), ("label/instance/values", 'up{job=~"a"}')]


def test_the_address_wins_over_the_dashboard_and_that_over_the_first():
    numbers = Labels({"up": ["a", "b", "c"]})
    one = variable("job", "label_values(up, job)", current={"value": "b"})
    assert choices([one], {}, OVER, numbers)[0].chosen == ("b",)
    assert choices([one], {"job": ("c",)}, OVER, numbers)[0].chosen == ("c",)
    assert choices([one | {"current": {"value": "gone"}}], {}, OVER, numbers)[0].chosen == ("a",)


def test_all_is_the_pattern_of_the_variable_or_every_value():
    numbers = Labels({"up": ["a", "b"]})
    one = variable(
        "job", "label_values(up, job)", multi=True, includeAll=True, current={"value": ["$__all"]}
    )
    assert filled("$job", {"job": choices([one], {}, OVER, numbers)[0].value}, in_query) == "(a|b)"
    one["allValue"] = ".+"
    assert filled("$job", {"job": choices([one], {}, OVER, numbers)[0].value}, in_query) == ".+"


@pytest.mark.parametrize(
    ("kind", "query", "options"),
    [
        ("custom", "a,b : c,d\\,e", [("a", "a"), ("c", "b"), ("d,e", "d,e")]),
        ("interval", "1m,5m", [("1m", "1m"), ("5m", "5m")]),
        ("constant", "x", [("x", "x")]),
    ],
)
def test_variables_that_ask_nobody(kind, query, options):
    found = choices([{"name": "v", "type": kind, "query": query}], {}, OVER, Labels({}))
    assert list(found[0].options) == options


def test_a_regex_keeps_and_names_values():
    one = variable("job", "label_values(up, job)", regex="/prod-(?<value>\\w+)/")
    found = choices([one], {}, OVER, Labels({"up": ["prod-a", "dev-a", "prod-b"]}))
    assert found[0].options == (("a", "a"), ("b", "b"))


def test_a_variable_that_cannot_be_asked_says_why():
    found = choices(
        [variable("job", "label_values(up, job)")],
        {},
        OVER,
        Labels({"up": Problem("no answer in time")}),
    )
    assert (found[0].note, found[0].options) == ("no answer in time", ())
    odd = choices([{"name": "v", "type": "adhoc"}], {}, OVER, Labels({}))
    assert odd[0].note == "variables of the type `adhoc` are not previewed"


# Fields


CONFIG = {
    "defaults": {
        "unit": "percentunit",
        "decimals": 1,
        "noValue": "no traffic",
        "thresholds": {"mode": "absolute", "steps": [{"color": "red", "value": None}, {"color": "green", "value": 0.5}, {"color": "orange", "value": 0.25}]},
        "mappings": [
            {"type": "range", "options": {"from": -100, "to": 0, "result": {"text": "spent", "color": "purple", "index": 1}}},
            {"type": "value", "options": {"1": {"text": "full", "index": 0}}},
        ],
    },
    "overrides": [
        {"matcher": {"id": "byName", "options": "ms"}, "properties": [{"id": "unit", "value": "ms"}, {"id": "mappings", "value": []}]},
        {"matcher": {"id": "byRegexp", "options": "/^id/"}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}}, {"id": "custom.lineStyle", "value": {"fill": "dash"}}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text", "color"),
    [
        (0.6, "60.0%", "green"),
        (0.5, "50.0%", "green"),
        (0.3, "30.0%", "orange"),
        (0.1, "10.0%", "red"),
        (-0.2, "spent", "purple"),
        (1.0, "full", "green"),
        (None, "no traffic", "text"),
        (math.nan, "no traffic", "text"),
        (math.inf, "∞", "green"),
    ],
)
def test_words_thresholds_and_nothing(value, text, color):
    found = look(CONFIG, Matched(name="x")).of(value)
    assert (found.text, found.color) == (text, color)


def test_nothing_has_a_word_of_its_own():
    config = {
        "defaults": {
            "mappings": [
                {
                    "type": "special",
                    "options": {
                        "match": "null+nan",
                        "result": {"text": "not burning", "color": "green", "index": 0},
                    },
                }
            ]
        }
    }
    for value in (None, math.nan):
        found = look(config, Matched(name="x")).of(value)
        assert (found.text, found.color) == ("not burning", "green")


def test_an_override_is_for_its_field_alone():
    assert look(CONFIG, Matched(name="ms")).of(-5).text == "-5.0 ms"
    ideal = look(CONFIG, Matched(name="ideal"))
    assert ideal.custom == {"lineStyle": {"fill": "dash"}}
    assert ideal.own_color(3) == "text"
    assert look(CONFIG, Matched(name="x")).custom == {}


def test_a_panel_without_thresholds_has_those_of_grafana():
    seen = look({}, Matched(name="x"))
    assert [seen.of(value).color for value in (0, 79.9, 80)] == ["green", "green", "red"]


def test_a_color_that_is_none_is_that_of_text():
    config = {"defaults": {"color": {"mode": "fixed", "fixedColor": "red;background:url(//evil)"}}}
    assert look(config, Matched(name="x")).of(1).color == "text"


# Series


GRID = Grid(start=100, step=10, count=4)


def matrix(*series):
    return Found(
        data={"resultType": "matrix", "result": [{"metric": m, "values": v} for m, v in series]}
    )


def test_a_time_without_a_sample_is_no_number():
    found = answered(matrix(({"a": "1"}, [[100, "1"], [120, "NaN"], [130, "+Inf"]])), GRID, "A")
    one = found.series[0].values
    assert one[:2] == (1.0, None)
    assert one[2] is not None
    assert math.isnan(one[2])
    assert one[3] == math.inf


def test_legends():
    found = Answered(
        series=tuple(
            Series(
                labels={"__name__": "up", "job": "x", "pod": pod}, name="", values=(1.0,), ref="A"
            )
            for pod in "ab"
        )
    )
    assert [one.name for one in named(found, "{{ pod }} of {{job}}{{gone}}", "up")] == [
        "a of x",
        "b of x",
    ]
    assert [one.name for one in named(found, "__auto", "up")] == ["a", "b"]
    alone = Answered(series=found.series[:1])
    assert [one.name for one in named(alone, "", "up")] == ['up{job="x", pod="a"}']
    bare = Answered(series=(Series(labels={}, name="", values=(1.0,), ref="A"),))
    assert [one.name for one in named(bare, "__auto", "sum(up)")] == ["sum(up)"]


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("lastNotNull", 5),
        ("last", None),
        ("first", 3),
        ("firstNotNull", 3),
        ("min", 1),
        ("max", 5),
        ("mean", 3),
        ("sum", 9),
        ("count", 5),
        ("range", 4),
        ("diff", 2),
    ],
)
def test_a_series_is_reduced_to_one_number(how, number):
    assert reduced((3.0, 1.0, math.nan, 5.0, None), how) == number
    assert reduced((), how) in (None, 0)


@pytest.mark.parametrize(
    "data",
    [None, [], {"result": 1}, {"resultType": "matrix", "result": [1]}, {"resultType": "vector", "result": [{"metric": {}}]},
     {"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]}, {"resultType": "vector", "result": [{"metric": [], "value": [1]}]}],
)  # fmt: skip
def test_an_answer_that_is_none_is_told(data):
    with pytest.raises(Problem, match="is it a Prometheus"):
        answered(Found(data=data), Grid(start=0, step=1, count=1), "A")


# Tables


def vector(ref, name, *pairs):
    return tuple(
        Series(labels=labels, name=name, values=(value,), ref=ref) for labels, value in pairs
    )


def table(*columns):
    return Frame(
        fields=tuple(Field(name=n, title=n, kind="string", ref="A", cells=c) for n, c in columns)
    )


def test_tables_are_joined_chosen_named_and_sorted_as_the_fleet_wants_it():
    found = Results(
        series=(
            *vector("A", "", ({"slo": "x", "owner": "o"}, 1.0), ({"slo": "y", "owner": "p"}, 1.0)),
            *vector("B", "", ({"slo": "y"}, 0.5), ({"slo": "z"}, 0.1)),
        ),
        grid=GRID,
        refs=("A", "B"),
    )
    steps = [
        {"id": "joinByField", "options": {"byField": "slo", "mode": "outer"}},
        {
            "id": "filterFieldsByName",
            "options": {"include": {"names": ["owner", "slo", "Value #B"]}},
        },
        {
            "id": "organize",
            "options": {
                "indexByName": {"slo": 0, "Value #B": 1, "owner": 2},
                "renameByName": {"Value #B": "Left", "slo": "SLO"},
            },
        },
        {"id": "sortBy", "options": {"sort": [{"field": "Left", "desc": False}]}},
    ]
    frame, notes = transformed(frames(found), steps)
    assert notes == ()
    assert [(f.title, f.cells) for f in frame.fields] == [
        ("SLO", ("z", "y", "x")),
        ("Left", (0.1, 0.5, None)),
        ("owner", (None, "p", "o")),
    ]


def test_a_column_that_grafana_leaves_out_in_silence_is_named():
    from sloforge.preview.kinds.table import table as drawn

    series = vector("A", "", ({"slo": "x"}, 1.0))
    found = Results(series=series, grid=GRID, refs=("A", "B"))
    assert drawn({}, found, CONTEXT)["notes"] == [
        "no column for B: the query found nothing, as Grafana would show it"
    ]
    assert drawn({}, Results(series=series, grid=GRID, refs=("A",)), CONTEXT)["notes"] == []


def test_a_transformation_that_is_not_known_is_named():
    _, notes = transformed((table(("a", ("1",))),), [{"id": "reduce"}])
    assert notes == ("the transformation `reduce` is not previewed",)


# Links


PAGE = Page(
    first="now-7d",
    last="now",
    chosen=(("var-slo", "a"), ("var-slo", "b&c")),
    scope={"svc": Value(values=("x y/&?",))},
)


@pytest.mark.parametrize(
    ("url", "kept", "href"),
    [
        ("/d/slo-fleet", {}, "/d/slo-fleet"),
        ("/d/slo-fleet", {"time": True}, "/d/slo-fleet?from=now-7d&to=now"),
        ("/d/x?var-slo=z", {"time": True, "variables": True}, "/d/x?var-slo=z&from=now-7d&to=now"),
        ("/d/x", {"variables": True}, "/d/x?var-slo=a&var-slo=b%26c"),
        ("/d/x?${__url_time_range}", {}, "/d/x?from=now-7d&to=now"),
        ("https://logs.example.org/?q=$svc", {}, "https://logs.example.org/?q=x%20y%2F%26%3F"),
        ("mailto:a@example.org", {}, "mailto:a@example.org"),
        ("javascript:alert(1)", {}, ""),
        ("JaVaScRiPt:alert(1)", {}, ""),
        ("  javascript:alert(1)", {}, ""),
        ("java\nscript:alert(1)", {}, ""),
        ("data:text/html,<script>alert(1)</script>", {}, ""),
        ("vbscript:x", {}, ""),
        ("//evil.example/d/x", {}, ""),
        ("/\\evil.example", {}, ""),
        ("http://[broken", {}, ""),
        ("relative/path", {}, ""),
    ],
)
def test_a_link_leads_to_a_page_or_nowhere(url, kept, href):
    assert links.address(url, PAGE, **kept) == href


def test_a_link_of_a_cell_holds_the_row():
    fields = {"Service": "a b", "board": "slo-x", "odd": "..//javascript:1"}
    assert (
        links.of_cell(
            '/d/${__data.fields.board}?s=${__data.fields["Service"]}&v=${__value.text}',
            fields,
            "99 %",
        )
        == "/d/slo-x?s=a%20b&v=99%20%25"
    )
    assert links.of_cell("/d/${__data.fields.odd}", fields, "") == "/d/..%2F%2Fjavascript%3A1"
    assert links.title_of_cell("Board of ${__value.text}", fields, "x") == "Board of x"


CONTEXT = Context(over=OVER, zone=UTC, width=1600, scope={}, page=PAGE, numbers=Labels({}))


# Words


def md(text):
    return nodes(text, lambda url: url if url.startswith("https:") else "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a **b** _c_ `d*e*`",
            [["p", {}, "a ", ["strong", {}, "b"], " ", ["em", {}, "c"], " ", ["code", {}, "d*e*"]]],
        ),
        (
            "[x](https://example.org/a_(b))",
            [["p", {}, ["a", {"href": "https://example.org/a_(b)"}, "x"]]],
        ),
        ("[x](javascript:alert(1))", [["p", {}, ["span", {}, "x"]]]),
        ("<img src=x onerror=alert(1)>", [["p", {}, "<img src=x onerror=alert(1)>"]]),
        ("# A\n\ntext", [["h3", {}, "A"], ["p", {}, "text"]]),
        ("1. a\n2. b\n   c", [["ol", {}, ["li", {}, "a"], ["li", {}, "b c"]]]),
        (
            "- a\n- [b](https://x)",
            [["ul", {}, ["li", {}, "a"], ["li", {}, ["a", {"href": "https://x"}, "b"]]]],
        ),
        ("```\n<b>\n```", [["pre", {}, ["code", {}, "<b>"]]]),
        (
            "| a | b |\n|---|---|\n| 1 | 2 |",
            [
                [
                    "table",
                    {},
                    ["thead", {}, ["tr", {}, ["th", {}, "a"], ["th", {}, "b"]]],
                    ["tbody", {}, ["tr", {}, ["td", {}, "1"], ["td", {}, "2"]]],
                ]
            ],
        ),
        ("slo:sli_error:ratio_rate5m * 2 * 3", [["p", {}, "slo:sli_error:ratio_rate5m * 2 * 3"]]),
    ],
)
def test_markdown_becomes_nodes_and_never_html(text, expected):
    assert md(text) == expected


# Places


def panel(key, **more):
    return {
        "id": key,
        "type": "stat",
        "title": str(key),
        "gridPos": {"x": 0, "y": key, "w": 12, "h": 4},
        **more,
    }


def row(key, *panels, collapsed=False, **more):
    return {
        "id": key,
        "type": "row",
        "title": f"row {key}",
        "collapsed": collapsed,
        "panels": list(panels),
        "gridPos": {"x": 0, "y": key, "w": 24, "h": 1},
        **more,
    }


def test_a_row_holds_what_follows_it_or_what_is_folded_into_it():
    found = rows(
        [panel(1), row(2), panel(3), panel(4), row(5, panel(6), collapsed=True), row(7)], ()
    )
    assert [(one.title, one.collapsed, [p.key for p in one.panels]) for one in found] == [
        ("", False, ["1"]),
        ("row 2", False, ["3", "4"]),
        ("row 5", True, ["6"]),
        ("row 7", False, []),
    ]


def test_repeated_panels_stand_beside_one_another_each_with_its_own_value():
    many = Choice(
        name="pod",
        label="",
        kind="query",
        options=(("$__all", "All"), ("a", "a"), ("b", "b"), ("c", "c")),
        chosen=("$__all",),
        many=True,
        all_value=".*",
    )
    found = rows([panel(1, repeat="pod", maxPerRow=2, repeatDirection="h")], [many])[0].panels
    assert [(p.x, p.y, p.width, filled("$pod", p.scope, in_query)) for p in found] == [
        (0, 0, 12, "a"),
        (12, 0, 12, "b"),
        (0, 4, 12, "c"),
    ]
    assert len({p.key for p in found}) == 3


def test_a_repeated_row_repeats_its_panels():
    two = Choice(
        name="pod",
        label="",
        kind="custom",
        options=(("a", "a"), ("b", "b")),
        chosen=("a", "b"),
        many=True,
    )
    found = rows([row(1, repeat="pod"), panel(2)], [two])
    assert [
        (filled("$pod", one.scope, in_query), [p.key for p in one.panels]) for one in found
    ] == [("a", ["2"]), ("b", ["2~1"])]


def test_nothing_overlaps_whatever_the_file_says():
    crowded = [
        {"id": n, "type": "stat", "gridPos": {"x": 20, "y": 0, "w": 9, "h": 3}} for n in range(3)
    ]
    found = rows(crowded, ())[0].panels
    assert [(p.x, p.y, p.width) for p in found] == [(20, 0, 4), (20, 3, 4), (20, 6, 4)]
