import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sloforge.artifacts import OneLine, by_pyyaml, yaml_text

# What means something in YAML, and some of what does not.
PIECES = [
    *"ab :#-?{}[],&*!|>'\"%@`1.e\\$/~=<\n\té–😀\x07\u2028",
    "yes",
    "null",
    "0x1",
    "---",
    "1:30",
]
texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
scalars = texts | st.integers() | st.booleans()
within = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=5,
)
flat = st.dictionaries(texts, within, max_size=3).map(OneLine)
values = st.recursive(
    scalars | flat,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=3))
def test_yaml_is_written_as_pyyaml_writes_it(document):
    assert yaml_text(document) == by_pyyaml(document)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("99.9", "'99.9'", id="a text that looks like a number"),
        pytest.param("08", "'08'", id="a number in YAML 1.2"),
        pytest.param("1e3", "'1e3'", id="a number with an exponent"),
        pytest.param("a: b", "'a: b'", id="a text that looks like a mapping"),
        pytest.param("it's", "it's", id="an apostrophe within"),
        pytest.param("a\nand b", "|-\n  a\n  and b", id="several lines"),
        pytest.param(OneLine(labels='up{a="b"}', value=1), "{labels: 'up{a=\"b\"}', value: 1}", id="one line"),
        pytest.param(OneLine(of=[{"a": "b"}, "c: d", []]), "{of: [{a: b}, 'c: d', []]}", id="one line in one line"),
        pytest.param([], "[]", id="nothing"),
    ],
)  # fmt: skip
def test_a_value_is_written_on_as_few_lines_as_it_can(value, written):
    assert yaml_text({"key": value}) == f"key: {written}\n"
    assert yaml.safe_load(yaml_text({"key": value})) == {"key": value}
