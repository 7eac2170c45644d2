"""Looking at pages as everybody has to use them: axe-core and sideways scrolling, in every mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.keys import Keys

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const [rules, done] = arguments;
document.getAnimations().forEach((one) => one.finish());
axe.run(document, {resultTypes: ["violations"], ...(rules && {runOnly: rules})}).then((found) => done(found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", "))));
"""
FOCUSED = """
const all = [...document.querySelectorAll("a[href], button, input, select, textarea")].filter(
  (one) => one.type !== "hidden" && !one.disabled && one.offsetParent !== null);
return all.filter((one) => one.tabIndex > 0).length;
"""
SIDEWAYS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """
const kinds = "a[href], button, input:not([type=hidden]), select, summary, textarea";
const shown = [...document.querySelectorAll(`.pe :is(${kinds})`)]
  .filter((one) => one.checkVisibility({visibilityProperty: true}));
const targets = shown.map((one) => {
  const box = (one.matches("[type=checkbox], [type=radio]") && one.closest("label") || one).getBoundingClientRect();
  const small = Math.min(box.width, box.height) < 24;
  return {one, box, small, x: box.left + box.width / 2, y: box.top + box.height / 2};
});
const inText = (one) => getComputedStyle(one).display === "inline"
  && [...one.parentElement.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
const far = (target, other) => other.small
  ? Math.hypot(target.x - other.x, target.y - other.y) >= 24
  : Math.hypot(Math.max(other.box.left - target.x, 0, target.x - other.box.right),
      Math.max(other.box.top - target.y, 0, target.y - other.box.bottom)) >= 12;
return targets.filter((target) => target.small && !inText(target.one)
  && !targets.every((other) => other === target || far(target, other)))
  .map(({one, box}) => `${one.tagName} ${one.textContent.trim() || one.name} ${box.width}x${box.height}`);
"""
"""Targets under 24 by 24 CSS pixels that others are too near to, and that stand in no sentence (WCAG 2.2, 2.5.8)."""
OUT_OF_SIGHT = """
const one = document.activeElement, box = one.getBoundingClientRect();
const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
const seen = hit && (hit === one || one.contains(hit) || [...(one.labels || [])].some((label) => label.contains(hit)));
const marked = getComputedStyle(one).outlineStyle !== "none";
return one === document.body ? null : seen && marked ? "" : `${one.tagName} ${one.textContent.trim() || one.name}`;
"""
"""The element with the focus, if it is covered, off the screen or unmarked; "" if it is seen, null behind the last."""
WIDE, PHONE = 1280, 320


@dataclass(frozen=True)
class Mode:
    """A window and what it shows the page on."""

    width: int
    scheme: str = "light"
    media: str = "screen"

    @property
    def changes_layout(self) -> bool:
        """Whether anything but colors differs from the mode before."""
        return self.scheme == "light"

    def __str__(self) -> str:
        return f"{self.width} px, {self.scheme}, {self.media}"


WIDE_SCREEN, PHONE_SCREEN = Mode(WIDE), Mode(PHONE)
MODES = (WIDE_SCREEN, Mode(WIDE, "dark"), Mode(WIDE, "light", "print"), PHONE_SCREEN, Mode(PHONE, "dark"))
"""Every mode; a page is loaded anew for each width only, since the rest reaches it while it is shown."""


def each_mode(browser: Chrome, load: Callable[[], object], modes: Iterable[Mode] = MODES) -> Iterator[Mode]:
    """Show a page in one mode after the other. `load` opens it."""
    width = 0
    for mode in modes:
        show(browser, width=mode.width, scheme=mode.scheme, media=mode.media)
        if mode.width != width:
            load()
            width = mode.width
        yield mode
    show(browser, width=WIDE, scheme="light")


def show(browser: Chrome, *, width: int, scheme: str, media: str = "screen") -> None:
    """Show pages from now on as in such a window."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    # Colors that are still on their way from one mode to the next would be measured.
    features.append({"name": "prefers-reduced-motion", "value": "reduce"})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def find_barriers(browser: Chrome, *, where: str, mode: Mode = WIDE_SCREEN) -> dict[str, Any]:
    """Return what keeps people from using the page at hand, by kind; empty if nothing does.

    Where only colors differ from the mode before, only they are looked at.
    """
    if not browser.execute_script("return Boolean(window.axe)"):
        browser.execute_script(AXE)
    found: dict[str, Any] = {}
    if violations := browser.execute_async_script(RUN_AXE, None if mode.changes_layout else ["color-contrast"]):
        found[f"{where}, {mode}"] = violations
    if not mode.changes_layout:
        return found
    if (sideways := browser.execute_script(SIDEWAYS)) > 0:
        found[f"{where}, {mode}, sideways"] = sideways
    if mode.media == "screen" and (small := browser.execute_script(SMALL_TARGETS)):
        found[f"{where}, {mode}, targets"] = small
    if browser.execute_script(FOCUSED):
        found[f"{where}, {mode}, tab order"] = "changed by tabindex"
    return found


def find_lost_focus(browser: Chrome, *, stops: int) -> list[str]:
    """Return what the tab key leads to without its being seen, among the first `stops` of a page."""
    lost: list[str] = []
    for _ in range(stops):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        seen = browser.execute_script(OUT_OF_SIGHT)
        if seen is None:
            break
        if seen:
            lost.append(str(seen))
    return lost
