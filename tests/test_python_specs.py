"""Specs in Python: run only where the project allows it, bounded, each mistake at its line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from tests import formats_project as formats

import sloforge
from sloforge import authoring, pipeline
from sloforge.authoring import parts, worker
from sloforge.errors import SpecProblem
from sloforge.specs import forms, python

ALLOWED = formats.PROJECT + "python: true\ncompat: sloth\n"
YAML = """\
version: sloforge/v1
service: shop
owner: web
job: shop
scrape_interval: 15s
links: {repository: https://git.example.org/shop}
slos:
- name: availability
  objective: 99.9
  window: 28d
  by: [region]
  measured: {p50: 20ms}
  sli: {ratio: {total: 'http_requests_total', bad: 'http_requests_total{status=~"5.."}'}}
  alerting:
    burns:
    - {name: fast, severity: page, long: 1h, short: 5m, factor: 14.4, for: 1m}
    names: {fast: ShopBurns}
    page: {labels: {who: web}}
  sloth: {service: Shop, slo: up.time, labels: {tier: '1'}}
- name: p95
  sli: {quantile: {histogram: took_seconds, quantile: 0.95, threshold: 0.5, windows: [1h, 5m]}}
- name: ingress
  objective: tbd
  sli: {use: nginx-ingress-availability, with: {ingress: shop}}
dashboard:
  rows:
  - title: Orders
    panels:
    - {title: How many?, type: timeseries, queries: [{expr: orders_total}], thresholds: [{color: green}, {color: red, value: 5}], decimals: 0}
http: {requests: http_requests_total, route: handler}
"""
PYTHON = """\
from datetime import timedelta
from decimal import Decimal

from sloforge import (
    Alerting, Burn, Dashboard, Http, Links, More, Panel, Query, Row, Service, Slo, Sloth,
    Step, quantile, ratio, use,
)


def services():
    burn = Burn(
        name="fast", severity="page", long=timedelta(hours=1), short="5m", factor=14.4, for_="1m"
    )
    yield Service(
        service="shop",
        owner="web",
        job="shop",
        scrape_interval=timedelta(seconds=15),
        links=Links(repository="https://git.example.org/shop"),
        slos=(
            Slo(
                name="availability",
                objective=99.9,
                window="28d",
                by=["region"],
                measured={"p50": "20ms"},
                sli=ratio(
                    total="http_requests_total", bad='http_requests_total{status=~"5.."}'
                ),
                alerting=Alerting(
                    burns=[burn], names={"fast": "ShopBurns"}, page=More(labels={"who": "web"})
                ),
                sloth=Sloth(service="Shop", slo="up.time", labels={"tier": "1"}),
            ),
            Slo(
                name="p95",
                sli=quantile(
                    histogram="took_seconds",
                    quantile=Decimal("0.95"),
                    threshold=0.5,
                    windows=["1h", timedelta(minutes=5)],
                ),
            ),
            Slo(
                name="ingress",
                objective="tbd",
                sli=use("nginx-ingress-availability", ingress="shop"),
            ),
        ),
        dashboard=Dashboard(
            rows=[
                Row(
                    title="Orders",
                    panels=[
                        Panel(
                            title="How many?",
                            type="timeseries",
                            queries=[Query(expr="orders_total")],
                            thresholds=[Step(color="green"), Step(color="red", value=5)],
                            decimals=0,
                        )
                    ],
                )
            ]
        ),
        http=Http(requests="http_requests_total", route="handler"),
    )
"""
ONE = """\
from sloforge import Service, Slo, up

def service(name, **more):
    return Service(service=name, owner="web", slos=[Slo(name="up", objective=99, sli=up(gauge="up"))], **more)

"""


def project(root: Path, **texts: str) -> Path:
    return formats.repository(root, ALLOWED, **texts)


def messages(root: Path) -> list[str]:
    with pytest.raises(SpecProblem) as caught:
        formats.load(root)
    return str(caught.value).splitlines()


# What it means


def test_python_says_what_yaml_says(tmp_path: Path) -> None:
    (written,) = formats.load(project(tmp_path / "a", shop=YAML)).services
    (made,) = formats.load(project(tmp_path / "b", shop__py=PYTHON)).services
    assert made.source.path == "slos/shop.py"
    assert _placeless(made) == _placeless(written)


def _placeless(service: object) -> str:
    return re.sub(r"Location\([^)]*\)", "", repr(service))


PARTS: dict[str, type[forms.Form]] = {
    "Service": forms.ServiceForm,
    "Slo": forms.SloForm,
    "Sloth": forms.SlothForm,
    "Alerting": forms.AlertingForm,
    "More": forms.MoreForm,
    "Burn": forms.BurnForm,
    "Links": forms.LinksForm,
    "Http": forms.HttpForm,
    "Dashboard": forms.DashboardForm,
    "Row": forms.RowForm,
    "Panel": forms.PanelForm,
    "Query": forms.QueryForm,
    "Step": forms.StepForm,
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_keys_of_the_spec(name: str) -> None:
    from dataclasses import fields

    mine = {one.name for one in fields(getattr(parts, name))} - {"at", "origin"}
    assert mine == set(PARTS[name].model_fields) - {"version"}


@pytest.mark.parametrize("kind", ["ratio", "latency", "quantile", "freshness", "up", "threshold"])
def test_a_kind_of_sli_takes_its_keys(kind: str) -> None:
    from inspect import signature

    (form, *_) = get_args(forms.SliForm.model_fields[kind].annotation)
    assert set(signature(getattr(authoring, kind)).parameters) == set(form.model_fields)
    assert set(forms.SliForm.model_fields) - {"use", "with_"} <= set(authoring.__all__)


def test_the_front_hands_on_every_name_and_loads_nothing_before() -> None:
    assert sloforge.__all__ == authoring.__all__
    code = "import sloforge, sys; print('sloforge.authoring' in sys.modules); from sloforge import Slo; print(Slo.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "Slo"]
    with pytest.raises(AttributeError, match="has no attribute 'Slos'"):
        _ = sloforge.Slos


# What is wrong


def test_python_is_refused_and_not_run_where_the_project_does_not_allow_it(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    formats.repository(tmp_path, evil__py=f"open({str(mark)!r}, 'w').close()")
    assert messages(tmp_path) == [
        "slos/evil.py: is Python, which runs code; the project does not allow it; write `python: true` in slos/project.yaml if you trust it"
    ]
    assert not mark.exists()


MISTAKES = {
    "a value of an argument": (
        'def services():\n    yield service("a", tier=9)\n',
        "slos/x.py:4:12: a.tier: expected at most 5, got 9",
    ),
    "an exception": (
        "def services():\n    goals = {}\n    é = 1; yield service(goals['north'])\n",
        "slos/x.py:8:26: KeyError: 'north'",
    ),
    "an exception in a library": (
        "import json\n\ndef services():\n    json.loads('{')\n    yield\n",
        "slos/x.py:9:5: JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    "an unknown argument": (
        'def services():\n    yield service("a", teir=1)\n',
        "slos/x.py:4:12: TypeError: Service.__init__() got an unexpected keyword argument 'teir'",
    ),
    "no Python": ("def services(:\n", "slos/x.py:6:14: not valid Python: "),
    "no function": (
        "service = 1\n",
        "slos/x.py: expected a function `services`, found none; write `def services(): yield Service(...)`; a helper's name begins with an underscore",
    ),
    "no services": (
        "def services():\n    return None\n",
        "slos/x.py:6: expected `services` to yield services, got NoneType; yield each Service, or return a list of them",
    ),
    "something else": (
        "def services():\n    yield {}\n",
        "slos/x.py:6: expected `services` to yield a Service, got dict; from sloforge import Service",
    ),
    "nothing": (
        "def services():\n    return []\n",
        "slos/x.py:6: expected `services` to yield a Service, got none",
    ),
    "the end of the process": (
        "import sys\nsys.exit('enough')\n",
        "slos/x.py:7:1: SystemExit: enough",
    ),
    "an abrupt end": (
        "import os\nos._exit(0)\n",
        "slos/x.py: ended its process, or needs more than 4,000 MB; return from `services`, or make it smaller",
    ),
    "a question": (
        "def services():\n    yield service(input('name? '))\n",
        "slos/x.py:7:19: EOFError: EOF when reading a line",
    ),
    "too much memory": (
        "def services():\n    x = [0] * 10**10\n    yield service('a')\n",
        "slos/x.py:7:9: MemoryError",
    ),
    "a helper's mistake": (
        "import _helper\n\ndef services():\n    yield service('a')\n",
        "slos/_helper.py:3:1: NameError: name 'nothing' is not defined",
    ),
    "not a number": (
        "def services():\n    yield service('a', tier=float('nan'))\n",
        "slos/x.py:4:12: expected a number of at most 30 digits, got another",
    ),
    "half of a character": (
        "def services():\n    yield service('a', description='\\ud800')\n",
        "expected text that UTF-8 can spell, got half of a character",
    ),
    "an object": (
        "def services():\n    yield service('a', tier=object())\n",
        "expected text, a number, a list or a mapping, got a object",
    ),
    "a list that holds itself": (
        "loop = []\nloop.append(loop)\n\ndef services():\n    yield service('a', disable=loop)\n",
        "slos/x.py: RecursionError: ",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_shown_at_its_line(what: str, tmp_path: Path) -> None:
    text, expected = MISTAKES[what]
    project(
        tmp_path,
        x__py=ONE + text,
        fine__py=ONE + "def services():\n    yield service('fine', tier=7)\n",
    )
    (tmp_path / "slos" / "_helper.py").write_text("\n\nnothing\n")
    found = messages(tmp_path)
    assert [line for line in found if expected in line], found
    assert len(found) == 2, "the other file is judged all the same"


def test_a_literal_is_shown_where_it_stands(tmp_path: Path) -> None:
    text = PYTHON.replace('by=["region"]', 'by=["region", "a b"]').replace(
        '"p50": "20ms"', '"p50": "20"'
    )
    project(tmp_path, shop__py=text.replace('ingress="shop"', "ingress=7"))
    assert messages(tmp_path) == [
        "slos/shop.py:25:31: shop/availability.by[1]: expected a label name (letters, digits and underscores, no digit first), got `a b`",
        "slos/shop.py:26:34: shop/availability.measured.p50: expected a number, or a time such as 500ms, got `20`",
        "slos/shop.py:47:63: shop/ingress.sli.with.ingress: expected text, got 7; quote it",
    ]


def test_an_endless_spec_is_stopped_and_the_next_one_is_read(tmp_path: Path) -> None:
    endless = (
        ONE
        + "import subprocess\n\ndef services():\n    subprocess.Popen(['sleep', '97.5'])\n    while True:\n        pass\n"
    )
    wrong = ONE + "def services():\n    yield service('b', tier=9)\n"
    project(tmp_path, a__py=endless, b__py=wrong)
    before = time.monotonic()
    assert messages(tmp_path) == [
        "slos/a.py: is not done after 5 seconds of processor time; make it end",
        "slos/b.py:4:12: b.tier: expected at most 5, got 9",
    ]
    assert time.monotonic() - before < 30
    left = subprocess.run(["pgrep", "-f", "sleep 97.5"], capture_output=True, check=False)
    assert left.stdout == b"", "what it started is ended, too"


CLOCKS = {
    "it waits while others have the processor": ("sleep(0.6)", 5, 0),
    "it waits for ever": ("sleep(60)", 1, -signal.SIGALRM),
    "it works for ever": ("sum(range(10**12))", 20, -signal.SIGPROF),
}


@pytest.mark.parametrize("what", CLOCKS)
def test_time_is_that_of_the_processor_and_a_long_one_by_the_clock(
    tmp_path: Path, what: str
) -> None:
    does, clock, code = CLOCKS[what]
    text = f"from time import sleep\n{ONE}def services():\n    {does}\n    yield service('x')\n"
    (file := tmp_path / "slos" / "x.py").parent.mkdir()
    file.write_text(text)
    bounds = f"worker.SECONDS = 0.3; worker.CLOCK = {clock}"
    run = f"worker.main({str(tmp_path)!r}, [{str(file)!r}])"
    command = f"from sloforge.authoring import worker; {bounds}; {run}"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    assert (b'"documents": [[' in done.stdout) == (code == 0)


def test_a_spec_that_waits_for_ever_is_told_so() -> None:
    (wrong,) = [python._stopped(-signal.SIGALRM).wrong]
    assert wrong is not None
    assert (wrong.what, wrong.remedy) == ("is not done after 30 seconds", "make it end")


# How it runs


def test_what_a_spec_prints_is_no_part_of_the_result(tmp_path: Path) -> None:
    noisy = (
        ONE
        + "import os\nprint('from python')\nos.system('echo from a shell')\n\ndef services():\n    yield service('a')\n"
    )
    project(tmp_path, a__py=noisy)
    command = [
        sys.executable,
        "-m",
        "sloforge.cli",
        "-C",
        str(tmp_path),
        "list",
        "--format",
        "json",
    ]
    code = "import sys; from sloforge.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:]], capture_output=True, text=True, check=True
    )
    assert [one["service"] for one in json.loads(done.stdout)] == ["a"]
    assert sorted(done.stderr.split("\n")[:2]) == ["from a shell", "from python"]


def test_helpers_are_imported_and_one_file_does_not_see_what_another_did(tmp_path: Path) -> None:
    text = ONE + "import _count\n\ndef services():\n    yield service(NAME + str(_count.more()))\n"
    project(tmp_path, a__py=text.replace("NAME", "'a'"), b__py=text.replace("NAME", "'b'"))
    (tmp_path / "slos" / "team").mkdir()
    (tmp_path / "slos" / "team" / "c.py").write_text(text.replace("NAME", "'c'"))
    (tmp_path / "slos" / "_count.py").write_text(
        "n = 0\n\ndef more():\n    global n\n    n += 1\n    return n\n"
    )
    assert [s.name for s in formats.load(tmp_path).services] == ["a1", "b1", "c1"]
    assert not list((tmp_path / "slos").rglob("__pycache__"))


def test_sets_have_one_order(tmp_path: Path) -> None:
    text = (
        ONE
        + "def services():\n    yield service('a', description=' '.join({f'w{n}' for n in range(50)}))\n"
    )
    project(tmp_path, a__py=text)
    first, second = (formats.load(tmp_path).services[0].description for _ in range(2))
    assert first == second


def test_a_build_remembers_what_a_helper_came_to(tmp_path: Path) -> None:
    text = ONE.replace("objective=99", "objective='tbd'") + "from _goal import TIER\n\n"
    project(tmp_path, a__py=text + "def services():\n    yield service('a', tier=TIER)\n")
    (tmp_path / "alertmanager").mkdir()
    (tmp_path / "alertmanager" / "base.yml").write_text(BASE)
    helper = tmp_path / "slos" / "_goal.py"
    for tier, changed in (("1", True), ("1", False), ("2", True)):
        helper.write_text(f"TIER = {tier}\n")
        built = pipeline.build(tmp_path)
        assert ("recording/a.yml" in {c.path for c in built.changes}) == changed
        pipeline.apply(tmp_path, built)
        assert f"tier: '{tier}'" in (tmp_path / "recording" / "a.yml").read_text()


BASE = """\
route: {receiver: fallback}
receivers: [{name: fallback}, {name: watchdog}, {name: web-page}, {name: web-ticket}, {name: data-page}, {name: data-ticket}]
"""


def test_numbers_are_taken_by_their_digits(tmp_path: Path) -> None:
    project(tmp_path, shop__py=PYTHON)
    slo = formats.load(tmp_path).slos[0]
    assert (slo.objective, slo.window) == (Decimal("0.999"), timedelta(days=28))
    assert slo.alerting.burns[0].factor(slo.window) == Decimal("14.4")


# The page

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text()


def test_the_examples_of_the_page_build_and_are_well_typed(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    project(tmp_path, **{f"x{at}__py": text for at, text in enumerate(examples)})
    names = ["broker", "shop-north", "shop-south"]
    assert [s.name for s in formats.load(tmp_path).services] == names
    typed = [
        text.replace("def services():", "def services() -> Iterator[Service]:") for text in examples
    ]
    for at, text in enumerate(typed):
        (tmp_path / f"t{at}.py").write_text("from collections.abc import Iterator\n" + text)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--follow-imports=silent",
    ]
    files = [str(tmp_path / f"t{at}.py") for at in range(len(typed))]
    source = str(Path(sloforge.__file__).parents[1])
    done = subprocess.run(
        [*command, *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": source},
    )
    assert done.returncode == 0, done.stdout


def test_the_page_names_every_name() -> None:
    table = PAGE.split("## The names")[1].split("```python")[0]
    assert set(authoring.__all__) <= set(re.findall(r"`(\w+)`", table))
    time_ = f"{worker.SECONDS} seconds of processor time, {worker.CLOCK} by the clock"
    assert f"{time_}, and {worker.MEGABYTES:,} MB" in PAGE
