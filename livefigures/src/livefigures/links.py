"""What a page's prose says of its figures: links to frames, and numbers that follow the controls.

`[see T = 20](#softmax:T=20)` and `<span data-follow="softmax:largest">0.27</span>`.
"""

import json
import re
from contextlib import suppress
from html import unescape
from urllib.parse import unquote

FRAME = r"([\w-]+):([^\"]*=[^\"]*)"  # softmax:T=20,alpha=0.5


def faults(page: str) -> list[str]:
    """What is wrong with the links to frames and the numbers that follow in a page's HTML."""
    found, figures = [], _figures(page)
    for name, state in re.findall(f'href="#{FRAME}"', page):
        labels, _ = figures.get(name, ({}, {}))
        for key, _, value in (pair.partition("=") for pair in unescape(state).split(",")):
            if re.sub(r"^-(?=[\d.])", "−", unquote(value)) not in labels.get(key, []):
                found.append(f"#{name}:{state}: no figure {name} has {key} = {unquote(value)}")
    for what, text in re.findall(r'data-follow="([^"]*)"[^>]*>([^<]*)<', page):
        name, _, key = what.partition(":")
        said = figures.get(name, ({}, {}))[1].get(key)
        with suppress(TypeError, ValueError):  # nothing, or a word
            said = f"{float(said or ''):.{len(text.partition('.')[2])}f}".replace("-", "−")
        if said != unescape(text):
            found.append(f"data-follow {what}: the figure starts at {said}; got {text}")
    return found


def _figures(page: str) -> dict[str, tuple[dict[str, list[str]], dict[str, str]]]:
    """By name: the labels of each parameter; the numbers of the starting frame, and its labels."""
    figures: dict[str, tuple[dict[str, list[str]], dict[str, str]]] = {}
    for text in re.findall(r'<script type="application/json">(\{"name".*?)</script>', page, re.S):
        data = json.loads(text)
        labels = {name: values for name, _, _, values, _ in data["parameters"]}
        now = {name: values[start] for name, _, _, values, start in data["parameters"]}
        pieces = [piece for row in data["tables"][slice(*data["start"])] for piece in row]
        lines = "".join(data["columns"][p] if isinstance(p, int) else p for p in pieces)
        columns = [line.split("\t") for line in lines.split("\n")[:0:-1]]
        numbers = {name: values[0] for name, *values in columns if values}
        names = (data["name"], *(f"{data['name']}-{k}" for k in range(2, len(figures) + 2)))
        figures[next(name for name in names if name not in figures)] = labels, numbers | now
    return figures
