import json
import math
import re
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from tests.probe.cases import CASES, NOW
from tests.probe.programs import run

from probe import slo_probe

FEWER = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))

# Characters that a parser trips over, and a few that it does not.
texts = st.text(st.sampled_from('ab"\\\n{},= #é€😀n'), max_size=6)
plain_names = st.from_regex(r"[a-c_:][a-c0-9_:]{0,3}", fullmatch=True)
labels = st.dictionaries(st.from_regex(r"[ab][a0_]{0,2}", fullmatch=True), texts, max_size=3)
values = st.floats(width=64) | st.sampled_from([0.0, -0.0, 1.0, 1e22, 5e-324, 1.5])
blanks = st.sampled_from(["", " ", "\t", "  "])


def escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@st.composite
def samples(draw):
    """A series and one of the many ways to write it."""
    quoted = draw(st.booleans())
    name = draw(texts.filter(str.strip) if quoted and draw(st.booleans()) else plain_names)
    its, value, b = draw(labels), draw(values), lambda: draw(blanks)
    terms = [f'{k}{b()}={b()}"{escaped(v)}"' for k, v in its.items()]
    if quoted:
        terms.insert(0, f'"{escaped(name)}"')
    inside = "".join(f"{b()}{t}{b()}," for t in terms)
    inside = inside if draw(st.booleans()) else inside.removesuffix(",")
    braces = f"{{{inside}}}" if terms or draw(st.booleans()) else ""
    shown = slo_probe.shown(value).decode()
    end = draw(st.sampled_from(["", " 1700000000000", " -1"]))
    line = f"{'' if quoted else name}{b() if braces else ''}{braces} {b()}{shown}{end}\n"
    return line, name, its, value


def quoted_in_check(text: str) -> str:
    return '"' + escaped(text) + '"'


def selector(name: str, its: dict[str, str]) -> str:
    return (
        "{"
        + ",".join([quoted_in_check(name), *(f"{k}={quoted_in_check(v)}" for k, v in its.items())])
        + "}"
    )


def by_python(body: bytes, checks: Sequence[str]) -> object:
    options = slo_probe.CommandLine(
        [b"--url", b"-", *(f"--check={c}".encode() for c in checks), b"--now", b"%d" % NOW]
    ).parsed()
    verdicts = slo_probe.evaluated(options, body, None)
    return json.loads(slo_probe.as_json(options, slo_probe.Result(verdicts), 0.0))["checks"]


def by_native(body: bytes, checks: Sequence[str]) -> object:
    said = run(
        "native",
        ["--url", "-", "--json", *(f"--check={c}" for c in checks), "--now", str(NOW)],
        body,
    )
    assert said.code in (0, 1), said
    return said.json["checks"]


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@FEWER
@given(st.lists(samples(), min_size=1, max_size=6))
def test_native_python_and_prometheus_client_read_the_same(written):
    body = "".join(line for line, *_ in written)
    theirs = [s for family in text_string_to_metric_families(body) for s in family.samples]
    assert len(theirs) == len(written)
    exposition = slo_probe.Exposition(body.encode())
    checks = []
    for line, name, its, value in written:
        ours = exposition.of(name.encode())
        assert not ours.bad, line
        want = {k.encode(): v.encode() for k, v in its.items()}
        assert any(own == want and same(number, value) for own, number, _ in ours.samples), line
        assert any(s.name == name and s.labels == its and same(s.value, value) for s in theirs), (
            line
        )
        if not math.isnan(value):
            checks.append(f"any({selector(name, its)}) == {slo_probe.shown(value).decode()}")
    if checks:
        verdicts = by_native(body.encode(), checks)
        assert verdicts == by_python(body.encode(), checks)
        assert all(v["ok"] for v in verdicts)  # type: ignore[attr-defined]


CHECKS = (
    "a >= 1", 'a{a="b"} != 0', 'none(a{b!~"a+|é?"}) > 3', "count(a > 0) >= 1", "sum(b) < 5", "min(b) > -1", "max(b) < 1",
    "avg(b) <= 0", "fresh(c) < 300s", "absent(a)", "present(b)", "quantile(0.9, h) < 0.5", "ratio(a, b) < 0.5 or empty",
    '{"é"} == 1', 'any({"a\\\\b"}) >= 1',
)  # fmt: skip
BODIES = [case.body for case in CASES if len(case.body) < 2000]
TOKENS = [b"a", b"b", b"c", b"h_bucket", b'{"\xc3\xa9"}', b'{"a\\\\b",', b'{le="', b'+Inf"', b"}", b"{", b" ", b"\t", b"\n", b" 1\n", b" 0.5\n",
          b"NaN", b"1e999", b"-", b"#", b"# {", b'a="b"', b",", b"=", b"\\", b'"', b"\xff", b"\0", b"\r", b"1700000000", b"000"]  # fmt: skip


@FEWER
@given(st.lists(st.sampled_from(TOKENS) | st.sampled_from(BODIES), max_size=30))
def test_native_and_python_agree_on_anything(parts):
    body = b"".join(parts) + b"\n"
    assert by_native(body, CHECKS) == by_python(body, CHECKS)


atoms = st.sampled_from(
    [
        "a",
        "b",
        "é",
        ".",
        "[ab]",
        "[^a]",
        "[a-c]",
        "[^é-ü]",
        r"\d",
        r"\W",
        r"\.",
        "(a|b)",
        "(?:ab)",
        "(|a)",
    ]
)
repeats = st.sampled_from(["", "", "*", "+", "?", "{2}", "{0}", "{1,}", "{0,2}", "{2,3}", "*?"])
patterns = st.recursive(
    # The library does not repeat an anchor; ours may, to no effect.
    st.lists(st.tuples(atoms, repeats).map("".join) | st.sampled_from("^$"), max_size=4).map(
        "".join
    ),
    lambda inner: st.tuples(inner, inner, repeats).map(lambda t: f"({t[0]}|{t[1]}){t[2]}"),
    max_leaves=4,
)


@settings(FEWER, max_examples=400)
@given(patterns, st.lists(st.text("abcé1.", max_size=6), min_size=1, max_size=4))
def test_the_regular_expressions_are_those_of_the_library(pattern, candidates):
    mine = slo_probe.Pattern(pattern.encode())
    # `$` of the library also stands before a last line end, of which there is none here.
    theirs = re.compile(f"(?:{pattern})", re.DOTALL | re.ASCII)
    for text in candidates:
        assert mine.matches(text.encode()) == bool(theirs.fullmatch(text)), (pattern, text)


@FEWER
@given(patterns, st.lists(st.text("abcé1.", max_size=6), min_size=1, max_size=4))
def test_the_regular_expressions_are_the_same_in_both(pattern, candidates):
    body = "".join(f'x{{l="{text}",i="{i}"}} 1\n' for i, text in enumerate(candidates)).encode()
    checks = [
        f'present(x{{l=~"{pattern.replace(chr(92), chr(92) * 2)}",i="{i}"}})'
        for i in range(len(candidates))
    ]
    assert by_native(body, checks) == by_python(body, checks)


@FEWER
@given(st.lists(st.sampled_from(["x", "(", ")", "{", "}", '"', "'", "l", "=", "=~", "!=", ">=", "<", " ", "1", "5s", ",", "count", "fresh", "quantile", "ratio", "absent",
                                 "0.5", "or empty", "within", "NaN", "[", "a*", "\\", "é"]), max_size=12).map("".join))  # fmt: skip
def test_native_and_python_understand_the_same_checks(check):
    native = run("native", ["--explain", f"--check={check}", "--state=s"])
    assert (native.out + native.err).encode() == explained_by_python(check)


def explained_by_python(check: str) -> bytes:
    try:
        options = slo_probe.CommandLine([f"--check={check}".encode(), b"--state=s"]).parsed()
    except slo_probe.ConfigError as wrong:
        return b"slo-probe: config: " + bytes(wrong.args[0]) + b"\n"
    return slo_probe.explained(options)
