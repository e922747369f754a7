"""The documentation holds: commands, ids, links, examples, and the tutorial as it is written."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from sloforge import specs, starting
from sloforge.checks.markdown import anchors, headings, links
from sloforge.checks.mixins import mixin_findings
from sloforge.checks.prometheus import promtool_findings
from sloforge.checks.rules import rule_findings
from sloforge.checks.services import service_findings
from sloforge.cli import main
from sloforge.errors import Finding
from sloforge.generate.mixins import mixin_rules
from sloforge.generate.recording import recording
from sloforge.generate.rules import rules, watchdog
from sloforge.listing import alert_rows, shown

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "generators/sloforge").rglob("*.py"))
DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ROOT / "generators/promtool/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PAGES = ROOT / "docs/checks"
HEADINGS = [
    "What it means",
    "Why it matters",
    "Example that fails",
    "How to put it right",
    "How to suppress",
]
ID = re.compile(r"(?:[A-Z]|HC)[0-9]{3}")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# Commands


def commands(group: click.Group, prefix: str = "sloforge") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


COMMANDS = dict(commands(main))


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section `{title}`"
    return found[1]


def options(command: click.Command) -> set[str]:
    named = [p for p in command.params if isinstance(p, click.Option)]
    return {flag for option in named for flag in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_all_of_its_options_and_an_example(name):
    about = section(text_of("docs/cli.md"), name)
    missing = [flag for flag in options(COMMANDS[name]) if not re.search(rf"{flag}\b", about)]
    assert not missing
    assert re.search(rf"```sh\n.*{name}.*```", about, re.DOTALL)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_with_an_example(name):
    command = COMMANDS[name]
    assert command.help
    assert re.search(rf"Examples:\n.*{name}", command.help, re.DOTALL)
    assert all(p.help for p in command.params if isinstance(p, click.Option) and not p.hidden)


def test_no_command_is_documented_that_is_not_there():
    titles = re.findall(r"^## (sloforge .+)", text_of("docs/cli.md"), re.MULTILINE)
    assert sorted(titles) == sorted(COMMANDS)
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text_of("docs/cli.md")))
    known = {flag for command in COMMANDS.values() for flag in options(command)} | options(main)
    assert flags - known == {"--help"}


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_command_line_names_a_command_and_options_that_are_there(path):
    for line in re.findall(
        r"(?:^|`)(sloforge(?: [^`\n#>]+)?)", path.read_text("utf-8"), re.MULTILINE
    ):
        words = line.split()
        if len(words) < 2 or not re.fullmatch(r"[a-z][a-z-]*", words[1]):
            continue
        group = words[1] in ("runbook", "probe")
        name = " ".join(words[: 3 if group else 2])
        if group and len(words) == 2:
            continue
        assert name in COMMANDS, line
        given = {
            word.split("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)
        }
        assert given <= options(COMMANDS[name]) | {"--help"}, line


def test_make_targets_that_are_named_are_there():
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "docs/tutorial.md"):
        used = re.findall(r"(?:^|`)make ([a-z]+)", text_of(name), re.MULTILINE)
        assert set(used) <= targets


# Checks


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def ids() -> dict[str, set[str]]:
    """Every id of a finding that the sources spell, with the rooms that do."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        room = path.relative_to(ROOT / "generators/sloforge").parts[0]
        for value in strings(path):
            if ID.fullmatch(value):
                found.setdefault(value, set()).add(room)
    return found


def test_every_id_has_a_page_and_every_page_an_id():
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
    assert pages == ids().keys()


def test_one_id_never_means_two_things():
    assert {id_: rooms for id_, rooms in ids().items() if {"specs", "checks"} <= rooms} == {}


@pytest.mark.parametrize("page", sorted(PAGES.glob("[A-Z]*[0-9].md")), ids=lambda page: page.stem)
def test_a_page_has_the_outline(page):
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}: ")
    assert [h.title for h in headings(text) if h.level == 2] == HEADINGS
    assert re.search(r"^Severity: (error|warning|info)$", text, re.MULTILINE)


def test_the_table_of_checks_is_that_of_the_pages():
    rows = re.findall(
        r"^\| \[((?:[A-Z]|HC)\d{3})\]\((.+?)\) \| (\w+) \| (.+) \|$",
        text_of("docs/checks/README.md"),
        re.MULTILINE,
    )
    pages = sorted(PAGES.glob("[A-Z]*[0-9].md"))
    want = []
    for page in pages:
        text = page.read_text("utf-8")
        title = re.match(r"# (\w+): (.+)", text)
        severity = re.search(r"^Severity: (\w+)", text, re.MULTILINE)
        assert title
        assert severity
        want.append((page.stem, page.name, severity[1], title[2]))
    assert sorted(rows) == want


CHECKED = ["P001", *(f"Q00{number}" for number in range(1, 10)), "S011", "S012", "S014", "M001"]
PROJECT = """
version: sloforge-project/v1
owners: {web: {page: web-page, ticket: web-ticket}}
"""
SERVICE = """
version: sloforge/v1
service: shop
owner: web
job: shop
slos:
- name: checkout
  objective: 99
  sli: {ratio: {total: requests_total, bad: 'requests_total{code="500"}'}}
"""


@pytest.mark.parametrize("id_", CHECKED)
def test_the_example_of_a_page_says_what_the_page_shows(tmp_path, id_):
    example = section(text_of(f"docs/checks/{id_}.md"), "Example that fails")
    code, message = re.findall(r"^```\w*\n(.*?)\n```$", example, re.MULTILINE | re.DOTALL)
    assert message in [str(one) for one in found_in(tmp_path, code) if one.id == id_]


def found_in(root: Path, example: str) -> list[Finding]:
    """What the checks of rules and of services say of an example, by the file that it is."""
    name = example.partition("\n")[0].removeprefix("# ")
    given = {"slos/project.yaml": PROJECT, "slos/shop.yaml": SERVICE}
    given[name] = given.get(name, "") * (name == "slos/project.yaml") + example
    for path, text in given.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    if name.startswith("rules/"):
        return [*rule_findings({name: example}), *promtool_findings(root, [name])]
    project = specs.load(root, runbooks=False)
    made = (recording, rules, watchdog, mixin_rules)
    texts = {one.path: one.text for generate in made for one in generate(project)}
    found = [*rule_findings(texts), *service_findings(project)]
    return [*found, *mixin_findings(project, texts)]


def test_the_decision_on_dependencies_has_a_line_for_each_that_is_imported():
    text = text_of("docs/adr/0013-dependencies.md")
    rows = re.findall(r"^\| ([\w-]+) \|", text, re.MULTILINE)[1:]
    sources = "\n".join(path.read_text("utf-8") for path in SOURCES)
    modules = {"PyYAML": "yaml", "promql-parser": "promql_parser"}
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    declared = [re.split(r"[=<>]", one)[0] for one in project["dependencies"]]
    imported = [
        name
        for name in declared
        if re.search(rf"^\s*(?:import|from) {modules.get(name, name)}\b", sources, re.MULTILINE)
    ]
    assert sorted(rows) == sorted(imported)


# Links


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_relative_link_leads_somewhere(path):
    for link in links(path.read_text("utf-8")):
        target, _, anchor = link.target.partition("#")
        if "://" in link.target or target.startswith("mailto:"):
            continue
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), f"{named(path)}:{link.line}: {link.target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.read_text("utf-8")), f"{named(path)}: {link.target}"


@pytest.mark.parametrize("folder", ["docs", "docs/adr"])
def test_every_page_stands_in_its_index(folder):
    index = text_of(f"{folder}/README.md")
    pages = [p.name for p in (ROOT / folder).glob("*.md") if p.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


# Examples


@pytest.fixture
def started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    starting.write(tmp_path)
    return tmp_path


def readme_spec() -> str:
    found = re.search(r"<!-- spec -->\n```yaml\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def readme(started):
    """The README with its line ends as spaces, next to a repository with its spec, built."""
    (started / "slos/checkout.yaml").write_text(readme_spec())
    run("sloforge build", started)
    return " ".join(text_of("README.md").split())


def test_the_spec_of_the_readme_has_ten_lines_and_the_alerts_that_it_shows(readme, started):
    assert len(readme_spec().splitlines()) == 10
    assert shown(alert_rows(specs.load(started)), "text") in text_of("README.md")


def test_the_readme_counts_what_comes_out(readme, started):
    recorded = (started / "recording/checkout.yml").read_text().count("record:")
    alerts = (started / "rules/checkout.yml").read_text().count("alert:")
    passed = re.search(r"^(\d+) passed", run("sloforge test", started), re.MULTILINE)
    assert passed
    assert f"{recorded} recording rules, {alerts} alerts beside the Watchdog" in readme
    assert f"{passed[1]} groups of tests" in readme
    assert len(list((started / "dashboards").iterdir())) == 3


def test_the_rule_that_the_readme_shows_is_generated_and_breaks_as_it_says(readme, started):
    (alert,) = re.findall(r"```yaml\n(  - alert.*?)```", text_of("README.md"), re.DOTALL)
    (told,) = re.findall(r"```\n(tests/rules.*?)```", text_of("README.md"), re.DOTALL)
    file = started / "rules/checkout.yml"
    assert alert in file.read_text()
    file.write_text(file.read_text().replace("and on (slo", "or on (slo", 1))
    assert told in run("sloforge test", started, code=1)


def run(line: str, folder: Path, code: int = 0) -> str:
    """Both streams, as a reader sees them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{line}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Step:
    """A fenced block of the tutorial, and the comment above it that says what it is for."""

    note: str
    language: str
    text: str


def steps(text: str) -> list[Step]:
    pattern = r"(?:<!-- (.+?) -->\n)?^```(\w*)\n(.*?)^```$"
    return [Step(*found) for found in re.findall(pattern, text, re.MULTILINE | re.DOTALL)]


def is_like(shown: str, real: str) -> bool:
    """`...` stands for any lines; times and versions are the machine's, counts grow with us."""
    shown, real = (_steady(one) for one in (shown, real))
    pattern = "".join(
        "(?:.*\n)*" if line == "..." else re.escape(line) + "\n+" for line in shown.splitlines()
    )
    return re.fullmatch(pattern, real) is not None


def _steady(text: str) -> str:
    text = re.sub(r"in [\d.]+s \(promtool .+\)", "in TIME", text)
    text = re.sub(r"\d+ (passed|failed|files)", r"N \1", text)
    return re.sub(r"^[.FEs]{4,}$", "DOTS", text, flags=re.MULTILINE)


def test_the_tutorial_can_be_followed_to_the_letter(tmp_path):
    said = ""
    for step in steps(text_of("docs/tutorial.md")):
        verb, _, name = step.note.partition(": ")
        if verb == "write":
            (tmp_path / name).write_text(step.text)
        elif verb == "append":
            with (tmp_path / name).open("a") as file:
                file.write(step.text)
        elif step.language == "sh":
            said = run(f"set -e\n{step.text}", tmp_path, code=1 if step.note == "fails" else 0)
        elif step.language == "yaml":
            assert step.text in (tmp_path / "slos/checkout.yaml").read_text()
        else:
            assert is_like(step.text, said), f"shown:\n{step.text}\nreal:\n{said}"


def test_the_changelog_says_what_is_not_released_yet():
    assert re.search(
        r"^## \[Unreleased\]\n\n### Added\n\n- ", text_of("CHANGELOG.md"), re.MULTILINE
    )
