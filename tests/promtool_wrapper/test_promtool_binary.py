"""The binary is found in a stated order, and its version is known and judged."""

import re

import pytest

from promtool import CAPABILITIES, NotFoundError, ToolError, UnsupportedError, Version, locate

RECORDED = [
    ("promtool, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+deb12u1)", "2.42.0"),
    (
        "promtool, version 2.53.3+ds1 (branch: debian/sid, revision: 2.53.3+ds1-2)\n  tags:  unknown",
        "2.53.3",
    ),
    ("promtool, version 3.5.3+ds1 (branch: debian/sid, revision: 3.5.3+ds1-6)", "3.5.3"),
    ("promtool, version 3.0.0-rc.1 (branch: HEAD, revision: x)", "3.0.0"),
    ("promtool, version v2.55.1 (branch: HEAD)", "2.55.1"),
    ("promtool, version 3.10 (branch: x)", "3.10.0"),
    ("warning: something\npromtool, version 2.45.6 (branch: HEAD)", "2.45.6"),
]


@pytest.mark.parametrize(("banner", "version"), RECORDED, ids=[want for _, want in RECORDED])
def test_the_version_is_read_from_what_releases_print(banner, version):
    assert str(Version.parse(banner)) == version


@pytest.mark.parametrize("banner", ["", "prometheus, version 2.42.0", "promtool, version unknown"])
def test_what_is_no_version_is_said(banner):
    with pytest.raises(ToolError) as caught:
        Version.parse(banner)
    assert str(caught.value) == (
        f"expected `promtool, version X.Y.Z`, got `{banner}` from `--version`; "
        "check that the binary is promtool"
    )


def test_versions_are_ordered_by_number_and_not_by_text():
    assert (
        Version(major=2, minor=9)
        < Version(major=2, minor=42)
        < Version(major=3, minor=0)
        < Version(major=3, minor=10)
    )


def test_an_explicit_path_comes_before_the_environment_and_the_path(fake, monkeypatch):
    monkeypatch.setenv("PROMTOOL", "/nowhere/promtool")
    path = fake("exit 0", "promtool, version 3.1.4")
    assert locate(path).path == path
    assert locate(path).version == Version(major=3, minor=1, patch=4)


def test_the_environment_comes_before_the_path(fake, monkeypatch):
    path = fake("exit 0")
    monkeypatch.setenv("PROMTOOL", str(path))
    assert locate().path == path


def test_the_path_is_searched_last(fake, monkeypatch):
    fake("exit 0").rename(fake("exit 0").parent / "promtool")
    monkeypatch.delenv("PROMTOOL", raising=False)
    monkeypatch.setenv("PATH", str(fake("exit 0").parent))
    assert locate().path.name == "promtool"


@pytest.mark.parametrize(
    ("given", "environment", "start"),
    [
        (
            "/nowhere/promtool",
            "",
            "`/nowhere/promtool` from the given path is not an executable; install",
        ),
        (
            None,
            "/nowhere/promtool",
            "`/nowhere/promtool` from $PROMTOOL is not an executable; install",
        ),
        (None, "", "no promtool on PATH; install it with `apt-get install"),
    ],
)
def test_a_missing_binary_says_where_it_was_looked_for(given, environment, start, monkeypatch):
    monkeypatch.setenv("PROMTOOL", environment)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotFoundError, match=re.escape(start)):
        locate(given)


def test_a_promtool_that_is_too_old_is_refused(fake):
    path = fake("exit 0", "promtool, version 2.41.0")
    with pytest.raises(
        UnsupportedError,
        match=re.escape(f"`{path}` is promtool 2.41.0, expected 2.42.0 or newer; install"),
    ):
        locate(path)


def test_a_file_that_cannot_be_started_is_said(tmp_path):
    path = tmp_path / "promtool"
    path.write_bytes(b"\x7fELF broken")
    path.chmod(0o755)
    with pytest.raises(
        ToolError, match=r"cannot start `.*promtool`: Exec format error; check that"
    ):
        locate(path)


def test_capabilities_follow_the_version(fake):
    old = locate(fake("exit 0", "promtool, version 2.42.0"))
    assert {name for name in CAPABILITIES if old.can(name)} == {"keep_firing_for"}
    with pytest.raises(
        UnsupportedError, match=re.escape("the flag `--junit` needs promtool 2.55.0, got 2.42.0 at")
    ):
        old.require("junit")
    new = locate(fake("exit 0", "promtool, version 3.5.0"))
    assert {name for name in CAPABILITIES if not new.can(name)} == {"start_timestamp"}
    new.require("fuzzy_compare")
