"""A slip in a generated rule is noticed by the generated tests, or makes no difference at all."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import core_project as core
from tests.mutants import Mutant, mutants

import promtool

# Why a mistake cannot be seen, and how it looks: the rule's name, what was done, the text around it.
ONE_SIDED = "the other side of a match on slo_service and slo_name leaves the strangers out"
TIMES_ZERO = "the value is multiplied by zero: only its presence counts"
MARGIN = "a margin for missed evaluations, not a bound"
PRESENCE = "only whether there is a value counts"
SLICES = "a total of slices is above zero or absent"
SINGLE = "there is one value, which is its own sum, average, least and greatest"
EQUIVALENT = {
    "ratio-bad": (
        (r"(slo:|X.*Burn|XHalf).*: slo_(service|name)=.* dropped", ONE_SIDED),
        (r"slo:sli_errors:rate5m: .* at (7|8|9|10|12)\d*", TIMES_ZERO),
        (r"slo:sli_error:ratio_rate(30m|1h): sum\( -> avg\( at 7[56]", TIMES_ZERO),
        (r"slo:period_burn_rate:ratio: (\[15m\]|last_over_time)", MARGIN),
        (r"XBudgetExhausted: \[15m\]", MARGIN),
        (r"XRulesStale: (\[5m\]|sum\(|rate\()", PRESENCE),
    ),
    "freshness": (
        (r"(slo:|X.*Burn|XHalf).*: slo_(service|name)=.* dropped", ONE_SIDED),
        (r"slo:(sli_total|sli_errors|sli_error).*: sum\( -> avg\(", SINGLE),
        (r"slo:sli_total:rate5m: max\( -> min\(", PRESENCE),
        (r"slo:sli_error:ratio_rate(30m|1h): max\( -> min\( at (199|200)", PRESENCE),
        (r"slo:sli_error:ratio_rate(5m|30m|1h): > 0 dropped", SLICES),
        (r"slo:period_burn_rate:ratio: (\[15m\]|last_over_time)", MARGIN),
        (r"XBudgetExhausted: \[15m\]", MARGIN),
        (r"XRulesStale: (\[5m|sum\(|count_over|max\()", PRESENCE),
    ),
}
# Which layers look at a rule.
SLI = re.compile(r"slo:sli_(total|errors):rate5m$|slo:sli_error:ratio_rate(5m|30m|1h)$|.*current")


class Bench:
    """A generated project, and the mutants of it that pass the layers that look at their rule."""

    def __init__(self, root: Path, sli: str) -> None:
        self.root = root
        texts = core.generated(core.one(root, core.SLIS[sli]), "recording", "rules", "tests")
        self.rules = {p: yaml.safe_load(t) for p, t in texts.items() if p.startswith("r")}
        self.tests = {
            Path(p).name.removesuffix(".promtest.yml"): yaml.safe_load(t)
            for p, t in texts.items()
            if p.startswith("tests/")
        }

    def survivors(self) -> list[str]:
        found = list(self._mutants())
        paths = [self._written(at, *one) for at, one in enumerate(found)]
        suite = promtool.run_tests(
            [file for files in paths for file in files], options=promtool.Options(batch=32)
        )
        failed = {file.path.parts[-5] for file in suite.files if file.status != "passed"}
        return [mutant.name for at, (_, mutant) in enumerate(found) if str(at) not in failed]

    def _mutants(self) -> Iterator[tuple[str, Mutant]]:
        for path, document in self.rules.items():
            if "_watchdog" not in path:
                yield from ((path, one) for one in mutants(document["groups"], "slo-shop-x"))

    def _written(self, at: int, path: str, mutant: Mutant) -> list[Path]:
        """Its rules, and the test groups that look at the rule; JSON is YAML and faster."""
        document = copy.deepcopy(self.rules[path])
        group, rule = mutant.at
        document["groups"][group]["rules"][rule] = mutant.rule
        for name, text in (self.rules | {path: document}).items():
            self._write(at, name, text)
        name = mutant.name.split(": ")[0]
        if path.startswith("rules/"):
            layers = {k: self._about(name, k) for k in ("x-alerts", "x-guards")}
        elif SLI.match(name):
            layers = {k: self.tests.get(k, {}) for k in ("x-sli", "x-limits")}
        else:
            names = ("x-windows", "x-sli") if name.endswith("_5m") else ("x-windows",)
            layers = {layer: self.tests[layer] for layer in names}
        return [
            self._write(at, f"tests/rules/shop/{layer}.promtest.yml", test)
            for layer, test in layers.items()
            if test and test["tests"]
        ]

    def _about(self, alert: str, layer: str) -> dict[str, Any]:
        test = self.tests.get(layer)
        if not test:
            return {}
        mine = [one for one in test["tests"] if f'"{alert}"' in json.dumps(one).replace("\\", "")]
        return {**test, "tests": mine}

    def _write(self, at: int, path: str, document: Any) -> Path:
        file = self.root / str(at) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document), encoding="utf-8")
        return file


@pytest.mark.parametrize("sli", EQUIVALENT)
def test_every_mistake_in_a_rule_is_noticed_or_makes_no_difference(
    sli: str, tmp_path: Path
) -> None:
    survivors = Bench(tmp_path, sli).survivors()
    unexplained = [s for s in survivors if not any(re.match(p, s) for p, _ in EQUIVALENT[sli])]
    assert unexplained == []
    idle = [p for p, _ in EQUIVALENT[sli] if not any(re.match(p, s) for s in survivors)]
    assert idle == []
