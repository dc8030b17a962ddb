"""The palette of these tests."""

COLOURS = {
    "ink": ("#1f2328", "#ced6dd", "CanvasText"),
    "first": ("#1f5fbf", "#6cb0ff", "LinkText"),
    "second": ("#c2410c", "#ff9a62"),
    "third": ("#15803d", "#5fd08a"),
    "fourth": ("#7c3aed", "#b79bff"),
}
