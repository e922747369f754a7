"""Under pytest each test group is an item that can be selected, shared out and read when it fails."""

import re

import pytest

PYTEST = ("-m", "pytest", "-p", "promtool.pytest_plugin", "-p", "no:cacheprovider", "-q")


@pytest.fixture
def run(python):
    # Without autoload, so that an installed entry point does not register the plugin twice.
    return lambda *arguments: python(*PYTEST, *arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


@pytest.fixture
def bad(good):
    good.write_text(
        good.read_text().replace("severity: page}\n      exp", "severity: ticket}\n      exp")
    )
    return good


def test_every_group_is_an_item(good, run):
    done = run("--collect-only")
    assert done.stdout.splitlines()[:2] == [
        "a.promtest.yml::fires above",
        "a.promtest.yml::quiet below",
    ]
    assert run().stdout.splitlines()[-1].startswith("2 passed in ")


def test_a_failure_reads_like_a_sentence(bad, run):
    done = run()
    assert done.returncode == 1
    text = re.sub(r"/\S+/", "", done.stdout)
    assert (
        "a.promtest.yml:5: fires above: 1 of 2 assertions not passed\n"
        "  a.promtest.yml:10: alert High at 10m: failed\n"
        '    {job="a", severity="ticket"}: label severity: expected `ticket`, got `page`\n'
    ) in text
    assert "Traceback" not in text
    assert "FAILED a.promtest.yml::fires above" in text


def test_items_are_selected_by_k_and_stopped_by_x(bad, run):
    assert "1 passed, 1 deselected" in run("-k", "quiet").stdout
    assert "1 failed in" in run("-x").stdout
    assert "1 failed, 1 passed" in run().stdout


def test_items_are_shared_out_by_xdist(bad, write, run):
    pytest.importorskip("xdist")
    for number in range(4):
        write(bad.read_text(), f"{number}.promtest.yaml")
    assert "5 failed, 5 passed" in run("-p", "xdist", "-n", "2").stdout


def test_equal_names_are_told_apart(good, run):
    good.write_text(good.read_text().replace("quiet below", "fires above"))
    assert run("--collect-only").stdout.splitlines()[:2] == [
        "a.promtest.yml::fires above",
        "a.promtest.yml::fires above #2",
    ]
    assert run().stdout.splitlines()[-1].startswith("2 passed in ")


def test_a_test_that_needs_more_is_skipped_with_the_reason(good, run, fake):
    good.write_text("fuzzy_compare: true\n" + good.read_text())
    done = run("-rs", "--promtool", str(fake("exit 9")))
    assert done.returncode == 0
    assert "uses the field `fuzzy_compare`, which needs promtool 3.5, got 2.42.0" in done.stdout


def test_a_test_that_proves_nothing_fails(good, run):
    good.write_text(
        good.read_text().replace("rule_files: [rules.yml]", "rule_files: [rules.yml, gone.yml]")
    )
    done = run()
    assert "a.promtest.yml:1: rule_files: no file matches `gone.yml`" in done.stdout
    assert "2 failed" in done.stdout


def test_a_file_that_cannot_be_read_is_an_error_of_its_own(good, write, run):
    write("tests: [\n", "b.promtest.yml")
    write("rule_files: []\n", "c.promtest.yml")
    done = run("--continue-on-collection-errors")
    assert (
        "b.promtest.yml:2:1: not YAML: did not find expected node content; correct the syntax"
        in done.stdout
    )
    assert "c.promtest.yml: expected test groups under `tests`, got none; add one" in done.stdout
    assert "2 passed, 2 errors" in done.stdout


def test_the_timeout_comes_from_the_settings(good, run, fake):
    path = fake("exec sleep 300")
    done = run("-o", "promtool_timeout=0.2", "--promtool", str(path))
    assert "stopped after 0.2 s; raise the timeout" in done.stdout
    assert "2 failed" in done.stdout


def test_a_missing_promtool_fails_each_item_in_words(good, run):
    done = run("--promtool", "/nowhere/promtool")
    assert (
        "`/nowhere/promtool` from the given path is not an executable; install it with"
        in done.stdout
    )
    assert "2 failed" in done.stdout


def test_groups_of_a_file_share_a_process(good, run, fake, tool, tmp_path):
    path = fake(f'echo run >> "{tmp_path}/runs"; exec {tool.path} "$@"')
    assert "2 passed" in run("--promtool", str(path)).stdout
    assert (tmp_path / "runs").read_text() == "run\n"
    assert "2 passed" in run("--promtool", str(path), "-o", "promtool_batch=1").stdout
    assert (tmp_path / "runs").read_text() == "run\n" * 3
