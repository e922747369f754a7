"""The law of imports: one direction, no cycles, no large file, one door to each foreign library."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "generators"
MODULES = sorted((SOURCE / "sloforge").rglob("*.py"))
MAX_LINES = 400
# One file that is copied into containers and runs without anything beside it.
SINGLE_FILE = SOURCE / "probe" / "slo_probe.py"

# A room may import those above it; modules of one line may import one another where it says so.
ROOMS: tuple[tuple[frozenset[str], bool], ...] = (
    (frozenset({"__init__", "errors", "libyaml"}), False),
    (
        frozenset(
            {
                "model",
                "planes",
                "planestates",
                "windows",
                "promql",
                "naming",
                "artifacts",
                "sli",
                "alerts",
            }
        ),
        True,
    ),
    (frozenset({"located"}), False),
    (frozenset({"authoring", "plugins"}), False),
    (frozenset({"specs", "generate", "output", "web", "amtool"}), False),
    (frozenset({"plugged"}), False),
    (
        frozenset({"checks", "deploy", "formats", "health", "pipeline", "preview", "starting"}),
        False,
    ),
    (frozenset({"demo"}), False),
    (frozenset({"report", "listing", "catalogue", "extending"}), True),
    (frozenset({"cli", "wings", "__main__"}), True),
)
FOREIGN = {
    "grafanalib": {"generate/panels.py"},
    "rjsonnet": {"specs/engine.py"},
    # One wrapper for each program: amtool, the processes that jsonnet and Python are shut into, and
    # the demo's servers, which run on beside it.
    "subprocess": {"amtool.py", "specs/jsonnet.py", "specs/python.py", "demo/processes.py"},
    "httpx": {"web.py"},
    "plotly": {"preview/plotly.py"},
}
IMPURE = {"os", "time", "random", "subprocess", "urllib", "socket", "http", "datetime.datetime"}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at the top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE / "sloforge").as_posix()


def room_of(module: str) -> str:
    return module.removesuffix(".py").split("/")[0].split(".")[0]


def level_of(room: str) -> int:
    return next(at for at, (rooms, _) in enumerate(ROOMS) if room in rooms)


def rooms_read(path: Path) -> set[str]:
    ours = {name for name in imported(path) if name.startswith("sloforge.")}
    # The front names what it lends to specs in Python, for type checkers; it imports it when asked.
    lent = {"authoring"} if path == SOURCE / "sloforge" / "__init__.py" else set()
    return {name.split(".")[1] for name in ours} - {"__version__"} - lent


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_rooms_above_its_own(path):
    room = room_of(name_of(path))
    level = level_of(room)
    _, together = ROOMS[level]
    for other in rooms_read(path) - {room}:
        assert level_of(other) < level or (together and level_of(other) == level), (
            f"{name_of(path)} imports {other}"
        )


def test_no_room_is_part_of_a_cycle():
    edges: dict[str, set[str]] = {}
    for path in MODULES:
        name = "sloforge." + name_of(path).removesuffix(".py").replace("/", ".")
        name = name.removesuffix(".__init__")
        edges[name] = {other for other in imported(path) if other.startswith("sloforge")}
    known = set(edges)
    seen: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if seen.get(module) == 2:
            return
        assert seen.get(module) != 1, f"cycle: {' -> '.join((*trail, module))}"
        seen[module] = 1
        for other in sorted(edges[module] & known - {module}):
            # A package's own front gathers its modules; they do not import it back.
            if not module.startswith(f"{other}."):
                visit(other, (*trail, module))
        seen[module] = 2

    for module in sorted(known):
        visit(module, ())


@pytest.mark.parametrize("path", sorted({*SOURCE.rglob("*.py")} - {SINGLE_FILE}), ids=str)
def test_no_module_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_foreign_library_has_one_importer(path):
    tops = {name.split(".")[0] for name in imported(path)}
    for library, doors in FOREIGN.items():
        assert library not in tops or name_of(path) in doors, f"{name_of(path)} imports {library}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if name_of(p).startswith(("generate/", "sli/"))], ids=name_of
)
def test_generators_know_no_clock_no_disk_and_no_network(path):
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & IMPURE


@pytest.mark.parametrize("path", sorted((SOURCE / "promtool").rglob("*.py")), ids=lambda p: p.name)
def test_the_promtool_wrapper_knows_nothing_of_sloforge(path):
    assert not any(name.startswith("sloforge") for name in imported(path))


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=str)
def test_a_module_says_its_subject_in_one_sentence(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?")), docstring.splitlines()[0]
