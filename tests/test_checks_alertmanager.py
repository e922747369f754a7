import copy
from typing import Any

import pytest
from tests.toy_project import BASE, PROJECT, load

from sloforge.checks.alertmanager import alertmanager
from sloforge.generate.alertmanager import config
from sloforge.model import Project

FILE = "alertmanager/alertmanager.yml"
AUTHORED = "alertmanager/base.yml"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return load(tmp_path_factory.mktemp("toy"))


def _said(project: Project, config_: Any, templates: Any = ()) -> list[str]:
    found = alertmanager(project, config_, templates)
    return [f"{one.id} {one.severity}: {one}" for one in found]


def test_a_generated_configuration_is_clean(project):
    assert _said(project, config(project)) == []


def _route(**route: Any) -> Any:
    """A change that puts a route before all others."""
    return lambda found: found["route"]["routes"].insert(0, route)


def _rule(source: list[str], target: list[str], equal: list[str]) -> Any:
    rule = {"source_matchers": source, "target_matchers": target, "equal": equal}
    return lambda found: found["inhibit_rules"].append(rule)


def _receiver(**receiver: Any) -> Any:
    """A change of the first receiver, which is in use."""
    return lambda found: found["receivers"][0].update(receiver)


def _not_quoted(found: Any) -> None:
    found["route"]["routes"][1]["matchers"][0] = "owner=sales"


def _without_region(found: Any) -> None:
    found["inhibit_rules"][0]["equal"].remove("region")


LABELS = (
    "alertname, burn, job, long, missing, owner, region, severity, short, slo_name, slo_service"
)
ANY_EQUAL = ["slo_service", "slo_name", "region"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            _route(matchers=['owner="x"'], receiver="sales-pgae"),
            [
                (
                    f"A003 error: {FILE}: route.routes[0].receiver: receiver `sales-pgae` is not "
                    "defined; did you mean `sales-page`?"
                ),
            ],
            id="A003 of a route",
        ),
        pytest.param(
            lambda found: found["receivers"].append({"name": "old"}),
            [
                (
                    f"A004 warning: {FILE}: receivers[6]: no route leads to `old`; "
                    "remove it, or give it to an owner in slos/project.yaml"
                )
            ],
            id="A004",
        ),
        pytest.param(
            _route(
                matchers=['owner=~"sales|store"', 'severity=~"page|ticket"'], receiver="store-page"
            ),
            [
                f"A005 error: {FILE}: route.routes[{at}]: is never reached: routes[0] takes "
                "everything that it matches; put it first, or set `continue: true` on routes[0]"
                for at in (2, 3, 4, 5)
            ],
            id="A005 shadowed",
        ),
        pytest.param(
            _route(
                matchers=['severity="page"'],
                receiver="store-page",
                **{"continue": True},
                routes=[
                    {"matchers": ['severity="ticket"']},
                    {"matchers": ['owner=~"a|b"'], "routes": [{"matchers": ['owner!~"a|b"']}]},
                ],
            ),
            [
                (
                    f'A005 error: {FILE}: route.routes[0].routes[0]: is never reached: `severity="page"` '
                    'and `severity="ticket"` exclude each other; correct or remove one of them'
                ),
                (
                    f"A005 error: {FILE}: route.routes[0].routes[1].routes[0]: is never reached: "
                    '`owner=~"a|b"` and `owner!~"a|b"` exclude each other; '
                    "correct or remove one of them"
                ),
            ],
            id="A005 contradiction",
        ),
        pytest.param(
            lambda found: found["route"].update(routes=found["route"]["routes"][2:]),
            [
                (
                    "A004 warning: alertmanager/base.yml: receivers[0]: no route leads to `sales-page`; "
                    "remove it, or give it to an owner in slos/project.yaml"
                ),
                (
                    "A004 warning: alertmanager/base.yml: receivers[5]: no route leads to `watchdog`; "
                    "remove it, or give it to an owner in slos/project.yaml"
                ),
                (
                    f"A007 error: {FILE}: route: alert `Watchdog` goes to `fallback`, not to `watchdog`; "
                    "let no earlier route take it, or nobody notices when alerting is dead"
                ),
                *(
                    f"A006 error: slos/cart.yaml: alert `{name}` goes to the fallback receiver "
                    "`fallback`; give owner `sales` a page receiver of its own"
                    for name in (
                        "CartDown",
                        "AnswersFastBurn",
                        "AnswersHalfBudgetInADay",
                        "AnswersSlowBurn",
                    )
                ),
            ],
            id="A006 and A007",
        ),
        pytest.param(
            _rule(['severity="page"'], ['severity!="page"'], []),
            [
                (
                    f"A007 error: {FILE}: inhibit_rules[4]: `CartDown` silences `Watchdog`; "
                    'add `alertname!="Watchdog"` to `target_matchers`'
                ),
                (
                    f"A011 error: {FILE}: inhibit_rules[4]: an alert of one `region` silences "
                    "`AnswersVerySlowBurn` of another; add `region` to `equal`"
                ),
            ],
            id="A007 inhibited",
        ),
        pytest.param(
            _not_quoted,
            [
                (
                    f"A008 error: {FILE}: route.routes[1].matchers[0]: `owner=sales` has an unquoted "
                    'value, which versions read differently; write `owner="sales"`'
                ),
            ],
            id="A008 unquoted",
        ),
        pytest.param(
            _route(match={"owner": "x"}, match_re={"burn": "a.*"}, receiver="sales-page"),
            [
                (
                    f"A008 error: {FILE}: route.routes[0].match: `match` is deprecated since "
                    "Alertmanager 0.22; write it as `matchers`"
                ),
                (
                    f"A008 error: {FILE}: route.routes[0].match_re: `match_re` is deprecated since "
                    "Alertmanager 0.22; write it as `matchers`"
                ),
            ],
            id="A008 legacy",
        ),
        pytest.param(
            _route(matchers=[r'owner=~"x\d"'], receiver="sales-page"),
            [
                (
                    f'A008 error: {FILE}: route.routes[0].matchers[0]: `owner=~"x\\d"`: `\\d` is no '
                    "escape, and Alertmanager 0.27 refuses it; write `\\\\d`"
                ),
            ],
            id="A008 escape",
        ),
        pytest.param(
            _rule(["severity"], ['burn!=""'], ANY_EQUAL),
            [
                (
                    f"A008 error: {FILE}: inhibit_rules[4].source_matchers: expected a matcher such as "
                    'severity="page", got `severity`'
                ),
            ],
            id="A008 no matcher",
        ),
        pytest.param(
            _route(matchers=['owner=~"("'], receiver="sales-page"),
            [
                (
                    f"A008 error: {FILE}: route.routes[0].matchers: `(` is no regular expression: "
                    "missing ), unterminated subpattern at position 0"
                ),
            ],
            id="A008 no expression",
        ),
        pytest.param(
            _route(matchers=['ownr="sales"'], receiver="sales-page"),
            [
                (
                    f"A009 warning: {FILE}: route.routes[0].matchers: no alert of the project has the "
                    "label `ownr`; did you mean `owner`?"
                ),
            ],
            id="A009",
        ),
        pytest.param(
            _rule(['severity="page"'], ['severity="ticket"'], ["team", *ANY_EQUAL]),
            [
                (
                    f"A010 error: {FILE}: inhibit_rules[4].equal[0]: no alert of the project has the "
                    f"label `team`; absent equals absent; known are {LABELS}"
                ),
            ],
            id="A010 unknown",
        ),
        pytest.param(
            _rule(['severity="page"'], ['severity="ticket"'], ["region"]),
            [
                (
                    f"A010 error: {FILE}: inhibit_rules[4].equal[0]: neither `CartDown` nor "
                    "`StockInstrumentationGone` has the label `region`; absent equals absent, so the "
                    'one silences the other, of another SLO; demand it: `region!=""` on both sides'
                ),
            ],
            id="A010 absent",
        ),
        pytest.param(
            _without_region,
            [
                (
                    f"A011 error: {FILE}: inhibit_rules[0]: an alert of one `region` silences "
                    "`AnswersVerySlowBurn` of another; add `region` to `equal`"
                ),
            ],
            id="A011",
        ),
        pytest.param(
            _rule(['severity="ticket"', 'slo_name!=""'], ['burn="fast-burn"'], ANY_EQUAL),
            [
                (
                    f"A012 error: {FILE}: inhibit_rules[4]: `AnswersVerySlowBurn`, which wakes nobody, "
                    'silences the page `AnswersFastBurn`; add `severity="page"` to `source_matchers`'
                ),
            ],
            id="A012",
        ),
        pytest.param(
            _receiver(
                pagerduty_configs=[{"routing_key": "x"}],
                victorops_configs=[{"routing_key": "a name", "api_key_file": "/f"}],
                email_configs=[{"auth_secret": "x"}],
                telegram_configs=[{"bot_token": "x"}],
                webhook_configs=[{"url": "https://me:secret@tickets.example.org/"}],
            ),
            [
                (
                    f"A013 error: {AUTHORED}: receivers[0].email_configs[0].auth_secret: a secret stands "
                    "in the file; Alertmanager takes no file for it: use a receiver that does"
                ),
                (
                    f"A013 error: {AUTHORED}: receivers[0].pagerduty_configs[0].routing_key: a secret "
                    "stands in the file; put it into a file and name that with `routing_key_file`"
                ),
                (
                    f"A013 error: {AUTHORED}: receivers[0].telegram_configs[0].bot_token: a secret stands "
                    "in the file; put it into a file and name that with `bot_token_file` "
                    "(Alertmanager 0.26)"
                ),
                (
                    f"A013 error: {AUTHORED}: receivers[0].webhook_configs[0].url: a login stands in the "
                    "URL; use `http_config` with `*_file` keys"
                ),
            ],
            id="A013",
        ),
        pytest.param(
            lambda found: found.update({"global": {"slack_api_url": "x"}}),
            [
                (
                    f"A013 error: {FILE}: global.slack_api_url: a secret stands in the file; "
                    "put it into a file and name that with `slack_api_url_file`"
                ),
            ],
            id="A013 global",
        ),
        pytest.param(
            lambda found: found.update(templates=["templates/*.tmpl", "more/*.tmpl"]),
            [
                (
                    f"A014 error: {FILE}: templates[1]: no file matches `more/*.tmpl`, and Alertmanager "
                    "does not complain; paths are relative to alertmanager/"
                ),
            ],
            id="A014 file",
        ),
        pytest.param(
            lambda found: (
                found.update(templates=["templates/*.tmpl"]),
                _receiver(
                    slack_configs=[
                        {
                            "title": '{{ template "titel" . }}',
                            "text": '{{ template "slack.default.text" . }}{{ template "title" . }}',
                        }
                    ]
                )(found),
            ),
            [
                (
                    f"A014 error: {AUTHORED}: receivers[0].slack_configs[0].title: template `titel` is "
                    "not defined; did you mean `title`?"
                ),
            ],
            id="A014 name",
        ),
    ],
)
def test_a_mistake_is_found_with_its_place_and_remedy(project, change, expected):
    found = copy.deepcopy(config(project))
    change(found)
    templates = [("alertmanager/templates/a.tmpl", '{{ define "title" }}x{{ end }}')]
    said = [_without_lines(one) for one in _said(project, found, templates)]
    assert sorted(said) == sorted(expected)


def _without_lines(text: str) -> str:
    """The places have tests of their own."""
    head, _, tail = text.partition(".y")
    suffix, _, rest = tail.partition(": ")
    return f"{head}.y{suffix.split(':')[0]}: {rest}"


def test_receivers_that_the_project_names_must_exist(tmp_path):
    text = PROJECT.replace("sales-page", "sales-pagers") + "alertmanager: {watchdog: watchdogs}\n"
    project = load(tmp_path, project=text)
    assert [one for one in _said(project, config(project)) if one.startswith("A003")] == [
        (
            "A003 error: slos/project.yaml: alertmanager.watchdog: receiver `watchdogs` is not in "
            "alertmanager/base.yml; did you mean `watchdog`?"
        ),
        (
            "A003 error: slos/project.yaml: owners.sales.page: receiver `sales-pagers` is not in "
            "alertmanager/base.yml; did you mean `sales-page`?"
        ),
    ]


def test_an_owner_must_not_share_the_fallback(tmp_path):
    text = PROJECT.replace("store-ticket", "fallback")
    project = load(tmp_path, project=text, base=BASE.replace("- name: store-ticket\n", ""))
    said = _said(project, config(project))
    assert len(said) == 4
    assert _without_lines(said[0]) == (
        "A006 error: slos/stock.yaml: alert `StockInstrumentationGone` goes to the fallback "
        "receiver `fallback`; give owner `store` a ticket receiver of its own"
    )


def test_a_name_that_a_template_calls_is_found_in_the_template(project):
    found = config(project) | {"templates": ["templates/*.tmpl"]}
    text = '{{ define "a" }}\n{{- template "b" . }}{{ template "__subject" . }}\n{{ end }}'
    assert _said(project, found, [("alertmanager/templates/a.tmpl", text)]) == [
        "A014 error: alertmanager/templates/a.tmpl:2: template `b` is not defined; known are a"
    ]


def test_templates_by_absolute_paths_are_left_to_the_host(project):
    found = copy.deepcopy(config(project)) | {"templates": ["/etc/alertmanager/*.tmpl"]}
    _receiver(slack_configs=[{"title": '{{ template "x" . }}'}])(found)
    assert _said(project, found) == []
