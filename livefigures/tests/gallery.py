"""Figures of many kinds, as a reader of matplotlib's gallery might put them under a slider."""

import datetime
from collections.abc import Callable

import matplotlib.style
import numpy as np
from matplotlib import patches, patheffects
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.sankey import Sankey

SEABORN = {
    "axes.facecolor": "#eaeaf2", "axes.edgecolor": "white", "axes.grid": True,
    "grid.color": "white", "axes.axisbelow": True, "axes.labelcolor": ".15", "text.color": ".15",
    "xtick.color": ".15", "ytick.color": ".15", "font.family": ["sans-serif"],
    "font.sans-serif": ["Arial", "DejaVu Sans"], "patch.edgecolor": "w",
}  # fmt: skip
GALLERY: dict[str, Callable[[], Figure]] = {}
X = np.linspace(0, 6, 60)


def figure(*shape: int, **options) -> tuple[Figure, np.ndarray]:
    """A figure and its axes, row by row."""
    made = Figure(figsize=(3.6, 2.7), layout="constrained")
    return made, made.subplots(*(shape or (1, 1)), squeeze=False, **options).ravel()


def kind(draw: Callable[[], Figure]) -> Callable[[], Figure]:
    """Put it into the gallery."""
    GALLERY[draw.__name__.replace("_", " ")] = draw
    return draw


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


@kind
def lines_dashes_and_caps():
    made, (axes,) = figure()
    for i, (dash, cap) in enumerate(
        zip(("-", "--", ":", "-."), ("butt", "round", "projecting", "butt"), strict=True)
    ):
        axes.plot(X, np.sin(X) + i, dash, dash_capstyle=cap, lw=1 + i, label=f"{dash} {cap}")
    axes.legend()
    axes.set(title="Lines", xlabel="x", ylabel="sin x")
    return made


@kind
def markers_of_all_kinds():
    made, (axes,) = figure()
    for i, marker in enumerate("ov^<>sp*hHDd|_xX+Pd8"):
        axes.plot(i % 5, i // 5, marker, ms=11, mfc="none" if i % 3 else None, color=f"C{i % 10}")
    axes.plot([0, 4], [-1, -1], "o", color="k", fillstyle="left")
    return made


@kind
def bars_with_labels_inside():
    made, (axes,) = figure()
    bars = axes.bar(["a", "b", "c"], [2, 5, 3], color=["#111111", "lightblue", "tab:blue"])
    for text, colour in zip(axes.bar_label(bars, label_type="center"), "wkw", strict=True):
        text.set_color(colour)
    axes.bar_label(bars)
    axes.set_ylim(0, 6)
    return made


@kind
def stacked_bars_and_a_legend():
    made, (axes,) = figure()
    low = axes.bar(range(4), [2, 3, 4, 1], label="low", color="#5f8fd6", edgecolor="black")
    high = axes.bar(range(4), [1, 2, 1, 3], bottom=[2, 3, 4, 1], label="high", color="#1f5fbf")
    axes.bar_label(low, label_type="center")
    axes.bar_label(high, label_type="center", color="white")
    axes.legend()
    return made


@kind
def hatches():
    made, (axes,) = figure()
    axes.bar(
        [1, 2, 3],
        [3, 2, 4],
        hatch=["/", "x", "."],
        color=["#1f5fbf", "tab:orange", "w"],
        edgecolor="k",
    )
    axes.add_patch(patches.Ellipse((4, 2), 1, 3, hatch="*", facecolor="none", edgecolor="tab:red"))
    axes.set_xlim(0, 5)
    return made


@kind
def contourf_hatches():
    made, (axes,) = figure()
    z = np.sin(X[:30, None]) * np.cos(X)
    axes.contourf(z, hatches=["/", "\\", "x", "."], cmap="Pastel1", alpha=0.7)
    axes.contour(z, colors="k", linewidths=0.5)
    return made


@kind
def contour_labels():
    made, (axes,) = figure()
    z = np.sin(X[:30, None]) * np.cos(X)
    axes.clabel(axes.contour(z), fontsize=8)
    made.colorbar(axes.contourf(z, cmap="viridis"), ax=axes)
    axes.text(30, 15, "over", color="white")
    return made


@kind
def gouraud_mesh():
    made, (axes,) = figure()
    axes.pcolormesh(np.arange(5), np.arange(4), random(4, 5), shading="gouraud")
    return made


@kind
def gouraud_triangles():
    made, (axes,) = figure()
    x, y = random(2, 15)
    axes.tripcolor(x, y, x + y, shading="gouraud")
    axes.triplot(x, y, "k-", lw=0.5)
    return made


@kind
def tripcolor():
    made, (axes,) = figure()
    x, y = random(2, 20)
    made.colorbar(axes.tripcolor(x, y, x * y), ax=axes)
    return made


@kind
def confusion_matrix():
    made, (axes,) = figure()
    counts = np.array([[50, 3, 2], [4, 41, 5], [1, 9, 45]])
    made.colorbar(axes.imshow(counts, cmap="Blues"), ax=axes)
    for (row, column), n in np.ndenumerate(counts):
        axes.text(column, row, n, ha="center", va="center", color="white" if n > 25 else "black")
    axes.set(xlabel="predicted", ylabel="true")
    return made


@kind
def confusion_matrix_of_a_mesh():
    made, (axes,) = figure()
    counts = np.array([[50, 3], [4, 41]])
    axes.pcolormesh(counts, cmap="Greens", edgecolors="white")
    for (row, column), n in np.ndenumerate(counts):
        axes.text(column + 0.5, row + 0.5, n, ha="center", color="w" if n > 25 else "k")
    return made


@kind
def image_with_nan():
    made, (axes,) = figure()
    values = random(6, 8)
    values[2:4, 2:5] = np.nan
    axes.imshow(values)
    axes.text(3, 2.6, "none", ha="center", va="center")
    axes.text(0, 0, "here", color="red")
    return made


@kind
def images_interpolated_and_turned():
    made, axes = figure(1, 2)
    axes[0].imshow(random(5, 5), interpolation="bilinear", cmap="gray")
    from matplotlib.transforms import Affine2D

    turned = axes[1].imshow(random(4, 4), interpolation="none", cmap="gray")
    turned.set_transform(Affine2D().rotate_deg(20) + axes[1].transData)
    return made


@kind
def matshow_and_spy():
    made, axes = figure(1, 2)
    axes[0].matshow(np.arange(9).reshape(3, 3))
    axes[1].spy(np.eye(6), markersize=4)
    return made


@kind
def dark_background():
    with matplotlib.style.context("dark_background"):
        made, (axes,) = figure()
        axes.plot(X, np.sin(X), label="sin")
        axes.bar([1, 3], [0.5, 0.7], color="#1f5fbf", hatch="/")
        axes.set(title="White on black", xlabel="x")
        axes.legend()
    return made


@kind
def seaborn_style():
    with matplotlib.rc_context(SEABORN):
        made, (axes,) = figure()
        axes.plot(X, np.sin(X), color="black", label="sin")
        axes.bar([1, 3], [0.5, 0.7], color="#1f5fbf")
        axes.text(4, 0.5, "inside", color="black")
        axes.set(title="Grey ground", xlabel="x")
        axes.legend()
    return made


@kind
def ggplot_style():
    with matplotlib.style.context("ggplot"):
        made, (axes,) = figure()
        axes.scatter(*random(2, 30))
        axes.hist(random(100), alpha=0.6)
        axes.set(title="ggplot", ylabel="count")
    return made


@kind
def coloured_figure():
    made, (axes,) = figure()
    made.set_facecolor("papayawhip")
    axes.plot(X, np.cos(X), "k")
    made.suptitle("On a coloured figure")
    return made


@kind
def annotations():
    made, (axes,) = figure()
    axes.plot(X, np.sin(X))
    axes.annotate("top", (1.57, 1), (3, 0.8), arrowprops={"arrowstyle": "->"})
    axes.annotate("box", (4.7, -1), (1, -0.7), arrowprops={"facecolor": "black", "shrink": 0.05},
                  bbox={"boxstyle": "round", "fc": "0.9"})  # fmt: skip
    axes.text(5, 0.5, "black", color="white", bbox={"fc": "black"})
    axes.text(3, 0.2, "white", bbox={"fc": "white"})
    return made


@kind
def path_effects():
    made, (axes,) = figure()
    axes.imshow(random(5, 5), cmap="gray")
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    axes.text(2, 2, "halo", size=16, path_effects=halo, ha="center")
    axes.set_title("Title with halo", path_effects=halo)
    (line,) = axes.plot([0, 4], [0, 4], "r")
    line.set_path_effects([patheffects.SimpleLineShadow(), patheffects.Normal()])
    return made


@kind
def legend_over_data():
    made, (axes,) = figure()
    axes.fill_between(X, 0, 3, color="navy", label="area")
    axes.plot(X, X / 2, "w", label="line")
    axes.legend(loc="center")
    return made


@kind
def legend_outside():
    made, (axes,) = figure()
    for i in range(3):
        axes.plot(X, np.sin(X + i), label=f"line {i}")
    made.legend(loc="outside right upper", title="Legend", shadow=True)
    return made


@kind
def fill_between_small_alpha():
    made, (axes,) = figure()
    for i in range(60):
        axes.fill_between(X, np.sin(X) - i / 30, np.sin(X) + i / 30, alpha=0.005, color="k", lw=0)
    axes.plot(X, np.sin(X), alpha=0.004, lw=5)
    return made


@kind
def semitransparent_bars_with_text():
    made, (axes,) = figure()
    axes.barh([0, 1, 2], [3, 4, 5], color=["tab:blue", "lightblue", "gold"], alpha=0.6)
    for y in range(3):
        axes.text(1, y, "text", va="center")
    return made


@kind
def scatter_sizes_and_colours():
    made, (axes,) = figure()
    x, y = random(2, 40)
    made.colorbar(axes.scatter(x, y, s=200 * abs(x), c=y, alpha=0.8, edgecolors="k"), ax=axes)
    return made


@kind
def bubbles_with_text():
    made, (axes,) = figure()
    axes.scatter([1, 2, 3], [1.1, 2, 1.1], s=900, c=["navy", "gold", "#1f5fbf"])
    for x, y, c in ((1, 1.1, "w"), (2, 2, "k"), (3, 1.1, "w")):
        axes.text(x, y, "abc", color=c, ha="center", va="center")
    axes.set(xlim=(0, 4), ylim=(0, 3))
    return made


@kind
def large_data():
    made, (axes,) = figure()
    axes.plot(np.cumsum(random(20_000)), lw=0.5)
    axes.scatter(np.arange(0, 20_000, 20), 100 + 10 * random(1000), s=2, color="k")
    return made


@kind
def rasterised_artists():
    made, (axes,) = figure()
    axes.scatter(*random(2, 500), s=300, c="navy", alpha=0.9, rasterized=True)
    axes.text(0, 0, "over the points", color="white", ha="center")
    axes.text(-3, 3.2, "beside them")
    return made


@kind
def clip_paths():
    made, (axes,) = figure()
    image = axes.imshow(random(10, 10), extent=(0, 6, -1, 1), aspect="auto")
    image.set_clip_path(patches.Circle((3, 0), 1, transform=axes.transData))
    (line,) = axes.plot(X, np.sin(X), "k")
    line.set_clip_path(patches.Ellipse((3, 0), 4, 1, transform=axes.transData))
    return made


@kind
def three_dimensions():
    made = Figure(figsize=(3.6, 2.7))
    axes = made.add_subplot(projection="3d")
    x, y = np.meshgrid(X[::6], X[::6])
    axes.plot_surface(x, y, np.sin(x) * y, cmap="viridis")
    axes.set(xlabel="x", title="Surface")
    return made


@kind
def bars_in_three_dimensions():
    made = Figure(figsize=(3.6, 2.7))
    axes = made.add_subplot(projection="3d")
    axes.bar3d([0, 1, 2], [0, 1, 0], 0, 0.8, 0.8, [1, 2, 3], color="#1f5fbf")
    return made


@kind
def polar():
    made, (axes,) = figure(subplot_kw={"projection": "polar"})
    axes.bar(np.arange(8) * np.pi / 4, abs(random(8)), width=0.6, alpha=0.5)
    axes.plot(X, X)
    return made


@kind
def pie():
    made, (axes,) = figure()
    axes.pie([3, 2, 1], labels=["a", "b", "c"], autopct="%d%%", explode=(0, 0.1, 0), shadow=True,
             wedgeprops={"edgecolor": "w"})  # fmt: skip
    return made


@kind
def a_line_with_gaps_over_bars():
    made, (axes,) = figure()
    axes.bar([0, 1, 2], [1, 2, 3], color="lightblue")
    axes.plot([0, 0.5, 1, 1.5, 2], [0.5, 1, np.nan, 1.5, 2], "k")
    axes.plot([1.8, 2.2], [2.5, 2.5], "k", lw=4)
    return made


@kind
def boxes():
    made, (axes,) = figure()
    axes.boxplot(list(random(3, 40)), patch_artist=True, notch=True, showmeans=True)
    axes.boxplot(random(40), positions=[4], medianprops={"color": "black"}, patch_artist=True,
                 boxprops={"facecolor": "lightblue"})  # fmt: skip
    return made


@kind
def violins():
    made, (axes,) = figure()
    axes.violinplot(list(random(3, 40)), showmedians=True)
    return made


@kind
def error_bars():
    made, (axes,) = figure()
    axes.bar(range(4), [1, 2, 3, 2], yerr=0.3, capsize=4, color="#c2410c", ecolor="k")
    axes.errorbar(range(4), [3, 3, 4, 4], 0.2, 0.3, "ks", uplims=True)
    return made


@kind
def steps_and_stems():
    made, axes = figure(2, 1)
    axes[0].step(X[::5], np.sin(X[::5]), where="mid")
    axes[0].stairs([1, 2, 0.5], [0, 2, 4, 6], fill=True, alpha=0.4)
    axes[1].stem(X[::5], np.cos(X[::5]), linefmt="k-", basefmt="k:")
    return made


@kind
def histograms_in_two_dimensions():
    made, axes = figure(1, 2)
    axes[0].hist2d(*random(2, 300), bins=12)
    axes[1].hexbin(*random(2, 300), gridsize=10, cmap="magma")
    axes[0].plot([-1, 1], [-1, 1], "w")
    return made


@kind
def arrows():
    made, axes = figure(1, 3)
    x, y = np.meshgrid(X[::12], X[::12])
    axes[0].quiver(x, y, np.cos(x), np.sin(y))
    axes[1].streamplot(X[::6], X[::6], *random(2, 10, 10), color="k")
    axes[2].barbs(x, y, 30 * np.cos(x), 50 * np.sin(y), length=4)
    return made


@kind
def log_axes():
    made, axes = figure(1, 2)
    axes[0].loglog(X[1:], np.exp(X[1:]))
    axes[0].grid(which="both", ls=":")
    axes[1].semilogy(X, np.exp(-X), "k.")
    return made


@kind
def twin_axes():
    made, (axes,) = figure()
    axes.plot(X, np.exp(X), "b")
    axes.tick_params(axis="y", colors="b")
    other = axes.twinx()
    other.plot(X, np.sin(X), "r")
    other.set_ylabel("sin", color="r")
    axes.secondary_xaxis("top", functions=(np.rad2deg, np.deg2rad))
    return made


@kind
def broken_axes():
    made, axes = figure(2, 1, sharex=True)
    axes[0].set_ylim(5, 10)
    axes[1].set_ylim(0, 2)
    for one in axes:
        one.plot([1, 9, 1.5, 0.5])
    axes[0].spines.bottom.set_visible(False)
    axes[1].spines.top.set_visible(False)
    axes[1].plot([0, 1], [1, 1], transform=axes[1].transAxes, marker=[(-1, -1), (1, 1)],
                 markersize=12, linestyle="none", color="k", mec="k", clip_on=False)  # fmt: skip
    return made


@kind
def dates():
    made, (axes,) = figure()
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=10 * i) for i in range(20)]
    axes.plot(days, np.cumsum(random(20)))
    made.autofmt_xdate(rotation=40)
    return made


@kind
def sankey():
    made, (axes,) = figure()
    Sankey(ax=axes, flows=[1, -0.6, -0.4], labels=["in", "one", "two"], scale=0.5).finish()
    axes.axis("off")
    return made


@kind
def tables():
    made, (axes,) = figure()
    axes.axis("off")
    cells = axes.table([["1", "2"], ["3", "4"]], rowLabels=["a", "b"], colLabels=["x", "y"],
                       cellColours=[["w", "navy"], ["gold", "w"]], loc="center")  # fmt: skip
    cells[1, 1].get_text().set_color("w")
    return made


@kind
def insets_and_colour_bars():
    made, (axes,) = figure()
    axes.imshow(random(20, 20), cmap="RdBu")
    inset = axes.inset_axes((0.5, 0.5, 0.45, 0.45), xlim=(2, 6), ylim=(2, 6))
    inset.imshow(random(20, 20), cmap="RdBu")
    axes.indicate_inset_zoom(inset, edgecolor="black")
    made.colorbar(axes.images[0], orientation="horizontal", extend="both")
    return made


@kind
def subfigures():
    made = Figure(figsize=(3.6, 2.7), layout="constrained")
    left, right = made.subfigures(1, 2)
    left.subplots().plot(X, np.sin(X))
    right.set_facecolor("0.85")
    right.subplots(2).ravel()[0].plot(X, X, "k")
    left.suptitle("left")
    right.suptitle("right")
    return made


@kind
def mosaic_and_gridspec():
    made = Figure(figsize=(3.6, 2.7), layout="tight")
    parts = made.subplot_mosaic("AAB\nC.B", width_ratios=[1, 2, 1])
    for name, axes in parts.items():
        axes.text(0.5, 0.5, name, transform=axes.transAxes, ha="center")
        axes.tick_params(labelsize=7)
    made.suptitle("Mosaic")
    return made


@kind
def text_rotated_and_unicode():
    made, (axes,) = figure()
    for i, angle in enumerate(range(0, 360, 60)):
        axes.text(0.5, 0.5, "    turned", rotation=angle, rotation_mode="anchor", color=f"C{i}")
    axes.text(0.1, 0.8, "naïve → ≤ ∞ αβγ", style="italic")
    axes.text(0.1, 0.1, "two\nlines & <more>", weight="bold", rotation=30, size=8, alpha=0.5)
    axes.set_xlabel("x", labelpad=-5)
    return made


@kind
def other_fonts():
    made, (axes,) = figure()
    families = ("serif", "monospace", "DejaVu Serif", "DejaVu Sans Mono", "sans-serif")
    for i, family in enumerate(families):
        axes.text(0.05, 0.1 + i * 0.18, f"{family} 123", family=family, size=13)
    return made


def mathtext(fontset: str) -> Callable[[], Figure]:
    """Formulas in a set of fonts, and no other text: shapes where a page lacks its letters."""

    def draw() -> Figure:
        with matplotlib.rc_context({"mathtext.fontset": fontset}):
            made, (axes,) = figure()
            axes.set(xticks=[], yticks=[])
            axes.text(0.05, 0.7, r"$\alpha_i^2 + \frac{a}{b} \leq \sqrt{x}$", size=14)
            if fontset != "dejavusans":  # its larger signs are in a font of their own
                axes.text(
                    0.05, 0.3, r"$\sum_{i=0}^\infty \mathcal{L}\,\left(\int f\right)$", size=14
                )
            made.draw_without_rendering()  # the fonts are chosen when it is laid out
        return made

    return draw


for fontset in ("dejavusans", "dejavuserif", "cm", "stix", "stixsans"):
    GALLERY[f"mathtext {fontset}"] = mathtext(fontset)


@kind
def events_and_stacks():
    made, axes = figure(1, 2)
    axes[0].eventplot(list(random(3, 20)), colors=["k", "C1", "C2"])
    axes[1].stackplot(range(4), random(3, 4) ** 2, labels="abc")
    axes[1].legend(loc="upper left")
    return made


@kind
def spans_and_grids():
    made, (axes,) = figure()
    axes.grid(True)
    axes.axvspan(1, 2, color="0.8")
    axes.axhline(0.5, color="k", ls="--")
    axes.plot(X, np.sin(X), "k", zorder=3)
    axes.text(1.5, 0.8, "span", ha="center")
    return made


@kind
def patches_of_many_shapes():
    made, (axes,) = figure()
    star = Path.unit_regular_star(5).transformed(matplotlib.transforms.Affine2D().translate(1, 1))
    axes.add_patch(patches.PathPatch(star, fc="gold", ec="k", ls="--", joinstyle="miter"))
    axes.add_patch(patches.FancyBboxPatch((2.5, 0.5), 1, 1, "round4", fc="w", ec="k"))
    axes.add_patch(patches.Wedge((1, 3), 0.8, 20, 300, width=0.3, fc="tab:green"))
    axes.add_patch(patches.FancyArrowPatch((2, 3), (4, 2), mutation_scale=20, fc="k"))
    axes.text(3, 1, "in", ha="center")
    axes.set(xlim=(0, 5), ylim=(0, 4))
    return made


@kind
def links_and_ids():
    made, (axes,) = figure()
    axes.scatter([1, 2], [1, 2], s=100, urls=["#here", "https://example.org/"], gid="my id")
    axes.set_title("link", url="#elsewhere")
    return made


@kind
def hand_drawn():
    with matplotlib.rc_context({"path.sketch": (1, 100, 2)}):
        made, (axes,) = figure()
        axes.plot(X, np.sin(X))
        axes.bar([1, 2], [0.5, 0.3])
    return made
