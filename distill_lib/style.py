"""The palette of the book's figures, by name.

A figure is drawn with these colours.  In a page each of them is a CSS variable, `--kd-<name>`,
so that the same figure suits a light and a dark page; `DARK` is used on dark ones.
"""

COLOURS = {
    "ink": "#1f2328",  # text, axes
    "muted": "#6b7280",  # secondary text
    "grid": "#d8dee4",
    "paper": "#ffffff",  # the background
    "teacher": "#1f5fbf",
    "student": "#c2410c",
    "label": "#15803d",
    "accent": "#7c3aed",
    "warn": "#b91c1c",
    "soft": "#5f8fd6",
}

DARK = {
    "ink": "#ced6dd",
    "muted": "#9ca4af",
    "grid": "#3b434d",
    "paper": "#14181e",
    "teacher": "#6cb0ff",
    "student": "#ff9a62",
    "label": "#5fd08a",
    "accent": "#b79bff",
    "warn": "#ff8078",
    "soft": "#5580bd",
}
