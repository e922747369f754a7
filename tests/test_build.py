"""What `build` does to a repository: it writes what slos/ comes to, all of it and nothing else."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import core_project as core

from sloforge import output, pipeline, starting
from sloforge.artifacts import Change
from sloforge.errors import Problem

REPOSITORY = Path(__file__).parent.parent
SLOFORGE = (sys.executable, "-c", "from sloforge.cli import main; main()")
OWNED = ("recording", "rules", "dashboards", "tests/rules/checkout")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*SLOFORGE, "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def files(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file())
    kept = (path for path in found if ".sloforge" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in kept}


def changes(root: Path) -> list[tuple[str, str]]:
    return [(change.verb, change.path) for change in pipeline.build(root).changes]


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("started")
    starting.write(root)
    pipeline.apply(root, pipeline.build(root))
    # The first build completes the runbooks, which the service's files are made of, too.
    pipeline.apply(root, pipeline.build(root))
    return root


@pytest.fixture
def built(started: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(started, tmp_path / "built"))


def test_the_repository_holds_exactly_what_build_would_write() -> None:
    assert changes(REPOSITORY) == []


def test_a_second_build_changes_nothing(built: Path) -> None:
    before = files(built)
    assert changes(built) == []
    pipeline.apply(built, pipeline.build(built))
    assert files(built) == before


@pytest.mark.parametrize("directory", OWNED)
@pytest.mark.parametrize(
    ("harm", "verb"),
    [
        pytest.param(lambda file: file.unlink(), "create", id="deleted"),
        pytest.param(
            lambda file: file.write_text(file.read_text("utf-8") + " ", "utf-8"),
            "update",
            id="edited",
        ),
        pytest.param(
            lambda file: file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n")),
            "update",
            id="CRLF",
        ),
        pytest.param(
            lambda file: file.write_bytes(file.read_bytes() + b"# \xff\n"), "update", id="no UTF-8"
        ),
        pytest.param(
            lambda file: (file.unlink(), file.symlink_to("nowhere")), "update", id="a dead link"
        ),
    ],
)
def test_a_harmed_file_is_named_and_repaired(
    built: Path, directory: str, harm: Callable[[Path], object], verb: str
) -> None:
    before = files(built)
    file = max(path for path in (built / directory).iterdir() if path.is_file())
    harm(file)
    assert changes(built) == [(verb, file.relative_to(built).as_posix())]
    pipeline.apply(built, pipeline.build(built))
    assert files(built) == before


@pytest.mark.parametrize(
    "name", ["extra.yml", "notes.txt", ".hidden", "deeper/extra.yml", "old/x.promtest.yml"]
)
@pytest.mark.parametrize("directory", OWNED)
def test_a_file_too_many_is_named_and_goes(built: Path, directory: str, name: str) -> None:
    before = files(built)
    extra = built / directory / name
    extra.parent.mkdir(exist_ok=True)
    extra.write_text("x", encoding="utf-8")
    assert changes(built) == [("delete", f"{directory}/{name}")]
    pipeline.apply(built, pipeline.build(built))
    assert files(built) == before
    assert extra.parent.exists() == (extra.parent == built / directory)


def test_check_names_what_is_wrong_writes_nothing_and_fails(built: Path) -> None:
    (built / "rules/checkout.yml").unlink()
    (built / "recording/extra.yml").write_text("", encoding="utf-8")
    before = files(built)
    done = run(built, "build", "--check")
    assert done.returncode == 1
    assert done.stdout == "delete recording/extra.yml\ncreate rules/checkout.yml\n"
    assert done.stderr == "2 generated files are out of date; run `make build`\n"
    assert files(built) == before


def test_a_difference_in_line_ends_and_bytes_can_be_seen() -> None:
    change = Change("a.yml", "one\r\ntwo \udcff\n", "one\ntwo\n")
    assert change.diff().splitlines()[3:] == ["-one\\r", "-two \\xff", "+one", "+two", " "]


def forged(root: Path) -> dict[str, object]:
    return dict(json.loads((root / pipeline.MEMORY).read_text(encoding="utf-8")))


def emptied(root: Path) -> str:
    """Entries that name no files: everything would be fresh, and every file an orphan."""
    return json.dumps({key: {} for key in forged(root)})


def hashes_only(root: Path) -> str:
    return json.dumps({key: {"rules/checkout.yml": "0"} for key in forged(root)})


def edited(root: Path) -> str:
    """The hash of the file as it was edited by hand, in place of the one that was written."""
    import hashlib

    memory = (root / pipeline.MEMORY).read_text(encoding="utf-8")
    file = root / "rules/checkout.yml"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text("groups: []\n", encoding="utf-8")
    assert old in memory
    return memory.replace(old, hashlib.sha256(file.read_bytes()).hexdigest())


def swapped(root: Path) -> str:
    memory = forged(root)
    return json.dumps(
        {key: {**value, "files": {}} for key, value in memory.items() if isinstance(value, dict)}
    )


MEMORIES: dict[str, Callable[[Path], str]] = {
    "garbage": lambda root: "\0not json",
    "a list": lambda root: "[1, 2]",
    "wrong types": lambda root: json.dumps(dict.fromkeys(forged(root), 7)),
    "wrong types deeper": lambda root: json.dumps(
        {key: {"files": {"a": 1}, "seal": None} for key in forged(root)}
    ),
    "nested too deep": lambda root: "[" * 100_000,
    "no files": emptied,
    "no files under a real seal": swapped,
    "hashes of another shape": hashes_only,
    "hashes of edited files": edited,
    "paths outside": lambda root: json.dumps(
        {key: {"files": {"../../etc/passwd": "0", "/etc/passwd": "0"}} for key in forged(root)}
    ),
}


def test_what_was_built_is_remembered(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("generated again")

    monkeypatch.setattr(pipeline, "_one", unwanted)
    assert changes(built) == []
    (built / "rules/checkout.yml").unlink()
    with pytest.raises(AssertionError, match="generated again"):
        changes(built)


@pytest.mark.parametrize("memory", MEMORIES.values(), ids=MEMORIES)
def test_a_memory_that_was_tampered_with_is_never_believed(
    built: Path, memory: Callable[[Path], str]
) -> None:
    right = files(built)
    text = memory(built)
    (built / pipeline.MEMORY).write_text(text, encoding="utf-8")
    pipeline.apply(built, pipeline.build(built))
    assert files(built) == right


def test_an_edited_spec_is_generated_again_and_only_that(built: Path) -> None:
    file = built / "slos/checkout.yaml"
    file.write_text(file.read_text("utf-8").replace("tier: ", "tier:  "), encoding="utf-8")
    assert changes(built) == []
    owner = (
        (built / "slos/project.yaml").read_text("utf-8").replace("min_errors: 5", "min_errors: 6")
    )
    (built / "slos/project.yaml").write_text(owner, encoding="utf-8")
    found = [(c.verb, c.path) for c in pipeline.build(built, remember=False).changes]
    assert changes(built) == found


def many(root: Path, count: int) -> None:
    slo = core.slo("answers", core.SLIS["ratio-bad"], alerting="{runbook: answers}")
    core.load(root, *(core.service(f"shop-{at}", [slo]) for at in range(count)))
    for at in range(count):
        folder = root / f"runbooks/shop-{at}"
        folder.mkdir(parents=True)
        (folder / "answers.md").write_text("# Answers\n", encoding="utf-8")
    starter = Path(starting.__file__).parent / "starter"
    shutil.copytree(starter / "runbooks/common", root / "runbooks/common")
    shutil.copytree(starter / "alertmanager", root / "alertmanager")
    base = "receivers: [{name: web-page}, {name: web-ticket}, {name: fallback}, {name: watchdog}]\n"
    (root / "alertmanager/base.yml").write_text(base, encoding="utf-8")


def test_over_all_cores_and_remembered_it_is_the_same_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path, 5)
    serial = pipeline.build(tmp_path, ["recording", "rules", "tests"], remember=False).changes
    monkeypatch.setattr(pipeline, "WORTH_A_POOL", 2)
    monkeypatch.setattr(pipeline, "CHUNK", 2)
    built = pipeline.build(tmp_path, ["recording", "rules", "tests"], remember=False)
    assert built.changes == serial
    assert len(serial) > 20
    pipeline.apply(tmp_path, built)
    assert pipeline.build(tmp_path, ["recording", "rules", "tests"]).changes == ()
    spec = tmp_path / "slos/shop-3.yaml"
    spec.write_text(spec.read_text("utf-8").replace("99.9", "99.8"), encoding="utf-8")
    remembered = pipeline.build(tmp_path, ["recording", "rules", "tests"]).changes
    assert (
        remembered
        == pipeline.build(tmp_path, ["recording", "rules", "tests"], remember=False).changes
    )
    assert {change.path.split("/")[-1] for change in remembered} >= {"shop-3.yml"}


KILLED = """
import os, signal, sys
from pathlib import Path
from sloforge import output, pipeline
root = Path(sys.argv[1])
real = output._stage
def stage(*arguments):
    found = real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
output._stage = stage
pipeline.apply(root, pipeline.build(root))
"""


def test_a_killed_build_leaves_every_file_whole_and_no_litter_where_files_are_owned(
    built: Path,
) -> None:
    right = files(built)
    (built / "rules/checkout.yml").write_text("groups: []\n", encoding="utf-8")
    (built / "recording/checkout.yml").unlink()
    harmed = files(built)
    done = subprocess.run([sys.executable, "-c", KILLED, str(built)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert files(built) == harmed
    assert len(list((built / ".sloforge").glob("staging-*"))) == 1
    assert changes(built) == [
        ("create", "recording/checkout.yml"),
        ("update", "rules/checkout.yml"),
    ]
    pipeline.apply(built, pipeline.build(built))
    assert files(built) == right
    assert list((built / ".sloforge").glob("staging-*")) == []


def test_git_never_sees_what_a_build_keeps_for_itself(built: Path) -> None:
    subprocess.run(["git", "init", "-q", str(built)], check=True)
    said = subprocess.run(
        ["git", "-C", str(built), "status", "--short", "--untracked-files=all"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "rules/checkout.yml" in said.stdout
    assert ".sloforge" not in said.stdout


def test_a_full_disk_is_one_message_and_changes_nothing(built: Path) -> None:
    (built / "rules/checkout.yml").unlink()
    harmed = files(built)

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    command = [*SLOFORGE, "-C", str(built), "build"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, preexec_fn=small
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot write {built}/.sloforge/staging-")
    assert done.stderr.endswith(": File too large; free the way and build again\n")
    assert len(done.stderr.splitlines()) == 1
    assert files(built) == harmed
    assert list((built / ".sloforge").glob("staging-*")) == []


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param(
            "rules/checkout.yml",
            "cannot read {root}/rules/checkout.yml: Is a directory",
            id="a directory",
        ),
        pytest.param(
            "rules",
            "cannot read {root}/rules/_watchdog.yml: Not a directory",
            id="a file for a directory",
        ),
        pytest.param(
            ".sloforge",
            "cannot write {root}/.sloforge: File exists",
            id="a file for our own directory",
        ),
    ],
)
def test_something_in_the_way_is_a_message_with_its_place(
    built: Path, block: str, message: str
) -> None:
    where = built / block
    shutil.rmtree(where) if where.is_dir() else where.unlink()
    if block.endswith(".yml"):
        where.mkdir()
    else:
        where.write_text("", encoding="utf-8")
        (built / "recording/checkout.yml").unlink()
    before = files(built)
    with pytest.raises(Problem) as caught:
        pipeline.apply(built, pipeline.build(built))
    assert str(caught.value).startswith(message.format(root=built))
    assert files(built) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_an_unwritable_directory_changes_nothing(built: Path) -> None:
    (built / "rules/checkout.yml").unlink()
    (built / "recording/checkout.yml").unlink()
    before = files(built)
    (built / "rules").chmod(0o555)
    try:
        with pytest.raises(Problem, match=r"cannot write .*/rules: Permission denied"):
            pipeline.apply(built, pipeline.build(built))
        assert files(built) == before
    finally:
        (built / "rules").chmod(0o755)


def test_nothing_to_do_stages_nothing(tmp_path: Path) -> None:
    output.apply(tmp_path, ())
    assert list(tmp_path.iterdir()) == []


def test_check_needs_no_right_to_write(built: Path) -> None:
    shutil.rmtree(built / ".sloforge")
    before = sorted(built.rglob("*"))
    for path in (built, *(path for path in before if path.is_dir())):
        path.chmod(0o555)
    try:
        done = run(built, "build", "--check")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert sorted(built.rglob("*")) == before
    finally:
        for path in (built, *(path for path in before if path.is_dir())):
            path.chmod(0o755)


def test_mistakes_in_the_specs_write_nothing(built: Path) -> None:
    file = built / "slos/checkout.yaml"
    file.write_text(
        file.read_text("utf-8").replace("objective:", "objektive:", 1), encoding="utf-8"
    )
    before = files(built)
    done = run(built, "build")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "did you mean `objective`?" in done.stderr
    assert files(built) == before
