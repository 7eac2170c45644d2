"""A real browser; with ``SCREENSHOTS=1`` in the environment, what it shows is kept in `build/screenshots/`."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.flows.conftest import course_run, school, universities

__all__ = ["course_run", "school", "universities"]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
WIDTH, HEIGHT = 1100, 850


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """Chromium without a window, with an empty profile."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.add_argument("--headless=new")
    # Containers run as root, and have a small shared memory.
    options.add_argument("--no-sandbox")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--window-size={WIDTH},{HEIGHT}")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    driver.implicitly_wait(30)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def screenshot(browser: Chrome) -> Callable[[str], None]:
    """Keep what the browser shows, under a name, for people to look at."""
    return partial(keep_screenshot, browser)


def keep_screenshot(browser: Chrome, name: str) -> None:
    """Keep a picture of the whole page, if somebody wants pictures: they take time."""
    if os.environ.get("SCREENSHOTS") != "1":
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width, height = browser.execute_script("return [innerWidth, document.documentElement.scrollHeight]")
    whole = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": whole})
    (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
