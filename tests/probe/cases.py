"""The corpus: expositions that a probe can get wrong, what is asked of them, and the right answer."""

from dataclasses import dataclass

NOW = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    body: bytes
    check: str
    outcome: str
    reason: str


def case(name: str, body: str | bytes, check: str, outcome: str, reason: str) -> Case:
    return Case(name, body.encode() if isinstance(body, str) else body, check, outcome, reason)


HISTOGRAM = (
    'h_bucket{le="0.1"} 50\nh_bucket{le="0.5"} 90\nh_bucket{le="+Inf"} 100\nh_sum 9\nh_count 100\n'
)

CASES = (
    # Series: all of them, one of them, some of them
    case("one series holds", "x 1\n", "x >= 1", "ok", "is 1"),
    case(
        "one of two series fails",
        'x{s="a"} 1\nx{s="b"} 0\n',
        "x >= 1",
        "value",
        'x{s="b"} is 0, must be >= 1',
    ),
    case(
        "a selector picks the good one", 'x{s="a"} 1\nx{s="b"} 0\n', 'x{s="a"} >= 1', "ok", "is 1"
    ),
    case(
        "a regular expression picks",
        'x{s="ab"} 1\nx{s="b"} 0\n',
        'x{s=~"a.*|c"} >= 1',
        "ok",
        "is 1",
    ),
    case(
        "a regular expression is anchored",
        'x{s="xab"} 1\n',
        'x{s=~"ab?"} >= 1',
        "missing",
        "no series matches, 1 of that name",
    ),
    case("a label that must not be", 'x{s="a"} 1\nx{s="b"} 0\n', 'x{s!="b"} >= 1', "ok", "is 1"),
    case("a missing label is empty", "x 1\n", 'x{s="",t!~".+"} >= 1', "ok", "is 1"),
    case("any", 'x{s="a"} 1\nx{s="b"} 0\n', "any(x) == 1", "ok", "2 series"),
    case(
        "any of none", 'x{s="a"} 1\nx{s="b"} 0\n', "any(x) > 1", "value", "none of 2 series is > 1"
    ),
    case("none", "x 1\nx_total 2\n", "none(x) == 2", "ok", "is 1"),
    case("none but one", "x 2\n", "none(x) == 2", "value", "x is 2, must not be == 2"),
    case(
        "count of those that hold",
        'x{s="a"} 1\nx{s="b"} 0\n',
        "count(x == 1) >= 2",
        "value",
        "count is 1, must be >= 2",
    ),
    case("sum", 'x{s="a"} 1\nx{s="b"} 2\n', "sum(x) < 4", "ok", "sum is 3"),
    case("min", 'x{s="a"} 1\nx{s="b"} 2\n', "min(x) > 1", "value", "min is 1, must be > 1"),
    case("max", 'x{s="a"} 1\nx{s="b"} 2\n', "max(x) <= 1.5", "value", "max is 2, must be <= 1.5"),
    case("avg", 'x{s="a"} 1\nx{s="b"} 2\n', "avg(x) == 1.5", "ok", "avg is 1.5"),
    # Names
    case("a name is not the beginning of another", "xy 1\n", "x >= 1", "missing", "no such metric"),
    case(
        "a name in a comment is not there",
        "# TYPE x gauge\n#x 1\n",
        "present(x)",
        "missing",
        "no such metric",
    ),
    case(
        "a name in a label value is not there",
        'y{l="x 1"} 1\n',
        "present(x)",
        "missing",
        "no such metric",
    ),
    case("a recording rule", "job:rate5m 1\n", "job:rate5m >= 1", "ok", "is 1"),
    case("a quoted UTF-8 name", '{"my.näme",l="v"} 1\n', '{"my.näme"} >= 1', "ok", "is 1"),
    case("a quoted plain name", '{"x"} 1\n', "x >= 1", "ok", "is 1"),
    case("a quoted name is not first", '{l="v","x"} 1\n', 'x{l="v"} >= 1', "ok", "is 1"),
    case("a metric named like a function", "count 1\n", "count >= 1", "ok", "is 1"),
    # What the grammar allows
    case("an escaped quote", 'x{b="q\\"x"} 1\n', "x{b='q\"x'} >= 1", "ok", "is 1"),
    case("an escaped line end", 'x{b="q\\nx"} 1\n', 'x{b="q\\nx"} >= 1', "ok", "is 1"),
    case("an unknown escape stays", 'x{b="q\\dx"} 1\n', 'x{b="q\\\\dx"} >= 1', "ok", "is 1"),
    case("a trailing comma", 'x{a="1",} 1\n', "x >= 1", "ok", "is 1"),
    case("blanks everywhere", ' \tx { a = "1" , b="2" }\t1 \n', 'x{b="2"} >= 1', "ok", "is 1"),
    case("no blank behind the brace", 'x{a="1"}1\n', "x >= 1", "ok", "is 1"),
    case("a brace in a value", 'x{a="}"} 1\n', 'x{a="}"} >= 1', "ok", "is 1"),
    case("a timestamp below zero", "x 1 -5\n", "x >= 1", "ok", "is 1"),
    case(
        "OpenMetrics: timestamp and exemplar",
        'x_total 1 1.5 # {id="a,b"} 0.5 1.2\n',
        "x_total >= 1",
        "ok",
        "is 1",
    ),
    case("plus infinity", "x +Inf\n", "x > 1e308", "ok", "is +Inf"),
    case("an exponent", "x 1.5E+3\n", "x == 1500", "ok", "is 1500"),
    # Values that are none
    case("NaN", "x NaN\n", "x >= 1", "nan", "x is NaN"),
    case("NaN differs from nothing", "x NaN\n", "x != 1", "nan", "x is NaN"),
    case("NaN in a sum", 'x{s="a"} 1\nx{s="b"} nan\n', "sum(x) < 5", "nan", 'x{s="b"} is NaN'),
    case(
        "NaN is not the smallest",
        'x{s="a"} NaN\nx{s="b"} 1\n',
        "min(x) >= 1",
        "nan",
        'x{s="a"} is NaN',
    ),
    # Unparsable is not missing
    case("no value", "x\n", "x >= 1", "unparsable", "line 1: value expected"),
    case("a bad value", "y 1\nx one\n", "x >= 1", "unparsable", "line 2: bad value"),
    case("a hexadecimal value", "x 0x1\n", "x >= 1", "unparsable", "line 1: bad value"),
    case("a value with underscores", "x 1_0\n", "x >= 1", "unparsable", "line 1: bad value"),
    case("Windows line ends", "x 1\r\n", "x >= 1", "unparsable", "line 1: bad value"),
    case("an open quote", 'x{a="b} 1\n', "x >= 1", "unparsable", "line 1: a quote is not closed"),
    case("an open brace", 'x{a="b" 1\n', "x >= 1", "unparsable", "line 1: , or } expected"),
    case(
        "the same label twice",
        'x{a="b",a="c"} 1\n',
        "x >= 1",
        "unparsable",
        "line 1: the same label twice",
    ),
    case("not UTF-8", b'x{a="\xff"} 1\n', "x >= 1", "unparsable", "line 1: not UTF-8"),
    case("a surrogate", b'x{a="\xed\xa0\x80"} 1\n', "x >= 1", "unparsable", "line 1: not UTF-8"),
    case(
        "text after the value", "x 1 2 3\n", "x >= 1", "unparsable", "line 1: text after the value"
    ),
    case("a zero byte", b"x 1\0\n", "x >= 1", "unparsable", "line 1: bad value"),
    case(
        "a good line does not help a bad one",
        'x{s="a"} 1\nx{s="b"} ?\n',
        "any(x) == 1",
        "unparsable",
        "line 2: bad value",
    ),
    case("a bad line about something else", "y ?\nx 1\n", "x >= 1", "ok", "is 1"),
    case(
        "a very long line",
        b'x{a="' + b"a" * 70000 + b'"} 1\n',
        "x >= 1",
        "unparsable",
        "longer than 65536 bytes",
    ),
    # Absent and present
    case("absent", "y 1\n", "absent(x)", "ok", "is absent"),
    case("absent but there", "x 1\n", "absent(x)", "value", "x is there"),
    case("absent but unparsable", "x ?\n", "absent(x)", "unparsable", "line 1: bad value"),
    case(
        "absent from an empty body",
        "# nothing\n",
        "absent(x)",
        "empty",
        "the exposition has no samples at all",
    ),
    case("missing is not zero", "y 1\n", "count(x) < 5", "missing", "no such metric"),
    # Freshness has two ends
    case("fresh", f"t {NOW - 10}\n", "fresh(t) < 300s", "ok", "oldest is 10s old"),
    case("stale", f"t {NOW - 301}\n", "fresh(t) < 5m", "value", "t is 301s old, must be < 300s"),
    case(
        "one stale of two",
        f't{{s="a"}} {NOW}\nt{{s="b"}} 0\n',
        "fresh(t) < 300s",
        "value",
        't{s="b"} is 1700000000s old',
    ),
    case(
        "in milliseconds",
        f"t {NOW}000\n",
        "fresh(t) < 300s",
        "future",
        "it looks like milliseconds, seconds are needed",
    ),
    case(
        "in nanoseconds",
        f"t {NOW}000000000\n",
        "fresh(t) < 300s",
        "future",
        "it looks like nanoseconds",
    ),
    case(
        "in the future",
        f"t {NOW + 31}\n",
        "fresh(t) < 300s",
        "future",
        "t lies 31s in the future, 30s is allowed",
    ),
    case("a little ahead", f"t {NOW + 29}\n", "fresh(t) < 300s", "ok", "oldest is -29s old"),
    case("fresh for ever", "t +Inf\n", "fresh(t) < 300s", "future", "t lies +Infs in the future"),
    # Histograms and ratios
    case("a quantile", HISTOGRAM, "quantile(0.7, h) <= 0.31", "ok", "quantile is 0.3"),
    case(
        "a quantile beyond the last bound is infinite",
        HISTOGRAM,
        "quantile(0.99, h) <= 10",
        "value",
        "quantile is +Inf, must be <= 10",
    ),
    case(
        "no observations",
        'h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 0\n',
        "quantile(0.9, h) < 1",
        "empty",
        "no observations",
    ),
    case(
        "no observations are fine",
        'h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 0\n',
        "quantile(0.9, h) < 1 or empty",
        "ok",
        "nothing to judge yet",
    ),
    case(
        "buckets that shrink",
        'h_bucket{le="1"} 5\nh_bucket{le="+Inf"} 4\n',
        "quantile(0.9, h) < 1",
        "unparsable",
        "the buckets are not cumulative",
    ),
    case(
        "no last bucket",
        'h_bucket{le="1"} 5\n',
        "quantile(0.9, h) < 1",
        "unparsable",
        'no bucket le="+Inf"',
    ),
    case(
        "buckets that differ",
        'h_bucket{le="1",a="b"} 5\nh_bucket{le="+Inf"} 5\nh_bucket{le="+Inf",a="b"} 6\n',
        "quantile(0.9, h) < 1",
        "unparsable",
        "the series have different buckets",
    ),
    case(
        "a ratio", 'e 1\nr{s="a"} 100\nr{s="b"} 100\n', "ratio(e, r) < 0.01", "ok", "ratio is 0.005"
    ),
    case(
        "a ratio of nothing",
        "e 0\nr 0\n",
        "ratio(e, r) < 0.01",
        "empty",
        "the second sum is 0, nothing to divide by",
    ),
    case(
        "a ratio of nothing is fine",
        "e 0\nr 0\n",
        "ratio(e, r) < 0.01 or empty",
        "ok",
        "nothing to judge yet",
    ),
    case("no error yet is fine", "r 5\n", "ratio(e, r) < 0.01 or empty", "ok", "ratio is 0"),
    case(
        "no requests metric is never fine",
        "e 5\n",
        "ratio(e, r) < 0.01 or empty",
        "missing",
        "no such metric",
    ),
)

# A body that is not whole; closeio's tool called most of these healthy.
BROKEN_BODIES = (
    ("a last line without an end", b"x 1", "the body is truncated: the last line has no end"),
    ("half a value", b"y 1\nx 12", "the body is truncated: the last line has no end"),
)

# Command lines that make no sense, and what is said.
BAD_COMMANDS: tuple[tuple[list[str], str], ...] = (
    ([], "no checks given"),
    (["--chek", "x > 1"], "unknown option --chek"),
    (["--check"], "--check needs a value"),
    (["--check", ""], "a metric name expected at byte 1 of the check"),
    (["--check", "x"], "a comparison expected at byte 2 of the check: x"),
    (["--check", "x >"], "a number expected at byte 4 of the check: x >"),
    (["--check", "x > NaN"], "a number expected at byte 5"),
    (["--check", "x > 1 2"], "the end expected at byte 7"),
    (["--check", "x{l=1} > 1"], "a quoted text expected at byte 5"),
    (["--check", 'x{l="1} > 1'], "a closing quote expected at byte 12"),
    (["--check", 'x{l~"1"} > 1'], "= != =~ or !~ expected at byte 4"),
    (["--check", 'x{l=~"("} > 1'], "missing ) in the regular expression"),
    (["--check", 'x{l=~"a**"} > 1'], "nothing to repeat in the regular expression"),
    (["--check", 'x{l=~"(a{99}){99}"} > 1'], "the regular expression is too large"),
    (["--check", "fresh(x) > 3s"], "< or <= expected at byte 10"),
    (["--check", "fresh(x) < inf"], "a duration such as 300s expected at byte 12"),
    (["--check", "quantile(95, h) < 1"], "a quantile is between 0 and 1"),
    (["--check", 'quantile(0.5, h{le="1"}) < 1'], "leave out the label le"),
    (["--check", "increases(x) within 5s"], "increases(..) needs --state FILE"),
    (["--check", "x > 1", "--timeout", "0"], "--timeout must be a duration above zero"),
    (["--check", "x > 1", "--fresh-for", "inf"], "--fresh-for must be a duration above zero"),
    (["--check", "x > 1", "--max-bytes", "1e3"], "--max-bytes must be a whole number"),
    (["--check", "x > 1", "--url", "http://h/a b"], "--url: blanks, control characters"),
    (["--check", "x > 1", "--url", "http://h/\r\nX: y"], "--url: blanks, control characters"),
    (["--check", "x > 1", "--url", "ftp://h/"], "--url: must begin with http://"),
    (["--check", "x > 1", "--url", "http://u:p@h/"], "--url: no user and password here"),
    (["--check", "x > 1", "--url", "http://h:99999/"], "--url: a port is between 1 and 65535"),
    (["--check", "x > 1", "--url", "http://[::1/"], "--url: bad IPv6 address"),
    (["--check", "x > 1", "--url", "unix:" + "a" * 200], "at most 103 bytes"),
    (["--check", "x > 1", "--header", "X: a\r\nY: b"], "--header must be 'Name: value'"),
    (["--check", "x > 1", "--header", "Host: other"], "--header must be 'Name: value'"),
)
