"""The controls of figures as a browser sees them, whatever browser it is; a page with all kinds."""

from pathlib import Path

from livefigures.frames import Explorer
from livefigures.page import html
from matplotlib.figure import Figure

import livefigures

KINDS = {
    "numbers": [0.5, 1, 2, 4],
    "a few names": ["one", "two", "three"],
    "many names": [*"abcdefgh"],
    "yes and no": [False, True],
}

# What a key may move, one of each group of radio buttons; and what is seen of a figure.
PREPARE = """(() => {
  window.figures = [...document.querySelectorAll("figure.explorer")];
  window.controls = figures.map((figure) => {
    const groups = new Set();
    return [...figure.querySelectorAll("input, select")].filter((control) => {
      if (control.disabled || !control.checkVisibility()) return false;
      if (control.type !== "radio") return true;
      const fresh = !groups.has(control.name);
      groups.add(control.name);
      return fresh;
    });
  });
  window.group = (control) => control.type !== "radio" ? [control]
    : [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(control.name)}"]`)];
  window.active = (control) => group(control).find((one) => one.checked) ?? control;
  window.place = (control) => control.type === "radio" ? group(control).indexOf(active(control))
    : control.type === "checkbox" ? Number(control.checked)
    : control.selectedIndex ?? Number(control.value);
  const looks = new Map(); // two with the same number are the same
  window.look = (figure) => {
    const look = [...figure.querySelectorAll("svg[role=img]")]
      .map((svg) => [svg.innerHTML, svg.getAttribute("aria-label")]).flat().join();
    if (!looks.has(look)) looks.set(look, looks.size);
    return looks.get(look);
  };
  return controls.map((some) => some.map((control) => [
    control.type, control.type === "radio" ? group(control).length
      : control.type === "checkbox" ? 2
      : control.options?.length ?? Number(control.max) + 1]));
})()"""


DEAF = """<script>for (const kind of ["input", "change"])
  addEventListener(kind, (event) => event.stopImmediatePropagation(), true);</script>"""


def page_of_all_kinds(folder: Path, before: str = "") -> str:
    """Write a page with a figure for each kind of values; its address."""
    static = Path(livefigures.__file__).parent / "static"
    sheet, script = ((static / f"livefigures.{kind}").as_uri() for kind in ("css", "js"))
    figures = (html(Explorer(draw, {"value": values})) for values in KINDS.values())
    path = folder / "page.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>Figures</title>{before}"
        f"<link rel=stylesheet href={sheet}><script src={script}></script>{''.join(figures)}",
        "utf-8",
    )
    return path.as_uri()


def draw(value: object) -> tuple[Figure, str]:
    """A figure that tells its value."""
    figure = Figure(figsize=(3, 2))
    figure.text(0.5, 0.5, str(value))
    return figure, f"The value is {value}."
