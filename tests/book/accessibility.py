"""What axe-core finds on a page, with all that a reader may open being open."""

import axe
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPEN = """() => {
  document.querySelectorAll(".toggle-button-hidden").forEach((button) => button.click());
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
}"""

# Nothing moves or fades any more.
AT_REST = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const moving = document.getAnimations().filter(
    (animation) => Number.isFinite(animation.effect.getComputedTiming().endTime));
  Promise.allSettled(moving.map((animation) => animation.finished)).then(done);
})))"""

# Nine tenths of axe's time go into the contrast of texts, and most texts look like others. The
# first stands for all that look like it, as do the elements around them; other rules see them all.
# Apart from the look it matters to axe whether a text is a single sign, or is switched off. And a
# box with a place of its own may lie over any text: one that touches it stands for itself alone.
MARK_ALIKE = """() => {
  const names = ["color", "fill", "background", "opacity", "filter", "font", "text-shadow",
                 "display", "position", "visibility", "transform", "mix-blend-mode", "float"];
  const boxes = [], looks = new Map(), numbers = new Map(), seen = new Set();
  const look = (element) => {
    const style = getComputedStyle(element);
    const clear = style.backgroundColor.endsWith(", 0)") && style.backgroundImage === "none";
    if (style.position !== "static" && !clear)
      boxes.push([element, element.getBoundingClientRect()]);
    const around = looks.get(element.parentElement) ?? "";
    const key = [around, ...names.map((name) => style.getPropertyValue(name))].join("|");
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    looks.set(element, numbers.get(key));
  };
  const touched = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return left === right || top === bottom || boxes.some(([box, place]) =>
      place.left < right && left < place.right && place.top < bottom && top < place.bottom
      && !box.contains(element));
  };
  document.querySelectorAll("body *").forEach(look);
  for (const element of document.querySelectorAll("body *")) {
    element.removeAttribute("data-alike");
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const length = texts.map((node) => node.data).join("").trim().length;
    if (!length || !element.checkVisibility() || touched(element)) continue;
    const off = element.closest(":disabled, [aria-disabled=true]")
      || element.closest("label")?.control?.disabled;
    const key = [looks.get(element), length > 1, !!off].join();
    element.toggleAttribute("data-alike", seen.has(key));
    seen.add(key);
  }
}"""
# What `region` finds is never more than moderate.
CONFIGURE = """;axe.configure({
  rules: [{ id: "color-contrast", selector: "*:not([data-alike])" },
          { id: "region", enabled: false }],
});"""
OPTIONS = {"resultTypes": ["violations"]}  # to list all that is in order takes half as long again


def faults(page: Page) -> list[str]:
    """What is serious or critical: the rule, and the element."""
    page.evaluate(OPEN)
    page.evaluate(AT_REST)
    page.evaluate(MARK_ALIKE)
    newest = axe.find()  # the tests' report says so where it is missing
    script = newest.read_text("utf-8") if newest else AXE_SCRIPT
    violations = Axe(script + CONFIGURE).run(page, options=OPTIONS).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
