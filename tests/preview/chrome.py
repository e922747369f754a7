"""A real headless Chromium that opens the preview, and everything that it complains of."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from sloforge.preview import chromium

PATIENCE = 60
CHROMIUM = next(filter(None, map(shutil.which, chromium.NAMES)), None)
DRIVER = shutil.which("chromedriver")


@dataclass
class Page:
    """One window; `complaints` gathers what the console said."""

    driver: webdriver.Chrome
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """The page, once all of its panels are drawn."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get(url)
        self.drawn()

    def drawn(self) -> None:
        self.until(
            "return document.documentElement.dataset.drawn === 'yes' && !document.querySelector('.row:not(.folded) .loading')"
        )
        self.heard()

    def until(self, script: str) -> Any:
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(script), script
        )

    def heard(self) -> None:
        self.complaints += [line["message"] for line in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address that was asked since the page was opened."""
        messages = (
            json.loads(line["message"])["message"] for line in self.driver.get_log("performance")
        )
        return [
            one["params"]["request"]["url"]
            for one in messages
            if one["method"] == "Network.requestWillBeSent"
        ]

    def all(self, css: str) -> list[WebElement]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def one(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        """Of elements whether they are in sight or not."""
        found: list[str] = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", css
        )
        return found

    def panel(self, title: str) -> WebElement:
        found = [one for one in self.all(".panel") if one.get_attribute("aria-label") == title]
        assert len(found) == 1, f"{len(found)} panels `{title}`"
        return found[0]

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)


@contextlib.contextmanager
def window(*more: str) -> Iterator[Page]:
    assert CHROMIUM
    assert DRIVER
    options = Options()
    options.binary_location = CHROMIUM
    wanted = [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1600,1000",
        *more,
    ]
    if os.geteuid() == 0:
        # Chromium refuses to start as root with its sandbox.
        wanted.append("--no-sandbox")
    for one in wanted:
        options.add_argument(one)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Page(driver)
    finally:
        driver.quit()
