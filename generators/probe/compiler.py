"""Compiles the native slo-probe: with zig for any platform, else with the local C compiler."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NATIVE = HERE / "native"
BUILD = HERE / "build"
FLAGS = (
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-D_POSIX_C_SOURCE=200809L",
    "-D_DEFAULT_SOURCE",
    "-D_DARWIN_C_SOURCE",
)
FAST = ("-O2", "-s")
CHECKED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all")
EMPTY_FUZZER = (
    "int LLVMFuzzerTestOneInput(const unsigned char *a, unsigned long n) { return !a && n; }\n"
)
FUZZERS = ("fuzz.c", "fuzz_main.c")

# The Linux binaries hold their C library: each runs on glibc, on musl and in an empty image.
TARGETS = {
    "x86_64-linux-musl": "manylinux_2_5_x86_64.manylinux1_x86_64.musllinux_1_1_x86_64",
    "aarch64-linux-musl": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "x86_64-macos": "macosx_11_0_x86_64",
    "aarch64-macos": "macosx_11_0_arm64",
}


class CompileError(Exception):
    """There is no compiler, or it refused."""


def sources() -> tuple[Path, ...]:
    """Everything but the fuzzers, sorted."""
    return tuple(path for path in sorted(NATIVE.glob("*.c")) if path.name not in FUZZERS)


def has_zig() -> bool:
    return importlib.util.find_spec("ziglang") is not None


def own_target() -> str | None:
    """The target that runs here, None on other platforms."""
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    system = {"linux": "linux-musl", "darwin": "macos"}.get(sys.platform, sys.platform)
    target = f"{machine}-{system}"
    return target if target in TARGETS else None


def local_compiler() -> tuple[str, ...]:
    """The C compiler of this machine as the beginning of a command."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return (name,)
    if has_zig():
        return (sys.executable, "-m", "ziglang", "cc")
    raise CompileError(
        "no C compiler was found: install one (on Debian `sudo apt-get install gcc libc6-dev`, "
        "on macOS `xcode-select --install`) or run `make probe`, which brings its own"
    )


def compiled(output: Path, target: str | None = None) -> Path:
    """Compiles for a target with zig, or for this machine with whatever compiler there is."""
    if target is None:
        return _run((*local_compiler(), *FLAGS, *FAST, *map(str, sources())), output)
    if target not in TARGETS:
        raise CompileError(f"unknown target `{target}`; known are {', '.join(TARGETS)}")
    if not has_zig():
        raise CompileError("ziglang is not installed: run `make probe`")
    zig = (sys.executable, "-m", "ziglang", "cc", "-target", target)
    return _run((*zig, *FLAGS, *FAST, *map(str, sources())), output)


def cached(*, checked: bool = False) -> Path:
    """The probe for this machine, compiled once per source; `checked` has the sanitizers."""
    compiler = local_compiler()
    output = _place("checked" if checked else "fast", compiler) / "slo-probe"
    flags = (*CHECKED, "-fsanitize=address,undefined") if checked else FAST
    if not output.exists():
        _run((*compiler, *FLAGS, *flags, *map(str, sources())), output)
    return output


def fuzzing_clang() -> str | None:
    """The newest clang that has libFuzzer with it: zig has none, and Apple's clang has none."""
    names = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
    for found in filter(None, map(shutil.which, names)):
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "empty.c"
            source.write_text(EMPTY_FUZZER, encoding="ascii")
            command = (found, "-fsanitize=fuzzer,address,undefined", str(source))
            done = subprocess.run(
                [*command, "-o", str(source.with_suffix(""))], capture_output=True, check=False
            )
            if not done.returncode:
                return found
    return None


def fuzzer(clang: str | None) -> Path:
    """What calls the parsers: libFuzzer with clang, else our own main."""
    compiler = (clang,) if clang else local_compiler()
    output = _place("fuzz", compiler) / "fuzz"
    kind = "fuzzer,address,undefined" if clang else "address,undefined"
    files = [path for path in sources() if path.name != "main.c"]
    files += [NATIVE / name for name in FUZZERS if name != "fuzz_main.c" or not clang]
    if not output.exists():
        _run((*compiler, *FLAGS, *CHECKED, f"-fsanitize={kind}", *map(str, files)), output)
    return output


def _place(kind: str, compiler: tuple[str, ...]) -> Path:
    digest = hashlib.sha256(repr(compiler).encode())
    for path in sorted(NATIVE.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return BUILD / f"{kind}-{digest.hexdigest()[:16]}"


def _run(command: tuple[str, ...], output: Path) -> Path:
    """Writes beside the output and renames, so that two runs at once do no harm."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        draft = Path(scratch) / output.name
        done = subprocess.run(
            [*command, "-o", str(draft), "-lm"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CompileError(f"{command[0]} failed:\n{done.stderr}")
        draft.replace(output)
    return output


def main() -> int:
    """Puts the probe for this machine where the installed launcher of a checkout finds it."""
    try:
        output = compiled(BUILD / "slo-probe", own_target() if has_zig() else None)
    except CompileError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{output.relative_to(Path.cwd())}: {output.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
