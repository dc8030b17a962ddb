"""Colours by name, each with a light and a dark page's value: in a page, a CSS variable.

A figure is drawn with the light values.  On the way to the page each of them becomes
`var(--lf-<name>,<light value>)`, and the figure brings a `<style>` with all values.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Colour(NamedTuple):
    """`#rrggbb` on light and dark pages, and a system colour for forced colours, or none."""

    light: str
    dark: str
    forced: str = ""


# What matplotlib draws by itself, wherever a book names no other colours for it.
DEFAULT = {
    "ink": Colour("#000000", "#ced6dd", "CanvasText"),  # text and axes
    "paper": Colour("#ffffff", "#14181e", "Canvas"),
    "grid": Colour("#b0b0b0", "#4b535d", "GrayText"),
}
SYSTEM_COLOURS = {"", "Canvas", "CanvasText", "GrayText", "Highlight", "LinkText", "Mark"}
_current: dict[str, Colour] = dict(DEFAULT)
# So say that they are dark: themes of Sphinx, JupyterLab and nbconvert, VS Code, Colab.
_MARKS = "[data-theme=dark]", "[data-jp-theme-light=false]", ".vscode-dark", "[theme=dark]"


def use_palette(colours: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Use these colours from now on: by name, (light, dark) or (light, dark, forced).

    They stand beside the default `ink`, `paper` and `grid`, or replace them.  Call it once, before
    the first figure of a notebook: figures of one page share their variables.

    Args:
        colours: such as `{"warn": ("#b91c1c", "#ff8078", "CanvasText")}`.  A name has lower-case
            letters, digits and hyphens; the first two are `#rrggbb`, and the third is a system
            colour of CSS, for readers whose computer forces its own colours.

    Returns:
        The light values by name, to draw with.

    Raises:
        ValueError: a name or a colour that cannot be used, or two names with one light value.
    """
    if not isinstance(colours, Mapping):
        raise ValueError(f"a palette must be a dict of colours by name; got {colours!r}")
    palette = DEFAULT | {name: _colour(name, given) for name, given in colours.items()}
    names: dict[str, str] = {}
    for name, colour in palette.items():
        if other := names.get(colour.light):
            raise ValueError(f"colours must differ; got {colour.light} for {other} and for {name}")
        names[colour.light] = name
    _current.clear()
    _current.update(palette)
    return {name: colour.light for name, colour in palette.items()}


def palette() -> dict[str, Colour]:
    """The colours in use, by name."""
    return dict(_current)


def of_page(name: str) -> set[str]:
    """The light values of `ink` or `paper`: the palette's and matplotlib's own."""
    return {DEFAULT[name].light, _current[name].light}


def variables() -> dict[str, str]:
    """What a page writes for each light value, for black and white, and for greys of dark text."""
    by_name = {n: f"var(--lf-{n},{c.light})" for n, c in _current.items()}
    ink, paper, mixed = by_name["ink"], by_name["paper"], "color-mix(in srgb,{},{} {:.0f}%)"
    greys = {f"#{3 * f'{g:02x}'}": mixed.format(ink, paper, g / 2.55) for g in range(1, 0x77)}
    own = {DEFAULT[name].light: by_name[name] for name in ("ink", "paper")}
    return greys | own | {colour.light: by_name[name] for name, colour in _current.items()}


def page_style() -> str:
    """The `<style>` that a figure brings into a page: light, dark, and forced colours."""
    light, dark = ({n: c[k] for n, c in _current.items()} for k in range(2))
    marks = ",".join(f"{mark} .explorer" for mark in _MARKS)
    auto = "@media screen and (prefers-color-scheme:dark){[data-theme=auto] .explorer"  # Furo
    rules = f".explorer{_block(light)}@media screen{{{marks}{_block(dark)}}}{auto}{_block(dark)}}}"
    for scheme, values in (("light", light), ("dark", dark)):  # the reader's computer, not the page
        forced = _block({n: _current[n].forced or value for n, value in values.items()})
        media = f"@media(forced-colors:active)and (prefers-color-scheme:{scheme})"
        rules += f"{media}{{:root .explorer{forced}}}"
    return f"<style>{rules}</style>"


def kernel_style() -> str:
    """CSS for what stands beside its `<style>`: a window may show notebooks with two palettes."""
    ink, paper = "var(--jp-ui-font-color1,currentcolor)", "var(--jp-layout-color0,#0000)"
    light = {n: c.light for n, c in _current.items()} | {"ink": ink, "paper": paper}
    dark = {n: c.dark for n, c in _current.items() if n not in ("ink", "paper")}
    marks = ",".join(f"{mark} :scope .explorer" for mark in _MARKS)
    return f"@scope{{.explorer{_block(light)}{marks}{_block(dark)}}}"


def _block(values: Mapping[str, str]) -> str:
    return f"{{{';'.join(f'--lf-{name}:{value}' for name, value in values.items())}}}"


def _colour(name: str, given: Sequence[str]) -> Colour:
    if not re.fullmatch("[a-z][a-z0-9-]*", str(name)):
        raise ValueError(f"a name must have lower-case letters, digits and hyphens; got {name!r}")
    parts = [*given] if isinstance(given, Sequence) else []
    codes = [part for part in parts[:2] if re.fullmatch("#[0-9a-fA-F]{6}", str(part))]
    if len(codes) < 2 or len(parts) > 3 or not SYSTEM_COLOURS.issuperset(parts[2:]):
        raise ValueError(
            f'{name} must be (light, dark) or (light, dark, forced), such as ("#1f5fbf", "#6cb0ff",'
            f' "LinkText"), forced one of {", ".join(sorted(SYSTEM_COLOURS)[1:])}; got {given!r}'
        )
    return Colour(codes[0].lower(), codes[1].lower(), *parts[2:])
