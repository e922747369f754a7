"""The README of the wrapper tells the truth."""

import re
from pathlib import Path

import promtool

README = (Path(promtool.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_example_in_python_runs(good, write, monkeypatch, capsys):
    write((good.with_name("rules.yml")).read_text(), "rules/rules.yml")
    monkeypatch.chdir(good.parent)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[0] == "a.promtest.yml 10 passed alert High at 10m "


def test_the_failure_it_shows_is_the_one_that_is_printed(good, python):
    good.write_text(
        good.read_text().replace("severity: page}\n      exp", "severity: ticket}\n      exp")
    )
    shown = re.findall(r"```\n(a\.promtest.*?)```", README, re.DOTALL)[0]
    assert shown in python("-m", "promtool", "test", good.name).stdout


def test_every_public_name_is_explained_and_exists():
    unsaid = {"Capability", "Version"}
    for name in set(promtool.__all__) - unsaid:
        assert re.search(rf"\b{name}\b", README), name


def test_every_option_of_the_command_is_named(python):
    for verb in ("test", "check"):
        said = python("-m", "promtool", verb, "--help").stdout
        for option in set(re.findall(r"--[a-z-]+", said)) - {"--help", "--jobs", "--select"}:
            assert option in README, option
