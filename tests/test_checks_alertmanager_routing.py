import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sloforge import amtool
from sloforge.checks.alertmanager import receivers_of
from sloforge.checks.alertmanager.routing import MatcherError, parse
from sloforge.promql import Matcher


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', [Matcher("a", "=", "b")]),
        (' a != "b" ', [Matcher("a", "!=", "b")]),
        ('{a=~"b|c",d!~"e,f"}', [Matcher("a", "=~", "b|c"), Matcher("d", "!~", "e,f")]),
        ("a=b c", [Matcher("a", "=", "b c")]),
        ("a=", [Matcher("a", "=", "")]),
        (r'a="\"\\\n\d"', [Matcher("a", "=", '"\\\n\\d')]),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text, expected):
    assert list(parse(text)) == expected


@pytest.mark.parametrize("text", ["a", '="b"', 'a="b', 'a="b" c="d"', "a b=c", '1a="b"', 'a=~"["'])
def test_what_alertmanager_refuses_is_refused(text):
    with pytest.raises(MatcherError):
        parse(text)


VALUES = st.sampled_from(["a", "b", "ab", ""])
NAMES = st.sampled_from(["x", "y"])
MATCHERS = st.builds(
    lambda label, op, value: f'{label}{op}"{value}"',
    NAMES,
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["a", "b", "a|b", "a.*", ".+", ""]),
)
LEAVES = st.fixed_dictionaries(
    {"matchers": st.lists(MATCHERS, max_size=2)},
    optional={"continue": st.booleans(), "receiver": st.sampled_from(["r0", "r1", "r2"])},
)
ROUTES = st.recursive(
    LEAVES,
    lambda below: st.tuples(LEAVES, st.lists(below, max_size=3)).map(
        lambda pair: {**pair[0], "routes": pair[1]}
    ),
    max_leaves=8,
)


@pytest.mark.skipif(shutil.which("amtool") is None, reason="no amtool on PATH")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    children=st.lists(ROUTES, max_size=4),
    labels=st.dictionaries(NAMES, VALUES, min_size=1),
)
def test_the_walk_agrees_with_amtool(tmp_path, children, labels):
    tool = amtool.locate()
    file = tmp_path / "am.yml"
    found = {
        "route": {"receiver": "root", "routes": children},
        "receivers": [{"name": name} for name in ("root", "r0", "r1", "r2")],
    }
    file.write_text(yaml.safe_dump(found))
    assert receivers_of(found, labels) == tool.routes(file, labels)
