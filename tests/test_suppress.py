"""A finding that is right and yet not wanted is suppressed, with a reason, and only as long as it is."""

from pathlib import Path

import pytest

from sloforge import checks, starting
from sloforge.checks import Result
from sloforge.errors import Problem

TICKET = """\
suppress:
- {{id: {id}, path: {path}, reason: {reason}}}
"""


def checked(root: Path, suppress: str = "") -> Result:
    starting.write(root)
    project = root / "slos/project.yaml"
    project.write_text(project.read_text("utf-8") + suppress, encoding="utf-8")
    service = root / "slos/checkout.yaml"
    # Without a job nothing tells down from idle: S012, a warning.
    kept = [line for line in service.read_text("utf-8").splitlines() if not line.startswith("job:")]
    service.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return checks.run(root)


def ids(result: Result) -> list[str]:
    return [finding.id for finding in result.findings]


def test_a_finding_is_shown_where_nothing_suppresses_it(tmp_path: Path) -> None:
    found = checked(tmp_path)
    assert "S012" in ids(found)
    assert found.summary.endswith("warnings")


@pytest.mark.parametrize("path", ["slos/checkout.yaml", "slos/*", "'*'"])
def test_a_suppressed_finding_is_counted_and_not_shown(path: str, tmp_path: Path) -> None:
    found = checked(tmp_path, TICKET.format(id="S012", path=path, reason="it has no scrape yet"))
    assert "S012" not in ids(found)
    assert found.summary.endswith(", 1 suppressed")


@pytest.mark.parametrize(
    ("id_", "path"),
    [
        pytest.param("S012", "slos/other.yaml", id="another file"),
        pytest.param("D999", "'*'", id="no such finding"),
    ],
)
def test_a_suppression_that_suppresses_nothing_warns(id_: str, path: str, tmp_path: Path) -> None:
    found = checked(tmp_path, TICKET.format(id=id_, path=path, reason="it was so once"))
    assert {"S009", "S012"} <= set(ids(found))
    (unused,) = [finding for finding in found.findings if finding.id == "S009"]
    path = path.strip("'")
    assert str(unused) == (
        f"slos/project.yaml: suppress: {id_} in {path} suppresses nothing; remove it"
    )
    assert unused.severity == "warning"


@pytest.mark.parametrize(
    ("suppress", "message"),
    [
        pytest.param(
            TICKET.format(id="S012", path="'*'", reason="no"),
            "suppress[0].reason",
            id="no reason to speak of",
        ),
        pytest.param(
            "suppress:\n- {id: S012}\n", "suppress[0]: missing key `reason`", id="no reason"
        ),
        pytest.param(
            TICKET.format(id="oops", path="'*'", reason="it was so once"),
            "suppress[0].id",
            id="no id",
        ),
    ],
)
def test_a_suppression_that_says_too_little_is_refused(
    suppress: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        checked(tmp_path, suppress)
    assert message in str(caught.value)
    assert str(caught.value).startswith("slos/project.yaml:")
