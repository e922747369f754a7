"""docs/spec.md names every key, its examples load, and each finding's page shows what it says."""

import re
from pathlib import Path

import pytest
import yaml

from sloforge import specs
from sloforge.errors import SpecProblem
from sloforge.specs import forms, project, settings
from sloforge.specs.forms import Form

ROOT = Path(__file__).parent.parent
SPEC = (ROOT / "docs" / "spec.md").read_text()
PAGES = sorted((ROOT / "docs" / "checks").glob("S*.md"))
OUTLINE = [
    "What it means",
    "Why it matters",
    "Example that fails",
    "How to put it right",
    "How to suppress",
]
# Found by `sloforge check`, when the specs are well formed; tests/test_docs.py has their pages.
OF_CHECK = {"S009", "S011", "S012", "S014"}

# Where the reference lists a form's keys: the heading, and what stands before the key there.
SECTIONS = {
    "ServiceForm": ("A service", ""),
    "LinksForm": ("A service", "links."),
    "SloForm": ("SLO", ""),
    "RatioForm": ("ratio", ""),
    "LatencyForm": ("latency", ""),
    "QuantileForm": ("quantile", ""),
    "FreshnessForm": ("freshness", ""),
    "UpForm": ("up", ""),
    "ThresholdForm": ("threshold", ""),
    "AlertingForm": ("Alerting", ""),
    "MoreForm": ("Alerting", "page."),
    "SlothForm": ("SLO", "sloth."),
    "BurnForm": ("Burn", ""),
    "HttpForm": ("HTTP", ""),
    "DashboardForm": ("Dashboard", ""),
    "RowForm": ("Dashboard", "rows[]."),
    "PanelForm": ("Dashboard", "panels[]."),
    "QueryForm": ("Dashboard", "queries[]."),
    "StepForm": ("Dashboard", "thresholds[]."),
    "ProjectForm": ("The project", ""),
    "OwnerForm": ("The project", "owners.*."),
    "PolicyForm": ("The project", "policies.*."),
    "DefaultsForm": ("The project", "defaults."),
    "EvaluationForm": ("The project", "evaluation."),
    "GrafanaForm": ("The project", "grafana."),
    "AlertmanagerForm": ("The project", "alertmanager."),
    "JsonnetForm": ("The project", "jsonnet."),
    "MixinForm": ("The project", "mixins.*."),
    "SuppressionForm": ("The project", "suppress[]."),
}
# Mappings whose keys are listed one by one.
PARENTS = {"links", "defaults", "evaluation", "grafana", "alertmanager", "jsonnet"}


def sections() -> dict[str, str]:
    """Heading -> text up to the next heading, whatever its level; examples are no headings."""
    found: dict[str, str] = {}
    title, fenced = "", False
    for line in SPEC.splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (heading := re.fullmatch(r"#+ (.+)", line)):
            title = heading[1]
        found[title] = found.get(title, "") + line + "\n"
    return found


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def keys(form: type[Form]) -> dict[str, bool]:
    """Key -> whether it is required."""
    return {field.alias or name: field.is_required() for name, field in form.model_fields.items()}


ALL = [
    form
    for form in {**vars(forms), **vars(settings)}.values()
    if isinstance(form, type) and issubclass(form, Form)
]
NAMED = [form for form in ALL if form.__name__ not in ("Form", "SliForm")]


@pytest.mark.parametrize("form", NAMED, ids=lambda form: form.__name__)
def test_each_key_is_in_the_reference_and_nothing_else_is(form: type[Form]) -> None:
    heading, prefix = SECTIONS[form.__name__]
    named = {row[0].strip("`") for row in rows(sections()[heading])}
    mine = {name.removeprefix(prefix) for name in named if name.startswith(prefix)}
    others = {
        other
        for title, other in SECTIONS.values()
        if title == heading and other.startswith(prefix) and other != prefix
    }
    mine = {name for name in mine if not any((prefix + name).startswith(other) for other in others)}
    folded = PARENTS if prefix == "" else set()
    assert mine | folded >= set(keys(form))
    assert mine <= set(keys(form))


@pytest.mark.parametrize("form", NAMED, ids=lambda form: form.__name__)
def test_the_reference_says_what_is_required(form: type[Form]) -> None:
    heading, prefix = SECTIONS[form.__name__]
    said = {row[0].strip("`"): row[2] for row in rows(sections()[heading])}
    wrong = [
        key
        for key, required in keys(form).items()
        if required and said.get(prefix + key) != "required"
    ]
    assert wrong == []


def test_each_kind_of_sli_has_its_section() -> None:
    assert set(keys(forms.SliForm)) - {"with"} <= set(sections())


def test_each_row_has_a_type_a_default_and_a_meaning() -> None:
    listed = [
        row for title, text in sections().items() if title != "Mistakes" for row in rows(text)
    ]
    assert len(listed) > 90
    for row in listed:
        assert len(row) == 5, row
        assert all(row[:4]), row


def examples(text: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", examples(SPEC))
def test_an_example_of_the_reference_is_yaml(example: str) -> None:
    yaml.safe_load(example)


def load(root: Path, service: str, settings: str) -> None:
    (root / "slos").mkdir()
    (root / project.FILE).write_text(settings)
    (root / "slos" / "shop.yaml").write_text(service)
    specs.load(root, runbooks=False)


def test_the_reference_builds_one_project_from_its_examples(tmp_path: Path) -> None:
    """The service, with the SLO, the burns, the HTTP part and the dashboard that are shown for it."""
    found = {title: examples(text) for title, text in sections().items()}
    service = found["A service"][0]
    slo = found["SLO"][0].replace("availability", "of-the-slo-section")
    with_alerting = slo.replace("of-the-slo", "of-the-alerting")
    alerting = "".join(f"  {line}\n" for line in found["Alerting"][0].splitlines())
    with_alerting = re.sub(r"  alerting: .*\n", lambda _: alerting, with_alerting)
    burns = "".join(f"    {line}\n" for line in found["Burn"][0].splitlines())
    with_burns = re.sub(
        r"  alerting: .*\n",
        lambda _: f"  alerting:\n{burns}",
        slo.replace("of-the-slo", "of-the-burn"),
    )
    kinds = ""
    for kind in ("ratio", "latency", "quantile", "freshness", "up", "threshold"):
        objective = "" if kind == "quantile" else "  objective: 99\n"
        body = "".join(f"  {line}\n" for line in found[kind][0].splitlines())
        kinds += f"- name: a-{kind}\n{objective}{body}"
    text = (
        service
        + slo
        + with_alerting
        + with_burns
        + kinds
        + found["HTTP"][0]
        + found["Dashboard"][0]
    )
    load(tmp_path, text, found["The project"][0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_outline_of_all_pages(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == OUTLINE
    assert ("cannot be suppressed" in text) == (page.stem not in OF_CHECK - {"S009"})


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem not in OF_CHECK], ids=lambda page: page.stem
)
def test_the_example_of_a_page_fails_as_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    (example,) = examples(text)
    (message,) = re.findall(r"```\n\n```\n(.*?)\n```", text, re.DOTALL)
    with pytest.raises(SpecProblem) as caught:
        load(tmp_path, example, (ROOT / "tests" / "specs" / "project.yaml").read_text())
    assert str(caught.value) == message
    assert {finding.id for finding in caught.value.findings} == {page.stem}


def test_each_finding_of_the_specs_has_its_page() -> None:
    folder = ROOT / "generators" / "sloforge" / "specs"
    used = {
        found
        for path in folder.rglob("*.py")
        for found in re.findall(r'"([SR]\d{3})"', path.read_text())
    }
    assert used | OF_CHECK == {page.stem for page in PAGES} | {"R001"}
    for one in used:
        assert (ROOT / "docs" / "checks" / f"{one}.md").is_file()
        assert f"[{one}](checks/{one}.md)" in SPEC
