"""The wheels of other platforms, built here: what kind of program is in each, and what it needs."""

import platform
import shutil
import struct
import subprocess
import sys
import zipfile

import pytest
from tests.probe.test_probe_wheel import wheel

from probe import compiler

pytestmark = pytest.mark.skipif(
    not compiler.has_zig(), reason="no ziglang: `make probe` or `make wheels` installs it"
)
# e_machine of the ELF specification, cputype of <mach/machine.h>.
ELF = {"x86_64-linux-musl": 62, "aarch64-linux-musl": 183}
MACH_O = {"x86_64-macos": 0x0100_0007, "aarch64-macos": 0x0100_000C}
PT_DYNAMIC, PT_INTERP, DT_NEEDED = 2, 3, 1
LC_LOAD_DYLIB, LC_CODE_SIGNATURE = 0xC, 0x1D


@pytest.fixture(scope="module", params=sorted(compiler.TARGETS))
def built(request, tmp_path_factory):
    """The target, and what its wheel installs as slo-probe."""
    folder = tmp_path_factory.mktemp("wheel")
    done, (path,) = wheel(folder, request.param)
    assert done.returncode == 0, done.stderr
    assert path.name.endswith(f"-py3-none-{compiler.TARGETS[request.param]}.whl")
    with zipfile.ZipFile(path) as archive:
        names = {
            name.rpartition("/")[2]: name for name in archive.namelist() if "/scripts/" in name
        }
        assert sorted(names) == ["slo-probe", "slo-probe.py"]
        assert archive.getinfo(names["slo-probe"]).external_attr >> 16 & 0o111 == 0o111
        program = folder / "slo-probe"
        program.write_bytes(archive.read(names["slo-probe"]))
    program.chmod(0o755)
    return request.param, program


def segments(image):
    """Type, offset and size of each program header of a 64-bit little-endian ELF file."""
    (start,) = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for at in range(start, start + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", image, at)
        yield kind, offset, length


def commands(image):
    """Each load command of a Mach-O file, and its bytes."""
    (count,) = struct.unpack_from("<I", image, 16)
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", image, at)
        yield command & 0x7FFF_FFFF, image[at : at + size]
        at += size


def library(body):
    (offset,) = struct.unpack_from("<I", body, 8)
    return body[offset:].rstrip(b"\0")


def test_it_is_for_the_platform_of_its_wheel_and_needs_nothing_but_the_kernel(built):
    target, program = built
    image = program.read_bytes()
    if target in ELF:
        assert image[:6] == b"\x7fELF\x02\x01"
        assert struct.unpack_from("<H", image, 18) == (ELF[target],)
        found = list(segments(image))
        assert PT_INTERP not in {kind for kind, _, _ in found}
        for _, offset, length in (one for one in found if one[0] == PT_DYNAMIC):
            tags = {tag for tag, _ in struct.iter_unpack("<QQ", image[offset : offset + length])}
            assert DT_NEEDED not in tags
    else:
        assert struct.unpack_from("<II", image) == (0xFEED_FACF, MACH_O[target])
        found = list(commands(image))
        # Apple has no other stable door to the kernel, and Apple silicon runs nothing unsigned.
        loaded = [library(body) for command, body in found if command == LC_LOAD_DYLIB]
        assert loaded == [b"/usr/lib/libSystem.B.dylib"]
        if target.startswith("aarch64"):
            assert LC_CODE_SIGNATURE in {command for command, _ in found}


def test_it_runs_where_it_can(built):
    target, program = built
    machine = target.partition("-")[0]
    if sys.platform != "linux" or "linux" not in target:
        pytest.skip(f"{target} does not run on {sys.platform}")
    emulator = shutil.which(f"qemu-{machine}-static") or shutil.which(f"qemu-{machine}")
    if platform.machine() != machine and emulator is None:
        pytest.skip(f"no qemu-user for {machine}: on Debian `apt-get install qemu-user`")
    head = [emulator] if emulator and platform.machine() != machine else []
    for value, code in ((b"x 1\n", 0), (b"x 0\n", 1)):
        said = subprocess.run(
            [*head, program, "--url", "-", "--check", "x == 1"],
            input=value,
            capture_output=True,
            check=False,
            timeout=20,
        )
        assert said.returncode == code, said.stderr
