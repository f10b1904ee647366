"""A real headless browser for the page's tests; they skip where there is none, save under SELFPLAY_BROWSER=required."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)

HANG = 300
"""Seconds after which nothing more is awaited: a page that takes so long, on however busy a machine, hangs."""


class Page:
    """A report in the browser.

    Args:
        driver: selenium's.
    """

    def __init__(self, driver) -> None:
        self.driver = driver

    def size(self, width: int, height: int) -> None:
        """The viewport in CSS pixels, also below the least width of a window."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def scheme(self, name: str) -> None:
        """``light`` or ``dark``; without motion, so that nothing moves away from a click."""
        features = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        self.command(
            "Emulation.setEmulatedMedia", features=[{"name": one, "value": value} for one, value in features.items()]
        )

    def command(self, name: str, **values) -> dict:
        return self.driver.execute_cdp_cmd(name, values)

    def open(self, path: Path) -> None:
        """Load the page and wait until its first episode is shown."""
        self.driver.get(path.resolve().as_uri())
        self.until("document.documentElement.dataset.ready === 'true'")

    def ask(self, expression: str):
        """The value of a JavaScript expression."""
        return self.driver.execute_script(f"return ({expression})")

    def until(self, expression: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, HANG, poll_frequency=0.02).until(lambda _: self.ask(expression))

    def filter(self, **values: str) -> str:
        """Set filters by the ends of their ids, e.g. ``role="solver"``; what the status line says of the result."""
        before = self.ask("document.getElementById('filters').dataset.round")
        for name, value in values.items():
            field = json.dumps(name if name == "order" else f"filter-{name.replace('_', '-')}")
            self.driver.execute_script(
                f"const field = document.getElementById({field}); field.value = arguments[0];"
                "field.dispatchEvent(new Event('input', {bubbles: true}));",
                value,
            )
        self.until(f"document.getElementById('filters').dataset.round !== {json.dumps(before)}")
        return self.text("#status")

    def text(self, selector: str) -> str:
        return self.ask(f"document.querySelector({json.dumps(selector)}).textContent")

    def texts(self, selector: str) -> list[str]:
        return self.ask(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent)")

    def errors(self) -> list[str]:
        """What the console said since the last call, warnings included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


def find_browser() -> tuple[str, str] | None:
    """Paths of a Chrome and of its driver."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def no_browser(reason: str) -> None:
    """Skip, or fail where the environment says that there must be a browser."""
    if os.environ.get("SELFPLAY_BROWSER") == "required":
        pytest.fail(f"SELFPLAY_BROWSER=required, but {reason}")
    pytest.skip(reason)


def start(flags: Sequence[str]):
    """A driver of a fresh browser."""
    from selenium import webdriver

    found = find_browser()
    assert found is not None
    options = webdriver.ChromeOptions()
    options.binary_location = found[0]
    for flag in flags:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(found[1]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Page]:
    if find_browser() is None:
        no_browser("no chromium or google-chrome with chromedriver on PATH; on Debian: apt install chromium-driver")
    driver = start([*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"])
    try:
        yield Page(driver)
    finally:
        driver.quit()
