"""Names are read quickly from plain files, and the parser reads the others: both agree."""

import pytest

from promtool.errors import BadFileError
from promtool.scan import plain, scan
from promtool.testfile import load

PLAIN = {
    "indented": "tests:\n  - name: a b\n    interval: 1m\n  - interval: 1m\n    name: 'c: d'\n  - interval: 1m\n",
    "flush": 'tests:\n# first\n\n- name: a\n  input_series:\n  - series: x\n    name: not mine\n- interval: 1m\n  name: "b # c"\n',
    "more after": "tests:\n- name: a\n- name: b\nrule_files:\n- name: c\n",
    "block text": "tests:\n- name: a\n  x: |\n    - name: no\n    name: no\n- name: b\n",
    "wide dash": "tests:\n-   name: a\n    interval: 1m\n",
    "last line": "tests:\n- name: a\n- name: b",
}
UNUSUAL = {
    "flow": "tests: [{name: a}, {name: b}]\n",
    "flow item": "tests:\n- {name: a}\n- name: b\n",
    "escape": 'tests:\n- name: "a\\tb"\n',
    "quote": "tests:\n- name: 'it''s'\n",
    "comment": "tests:\n- name: a # b\n",
    "folded": "tests:\n- name: a\n    b\n- name: c\n",
    "block name": "tests:\n- name: |\n    a\n- name: >-\n    b\n",
    "merge": "tests:\n- &a\n  name: a\n- <<: *a\n",
    "null": "tests:\n- name: null\n- name: ~\n- name:\n- name: ''\n",
    "two names": "tests:\n- name: a\n  interval: 1m\n  name: b\n",
    "quoted key": '"tests":\n- name: a\n',
    "windows": "tests:\r\n- name: a\r\n",
    "two tests": "tests:\n- name: a\ntests:\n- name: b\n",
    "merged name": "x: &x {name: a}\ntests:\n- interval: 1m\n  <<: *x\n",
    "number": "tests:\n- name: 12\n",
    "no tests": "rule_files: []\n",
    "alias": "x: &x a\ntests:\n- name: *x\n",
}


@pytest.mark.parametrize("text", [*PLAIN.values(), *UNUSUAL.values()], ids=[*PLAIN, *UNUSUAL])
def test_the_scan_says_what_the_parser_says(text, tmp_path):
    path = tmp_path / "a.yml"
    path.write_text(text, encoding="utf-8", newline="")
    assert [(e.index, e.name, e.line) for e in scan(path)] == [
        (g.index, g.name, g.line) for g in load(path).groups
    ]


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_plain_files_are_not_parsed(text):
    assert plain(text)


@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_files_are_left_to_the_parser(text):
    assert plain(text) is None


def test_a_broken_file_is_said(tmp_path):
    (tmp_path / "a.yml").write_text("tests: [\n")
    with pytest.raises(
        BadFileError, match=r"a.yml:2:1: not YAML: did not find expected node content"
    ):
        scan(tmp_path / "a.yml")
