"""Take the pictures of these pages: `make screenshots`. Needs Chromium and ChromeDriver.

A demo of its own is set up in a temporary folder, and a browser visits it as an administrator and as a learner would.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PROGRAM = "aaaaaaaa-0000-4000-8000-000000000001"
WIDE, PHONE = 1100, 320
TALLEST = 1_100
START_SECONDS = 120


class Picture(NamedTuple):
    """A picture: its name, who looks at which path (or at a link there), how wide, and whether in the dark."""

    name: str
    person: str
    path: str
    link: str = ""
    width: int = WIDE
    dark: bool = False


PASSWORDS = {"avery": "administrator", "alex": "learner", "admin": "admin"}
PICTURES = [
    Picture("console", "avery", "/console/"),
    Picture("console-dark", "avery", "/console/", dark=True),
    Picture("console-phone", "avery", "/console/", width=PHONE),
    Picture("file-held", "avery", "/console/", link="held"),
    Picture("webhooks", "avery", "/console/schools/uni-a/webhooks/"),
    Picture("dashboard", "alex", "/programs/all/"),
    Picture("dashboard-program", "alex", f"/programs/{PROGRAM}/"),
    Picture("dashboard-embedded", "alex", "/dashboard/"),
    Picture("sign-on", "", "/sso/schools/uni-a/"),
    Picture("support-learner", "admin", "/admin/university_enrollments/learner/?q=A-1004", link="A-1004"),
]


@contextmanager
def serve_demo() -> Iterator[str]:
    """Serve a fresh demo on a free port, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "DEMO_DATABASE": f"{folder}/demo.sqlite3", "DEMO_OUTBOX": f"{folder}/outbox"}
        command = [sys.executable, "demo_lms/manage.py", "demo", "--port", str(port)]
        demo = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url)
            yield url
        finally:
            demo.terminate()
            demo.wait()


def wait_for(url: str) -> None:
    """Wait until the site answers, and until its worker has carried on the file that waits there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def make_browser(folder: str) -> Chrome:
    """Return Chromium without a window, with an empty profile in `folder`."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={folder}")
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    driver.implicitly_wait(10)
    return driver


def sign_in(browser: Chrome, url: str, person: str) -> None:
    """Sign a person of the demo in; with no name, sign out."""
    browser.delete_all_cookies()
    if not person:
        return
    browser.get(f"{url}/accounts/sign-in/")
    browser.find_element(By.NAME, "username").send_keys(person)
    password = browser.find_element(By.NAME, "password")
    password.send_keys(PASSWORDS[person])
    password.submit()
    browser.find_element(By.XPATH, f"//*[contains(., '{person}')]")


def take(browser: Chrome, url: str, picture: Picture) -> None:
    """Open the page and write its picture, at most `TALLEST` pixels high."""
    scheme = "dark" if picture.dark else "light"
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    metrics = {"width": picture.width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(url + picture.path)
    if picture.link:
        browser.find_element(By.PARTIAL_LINK_TEXT, picture.link).click()
    height = browser.execute_script("return document.documentElement.scrollHeight")  # type: ignore[no-untyped-call]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "height": min(height, TALLEST)})
    browser.save_screenshot(str(IMAGES / f"{picture.name}.png"))


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with serve_demo() as url, tempfile.TemporaryDirectory() as folder:
        browser = make_browser(folder)
        try:
            signed_in = ""
            for picture in PICTURES:
                if picture.person != signed_in:
                    sign_in(browser, url, picture.person)
                    signed_in = picture.person
                take(browser, url, picture)
                print(f"docs/images/{picture.name}.png")
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
