"""All frames of a figure as HTML, for a page without a kernel; the script in `static` moves it."""

from __future__ import annotations

import html as escaping
import json
import os
import warnings

from tqdm import tqdm

from livefigures.frames import Explorer, heavy, progress
from livefigures.palette import page_style
from livefigures.svg import new_slim, table
from livefigures.values import Parameter, label


def html(explorer: Explorer) -> str:
    """Draw every combination; the figure for a page, with its controls and all its frames.

    Raises:
        ValueError: frames of different sizes, or some without a description where others have one.
    """
    combinations = explorer.combinations()
    frames = []
    with progress() as file:
        name = getattr(explorer.draw, "__name__", "figures")
        for values in tqdm(combinations, name, file=file, delay=1, leave=False):
            frames.append(explorer.frame(values))
    slim = new_slim("".join(svg for svg, _ in frames))
    openings, pieces = zip(*(slim(svg) for svg, _ in frames), strict=True)
    captions = [text for _, text in frames]
    for values, opening, text in zip(combinations, openings, captions, strict=True):
        if opening != openings[0]:
            raise ValueError(
                f"every frame must have the same size: {explorer.call(values)} has {opening[:30]}"
                f"... points, {explorer.call(combinations[0])} has {openings[0][:30]}..."
            )
        if text is None and any(captions):
            raise ValueError(f"{explorer.call(values)} gives no description; others give one")
    every = zip(combinations, captions, strict=True)
    words = [text or explorer.default_description(values) for values, text in every]
    now = combinations.index(explorer.start)
    still = (openings[now], "".join(pieces[now]), words[now])
    style = page_style()
    if not explorer.parameters:
        return weighed(markup(*still, style), "a figure")
    chunks, rows = table(pieces)
    labels = [[label(v) for v in p.values] for p in explorer.parameters]
    data = {"labels": labels, "captions": words, "chunks": chunks, "frames": rows}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("</", "<\\/").replace("<!", "\\u003c!")  # or it could end the script
    controls = "".join(_range(p, f"{slim.prefix}-{p.name}") for p in explorer.parameters)
    result = markup(
        *still,
        f'{style}<div class="explorer-controls">{controls}</div>',
        '<div class="explorer-room" aria-hidden="true">'
        f"<span>{escaping.escape(max(words, key=len))}</span></div>"
        '<div class="explorer-status" role="status"></div>'
        f'<script type="application/json">{text}</script>',
    )
    return weighed(result, name)


def weighed(figure: str, name: str) -> str:
    """A figure's HTML, with a warning if it is heavy; in its builds, `livefigures.sphinx` warns."""
    if os.environ.get("LIVEFIGURES_BUILD") != "sphinx" and (words := heavy(figure)):
        warnings.warn(f"{name} {words}", stacklevel=2)
    return figure


def markup(opening: str, inside: str, caption: str, before: str = "", after: str = "") -> str:
    """The HTML of a figure: what `Slim` gives, its caption, what stands before and after.

    The description is the accessible name of the picture.  The caption shows the same words to
    the eye: a screen reader would say them twice, so it is hidden from it, and the figure, which
    would be called after its caption, has a name of its own.  After a move the script puts the
    words into the explorer's status for a moment, to be announced once.
    """
    text, name = escaping.escape(caption), "Interactive figure" if after else "Figure"
    return (
        f'<figure class="explorer" aria-label="{name}">{before}<svg {opening} role="img" '
        f'aria-label="{text}">{inside}</svg>{after}'
        f'<figcaption aria-hidden="true">{text}</figcaption></figure>'
    )


def _range(parameter: Parameter, key: str) -> str:
    """A native slider over the numbers of the values, with its label and its output."""
    title, labels = parameter.title, [escaping.escape(label(v)) for v in parameter.values]
    now = labels[parameter.start]
    return (
        f'<label for="{key}">{title}</label><input type="range" id="{key}" '
        f'min="0" max="{len(labels) - 1}" step="1" value="{parameter.start}" '
        f'aria-valuetext="{title} = {now}" autocomplete="off" data-lm-suppress-shortcuts="true"'
        f'{" disabled" if len(labels) == 1 else ""}><output for="{key}" aria-live="off" '
        f'data-widest="{max(labels, key=len)}">{now}</output>'
    )
