import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.probe.programs import PROBE

from probe import compiler

ROOT = PROBE.parents[1]


def wheel(directory, target):
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "SLO_PROBE_TARGET": target},
    )  # fmt: skip
    return done, sorted(directory.glob("*.whl"))


def test_the_wheel_for_any_platform_has_the_script_under_the_same_name(tmp_path):
    done, (built,) = wheel(tmp_path, "none")
    assert done.returncode == 0, done.stderr
    assert built.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(built) as archive:
        (script,) = [name for name in archive.namelist() if name.endswith("/scripts/slo-probe")]
        assert archive.getinfo(script).external_attr >> 16 & 0o111 == 0o111
        path = tmp_path / "slo-probe"
        path.write_bytes(archive.read(script))
    path.chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    said = subprocess.run(
        [path, "--url", "-", "--check", "x == 1", "-v"],
        input=b"x 1\n",
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert (said.returncode, said.stderr) == (0, b"ok      x == 1: is 1\n")
    # The second start finds its bytecode.
    assert list((tmp_path / "__pycache__").iterdir())


def test_an_unknown_platform_is_refused(tmp_path):
    done, built = wheel(tmp_path, "sparc-solaris")
    assert (done.returncode != 0, built) == (True, [])
    assert "unknown target `sparc-solaris`; known are x86_64-linux-musl," in done.stderr


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(compiler, "has_zig", lambda: False)
    with pytest.raises(
        compiler.CompileError, match="on Debian `sudo apt-get install gcc libc6-dev`"
    ):
        compiler.local_compiler()


def test_what_is_installed_here_follows_the_checkout():
    said = subprocess.run(
        [Path(sys.executable).parent / "slo-probe", "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert said.stdout == "slo-probe 0.1.0\n"
