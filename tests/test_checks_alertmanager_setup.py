from tests.toy_project import BASE, load

from sloforge.checks.alertmanager import alertmanager
from sloforge.generate.alertmanager import config

AUTHORED = "alertmanager/base.yml"


def test_what_is_authored_is_found_where_it_was_written(tmp_path):
    base = (
        "global:\n"
        "  opsgenie_api_key: x\n"
        "route:\n"
        "  routes:\n"
        "  - receiver: sales-page\n"
        "    matchers: [owner=nobody]\n"
        "receivers:\n"
        "- name: unused\n"
        "- &o\n"
        "  name: sales-page\n"
        "  pagerduty_configs:\n"
        "  - &p {routing_key: x}\n"
        "- name: sales-ticket\n"
        "  pagerduty_configs:\n"
        "  - {<<: *p, class: c}\n"
    )
    project = load(tmp_path, base=base + BASE.split("\n", 3)[3])
    places = [str(one).split(": ")[0] for one in alertmanager(project, config(project), ())]
    assert places == [
        f"{AUTHORED}:2:21",
        f"{AUTHORED}:6:16",
        f"{AUTHORED}:8:3",
        f"{AUTHORED}:12:22",
        f"{AUTHORED}:15:5",
    ]


def test_without_a_readable_base_everything_is_found_in_the_generated_file(tmp_path):
    project = load(tmp_path)
    found = config(project) | {"templates": ["none/*.tmpl"]}
    for base in (None, "a: ["):
        (finding,) = alertmanager(load(tmp_path / "other", base=base), found, ())
        assert str(finding.where) == "alertmanager/alertmanager.yml"
