"""All frames of a figure as HTML, for a page without a kernel; the script in `static` moves it."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tqdm import tqdm

from livefigures.frames import Explorer, heavy, progress
from livefigures.numbers import thinned
from livefigures.palette import page_style
from livefigures.svg import new_slim, table
from livefigures.values import label

_first = iter([True])  # whether a figure is its kernel's first one


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
        read = bool(explorer.parameters)
        frames = [explorer.frame(values, draw, read) for values, draw in bar]
    slim = new_slim("".join(frame.svg for frame in frames))
    openings, pieces = zip(*(slim(frame.svg) for frame in frames), strict=True)
    count = len(explorer.draws)
    for n, (one, frame) in enumerate(zip(every, frames, strict=True)):
        call, first = explorer.call(*one), n % count
        if openings[n] != openings[first]:
            raise ValueError(
                f"every frame must have the same size: {call} has {openings[n][:30]}... points, "
                f"{explorer.call(*every[first])} has {openings[first][:30]}..."
            )
        if frame.text is None and any(other.text for other in frames[first::count]):
            raise ValueError(f"{call} gives no description; others give one")
    words = [
        f.text or explorer.default_description(v) for f, (v, _) in zip(frames, every, strict=True)
    ]
    now = explorer.combinations().index(explorer.start) * count
    stills = [(openings[n], "".join(pieces[n]), words[n]) for n in range(now, now + count)]
    if not explorer.parameters:
        return markup(stills, page_style())
    numbers, note = thinned([frame.numbers for frame in frames])
    chunks, rows = table(pieces)
    # A column is a line: its name and its numbers, between tabs.  Equal ones are stored once.
    columns, tables = table([["\n" + "\t".join(column) for column in one] for one in numbers])
    data = {
        "name": explorer.name,
        "link": explorer.link,
        "parameters": [
            [p.name, p.title, p.kind, [label(v) for v in p.values], p.start]
            for p in explorer.parameters
        ],
        **{"captions": words, "chunks": chunks, "frames": rows},
        **{"columns": columns, "tables": tables, "note": note},
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("</", "<\\/").replace("<!", "\\u003c!")  # or it could end the script
    room = f'style="--rows:{len(explorer.parameters)}"'  # what the controls will take
    says = f'<p class="explorer-values" {room}>{escape(explorer.says(explorer.start))}</p>'
    result = markup(stills, page_style() + says, f'<script type="application/json">{text}</script>')
    if os.environ.get("LIVEFIGURES_BUILD") != "sphinx" and heavy(result):  # there the build warns
        warnings.warn(f"{explorer.name} {heavy(result)}", stacklevel=2)
    return result


def brought() -> str:
    """Style sheet and script, with the first figure of a kernel; pages made by Sphinx have them."""
    if os.environ.get("LIVEFIGURES_BUILD") == "sphinx" or not next(_first, False):
        return ""
    return f"<style>{asset('css')}</style><script>{asset('js')}</script>"


def markup(stills: Sequence[tuple[str, str, str]], before: str = "", after: str = "") -> str:
    """The HTML of a figure: what `Slim` gives and a caption for each picture, what stands around.

    The description is the accessible name of the picture.  The caption shows the same words to
    the eye: a screen reader would say them twice, so it is hidden from it, and the figure, which
    would be called after its caption, has a name of its own.  After a move the script puts the
    words into the explorer's status for a moment, to be announced once.
    """
    inside = [
        f'<svg {opening} role="img" aria-label="{escape(caption)}">{inside}</svg>'
        f'<figcaption aria-hidden="true">{escape(caption)}</figcaption>'
        for opening, inside, caption in stills
    ]
    if len(inside) > 1:
        each = (
            f'<figure aria-label="Picture {n}">{one}</figure>' for n, one in enumerate(inside, 1)
        )
        inside = [f'<div class="explorer-pictures">{"".join(each)}</div>']
    name = "Interactive figure" if after else "Figure"
    return f'<figure class="explorer" aria-label="{name}">{before}{inside[0]}{after}</figure>'
