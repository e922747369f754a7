"""What the generated tests expect of an annotation is what Prometheus makes of it."""

import json
from itertools import product
from pathlib import Path

import pytest

import promtool
from promtool.report import as_text
from sloforge.generate.promtests.templates import Sample, rendered

LABELS = {"region": "eu-1"}
VALUES: tuple[float, ...] = (0.07289064, 0.0001, 0.00005, 1, 0.5, 12.25, 99999, 123456.789, 1e6)
VALUES += (0, -0.25, 61, 90061.5, 0.999999, 59.99999, 999.96, 1000, 1e-7, 3600)
TEMPLATES = (
    "no template, 100 %%",
    "{{ $value }}",
    "{{$value}} and {{ .Value }}",
    "in {{ $labels.region }}, in {{ .Labels.region }}",
    "{{ $labels.nope }}",
    "{{ $value | humanizePercentage }}",
    "{{ humanizePercentage $value }}",
    "{{ $value|humanize }}",
    "{{ $value | humanizeDuration }}",
    '{{ printf "%.2f%%" $value }}',
    '{{ $value | printf "%.3g" }}',
    '{{ printf "%s at %.0f" $labels.region $value }}',
    "x  {{- $value -}}  y",
    "{{ $labels.region | toUpper }} {{ toLower $labels.region }}",
    '{{ "a\\"b" }}',
    "{{ $labels.region\n}}",
)
BEYOND = (
    '{{ query "up" }}',
    "{{ if true }}a{{ end }}",
    "{{ $externalURL }}",
    "{{ humanize1024 $value }}",
    '{{ printf "%d" $value }}',
    '{{ printf "%5.1f" $value }}',
    '{{ printf "%.1f" }}',
    "{{ printf }}",
    "{{ $labels.region | humanize }}",
    "{{ $value | toUpper }}",
    '{{ toUpper "ä" }}',
    "{{ humanize $value $value }}",
    "{{ $value | $value }}",
    '{{ "\\x41" }}',
    "{{ | humanize }}",
    "{{ }}",
)


def test_known_templates_are_rendered_as_prometheus_renders_them(tmp_path: Path) -> None:
    cases = [
        (f"A{at}", template, value, text)
        for at, (template, value) in enumerate(product(TEMPLATES, VALUES))
        if (text := rendered(template, Sample(labels=LABELS, value=float(value)))) is not None
    ]
    assert len(cases) > 0.95 * len(TEMPLATES) * len(VALUES)
    rules = [
        {"alert": name, "expr": f'x{{case="{name}"}}', "annotations": {"text": template}}
        for name, template, _, _ in cases
    ]
    series = [
        {"series": f'x{{case="{name}",region="eu-1"}}', "values": f"{value}x1"}
        for name, _, value, _ in cases
    ]
    checks = [
        {
            "eval_time": "1m",
            "alertname": name,
            "exp_alerts": [
                {"exp_labels": LABELS | {"case": name}, "exp_annotations": {"text": text}}
            ],
        }
        for name, _, _, text in cases
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    group = {"interval": "1m", "input_series": series, "alert_rule_test": checks}
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [group]}
    (tmp_path / "t.promtest.yml").write_text(json.dumps(test))
    suite = promtool.run_tests([tmp_path / "t.promtest.yml"])
    assert suite.ok, as_text(suite)[:3000]


@pytest.mark.parametrize("template", BEYOND)
def test_what_only_prometheus_can_tell_is_not_guessed(template: str) -> None:
    assert rendered(template, Sample(labels=LABELS, value=0.5)) is None
