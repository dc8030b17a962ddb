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

# Nine tenths of axe's time go into the contrast of texts, and most texts are the words of code and
# the signs of formulas. Within one block of code, or one formula, the first stands for those that
# look like it, as do all elements around them; every other rule sees them all.
MARK_ALIKE = """() => {
  const names = ["color", "background", "opacity", "filter", "font", "text-shadow", "display",
                 "position", "visibility", "transform", "mix-blend-mode", "float"];
  const looks = new Map();
  const look = (element) => {
    if (!looks.has(element)) {
      const style = getComputedStyle(element);
      looks.set(element, names.map((name) => style.getPropertyValue(name)).join("|"));
    }
    return looks.get(element);
  };
  for (const block of document.querySelectorAll("pre, math")) {
    const seen = new Set();
    for (const leaf of block.querySelectorAll("*")) {
      if (leaf.childElementCount) continue;
      const chain = [];
      for (let e = leaf; e !== block; e = e.parentElement) chain.push(look(e));
      const key = chain.join(">");
      leaf.toggleAttribute("data-alike", seen.has(key));
      seen.add(key);
    }
  }
}"""
CONFIGURE = """;axe.configure({
  rules: [{ id: "color-contrast", selector: "*:not([data-alike])" }],
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
