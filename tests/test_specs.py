import math
import os
import resource
import shutil
import subprocess
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sloforge import specs
from sloforge.errors import SpecProblem
from sloforge.generate.recording import recording
from sloforge.generate.rules import rules
from sloforge.located import tree, yamltext
from sloforge.model import Project
from sloforge.specs import files, native, project

SPECS = Path(__file__).parent / "specs"
BAD = sorted(path.with_suffix("").name for path in (SPECS / "bad").glob("*.txt"))
GOOD = sorted(path.name for path in (SPECS / "good").glob("*.y*ml"))
PROJECT = (SPECS / "project.yaml").read_text()
SERVICE = (SPECS / "good" / "minimal.yaml").read_text()


def place(spec: Path, root: Path) -> None:
    """The spec alone in a repository: as the project's file where its name says so."""
    (root / "slos").mkdir()
    shutil.copy(SPECS / "project.yaml", root / project.FILE)
    name = "project.yaml" if spec.name.startswith("project-") else spec.name
    shutil.copy(spec, root / "slos" / name)


def messages(root: Path, *, runbooks: bool = False) -> str:
    with pytest.raises(SpecProblem) as caught:
        specs.load(root, runbooks=runbooks)
    return str(caught.value)


def repository(root: Path, **services: str) -> Path:
    (root / "slos").mkdir()
    (root / project.FILE).write_text(PROJECT)
    for name, text in services.items():
        (root / "slos" / f"{name}.yaml").write_text(text)
    return root


@pytest.mark.parametrize("name", BAD)
def test_a_bad_spec_is_refused_with_exactly_these_messages(name: str, tmp_path: Path) -> None:
    source = SPECS / "bad" / name
    if source.is_dir():
        shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    else:
        place(source.with_suffix(".yaml"), tmp_path)
    expected = source.with_suffix(".txt").read_text()
    assert messages(tmp_path, runbooks=source.is_dir()) + "\n" == expected


def test_each_bad_spec_has_its_messages_and_the_other_way_round() -> None:
    specs_of = {
        p.stem if p.is_file() else p.name for p in (SPECS / "bad").iterdir() if p.suffix != ".txt"
    }
    assert specs_of == set(BAD)


@pytest.fixture(params=GOOD)
def good(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    place(SPECS / "good" / request.param, tmp_path)
    if not list((tmp_path / "slos").glob("[!p]*")):
        shutil.copy(SPECS / "good" / "minimal.yaml", tmp_path / "slos")
    return specs.load(tmp_path, runbooks=False)


def test_a_good_spec_makes_rules_that_promtool_accepts(good: Project, tmp_path: Path) -> None:
    promtool = shutil.which(os.environ.get("PROMTOOL", "promtool"))
    if promtool is None:
        pytest.skip("promtool is not installed")
    for artifact in (*recording(good), *rules(good)):
        path = tmp_path / artifact.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(artifact.text)
        command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_is_what_is_promised(tmp_path: Path) -> None:
    place(SPECS / "good" / "every-key.yaml", tmp_path)
    (service,) = specs.load(tmp_path, runbooks=False).services
    slo = service.slos[0]
    assert (slo.objective, slo.budget, slo.window) == (
        Decimal("0.9995"),
        Decimal("0.0005"),
        timedelta(days=28),
    )
    assert [burn.factor(slo.window) for burn in slo.alerting.burns] == [
        Decimal("14.4"),
        Decimal(14) / 3,
    ]
    assert str(slo.sli.whole) == 'http_requests_total{job="shop",route!~"/healthz|/metrics"}'  # type: ignore[attr-defined]
    assert service.slos[1].measured == (
        (Decimal("0.5"), Decimal("0.02")),
        (Decimal("0.999"), Decimal(2)),
    )
    assert [s.decided for s in service.slos] == [True] * 6 + [False]


def test_aliases_and_merges_mean_what_yaml_says(tmp_path: Path) -> None:
    place(SPECS / "good" / "yaml.yml", tmp_path)
    (service,) = specs.load(tmp_path, runbooks=False).services
    found = [(s.name, s.objective, s.alerting.min_errors, s.alerting.disable) for s in service.slos]
    objective = Decimal("0.999")
    assert found == [
        ("reads", objective, 3, ()),
        ("writes", objective, 7, ("slow-burn",)),
        ("deletes", objective, 5, ()),
    ]


def test_an_expression_of_many_lines_keeps_what_stands_in_quotes(tmp_path: Path) -> None:
    place(SPECS / "good" / "expressions.yaml", tmp_path)
    (service,) = specs.load(tmp_path, runbooks=False).services
    assert str(service.slos[0].sli.whole) == (  # type: ignore[attr-defined]
        'sum by (region, route) ( rate(http_requests_total{route="a  # b",path=`\\d+`}[$window]) )'
    )


def test_the_project_says_what_services_leave_out(tmp_path: Path) -> None:
    place(SPECS / "good" / "project-every-key.yaml", tmp_path)
    shutil.copy(SPECS / "good" / "minimal.yaml", tmp_path / "slos")
    loaded = specs.load(tmp_path, runbooks=False)
    (slo,) = loaded.slos
    assert slo.window == timedelta(days=7)
    assert slo.alerting.min_errors == 2
    assert [burn.severity for burn in slo.alerting.burns] == ["ticket"]
    assert loaded.services[0].scrape_interval == timedelta(seconds=10)
    assert loaded.settings.labels == (("cluster", "eu-1"),)
    assert loaded.settings.runbook_base_url == "https://runbooks.example.org/"
    assert loaded.settings.dashboard_base_url == "https://grafana.example.org"
    assert loaded.settings.suppressions[0].id == "D004"


def test_services_are_sorted_by_name_whatever_their_files(tmp_path: Path) -> None:
    repository(tmp_path, a=SERVICE.replace("shop", "till"), b=SERVICE)
    assert [service.name for service in specs.load(tmp_path, runbooks=False).services] == [
        "shop",
        "till",
    ]


def test_a_runbook_for_each_alert_is_enough(tmp_path: Path) -> None:
    repository(tmp_path, shop=SERVICE)
    for name in ("fast", "slow", "very-slow"):
        path = tmp_path / "runbooks" / "shop" / f"availability-{name}-burn.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"# Burn\r\n")
    for name in ("budget-exhausted", "half-budget-in-a-day", "rules-stale"):
        path = tmp_path / "runbooks" / "common" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# Common\n")
    loaded = specs.load(tmp_path)
    # The author's line ends stay: what is outside of the blocks is never touched.
    assert loaded.text("runbooks/shop/availability-fast-burn.md") == "# Burn\r\n"


# Bytes and files that no repository should hold: made here.


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            SERVICE.encode("utf-16"),
            "slos/shop.yaml:1:1: expected UTF-8, got byte 0xff; save the file as UTF-8",
            id="utf-16",
        ),
        pytest.param(
            SERVICE.encode("utf-16-le"),
            "slos/shop.yaml:1:2: not valid YAML: control character \\x00; remove it",
            id="utf-16 without a mark",
        ),
        pytest.param(
            SERVICE.encode() + b"description: caf\xe9\n",
            "slos/shop.yaml:9:17: expected UTF-8, got byte 0xe9; save the file as UTF-8",
            id="latin-1",
        ),
        pytest.param(
            b"# " + b"x" * 10_000_000,
            "slos/shop.yaml: expected a file of at most 1,000,000 bytes, got 10,000,002; split it, or make it smaller",
            id="10 MB",
        ),
    ],
)
def test_bytes_that_are_no_spec_are_refused(raw: bytes, expected: str, tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "shop.yaml").write_bytes(raw)
    assert messages(tmp_path) == expected


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf" + SERVICE.encode(), id="with a byte order mark"),
        pytest.param(SERVICE.replace("\n", "\r\n").encode(), id="with the line ends of Windows"),
    ],
)
def test_a_spec_may_be_written_on_windows(raw: bytes, tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "shop.yaml").write_bytes(raw)
    assert specs.load(tmp_path, runbooks=False).slos[0].name == "availability"


def test_a_file_of_a_terabyte_is_refused_without_being_read(tmp_path: Path) -> None:
    repository(tmp_path)
    with (tmp_path / "slos" / "shop.yaml").open("wb") as file, suppress(OSError):
        file.truncate(10**12)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "expected a file of at most 1,000,000 bytes" in messages(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    repository(tmp_path)
    os.mkfifo(tmp_path / "slos" / "shop.yaml")
    assert messages(tmp_path) == "slos/shop.yaml: cannot be read: expected a regular file"


def test_a_device_is_refused_and_not_read_for_ever(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "shop.yaml").symlink_to("/dev/zero")
    assert messages(tmp_path) == "slos/shop.yaml: cannot be read: expected a regular file"


def test_a_broken_link_is_a_finding(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "shop.yaml").symlink_to("nowhere.yaml")
    assert messages(tmp_path) == (
        "slos/shop.yaml: cannot be read: No such file or directory; remove the link, or put right where it points"
    )


def test_a_project_that_is_a_broken_link_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "slos").mkdir()
    (tmp_path / project.FILE).symlink_to("nowhere.yaml")
    assert messages(tmp_path).startswith("slos/project.yaml: cannot be read: No such file")


def test_a_link_in_a_circle_is_a_finding(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "shop.yaml").symlink_to("shop.yaml")
    assert messages(tmp_path).startswith(
        "slos/shop.yaml: cannot be read: Too many levels of symbolic links"
    )


def test_a_file_that_vanishes_between_listing_and_reading_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path, a=SERVICE, shop=SERVICE)
    read = files.text_of

    def vanishing(root: Path, path: Path) -> str:
        if path.name == "a.yaml":
            (tmp_path / "slos" / "shop.yaml").unlink()
        return read(root, path)

    monkeypatch.setattr(files, "text_of", vanishing)
    assert messages(tmp_path) == "slos/shop.yaml: cannot be read: No such file or directory"


def test_a_name_that_is_not_text_can_still_be_printed(tmp_path: Path) -> None:
    repository(tmp_path)
    with (tmp_path / "slos" / os.fsdecode(b"caf\xe9.yaml")).open("w") as file:
        file.write("[]")
    message = messages(tmp_path)
    assert message == "slos/caf\\udce9.yaml:1:1: expected a mapping, got a list"
    message.encode()


def test_a_runbook_that_is_not_text_is_a_finding(tmp_path: Path) -> None:
    repository(tmp_path, shop=SERVICE)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.md").write_bytes(b"# \xff\n")
    expected = "runbooks/a.md:1:3: expected UTF-8, got byte 0xff; save the file as UTF-8"
    assert messages(tmp_path, runbooks=True) == expected


def test_what_an_editor_leaves_behind_is_no_spec(tmp_path: Path) -> None:
    repository(tmp_path, shop=SERVICE)
    (tmp_path / "slos" / ".#shop.yaml").symlink_to("somebody@host.1234")
    (tmp_path / "slos" / ".cache").mkdir()
    (tmp_path / "slos" / ".cache" / "x.yaml").write_text("[")
    (tmp_path / "slos" / "README.md").write_text("[")
    assert len(specs.load(tmp_path, runbooks=False).services) == 1


def test_an_ending_in_capitals_is_not_passed_over(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / "slos" / "SHOP.YAML").write_text("[]")
    assert messages(tmp_path) == "slos/SHOP.YAML:1:1: expected a mapping, got a list"


def test_a_project_of_no_files_says_where_to_begin(tmp_path: Path) -> None:
    assert "slos/project.yaml: expected the project's settings, found no file" in messages(tmp_path)


def test_places_and_no_places_give_the_same_data() -> None:
    text = "a: &x [1, 2.50, {b: yes}]\nc: *x\nd: ~\n"
    assert tree.plain(yamltext.parse(text, "f")) == {
        "a": [1, Decimal("2.50"), {"b": "yes"}],
        "c": [1, Decimal("2.50"), {"b": "yes"}],
        "d": None,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", Decimal("1.0")),
        ("1e1", Decimal(10)),
        ("0x10", "0x10"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("True", True),
        ("NULL", None),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("'1'", "1"),
        ("9" * 400, Decimal("9" * 400)),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    found = tree.plain(yamltext.parse(f"key: {text}", "f"))["key"]
    assert found == value
    assert type(found) is type(value)
    assert not (isinstance(found, float) and math.isnan(found))


def test_the_reserved_names_are_those_of_shared_outputs() -> None:
    from sloforge import naming

    uids = {naming.dashboard_uid(name) for name in native._RESERVED}
    assert {naming.FLEET_UID, naming.INCIDENT_UID} <= uids
    assert naming.runbook_file("common", "x").split("/")[1] in native._RESERVED
