"""`sloforge init` and `runbook new`, through the real command line, as a new user meets them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
STARTER = ROOT / "generators/sloforge/starter"
BLOCK = re.compile(r"(<!-- sloforge:begin (\w+) -->\n).*?(<!-- sloforge:end \2 -->)", re.DOTALL)
LATENCY = """\
- name: latency
  objective: 99
  sli: {latency: {histogram: http_request_duration_seconds, threshold: 500ms}}
  alerting: {runbook: latency}
"""


def sloforge(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "sloforge", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def files(folder: Path) -> dict[str, str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


@pytest.fixture
def repository(tmp_path):
    assert sloforge(tmp_path, "init").returncode == 0
    return tmp_path


def test_init_names_every_file_that_it_writes_and_what_to_do_next(tmp_path):
    done = sloforge(tmp_path, "init")
    written = [line.removeprefix("create ") for line in done.stdout.splitlines()]
    assert written == list(files(tmp_path))
    assert {"slos/checkout.yaml", "slos/project.yaml", ".gitignore", "Makefile"} <= set(written)
    assert "sloforge build" in done.stderr


def test_what_init_wrote_builds_and_passes_every_check_and_test_without_a_word(repository):
    built = sloforge(repository, "build")
    assert built.returncode == 0, built.stderr
    again = sloforge(repository, "build", "--check")
    assert (again.returncode, again.stdout) == (0, "")
    checked = sloforge(repository, "check", "--strict")
    assert (checked.returncode, checked.stdout) == (0, "")
    assert checked.stderr.endswith(": 0 errors, 0 warnings\n")
    tested = sloforge(repository, "test")
    assert tested.returncode == 0, tested.stdout
    assert re.search(r"\n(\d+) passed in ", tested.stdout)


def test_make_alone_runs_what_a_pipeline_runs(repository):
    if shutil.which("make") is None:
        pytest.skip("make is not on PATH")
    sloforge(repository, "build")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["make"], cwd=repository, env=os.environ | {"PATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_git_does_not_see_what_a_build_remembers(repository):
    sloforge(repository, "build")
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(status, cwd=repository, capture_output=True, text=True, check=True).stdout
    assert (repository / ".sloforge").is_dir()
    assert ".sloforge" not in seen
    assert "rules/checkout.yml" in seen


def test_init_takes_a_directory_and_makes_it(tmp_path):
    assert sloforge(tmp_path, "init", "deep/slos-of-my-team").returncode == 0
    assert (tmp_path / "deep/slos-of-my-team/slos/project.yaml").is_file()


@pytest.mark.parametrize("path", ["slos/project.yaml", "runbooks/common/down.md"])
def test_init_overwrites_nothing(tmp_path, path):
    mine = tmp_path / path
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = sloforge(tmp_path, "init")
    assert done.returncode == 1
    assert done.stderr == (
        f"{path} is there already, and nothing was written; edit it, or start in an empty directory\n"
    )
    assert files(tmp_path) == {path: "mine"}


@pytest.mark.parametrize("name", ["Makefile", ".gitignore"])
def test_init_leaves_alone_what_a_repository_has_for_other_reasons(tmp_path, name):
    (tmp_path / name).write_text("mine")
    done = sloforge(tmp_path, "init")
    assert done.returncode == 0
    assert f"create {name}\n" not in done.stdout
    assert files(tmp_path)[name] == "mine"
    assert "slos/project.yaml" in files(tmp_path)


def test_init_says_what_is_in_its_way(tmp_path):
    (tmp_path / "runbooks").write_text("a file")
    done = sloforge(tmp_path, "init")
    assert done.returncode == 1
    assert re.fullmatch(r"cannot write runbooks/.+: .+; free the way\n", done.stderr)


def test_a_second_slo_asks_for_its_runbook_and_gets_a_skeleton(repository):
    with (repository / "slos/checkout.yaml").open("a") as file:
        file.write(LATENCY)
    refused = sloforge(repository, "build")
    assert refused.returncode == 1
    assert "`sloforge runbook new checkout/latency` makes a skeleton" in refused.stderr
    made = sloforge(repository, "runbook", "new", "checkout/latency")
    assert made.stdout == "create runbooks/checkout/latency.md\n"
    assert sloforge(repository, "build").returncode == 0
    checked = sloforge(repository, "check")
    assert checked.returncode == 0
    assert set(re.findall(r"warning\[(.+?)\]", checked.stdout)) == {"R007"}
    assert sloforge(repository, "test").returncode == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("checkout/availability", "runbooks/checkout/availability.md is there already; edit it\n"),
        (
            "checkout/nothing",
            "expected the runbook of an alert as `service/name`, got `checkout/nothing`; each alert has one\n",
        ),
    ],
    ids=["there already", "no alert leads to it"],
)
def test_runbook_new_refuses(repository, name, said):
    before = files(repository)
    done = sloforge(repository, "runbook", "new", name)
    assert (done.returncode, done.stderr) == (1, said)
    assert files(repository) == before


@pytest.mark.parametrize("verb", ["build", "check", "list"])
def test_a_folder_without_specs_is_told_of_init(tmp_path, verb):
    done = sloforge(tmp_path, verb)
    assert done.returncode == 1
    assert "write it, or run `sloforge init`" in done.stderr


def test_the_starter_shares_its_common_runbooks_with_this_repository():
    def authored(path: Path) -> str:
        return BLOCK.sub(r"\1\3", path.read_text("utf-8"))

    ours = {p.name: authored(p) for p in (ROOT / "runbooks/common").glob("*.md")}
    theirs = {p.name: p.read_text("utf-8") for p in (STARTER / "runbooks/common").glob("*.md")}
    assert theirs == ours
