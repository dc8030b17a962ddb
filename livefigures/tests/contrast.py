"""How well a colour is read on another, as WCAG has it."""

from functools import lru_cache


def contrast(colour: str, ground: str, alpha: float = 1, page: str = "#ffffff") -> float:
    """The contrast (1 to 21, as WCAG has it) of #rrggbb on a ground that lies on a page."""
    levels = _luminance(colour), alpha * _luminance(ground) + (1 - alpha) * _luminance(page)
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@lru_cache(1000)
def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
