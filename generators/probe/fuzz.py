"""Fuzzes the parsers of the native probe for some seconds, under ASan and UBSan."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from probe import compiler

# One input is a byte that picks the parser and then, for 0, a check, a newline and an exposition.
SEEDS = (
    b'0x{a=~"b|c.*",d!="e"} >= 1\nx{a="bc",d="q\\"\\n"} 1 123\nx 2 # {t="1"} 0.5 1.5\n',
    b'0{"my.name",l=~"[^\\d]{2,3}"} < +Inf\n{"my.name", l="ab"} NaN\n',
    b'0quantile(0.95, h) < 0.5 or empty\nh_bucket{le="0.1"} 5\nh_bucket{le="+Inf"} 9\n',
    b"0ratio(a, b) < 0.01\na 1\nb 2\n# EOF\n",
    b'0fresh(t) <= 300s\nt 1.7e9\nt{x="y"} 1700000000000\n',
    b'0count(x{a!~"(a|b)+c?"} == 1) >= 2\n x {a="aab",} 1\n',
    b"0absent(x)\ny 1\n",
    b"0increases(c) within 1h30m\nc 5\nprocess_start_time_seconds 5\n",
    b"1HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx 1\n",
    b"1HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nx 1\n\r\n0\r\n\r\n",
    b"1HTTP/1.0 302 Found\r\nLocation: /elsewhere\r\n\r\n",
    b"1HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    b"2slo-probe-state 1 none\n0123456789abcdef 1 2.5 3\n",
    b"3http://[::1]:8080/metrics?a=b#c",
    b"3unix:/run/x.sock!/metrics",
)


# Just below, at and just above a limit of native/limits.h, which bytes alone take years to reach.
_LABELS = [b",".join(b'l%d="v"' % n for n in range(count)) for count in (255, 256, 257)]
_MATCHERS = [b",".join(b'l%d!="v"' % n for n in range(count)) for count in (15, 16, 17)]
_BUCKETS = [
    b"".join(b'h_bucket{le="%d"} 1\n' % n for n in range(count)) for count in (255, 256, 257)
]
_RECORDS = [b"".join(b"%016x 1 2.5 3\n" % n for n in range(count)) for count in (63, 64, 65)]
EDGES = (
    *(b"0x >= 1\nx{%s} 1\n" % labels for labels in _LABELS),
    *(b"0x{%s} >= 1\nx 1\n" % matchers for matchers in _MATCHERS),
    *(b"0quantile(0.5, h) < 9\n%s" % buckets for buckets in _BUCKETS),
    *(b"2slo-probe-state 1 none\n%s" % records for records in _RECORDS),
    *(b'0x{a=~"%sb%s"} == 1\nx{a="b"} 1\n' % (b"(" * n, b")" * n) for n in (18, 19, 20, 21)),
    *(b'0x{a=~"(ab|c){%d}"} == 1\nx{a="b"} 1\n' % n for n in (99, 100, 101)),
    *(b'0x == 1\nx{a="%s"} 1\n' % (b"a" * n) for n in range(65_522, 65_530, 2)),
    *(b"1HTTP/1.1 200 OK\r\nA: %s\r\n\r\nx 1\n" % (b"a" * n) for n in (16_350, 16_360, 16_370)),
    *(b"3http://h/%s" % (b"a" * n) for n in (7_990, 7_991, 7_992, 8_000)),
)
# What bytes alone rarely become: the words of the grammars.
WORDS = (
    *rb'{ } " \ \n , = =~ !~ != >= < ( ) [ ] | * {2,9} NaN +Inf 1e309 -0 0x1 1_0 #'.split(),
    *(b" ", b"\t", b"\n", b"\r\n", b"\r\n\r\n", b"# EOF\n", b'le="+Inf"', b"x", b"x_bucket"),
    *(b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"quantile(0.5,", b"ratio(", b"fresh(", b"count("),
    *(b"all(", b"present(", b" or empty", b" within ", b"unix:", b"http://[::1]:1/"),
    *(b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"ffffffffffff\r\n", b"slo-probe-state 1 none\n"),
)
# An input larger than the longest line; no input may take so long, and none may take memory.
LARGEST, SECONDS, MEGABYTES = 70_000, 5, 1_024
# What libFuzzer has found worth keeping, from one run to the next.
CORPUS = compiler.BUILD / "corpus"


def fuzz(
    seconds: int, clang: str | None, corpus: Path = CORPUS, seed: int = 1
) -> subprocess.CompletedProcess[str]:
    """Runs libFuzzer with clang, else our mutation fuzzer; leaves what fails in build/."""
    binary = compiler.fuzzer(clang)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        seeds = _written(scratch / "seeds", SEEDS + EDGES)
        if clang:
            corpus.mkdir(exist_ok=True)
            arguments = [*_options(scratch, seconds, seed), str(corpus), str(scratch / "seeds")]
        else:
            words = _written(scratch / "words", WORDS)
            arguments = [str(seconds), str(seed), *map(str, seeds + words)]
        return subprocess.run(
            [str(binary), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=compiler.BUILD,
        )


def _written(folder: Path, contents: tuple[bytes, ...]) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{at}" for at in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def _options(scratch: Path, seconds: int, seed: int) -> list[str]:
    words = scratch / "words.dict"
    entries = ("".join(f"\\x{byte:02x}" for byte in word) for word in WORDS)
    words.write_text("".join(f'"{entry}"\n' for entry in entries), encoding="ascii")
    options = {"max_total_time": seconds, "seed": seed, "dict": words, "max_len": LARGEST}
    options |= {"timeout": SECONDS, "rss_limit_mb": MEGABYTES, "print_final_stats": 1}
    return [f"-{name}={value}" for name, value in options.items()]


def main() -> int:
    clang = compiler.fuzzing_clang()
    sys.stdout.write(
        f"fuzzing with {'libFuzzer' if clang else 'our own mutations: no clang here'}\n"
    )
    sys.stdout.flush()
    done = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 60, clang)
    sys.stdout.write(done.stdout + done.stderr[-4000:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
