"""Fuzzes the parsers of the native probe for some seconds, under ASan and UBSan."""

from __future__ import annotations

import shutil
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


def fuzz(seconds: int, seed: int = 1) -> subprocess.CompletedProcess[str]:
    """Runs libFuzzer where clang is, else our mutation fuzzer; leaves crashes in build/."""
    clang = shutil.which("clang")
    binary = compiler.fuzzer(clang)
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{i}" for i in range(len(SEEDS))]
        for path, content in zip(paths, SEEDS, strict=True):
            path.write_bytes(content)
        arguments = [str(seconds), str(seed), *map(str, paths)]
        if clang:
            arguments = [f"-max_total_time={seconds}", f"-seed={seed}", scratch]
        return subprocess.run(
            [str(binary), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=compiler.BUILD,
        )


def main() -> int:
    done = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
    sys.stdout.write(done.stdout + done.stderr[-4000:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
