import pytest
from tests.probe.cases import BAD_COMMANDS, BROKEN_BODIES, CASES, NOW, Case
from tests.probe.programs import judge, run


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_every_case_of_the_corpus_gets_the_right_answer(one: Case, name: str):
    said = judge(name, one.body, [one.check], "--now", str(NOW))
    verdict = said.json["checks"][0]
    assert (verdict["outcome"], one.reason in verdict["reason"]) == (one.outcome, True), verdict
    assert said.code == (0 if one.outcome == "ok" else 1)
    if said.code:
        assert said.err == f"slo-probe: unhealthy: {one.check}: {verdict['reason']}\n"
    else:
        assert said.err == ""


@pytest.mark.parametrize(
    ("body", "reason"), [rest for _, *rest in BROKEN_BODIES], ids=[n for n, *_ in BROKEN_BODIES]
)
def test_a_body_that_is_not_whole_is_never_healthy(body, reason, name):
    said = judge(name, body, ["x >= 1"])
    assert said.code == 1
    assert said.err == f"slo-probe: unhealthy: -: {reason}\n"


@pytest.mark.parametrize(("arguments", "reason"), BAD_COMMANDS, ids=lambda part: str(part)[:40])
def test_a_command_line_that_makes_no_sense_is_refused(arguments, reason, name):
    said = run(name, arguments)
    assert said.code == 1
    assert said.err.startswith("slo-probe: config: ")
    assert reason in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [a for a, _ in BAD_COMMANDS], ids=str)
def test_both_implementations_refuse_in_the_same_words(arguments):
    assert run("native", [*arguments, "--json"]) == run("python", [*arguments, "--json"])


def test_the_corpus_is_not_smaller_than_the_research():
    assert len(CASES) >= 45
    assert len({one.name for one in CASES}) == len(CASES)
