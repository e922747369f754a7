"""The command line reports on stdout and tells the outcome by its exit code."""

import json


def test_good_files_end_with_zero(good, python):
    done = python("-m", "promtool", "test", ".")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("..\n2 passed in ")


def test_a_failure_ends_with_one_and_is_written_as_junit_too(good, python, tmp_path):
    good.write_text(good.read_text().replace("0+60x40", "0+0x40"))
    done = python(
        "-m", "promtool", "test", good.name, "--junit", "out.xml", "--format", "json", "-j", "1"
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["status"] == "failed"
    assert 'failures="2"' in (tmp_path / "out.xml").read_text()


def test_check_prints_the_findings(good, python):
    assert python("-m", "promtool", "check", "rules.yml").stdout == "ok\n"
    done = python("-m", "promtool", "check", "gone.yml")
    assert (done.returncode, done.stdout) == (
        1,
        "no file matches `gone.yml`; correct the path\nfailed\n",
    )


def test_a_missing_promtool_is_one_sentence(good, python):
    done = python("-m", "promtool", "test", good.name, PROMTOOL="/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "promtool: `/nowhere` from $PROMTOOL is not an executable; install it with "
    )


def test_wrong_usage_ends_with_two(good, python):
    for arguments, want in (
        (("-j", "0"), "expected a number of processes above 0, got `0`"),
        (("--timeout", "soon"), "expected a number of seconds above 0, got `soon`"),
        (("-k", "("), "expected a regular expression, got `(`"),
    ):
        done = python("-m", "promtool", "test", good.name, *arguments)
        assert done.returncode == 2
        assert want in done.stderr


def test_a_selection_of_nothing_is_no_success(good, python):
    done = python("-m", "promtool", "test", good.name, "-k", "nothing")
    assert (done.returncode, done.stdout.startswith("no test groups in ")) == (1, True)


def test_skips_show_their_reason(good, python, fake):
    good.write_text("fuzzy_compare: true\n" + good.read_text())
    done = python("-m", "promtool", "test", good.name, "--promtool", str(fake("exit 9")))
    assert done.returncode == 0
    assert done.stdout.startswith(
        "ss\nskipped 2: uses the field `fuzzy_compare`, which needs promtool 3.5, got 2.42.0\n2 skipped in "
    )
