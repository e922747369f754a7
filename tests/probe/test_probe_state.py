import threading

import pytest
from tests.probe.programs import judge

CHECK = "increases(jobs_total) within 300s"


@pytest.fixture
def look(name, tmp_path):
    def look(value, now, start=1, by=name, check=CHECK):
        body = f"jobs_total {value}\nprocess_start_time_seconds {start}\n".encode()
        said = judge(by, body, [check], "--state", str(tmp_path / "state"), "--now", str(now))
        verdict = said.json["checks"][0]
        return said.code, verdict["outcome"], verdict["reason"]

    return look


def test_a_counter_must_grow_within_its_window(look):
    assert look(5, 1000) == (0, "ok", "is 5, first look")
    assert look(5, 1300) == (0, "ok", "is 5, unchanged for 300s")
    assert look(5, 1301) == (1, "value", "has stayed at 5 for 301s, must increase within 300s")
    assert look(6, 1302) == (0, "ok", "has grown to 6")
    assert look(6, 1603) == (1, "value", "has stayed at 6 for 301s, must increase within 300s")


def test_a_restart_begins_a_new_window(look):
    look(5, 1000)
    assert look(3, 2000) == (0, "ok", "is 3, first look")
    assert look(3, 2301)[0] == 1
    assert look(3, 2302, start=2) == (0, "ok", "is 3, first look")


def test_another_boot_begins_a_new_window(look, tmp_path):
    look(5, 1000)
    state = tmp_path / "state"
    boot = state.read_bytes().split()[2]
    state.write_bytes(state.read_bytes().replace(boot, b"0" * len(boot)))
    assert look(5, 2000) == (0, "ok", "is 5, first look")


def test_a_clock_that_went_back_begins_a_new_window(look):
    look(5, 1000)
    assert look(5, 10) == (0, "ok", "is 5, first look")


def test_both_implementations_share_the_file(look):
    assert look(0.1, 1000.25, by="python") == (0, "ok", "is 0.1, first look")
    assert look(0.1, 1301.5, by="native")[1:] == (
        "value",
        "has stayed at 0.1 for 301.25s, must increase within 300s",
    )
    assert look(0.1, 1300.5, by="python")[1:] == (
        "value",
        "has stayed at 0.1 for 300.25s, must increase within 300s",
    )


def test_checks_do_not_disturb_one_another(look):
    look(5, 1000)
    look(5, 1200, check="increases(jobs_total) within 10s")
    assert look(5, 1301)[0] == 1


@pytest.mark.parametrize(
    "content", [b"hello\n", b"", b"slo-probe-state 1 none", b"slo-probe-state 1 x" * 2000]
)
def test_a_file_that_is_not_ours_is_unhealthy_once(content, look, tmp_path):
    (tmp_path / "state").write_bytes(content)
    assert look(5, 1000) == (
        1,
        "state",
        "the state file: it is not a state file; it was begun anew",
    )
    assert look(5, 1001) == (0, "ok", "is 5, unchanged for 1s")


def test_a_state_that_cannot_be_kept_is_unhealthy(name, tmp_path):
    said = judge(
        name,
        b"x 1\n",
        ["increases(x) within 1s", "x == 1"],
        "--state",
        str(tmp_path / "no" / "state"),
    )
    assert said.code == 1
    assert [c["outcome"] for c in said.json["checks"]] == ["state", "ok"]
    assert said.json["checks"][0]["reason"] == "the state file: no such file or directory"


def test_missing_and_nan_leave_the_record_alone(look, name, tmp_path):
    look(5, 1000)
    assert look("NaN", 1100)[1] == "nan"
    assert look(5, 1301)[1] == "value"


def test_many_at_once_lose_nothing(name, tmp_path):
    state = tmp_path / "state"

    def one(i):
        judge(
            name, b"x 1\n", [f"increases(x) within {i + 1}s"], "--state", str(state), "--now", "5"
        )

    threads = [threading.Thread(target=one, args=(i,)) for i in range(24)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(state.read_text().splitlines()) == 25
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "state.lock"]
