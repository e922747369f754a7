"""One Prometheus, one preview of it and one browser for all tests of the preview."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.live.prometheus import Prometheus
from tests.preview import chrome, world

from sloforge.preview.serving import Serving, serve

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shown:
    """The preview of our dashboards and the odd one, and the server that it asks."""

    prometheus: Prometheus
    serving: Serving
    folder: Path

    def board(self, uid: str, more: str = "") -> str:
        return f"{self.serving.board(uid)}?{world.RANGE}{'&' if more else ''}{more}"


@pytest.fixture(scope="session")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preview")
    boards = folder / "dashboards"
    boards.mkdir()
    for file in (ROOT / "dashboards").glob("*.json"):
        (boards / file.name).write_bytes(file.read_bytes())
    (boards / "odd.json").write_text(json.dumps(world.odd()), encoding="utf-8")
    with world.running(folder) as server, serve(boards, server.url) as serving:
        yield Shown(prometheus=server, serving=serving, folder=boards)


@pytest.fixture(scope="session")
def browser():
    with chrome.window() as page:
        yield page


@pytest.fixture
def page(browser):
    """The browser, whose console must stay silent."""
    browser.complaints.clear()
    yield browser
    browser.heard()
    assert browser.complaints == []
