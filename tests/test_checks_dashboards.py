import copy
import json
import re
from pathlib import Path

import pytest
from tests.dashboard_project import PROJECT

from sloforge.checks.dashboards import RULES, all_findings, dashboard_findings, known_series
from sloforge.checks.dashboards.view import parsable
from sloforge.generate.dashboards import dashboards
from sloforge.generate.recording import recording
from sloforge.specs import load

ROOT = Path(__file__).parent.parent
DS = {"type": "prometheus", "uid": "${datasource}"}
KNOWN = frozenset({"up", "requests_total", "slo:x:rate5m"})


def query(expr, ref="A"):
    return {"datasource": DS, "expr": expr, "refId": ref}


def panel(**more):
    return {
        "id": 1,
        "type": "timeseries",
        "title": "Targets",
        "description": "sum(up), the targets that answer.",
        "datasource": DS,
        "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
        "targets": [query("sum(up)")],
        "fieldConfig": {
            "defaults": {
                "unit": "short",
                "thresholds": {"steps": [{"color": "green", "value": None}]},
            },
            "overrides": [],
        },
    } | more


def variable(**more):
    return {
        "name": "job",
        "type": "query",
        "query": {"query": "label_values(up, job)", "refId": "A"},
        "datasource": DS,
        "refresh": 2,
    } | more


DATASOURCE = {
    "name": "datasource",
    "type": "datasource",
    "label": "Data source",
    "query": "prometheus",
}


def board(*panels, variables=(), **more):
    return {
        "uid": "slo-x",
        "id": None,
        "title": "A board",
        "editable": False,
        "annotations": {"list": [{"name": "Pages", "datasource": DS, "expr": "up == 0"}]},
        "templating": {"list": [DATASOURCE, variable(), *variables]},
        "panels": list(panels) or [panel()],
        "links": [],
    } | more


def two(**second):
    """Two panels side by side."""
    right = {"id": 2, "title": "Other", "gridPos": {"h": 8, "w": 12, "x": 12, "y": 0}}
    return board(panel(), panel(**(right | second)))


def asking(expr):
    return board(panel(targets=[query(expr)]))


def without(found, key):
    return {name: value for name, value in found.items() if name != key}


ROW = {"id": 9, "type": "row", "title": "Row", "gridPos": {"h": 1, "w": 24, "x": 0, "y": 8}}

# id of the rule, what is wrong with the board, the whole message
BAD = [
    (
        "D001",
        board(templating={"list": [variable()]}),
        "the dashboard has no datasource variable; add a variable `datasource` of type datasource",
    ),
    (
        "D001",
        board(templating={"list": [DATASOURCE | {"label": "DS"}]}),
        "datasource variable: expected label `Data source`, got `DS`; one name on all boards lets links carry it",
    ),
    (
        "D002",
        board(variables=[variable(name="x", query="up")]),
        "variable `x`: expected label_values(...), got `up`; or label_names, metrics, query_result",
    ),
    (
        "D002",
        board(variables=[variable(name="x", query="label_values(up{, job)")]),
        "variable `x`: cannot be parsed: ",
    ),
    (
        "D003",
        board(variables=[variable(name="x", refresh=1)]),
        "variable `x`: refresh is 1; set 2, on time range change",
    ),
    (
        "D004",
        board(panel(datasource="Prometheus")),
        "panel `Targets`: reads another datasource; read `${datasource}`",
    ),
    (
        "D004",
        board(panel(targets=[without(query("up"), "datasource")])),
        "panel `Targets`: reads another datasource; read `${datasource}`",
    ),
    (
        "D004",
        board(variables=[variable(name="x", datasource="P")]),
        "variable `x`: reads another datasource; read `${datasource}`",
    ),
    (
        "D004",
        board(annotations={"list": [{"name": "Pages", "datasource": "P", "expr": "up"}]}),
        "annotation `Pages`: reads another datasource; read `${datasource}`",
    ),
    ("D005", board(title=""), "the dashboard has no title; say whose it is"),
    (
        "D005",
        board(panel(title=" ")),
        "panel 1: the title is missing or too short; ask the question that it answers",
    ),
    (
        "D005",
        board(panel(description="sum(up)")),
        "panel `Targets`: the description is missing or too short; say how it is computed and what to do about it",
    ),
    (
        "D006",
        board(panel(fieldConfig={"defaults": {}, "overrides": []})),
        "panel `Targets`: expected a unit of Grafana's, got ``; such as s, percentunit, reqps, short or none",
    ),
    (
        "D006",
        board(panel(fieldConfig={"defaults": {"unit": "secs"}, "overrides": []})),
        "panel `Targets`: expected a unit of Grafana's, got `secs`; such as s, percentunit, reqps, short or none",
    ),
    (
        "D006",
        board(
            panel(
                fieldConfig={
                    "defaults": {"unit": "s"},
                    "overrides": [{"properties": [{"id": "unit", "value": "secs"}]}],
                }
            )
        ),
        "panel `Targets`: expected a unit of Grafana's, got `secs`; such as s, percentunit, reqps, short or none",
    ),
    ("D007", board(panel(targets=[])), "panel `Targets`: has no query; add one or remove it"),
    ("D008", asking("sum(up"), "panel `Targets`: query A: cannot be parsed: "),
    (
        "D008",
        board(annotations={"list": [{"name": "Pages", "datasource": DS, "expr": "up ="}]}),
        "annotation `Pages`: cannot be parsed: ",
    ),
    (
        "D009",
        asking("rate(requests_total[5m])"),
        "panel `Targets`: query A: a rate over another range than $__rate_interval; write [$__rate_interval]",
    ),
    (
        "D010",
        asking("sum(requests_total)"),
        "panel `Targets`: query A: reads the counter requests_total without rate or increase; write rate(...[$__rate_interval])",
    ),
    ("D011", board(editable=True), "the dashboard is editable; set `editable` to false"),
    (
        "D012",
        two(gridPos={"h": 8, "w": 12, "x": 11, "y": 7}),
        "panel `Other`: lies on panel `Targets`; move one of them",
    ),
    (
        "D012",
        board(panel(gridPos={"h": 8, "w": 13, "x": 12, "y": 0})),
        "panel `Targets`: outside of the grid: x 12, y 0, 13 x 8; a row has 24 columns",
    ),
    (
        "D012",
        board(ROW | {"panels": [panel(), panel(id=2, title="Other")]}),
        "panel `Other`: lies on panel `Targets`; move one of them",
    ),
    (
        "D013",
        asking('up{job="$jobs"}'),
        "panel `Targets`: query A: unknown variable `$jobs`; known are datasource, job",
    ),
    (
        "D013",
        board(variables=[variable(name="x", query='label_values(up{a="${b:regex}"}, job)')]),
        "variable `x`: unknown variable `$b`; known are datasource, job, x",
    ),
    (
        "D013",
        board(links=[{"title": "Logs", "url": "https://x/?q=$q"}]),
        "link `Logs`: unknown variable `$q`; known are datasource, job",
    ),
    (
        "D014",
        asking("slo:y:rate5m + up"),
        "panel `Targets`: query A: reads slo:y:rate5m, a series that nothing records; a panel on nothing stays empty",
    ),
    (
        "D015",
        two(id=1),
        "panel `Other`: has the id 1 of panel `Targets`; give it one of its own",
    ),
    (
        "D015",
        board(without(panel(), "id")),
        "panel `Targets`: expected an id above 0, got None; give it one of its own",
    ),
    (
        "D016",
        board(uid="SLO_x"),
        "expected a uid of at most 40 characters [-a-z0-9], got `SLO_x`; without one, links to it break with every import",
    ),
    (
        "D016",
        board(uid="x" * 41),
        f"expected a uid of at most 40 characters [-a-z0-9], got `{'x' * 41}`; without one, links to it break with every import",
    ),
    ("D016", board(id=7), "expected `id` to be null, got 7; the number belongs to one server"),
    (
        "D017",
        board(panel(maxDataPoints=None)),
        "null at /panels/0/maxDataPoints; leave the key out",
    ),
    ("D017", board(panel(span=4)), "panel `Targets`: legacy key `span`; remove it"),
    ("D017", board(version=3), "legacy key `version`; remove it"),
    (
        "D018",
        asking("increase(requests_total[30d])"),
        "panel `Targets`: query A: reads the raw counter requests_total over more than an hour; read what is recorded",
    ),
    (
        "D018",
        asking("increase(requests_total[$__range])"),
        "panel `Targets`: query A: reads the raw counter requests_total over more than an hour; read what is recorded",
    ),
    (
        "D018",
        asking("max_over_time(increase(requests_total[5m])[1d:5m])"),
        "panel `Targets`: query A: reads the raw counter requests_total over more than an hour; read what is recorded",
    ),
    (
        "D019",
        board(description="from ${DS_PROMETHEUS}"),
        "an import placeholder at /description: `from ${DS_PROMETHEUS}`; use the variable `${datasource}`",
    ),
    (
        "D020",
        board(panel(targets=[query("up"), query("up")])),
        "panel `Targets`: expected refIds that differ, got `A` more than once; count A, B, C",
    ),
    (
        "D020",
        board(panel(targets=[without(query("up"), "refId")])),
        "panel `Targets`: a query without refId; count A, B, C",
    ),
]
GOOD = [
    board(),
    board(ROW | {"collapsed": True, "panels": [panel()]}, panel(id=2)),
    board(without(panel(type="text", targets=[]), "datasource")),
    asking("rate(requests_total[$__rate_interval])"),
    asking("increase(requests_total[1h])"),
    asking("sum_over_time(slo:x:rate5m[30d])"),
    asking("avg_over_time(slo:x:rate5m[$__range]) * $__range_s"),
    asking("absent(requests_total)"),
    asking(
        'label_replace(up, "a", "$1", "b", "(.+)") and up{job=~"$job"} and up{job="${job:raw}"}'
    ),
    asking("max_over_time(up[$__range:$__interval])"),
]


def findings(found):
    return list(dashboard_findings("dashboards/x.json", found, KNOWN))


@pytest.mark.parametrize(
    ("id_", "found", "message"), BAD, ids=[f"{b[0]}-{i}" for i, b in enumerate(BAD)]
)
def test_a_bad_board_has_exactly_its_finding(id_, found, message):
    mine = findings(found)
    assert [one.id for one in mine] == [id_]
    assert str(mine[0]).startswith(f"dashboards/x.json: {message}")
    if not message.endswith(": "):
        assert str(mine[0]) == f"dashboards/x.json: {message}"


@pytest.mark.parametrize("found", GOOD, ids=range(len(GOOD)))
def test_a_good_board_has_none(found):
    assert [str(one) for one in findings(found)] == []


def test_a_rate_over_a_fixed_range_is_a_warning_and_the_rest_are_errors():
    severities = {one.id: one.severity for _, found, _ in BAD for one in findings(found)}
    assert {id_ for id_, severity in severities.items() if severity == "warning"} == {"D009"}


def test_a_parse_error_shows_the_expression_with_a_caret():
    (found,) = findings(asking("sum(up"))
    assert "\n    sum(up\n       ^" in found.what


def test_every_rule_has_an_id_a_failing_board_and_a_page():
    ids = [(rule.__doc__ or "")[:4] for rule in RULES]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id_ for id_, _, _ in BAD}
    assert set(ids) == {page.stem for page in (ROOT / "docs" / "checks").glob("D*.md")}


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "checks").glob("D*.md")), ids=lambda p: p.stem
)
def test_a_page_shows_a_message_that_the_rule_has(page):
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "What it means",
        "Why it matters",
        "Example that fails",
        "How to put it right",
        "How to suppress",
    ]
    assert text.startswith(f"# {page.stem}: ")
    block = text.split("```json\n")[1].split("```")[0]
    changed = json.loads(block)
    message = text.split("```\n")[2].strip()
    assert message in [str(one) for one in findings(merged(board(), changed))]


def merged(base, change):
    """The example's keys in place of the good board's, panels by their place."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if key == "panels":
            result[key] = [panel(**one) for one in value]
        elif key == "templating":
            result[key] = {"list": [DATASOURCE, *(variable(**one) for one in value["list"])]}
            if any(one.get("type") == "datasource" for one in value["list"]):
                result[key] = value
        else:
            result[key] = value
    return result


def generated(project):
    return {one.path: one.text for one in (*dashboards(project), *recording(project))}


def test_generated_boards_have_no_finding():
    assert [str(one) for one in all_findings(PROJECT, generated(PROJECT))] == []


def test_the_boards_of_the_real_services_have_no_finding():
    project = load(ROOT, runbooks=False)
    assert [str(one) for one in all_findings(project, generated(project))] == []


def test_a_board_that_reads_what_is_no_longer_recorded_is_found():
    texts = generated(PROJECT)
    for path in texts:
        texts[path] = texts[path].replace("record: slo:current_burn_rate", "record: slo:other_rate")
    found = {one.where.path for one in all_findings(PROJECT, texts)}
    assert "dashboards/slo-checkout.json" in found
    assert {one.id for one in all_findings(PROJECT, texts)} == {"D014"}


def test_series_are_known_from_rules_slis_panels_of_the_team_and_prometheus():
    known = known_series(PROJECT, generated(PROJECT))
    assert {"slo:sli_total:rate5m", "slo_info", "service:http_requests:rate5m"} <= known
    assert {"http_requests_total", "http_request_duration_seconds_bucket"} <= known
    assert {"queue_length", "build_info", "up", "ALERTS"} <= known
    assert "requests_total" not in known


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("rate(x[$__rate_interval])", "rate(x[5m])"),
        ("rate(x[${__rate_interval}])", "rate(x[5m])"),
        ("x[$__range]", "x[30d]"),
        ("x[$__range:$__interval]", "x[30d:5m]"),
        ("x * $__range_s", "x * 300"),
        ("x >= ${__from:date:seconds}", "x >= 300"),
        ('x{a="$b",c=~"${d:regex}"}', 'x{a="$b",c=~"${d:regex}"}'),
    ],
)
def test_variables_are_replaced_by_something_of_their_kind(expr, expected):
    assert parsable(expr) == expected
