import shutil
from pathlib import Path

import pytest
import yaml
from tests.toy_project import load

from sloforge import amtool
from sloforge.errors import Problem
from sloforge.generate.alertmanager import FILE, config

NEEDS_AMTOOL = pytest.mark.skipif(shutil.which("amtool") is None, reason="no amtool on PATH")


@NEEDS_AMTOOL
def test_amtool_accepts_what_is_generated_and_complains_of_the_rest(tmp_path):
    project = load(tmp_path)
    tool = amtool.locate()
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(yaml.safe_dump(config(project)))
    bad.write_text(yaml.safe_dump(config(project) | {"receivers": []}))
    assert tool.check_config(good, FILE) == ()
    (finding,) = tool.check_config(bad, FILE)
    assert (finding.id, str(finding)) == (
        "A015",
        f'{FILE}: amtool: undefined receiver "watchdog" used in route',
    )
    broken = tmp_path / "broken.tmpl"
    broken.write_text('{{ define "x" }}')
    good.write_text(yaml.safe_dump(config(project) | {"templates": ["*.tmpl"]}))
    (finding,) = tool.check_config(good, FILE)
    assert str(finding) == f"{FILE}: amtool: template: broken.tmpl:1: unexpected EOF"


@NEEDS_AMTOOL
def test_amtool_is_not_believed_without_an_answer(tmp_path):
    with pytest.raises(Problem, match=r"path '.*none.yml' does not exist"):
        amtool.locate().routes(tmp_path / "none.yml", {"a": "b"})


def _script(folder: Path, text: str, name: str = "amtool") -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_amtool_is_found_by_its_variable_before_the_path(tmp_path):
    banner = "echo 'amtool, version 0.31.2 (branch: HEAD)'"
    named = _script(tmp_path, banner, "other")
    found = amtool.locate({"AMTOOL": str(named), "PATH": str(tmp_path)})
    assert (found.path, found.version) == (named, (0, 31))
    on_path = _script(tmp_path, banner)
    assert amtool.locate({"PATH": str(tmp_path)}).path == on_path


INSTALL = (
    "install it with `apt-get install --no-install-recommends prometheus-alertmanager`, `brew "
    "install alertmanager` or from https://prometheus.io/download/, or set $AMTOOL to its path"
)


@pytest.mark.parametrize(
    ("script", "variable", "message"),
    [
        pytest.param(None, "", f"no amtool on PATH; {INSTALL}", id="none"),
        pytest.param(
            None, "/no/such", f"`/no/such` from $AMTOOL is not an executable; {INSTALL}", id="named"
        ),
        pytest.param(
            "echo amtool, version 0.24.0",
            "",
            f"`{{}}` is amtool 0.24, expected 0.25 or newer; {INSTALL}",
            id="old",
        ),
        pytest.param(
            "echo hello",
            "",
            "`{}`: expected `amtool, version X.Y`, got `hello`; check that the binary is amtool",
            id="another program",
        ),
    ],
)
def test_an_amtool_that_will_not_do_is_refused(tmp_path, script, variable, message):
    path = _script(tmp_path, script) if script else None
    with pytest.raises(Problem) as raised:
        amtool.locate({"AMTOOL": variable, "PATH": str(tmp_path)})
    assert str(raised.value) == message.format(path)


def test_an_amtool_that_hangs_or_lies_is_noticed(tmp_path, monkeypatch):
    lying = amtool.Amtool(path=_script(tmp_path, "echo SUCCESS"), version=(0, 25))
    (finding,) = lying.check_config(tmp_path / "a.yml", FILE)
    assert finding.what == "amtool: exit code 0, and no receiver was found: SUCCESS"
    monkeypatch.setattr(amtool, "TIMEOUT", 0.1)
    hanging = amtool.Amtool(path=_script(tmp_path, "exec sleep 30"), version=(0, 25))
    with pytest.raises(Problem, match=r"amtool check-config` did not end within 0\.1 s"):
        hanging.check_config(tmp_path / "a.yml", FILE)
    gone = amtool.Amtool(path=tmp_path / "gone", version=(0, 25))
    with pytest.raises(Problem, match=r"cannot start `.*gone`: No such file or directory"):
        gone.check_config(tmp_path / "a.yml", FILE)
