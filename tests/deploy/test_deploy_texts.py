"""Texts on the disk: found by their digest, after a crash too, and never in memory at once."""

import tracemalloc

import pytest
from tests.deploy.project import NOW, Repository

from sloforge.artifacts import Artifact
from sloforge.deploy import build, running
from sloforge.deploy.target import digest
from sloforge.deploy.texts import Texts, load
from sloforge.errors import Problem


def test_a_text_is_read_back_by_its_digest():
    texts = Texts()
    signs = [texts.keep(text) for text in ("one", "", None, "zwei ü\n", "one")]
    assert signs[2] == ""
    assert [texts.read(sign) for sign in signs] == ["one", "", None, "zwei ü\n", "one"]
    with pytest.raises(Problem, match="is gone; plan and deploy anew"):
        texts.read(digest("never kept"))


def test_what_is_saved_is_for_its_owner_and_survives(tmp_path):
    texts = Texts()
    signs = [texts.keep(text) for text in ("one", "two", "three")]
    texts.save(tmp_path / "texts", [*signs[:2], signs[0], ""])
    assert (tmp_path / "texts").stat().st_mode & 0o077 == 0
    found = load(tmp_path / "texts")
    assert [found.read(sign) for sign in signs[:2]] == ["one", "two"]
    with pytest.raises(Problem, match="is gone"):
        found.read(signs[2])


def test_a_record_that_was_cut_short_is_none(tmp_path):
    texts = Texts()
    signs = [texts.keep(text) for text in ("one", "two")]
    texts.save(tmp_path / "texts", signs)
    whole = (tmp_path / "texts").read_bytes()
    (tmp_path / "texts").write_bytes(whole[:-1])
    found = load(tmp_path / "texts")
    assert found.read(signs[0]) == "one"
    with pytest.raises(Problem, match="is gone"):
        found.read(signs[1])
    assert load(tmp_path / "nothing").read("") is None


def test_a_file_that_changes_while_it_is_deployed_is_told():
    texts = {"rules/a.yml": "before", "dashboards/b.json": "{}"}
    what = build.reading(texts, lambda path: texts[path])
    assert [one.path for one in what.under("")] == ["dashboards/b.json", "rules/a.yml"]
    assert list(what.under("rules/")) == [Artifact("rules/a.yml", "before")]
    texts["rules/a.yml"] = "after"
    with pytest.raises(
        Problem, match=r"rules/a\.yml: was changed while it was deployed; plan again"
    ):
        list(what.under("rules/"))


def test_a_plan_and_a_deploy_of_many_large_files_hold_few_of_them_at_a_time(tmp_path):
    """40 MB of dashboards, of which less than 4 MB are ever in memory together."""
    filler = "x" * 100_000
    names = [f"dashboards/{at:03}.json" for at in range(400)]
    repo = Repository(tmp_path)
    repo.targets(files={"kind": "provisioning"})
    # Imports, and the buffer into which deploy.yaml is read, are the same for any number.
    repo.done(build.of([Artifact("dashboards/first.json", "{}")]))
    found = repo.environment()
    tracemalloc.start()
    try:
        what = build.reading(names, lambda path: f'{{"uid": "{path[11:14]}", "x": "{filler}"}}')
        wanted = running.plan(found, what)
        assert running.carry_out(found, what, wanted, (NOW, repo.tell)).result == "done"
        assert not running.plan(found, what).changes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
