"""Plugins, installed for real: the example of docs/plugins.md, and packages that break each rule."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import sloforge
from sloforge import pipeline, plugins
from sloforge.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "sloforge-acme"
PAGE = (ROOT / "docs" / "plugins.md").read_text()
PROJECT = """\
version: sloforge-project/v1
owners: {web: {page: web-page, ticket: web-ticket}}
"""
BASE = """\
route: {receiver: fallback}
receivers: [{name: fallback}, {name: watchdog}, {name: web-page}, {name: web-ticket}]
"""
SERVICE = """\
version: sloforge/v1
service: orders
owner: web
slos:
- name: taken
  description: Orders are taken from the queue in time.
  objective: tbd
  sli: {use: acme-queue, with: {queue: orders, seconds: 1}}
"""
PROMISES = """\
version: acme-promises/v1
team: web
promises:
- {app: cart, up: tbd}
- {app: search, up: tbd}
"""
DEPLOY = """\
version: sloforge-deploy/v1
project: shop-slos
environments:
  production:
    board: {kind: acme-board, options: {folder: board}}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built and installed by pip into a folder."""
    target = tmp_path_factory.mktemp("installed")
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
        "--target",
        str(target),
    ]
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options]
    subprocess.run([*command, str(EXAMPLE)], check=True)
    return target


def repository(root: Path, **services: str) -> Path:
    (root / "slos").mkdir(parents=True)
    (root / "slos" / "project.yaml").write_text(PROJECT)
    (root / "alertmanager").mkdir()
    (root / "alertmanager" / "base.yml").write_text(BASE)
    for name, text in services.items():
        (root / "slos" / f"{name}.yaml").write_text(text)
    return root


@dataclass
class Done:
    """As of a process: its exit code and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(root: Path, there: Path | None, *words: str) -> Done:
    """The command in this process, with the plugins of a folder as if they were installed."""
    before, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(there)] if there else []
    _forget()
    try:
        done = CliRunner().invoke(main, ["-C", str(root), *words])
    finally:
        sys.path[:] = before
        for name in set(sys.modules) - modules:
            if there and (getattr(sys.modules[name], "__file__", None) or "").startswith(
                str(there)
            ):
                del sys.modules[name]
        _forget()
    return Done(done.exit_code, done.stdout, done.stderr)


def _forget() -> None:
    invalidate_caches()
    for remembered in (plugins._every, plugins.digest, pipeline._code):
        remembered.cache_clear()


def package(root: Path, name: str, code: str, **entries: str) -> Path:
    """A package as pip would leave it: `<kind>` -> `<name> = <function>`."""
    module = name.replace("-", "_")
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{module}.py").write_text(code)
    info = root / f"{module}-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
    groups = [
        f"[sloforge.{kind}]\n{entry.replace(' = ', f' = {module}:')}\n"
        for kind, entry in entries.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    return root


# The example


def test_each_plugin_of_the_example_is_listed(installed: Path, tmp_path: Path) -> None:
    done = run(tmp_path, installed, "plugins", "--format", "json")
    found = [
        (one["kind"], one["name"], one["version"], one["state"]) for one in json.loads(done.stdout)
    ]
    assert found == [
        ("readers", "acme-promises/v1", "1.0", "ok"),
        ("sli", "acme-queue", "1.0", "ok"),
        ("generators", "acme-catalog", "1.0", "ok"),
        ("checks", "acme-words", "1.0", "ok"),
        ("targets", "acme-board", "1.0", "ok"),
    ]
    assert "sloforge-acme" in run(tmp_path, installed, "plugins").stdout


def test_the_example_reads_builds_checks_and_deploys(installed: Path, tmp_path: Path) -> None:
    root = repository(tmp_path, orders=SERVICE, promises=PROMISES)
    done = run(root, installed, "build")
    assert done.returncode == 0, done.stderr
    table = (root / "generated" / "acme-catalog" / "promises.csv").read_text()
    assert (
        table
        == "service,owner,slo,sli\ncart,web,up,up\norders,web,taken,latency\nsearch,web,up,up\n"
    )
    recording = (root / "recording" / "orders.yml").read_text()
    assert 'acme_queue_wait_seconds_bucket{queue="orders",le=~' in recording
    assert 'acme_app_up{app="cart"}' in (root / "recording" / "cart.yml").read_text()
    found = run(root, installed, "check").stdout
    assert "slos/promises.yaml:4:" in found
    assert (
        "warning[ACME001]: `cart/up` does not say what it promises; write a `description`" in found
    )
    assert "`orders/taken`" not in found
    assert run(root, installed, "build", "--check").returncode == 0


def test_the_example_deploys_and_rolls_back(installed: Path, tmp_path: Path) -> None:
    root = repository(tmp_path, orders=SERVICE)
    (root / "deploy.yaml").write_text(DEPLOY)
    run(root, installed, "build")
    planned = run(root, installed, "plan")
    assert planned.returncode == 2, planned.stderr
    assert "promises.csv" in planned.stdout
    done = run(root, installed, "deploy", "--yes")
    assert done.returncode == 0, done.stderr
    board, made = root / "board" / "promises.csv", root / "generated/acme-catalog/promises.csv"
    first = board.read_text()
    assert first == made.read_text()
    assert run(root, installed, "plan").returncode == 0
    (root / "slos" / "promises.yaml").write_text(PROMISES)
    run(root, installed, "build")
    assert run(root, installed, "deploy", "--yes").returncode == 0
    assert board.read_text() != first
    back = run(root, installed, "rollback", "--yes")
    assert back.returncode == 0, back.stderr
    assert board.read_text() == first


def test_a_mistake_in_a_document_of_a_plugin_is_shown_at_its_place(
    installed: Path, tmp_path: Path
) -> None:
    text = PROMISES.replace("up: tbd}\n- {app: search", "up: 100}\n- {app: Search")
    root = repository(
        tmp_path, promises=text, more="version: acme-promises/v1\nteam: web\npromises: [{up: 1}]\n"
    )
    found = run(root, installed, "build").stderr.splitlines()
    assert found == ["slos/more.yaml:3:12: a promise without `app`; name it"]
    (root / "slos" / "more.yaml").unlink()
    found = run(root, installed, "build").stderr.splitlines()
    assert found == [
        "slos/promises.yaml:4:19: cart/up.objective: must be above 0 and below 100, got 100; a perfect objective leaves no budget to burn",
        "slos/promises.yaml:5:3: Search.service: expected a name of lower-case letters, digits and inner hyphens, got `Search`",
    ]


def test_parameters_of_an_sli_of_a_plugin_are_checked(installed: Path, tmp_path: Path) -> None:
    def built(given: str) -> str:
        text = SERVICE.replace("{queue: orders, seconds: 1}", given)
        (tmp_path / "slos" / "orders.yaml").write_text(text)
        return run(tmp_path, installed, "build").stderr.strip()

    repository(tmp_path, orders=SERVICE)
    where = "slos/orders.yaml:8:14: slos[0].sli.use: "
    assert (
        built("{seconds: 1}")
        == f"{where}missing parameter `queue` of `acme-queue`; write it under `with`"
    )
    assert built("{queue: a, second: 1}").endswith(
        "slos[0].sli.with.second: unknown parameter `second`; did you mean `seconds`?"
    )
    assert built("{queue: 7}").endswith("slos[0].sli.with.queue: expected text, got 7; quote it")
    assert built("{queue: a, seconds: soon}").endswith(
        "slos[0].sli.with.seconds: expected a number, got `soon`"
    )
    assert (
        built("{queue: a, seconds: 2}")
        == f"{where}seconds: expected one of (0.5, 1.0, 5.0, 30.0), got 2.0"
    )
    shown = run(tmp_path, installed, "library", "acme-queue").stdout
    assert "acme-queue: Messages of a queue that are taken in time." in shown
    assert re.search(r"queue +text +required\nseconds +number +5.0", shown)


def test_without_the_package_its_words_are_unknown(tmp_path: Path) -> None:
    root = repository(tmp_path, orders=SERVICE, promises=PROMISES)
    (root / "deploy.yaml").write_text(DEPLOY)
    found = run(root, None, "build").stderr
    assert "unknown template `acme-queue`" in found
    assert (
        "slos/promises.yaml:1:10: version: expected `sloforge/v1`, got `acme-promises/v1`; is the plugin that reads it installed? `sloforge plugins` lists what is"
        in found
    )
    done = run(root, None, "plugins")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no plugins are installed")


def test_a_generator_that_is_uninstalled_leaves_nothing_in_our_folders(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    code = "from sloforge.extending import Artifact\ndef g(project):\n    yield Artifact('rules/acme-x.yml', 'groups: []\\n')\n"
    (root / "slos" / "a.yaml").write_text(
        SERVICE.replace("{use: acme-queue, with: {queue: orders, seconds: 1}}", "{up: {gauge: up}}")
    )
    there = package(tmp_path / "p", "p", code, generators="acme = g")
    assert run(root, there, "build").returncode == 0
    assert (root / "rules" / "acme-x.yml").exists()
    assert "delete rules/acme-x.yml" in run(root, None, "build").stdout


def test_the_page_shows_the_files_of_the_example() -> None:
    blocks = set(re.findall(r"```(?:python|toml)\n(.*?)```", PAGE, re.DOTALL))
    files = [EXAMPLE / "pyproject.toml", *(EXAMPLE / "src" / "sloforge_acme").glob("[a-z]*.py")]
    assert blocks == {file.read_text() for file in files}
    assert DEPLOY in PAGE


def test_the_example_has_the_documented_types(tmp_path: Path) -> None:
    types = {
        "Reader": "promises.services",
        "SliFunction": "queue.wait",
        "Generate": "catalog.catalog",
        "Check": "words.findings",
        "TargetFactory": "board.target",
    }
    lines = [f"from sloforge.extending import {', '.join(types)}"]
    lines += [
        f"from sloforge_acme import {', '.join(sorted({v.split('.')[0] for v in types.values()}))}"
    ]
    lines += [f"{kind.lower()}: {kind} = {value}" for kind, value in types.items()]
    (tmp_path / "typed.py").write_text("\n".join(lines) + "\n")
    path = os.pathsep.join([str(Path(sloforge.__file__).parents[1]), str(EXAMPLE / "src")])
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--follow-imports=silent",
    ]
    files = [str(tmp_path / "typed.py"), *map(str, (EXAMPLE / "src").rglob("*.py"))]
    done = subprocess.run(
        [*command, *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": path},
    )
    assert done.returncode == 0, done.stdout
    for kind in types:
        assert f"`{kind}`" in PAGE


def test_the_installed_command_finds_it(installed: Path, tmp_path: Path) -> None:
    root = repository(tmp_path, orders=SERVICE, promises=PROMISES)
    code = "import sys; from sloforge.cli import main; main(sys.argv[1:])"
    path = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code, "-C", str(root), "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=path)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "service",
        "cart",
        "orders",
        "search",
    ]


# What is wrong with a plugin

IMPORTS = "from sloforge.extending import *\n"
ABOUT = "plugin `acme` (p 2.1, sloforge.{kind}: p:f)"
# Kind, code, command, what is said behind the plugin's name.
BROKEN = {
    "it is not there": (
        "checks",
        "",
        "check",
        " cannot be loaded: AttributeError: module 'p' has no attribute 'f'",
    ),
    "it cannot be imported": (
        "checks",
        "import nothing_like_that",
        "check",
        " cannot be loaded: ModuleNotFoundError: No module named 'nothing_like_that'",
    ),
    "it is no function": (
        "generators",
        "f = 1",
        "build",
        ": expected a function, got int; see docs/plugins.md for its type",
    ),
    "a generator raises": (
        "generators",
        "def f(project):\n    yield project['x']",
        "build",
        " failed: TypeError: 'Project' object is not subscriptable",
    ),
    "a generator exits": (
        "generators",
        "def f(project):\n    raise SystemExit(3)",
        "build",
        " failed: SystemExit: 3",
    ),
    "a generator yields text": (
        "generators",
        "def f(project):\n    yield 'x'",
        "build",
        ": expected an Artifact, got str",
    ),
    "a generator writes specs": (
        "generators",
        IMPORTS + "def f(project):\n    yield Artifact('slos/x.yaml', '')",
        "build",
        ": may not write slos/x.yaml; expected a path in generated/acme/, or a file acme* in recording, rules, dashboards, tests/rules",
    ),
    "a generator climbs": (
        "generators",
        IMPORTS + "def f(project):\n    yield Artifact('generated/acme/../../x', '')",
        "build",
        ": may not write generated/acme/../../x",
    ),
    "a generator writes twice": (
        "generators",
        IMPORTS + "def f(project):\n    yield from [Artifact('generated/acme/x', '')] * 2",
        "build",
        ": makes generated/acme/x twice",
    ),
    "a check yields text": (
        "checks",
        "def f(tree):\n    return ['x']",
        "check",
        ": expected a Finding, got str",
    ),
    "a check takes our ids": (
        "checks",
        IMPORTS + "def f(tree):\n    yield Finding(id='A001', where=Location('x'), what='x')",
        "check",
        ": expected an id of three to eight letters and three digits, got `A001`",
    ),
    "an SLI raises": (
        "sli",
        "def f():\n    return 1 / 0",
        "build",
        " failed: ZeroDivisionError: division by zero",
    ),
    "an SLI is none": (
        "sli",
        "def f():\n    return 'x'",
        "build",
        ": expected an Sli of a native kind, got str",
    ),
    "an SLI has positions": (
        "sli",
        "def f(queue):\n    return 1",
        "build",
        ": expected keyword-only parameters, got `queue`",
    ),
    "a reader raises": (
        "readers",
        "def f(documents):\n    return documents[0].data['nothing']",
        "build",
        " failed: KeyError: 'nothing'",
    ),
    "a reader yields text": (
        "readers",
        "def f(documents):\n    return ['x']",
        "build",
        ": expected a Service, got str",
    ),
    "a target is none": (
        "targets",
        "def f(config):\n    return 1",
        "plan",
        ": expected a Target, got one without plan, apply, verify, undo",
    ),
    "a target raises": (
        "targets",
        "def f(config):\n    return config.nothing",
        "plan",
        " failed: AttributeError: 'Config' object has no attribute 'nothing'",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_plugin_is_named_and_nothing_is_written(what: str, tmp_path: Path) -> None:
    kind, code, command, said = BROKEN[what]
    there = package(tmp_path / "p", "p", code, **{kind: "acme = f"})
    used = {
        "readers": {"x": "version: acme\n"},
        "sli": {
            "x": SERVICE.replace(
                "{use: acme-queue, with: {queue: orders, seconds: 1}}", "{use: acme}"
            )
        },
    }
    root = repository(tmp_path / "r", **used.get(kind, {}))
    (root / "deploy.yaml").write_text(DEPLOY.replace("acme-board", "acme"))
    if command == "plan":
        assert run(root, None, "build").returncode == 0
    before = sorted(root.rglob("*"))
    done = run(root, there, command)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(ABOUT.format(kind=kind) + said), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(root.rglob("*")) == before


def test_a_broken_plugin_is_listed_as_such(tmp_path: Path) -> None:
    there = package(tmp_path / "p", "p", "import nothing_like_that", checks="acme = f")
    done = run(tmp_path, there, "plugins")
    assert done.returncode == 1
    assert re.search(
        r"^checks +acme +p +2.1 +p:f +cannot be loaded: ModuleNotFoundError",
        done.stdout,
        re.MULTILINE,
    )


def test_a_name_is_there_once(tmp_path: Path) -> None:
    first = package(tmp_path / "p", "p", "f = 1", checks="acme = f")
    package(first, "q", "f = 1", checks="acme = f")
    done = run(repository(tmp_path / "r"), first, "check")
    assert done.stderr.startswith(
        "plugin `acme` (p 2.1, sloforge.checks: p:f) and plugin `acme` (q 2.1, sloforge.checks: q:f) have one name; uninstall one of them"
    )
    for kind, name in (
        ("generators", "rules"),
        ("targets", "grafana"),
        ("sli", "postgres-up"),
        ("readers", "openslo/v1"),
    ):
        there = package(tmp_path / kind, "p", "f = 1", **{kind: f"{name} = f"})
        done = run(tmp_path / "r", there, "plugins")
        assert (
            done.returncode,
            f"`{name}` is built in; rename it, or uninstall it" in done.stderr,
        ) == (1, True)


def test_a_plugin_is_not_loaded_unless_it_is_used(tmp_path: Path) -> None:
    loud = "import pathlib\npathlib.Path(__file__).with_name('loaded').touch()\ndef f(x):\n    return []\n"
    for kind in ("readers", "sli", "targets", "checks"):
        there = package(tmp_path / kind, "p", loud, **{kind: "acme = f"})
        root = repository(tmp_path / f"r-{kind}")
        assert run(root, there, "build").returncode == 0
        assert not (there / "loaded").exists()


def test_a_build_forgets_what_another_version_made(tmp_path: Path) -> None:
    code = "from sloforge import up\ndef f():\n    return up(gauge='NAME')\n"
    text = SERVICE.replace("{use: acme-queue, with: {queue: orders, seconds: 1}}", "{use: acme}")
    root = repository(tmp_path / "r", x=text)
    there = package(tmp_path / "p", "p", code.replace("NAME", "one"), sli="acme = f")
    assert run(root, there, "build").returncode == 0
    memory = (root / ".sloforge" / "build.json").read_text()
    (there / "p-2.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: p\nVersion: 2.2\n"
    )
    assert run(root, there, "build").returncode == 0
    assert (root / ".sloforge" / "build.json").read_text() != memory
    (there / "p.py").write_text(code.replace("NAME", "two"))
    assert run(root, there, "build").returncode == 0
    assert "two" in (root / "recording" / "orders.yml").read_text()


def test_a_document_of_a_plugin_is_imported_as_a_native_file(
    installed: Path, tmp_path: Path
) -> None:
    root = repository(tmp_path / "r")
    (tmp_path / "old.yaml").write_text(PROMISES.replace("tbd", "99.5"))
    done = run(root, installed, "import", str(tmp_path / "old.yaml"))
    assert done.returncode == 0, done.stderr + done.stdout
    written = yaml.safe_load((root / "slos" / "cart.yaml").read_text())
    assert written["slos"] == [
        {"name": "up", "objective": 99.5, "sli": {"up": {"gauge": 'acme_app_up{app="cart"}'}}}
    ]
