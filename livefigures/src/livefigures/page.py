"""All frames of a figure as HTML, for a page without a kernel; the script in `static` moves it."""

import json
import os
import re
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from tqdm import tqdm

from livefigures.frames import Explorer, heavy, progress
from livefigures.numbers import thinned
from livefigures.palette import page_style
from livefigures.svg import new_slim, table
from livefigures.values import label

_first = iter([True])  # whether a figure is its kernel's first one
HINT = "<noscript> (to change it, allow JavaScript)</noscript>"  # the text speaks of a control


def asset(kind: str) -> str:
    """The script ("js") or the style sheet ("css") without comments and needless space."""
    path = Path(__file__).parent / f"static/livefigures.{kind}"
    text = re.sub(r"/\*[^*]*\*/|(?m:^\s*//.*$| // .*$)", "", path.read_text("utf-8"))
    marks = "{};,>" + "()=<?&|+*!" * (kind == "js")  # quoted text stays as it is
    space = rf"(\"[^\"]*\"|'[^']*'|`[^`]*`)|\s*([{marks}])\s*|(:)\s+|\s+"
    return re.sub(space, lambda m: m[1] or m[2] or m[3] or " ", text).strip()


def html(explorer: Explorer) -> str:
    """Draw every combination; the figure for a page, with all its frames and what controls need.

    Raises:
        ValueError: frames of different sizes, or some without a description where others have one.
    """
    every = [(values, draw) for values in explorer.combinations() for draw in explorer.draws]
    with progress() as file:
        bar = tqdm(every, explorer.name, file=file, delay=1, leave=False)
        frames = [explorer.frame(values, draw, bool(values)) for values, draw in bar]
    slim = new_slim("".join(frame.svg for frame in frames))
    openings, pieces = zip(*(slim(frame.svg) for frame in frames), strict=True)
    calls, count = [explorer.call(*one) for one in every], len(explorer.draws)
    for n, frame in enumerate(frames):
        first = n % count
        if openings[n] != openings[first]:
            raise ValueError(
                f"every frame must have the same size: {calls[n]} has {openings[n][:30]}... points"
                f", {calls[first]} has {openings[first][:30]}..."
            )
        if not frame.is_described and any(one.is_described for one in frames[first::count]):
            raise ValueError(f"{calls[n]} gives no description; others give one")
    words = [frame.text for frame in frames]
    now = explorer.combinations().index(explorer.start) * count
    stills = [*zip(openings, pieces, words, strict=True)][now : now + count]
    if not explorer.parameters:
        return markup(stills, page_style())
    numbers, note = thinned([frame.numbers for frame in frames])
    chunks, rows = table(pieces)
    # A column is a line: its name and its numbers, between tabs.  Equal ones are stored once.
    columns, tables = table([["\n" + "\t".join(column) for column in one] for one in numbers])
    ps = [[p.name, p.title, p.kind, [*map(label, p.values)], p.start] for p in explorer.parameters]
    data: dict[str, Any] = {"name": explorer.name, "link": explorer.link, "parameters": ps}
    data |= {"captions": words, "chunks": chunks, "frames": rows, "start": [now, now + count]}
    data |= {"columns": columns, "tables": tables, "note": note}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("</", "<\\/").replace("<!", "\\u003c!")  # or it could end the script
    room = f'style="--rows:{len(explorer.parameters)}"'  # what the controls will take
    says = f'<p class="explorer-values" {room}>{escape(explorer.says(explorer.start))}{HINT}</p>'
    result = markup(stills, page_style() + says, f'<script type="application/json">{text}</script>')
    if os.environ.get("LIVEFIGURES_BUILD") != "sphinx" and heavy(result):  # there the build warns
        warnings.warn(f"{explorer.name} {heavy(result)}", stacklevel=2)
    return result


def brought() -> str:
    """Style sheet and script, with the first figure of a kernel; pages made by Sphinx have them."""
    if os.environ.get("LIVEFIGURES_BUILD") == "sphinx" or not next(_first, False):
        return ""
    return f"<style>{asset('css')}</style><script>{asset('js')}</script>"


def markup(stills: Sequence[tuple[str, list[str], str]], before: str = "", after: str = "") -> str:
    """The HTML of a figure: what `Slim` gives and a caption for each picture, what stands around.

    The description is the accessible name of the picture.  The caption shows the same words to the
    eye: a screen reader would say them twice, so it is hidden from it, and the figure has a name.
    """
    each = [
        f'<svg {opening} role="img" aria-label="{escape(caption)}">{"".join(pieces)}</svg>'
        f'<figcaption aria-hidden="true">{escape(caption)}</figcaption>'
        for opening, pieces, caption in stills
    ]
    pictures = "".join(each)
    if len(each) > 1:
        parts = (
            f'<figure aria-label="Picture {n}">{one}</figure>' for n, one in enumerate(each, 1)
        )
        pictures = f'<div class="explorer-pictures">{"".join(parts)}</div>'
    name = "Interactive figure" if after else "Figure"
    return f'<figure class="explorer" aria-label="{name}">{before}{pictures}{after}</figure>'
