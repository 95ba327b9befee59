"""The book's figures: matplotlib in, matplotlib out.

Each function draws on the axes it is given, or on new ones, and returns them; none shows or saves.
Weights are shades of one hue, from white for none, so that they survive a colour-blind eye, a
photocopier and a dark page alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType
from scipy import stats as scipy_stats

# Okabe and Ito's hues (2008), the lighter ones darkened until they stand 3:1 against white.
COLOURS = {
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#008f68",
    "purple": "#b85c93",
    "ochre": "#b37a00",
    "sky": "#2f8fc9",
    "black": "#1a1a1a",
}
GREY = "#666666"
"""For what is there to compare with: chance, an even spread."""
SHADES = "Blues"
SMALL = 11
"""Points of the smallest text: a figure 7 inches wide is shown 4 inches wide on a phone."""
INK = "#1a1a1a"
LINE, PAD = 1.75, 0.22
"""Of running text: the height of a line and the room beside a word, in sizes of the font."""


def use_style() -> None:
    """Make matplotlib draw as the book does, from here on."""
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.5),
            "figure.dpi": 150,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.dpi": 150,
            "savefig.facecolor": "white",
            "axes.facecolor": "white",
            "axes.prop_cycle": cycler(color=list(COLOURS.values())),
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 13,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.labelsize": 12,
            "axes.axisbelow": True,
            "axes.grid": False,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "text.color": INK,
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same picture everywhere
            "font.size": 12,
            "legend.frameon": False,
            "legend.fontsize": SMALL,
            "lines.linewidth": 2.0,
            "lines.markersize": 5,
            "image.cmap": SHADES,
        }
    )


def heat_words(
    tokens: Sequence[str],
    weights: Sequence[float] | np.ndarray,
    ax: Axes | None = None,
    *,
    vmax: float | None = None,
    font_size: float = 12.0,
    title: str | None = None,
    colour_bar: bool = True,
) -> Axes:
    """Write the tokens as running text, each on a shade that says how much weight it got.

    Parameters
    ----------
    tokens : T words
    weights : (T,) not negative
    ax : where to draw; None makes a figure 7 inches wide and as high as the text needs. On axes too small
        for it, the text is set smaller
    vmax : the weight of the darkest shade; None: the largest one here. Give one to compare pictures
    font_size : in points
    title : a line above
    colour_bar : whether a bar below says what the shades mean, with a mark where an even spread (1/T) would be

    Raises
    ------
    ValueError
        No tokens, weights of another length, weights that are negative or not finite.
    """
    w = _weights("weights", weights, ndim=1)
    if len(tokens) != len(w):
        raise ValueError(f"weights: got {len(w)}, wanted {len(tokens)}, one for each token")
    top = _top(w, vmax)
    scale = Normalize(0, top)
    bar_height = 34.0 if colour_bar else 0.0  # everything is in points from here on
    if ax is None:
        width = 7.0 * 72 - 12
        places, lines = _flow(tokens, font_size, width)
        height = lines * LINE * font_size + bar_height
        _, ax = plt.subplots(figsize=(7.0, (height + 8 + 20 * (title is not None)) / 72))
    else:
        ax.axis("off")
        figure = ax.get_figure(root=True)
        if isinstance(figure, Figure):
            figure.draw_without_rendering()  # only then is it known how large the axes are
        box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
        width, height = box.width * 72, box.height * 72
        places, lines = _flow(tokens, font_size, width)
        while lines * LINE * font_size + bar_height > height and font_size > 4:
            font_size -= 0.5
            places, lines = _flow(tokens, font_size, width)

    shade, line_height, pad = mpl.colormaps[SHADES], LINE * font_size, PAD * font_size
    for token, weight, (x, line, token_width) in zip(tokens, w, places, strict=True):
        colour, y = shade(scale(weight)), line * line_height
        corner, size = (x, y + 0.08 * line_height), (token_width + 2 * pad, 0.84 * line_height)
        ax.add_patch(Rectangle(corner, *size, color=colour, lw=0))
        style: dict[str, Any] = {"size": font_size, "color": _ink_on(colour[:3]), "va": "center_baseline"}
        ax.text(x + pad, y + 0.5 * line_height, _plain(token), **style)
    if colour_bar:
        _bar_of_shades(ax, top, 1 / len(w), y=lines * line_height + 14)
    ax.set_xlim(0, width)
    ax.set_ylim(max(height, lines * line_height + bar_height), 0)  # downwards, as one reads
    ax.axis("off")
    if title is not None:
        ax.set_title(title)
    return ax


def weights_over_time(
    weights: Sequence[float] | np.ndarray,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    truth: int | None = None,
    truth_label: str = "truth",
    row_labels: Sequence[str] | None = None,
    xlabel: str = "step",
    even: bool = True,
) -> Axes:
    """Weights along the steps: bars for one row, a strip of shades for several.

    Parameters
    ----------
    weights : (T,), or (n, T) for n rows one above the other
    labels : T names of the steps; None numbers them from 0
    ax : where to draw
    truth : the step that should have the weight, marked in another colour and by its name (one row only)
    truth_label : that name
    row_labels : n names of the rows
    xlabel : what the steps are
    even : whether a dashed line shows the even spread, 1/T (one row only)

    Raises
    ------
    ValueError
        Weights of another rank, or negative or not finite; labels of another length; a truth outside the steps.
    """
    array = np.asarray(weights, dtype=np.float64)
    w = _weights("weights", array, ndim=2 if array.ndim == 2 else 1)
    steps = w.shape[-1]
    _fits("labels", labels, steps)
    if truth is not None and not 0 <= truth < steps:
        raise ValueError(f"truth: got {truth}, wanted a step from 0 to {steps - 1}")
    if w.ndim == 2:
        _fits("row_labels", row_labels, len(w))
        ax = ax or plt.subplots(figsize=(7, 0.9 + 0.36 * len(w)))[1]
        image = ax.imshow(w, cmap=SHADES, vmin=0, vmax=_top(w, None), aspect="auto", interpolation="nearest")
        ax.set_yticks(range(len(w)), row_labels or [str(i) for i in range(len(w))])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.figure.colorbar(image, ax=ax, label="weight", pad=0.02).outline.set_visible(False)
    else:
        ax = ax or plt.subplots(figsize=(7, 2.4))[1]
        bars = ax.bar(range(steps), w, width=0.8, color=COLOURS["blue"])
        if truth is not None:
            bars[truth].set_color(COLOURS["vermilion"])
            ax.annotate(
                truth_label,
                (truth, w[truth]),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=COLOURS["vermilion"],
                size=SMALL,
                weight="bold",
            )
        if even:
            ax.axhline(1 / steps, color=GREY, lw=1, ls=(0, (4, 3)))
            ax.annotate(
                "even",
                (1, 1 / steps),
                xycoords=("axes fraction", "data"),
                xytext=(3, 0),
                textcoords="offset points",
                color=GREY,
                size=SMALL,
                va="center",
            )
        ax.set_xlim(-0.6, steps - 0.4)
        ax.set_ylim(0, _top(w, None) * 1.15)
        ax.set_ylabel("weight")
    _name_steps(ax, labels, steps)
    ax.set_xlabel(xlabel)
    return ax


def attention_map(
    weights: Sequence[Sequence[float]] | np.ndarray,
    xlabels: Sequence[str] | None = None,
    ylabels: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    vmax: float | None = None,
    numbers: bool | None = None,
    xlabel: str = "key",
    ylabel: str = "query",
) -> Axes:
    """Queries down, keys across, a shade for each weight.

    Parameters
    ----------
    weights : (Tq, T)
    xlabels : T names of the keys
    ylabels : Tq names of the queries
    ax : where to draw
    vmax : the weight of the darkest shade; None: the largest one here
    numbers : whether the weights are written into the cells; None: where there are few enough to read
    xlabel, ylabel : what keys and queries are

    Raises
    ------
    ValueError
        Weights of another rank, or negative or not finite; labels of another length.
    """
    w = _weights("weights", weights, ndim=2)
    rows, columns = w.shape
    _fits("xlabels", xlabels, columns)
    _fits("ylabels", ylabels, rows)
    top = _top(w, vmax)
    if ax is None:
        width = min(7.0, 2.2 + 0.55 * columns)
        ax = plt.subplots(figsize=(width, min(8.0, 1.1 + 0.8 * (width - 2.2) / columns * rows)))[1]
    image = ax.imshow(w, cmap=SHADES, vmin=0, vmax=top, aspect="auto", interpolation="nearest")
    ax.set_yticks(range(rows), [_plain(y) for y in ylabels] if ylabels is not None else [str(i) for i in range(rows)])
    _name_steps(ax, xlabels, columns)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    # Thin white lines between the cells: white, the shade of nothing, adds no pattern of its own.
    ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", lw=1 if max(rows, columns) <= 30 else 0)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, label="weight", pad=0.02).outline.set_visible(False)
    if numbers if numbers is not None else (columns <= 9 and rows <= 12):
        shade, scale = mpl.colormaps[SHADES], Normalize(0, top)
        for (row, column), weight in np.ndenumerate(w):
            colour = _ink_on(shade(scale(weight))[:3])
            ax.text(column, row, f"{weight:.2f}", ha="center", va="center", size=SMALL, color=colour)
    return ax


def curves(
    histories: Mapping[str, Sequence[float] | Sequence[Sequence[float]] | np.ndarray],
    x: Sequence[float] | np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    band: str = "range",
    xlabel: str = "epoch",
    ylabel: str | None = None,
    marker: str | None = None,
) -> Axes:
    """A line for each name, with a band over its runs; each is labelled at its end.

    Parameters
    ----------
    histories : name -> (E,) for one run, or (runs, E), whose mean is drawn
    x : (E,) where the figures stand; None: 1, 2, …
    ax : where to draw
    band : "range" from the lowest run to the highest, "interval" for Student's 95 % interval of the mean
    xlabel, ylabel : of the axes
    marker : matplotlib's, for points that were measured one by one

    Raises
    ------
    ValueError
        No history, lengths that differ, another word for `band`.
    """
    if band not in ("range", "interval"):
        raise ValueError(f'band: got {band!r}, wanted "range" or "interval"')
    if not histories:
        raise ValueError("histories: got none, wanted at least one")
    runs = {name: np.atleast_2d(np.asarray(h, dtype=np.float64)) for name, h in histories.items()}
    length = next(iter(runs.values())).shape[-1]
    at = np.arange(1, length + 1) if x is None else np.asarray(x)
    for name, h in runs.items():
        if h.ndim != 2 or h.shape[1] != len(at) or h.size == 0:
            raise ValueError(
                f"histories: got shape {h.shape} for {name!r}, wanted (runs, {len(at)}) with a run or more"
            )
    ax = ax or plt.subplots()[1]
    ends: list[tuple[float, str, ColorType]] = []
    for name, h in runs.items():
        (line,) = ax.plot(at, h.mean(axis=0), marker=marker)
        if len(h) > 1:
            low, high = _band(h, band)
            ax.fill_between(at, low, high, color=line.get_color(), alpha=0.2, lw=0)
        ends.append((float(h[:, -1].mean()), name, line.get_color()))
    ax.set_xlabel(xlabel)
    if ylabel is not None:
        ax.set_ylabel(ylabel)
    if x is None:
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    _label_ends(ax, float(at[-1]), ends)
    return ax


# --- parts -----------------------------------------------------------------------------------------


def contrast(one: ColorType, other: ColorType) -> float:
    """WCAG's ratio of two colours, from 1 (equal) to 21 (black on white)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorType) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(channels, (0.2126, 0.7152, 0.0722)))


def _ink_on(background: ColorType) -> str:
    """Black or white, whichever reads better."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, background))


def _plain(label: str) -> str:
    """A label that matplotlib takes as it is: a dollar sign starts no formula."""
    return str(label).replace("$", r"\$")


def _weights(name: str, values: Sequence[float] | Sequence[Sequence[float]] | np.ndarray, ndim: int) -> np.ndarray:
    w = np.asarray(values, dtype=np.float64)
    if w.ndim != ndim or w.size == 0:
        wanted = "(T,)" if ndim == 1 else "(Tq, T)"
        raise ValueError(f"{name}: got shape {w.shape}, wanted {wanted}, not empty")
    if not np.isfinite(w).all() or w.min() < 0:
        raise ValueError(f"{name}: got a weight that is negative or not finite, wanted 0 or more")
    return w


def _fits(name: str, labels: Sequence[str] | None, count: int) -> None:
    if labels is not None and len(labels) != count:
        raise ValueError(f"{name}: got {len(labels)}, wanted {count}")


def _top(w: np.ndarray, vmax: float | None) -> float:
    if vmax is not None and not vmax > 0:
        raise ValueError(f"vmax: got {vmax}, wanted a number above 0")
    return vmax if vmax is not None else (float(w.max()) or 1.0)  # all zero: an empty row, not a division by 0


def _flow(tokens: Sequence[str], font_size: float, width: float) -> tuple[list[tuple[float, int, float]], int]:
    """Where each token stands, (x, line, its width) in points, and how many lines there are."""
    dots = 10  # a point; measured finely, since at one dot a point widths come out rounded
    measure = RendererAgg(8, 8, 72 * dots)
    font = FontProperties(family=mpl.rcParams["font.family"], size=font_size)
    pad, gap = PAD * font_size, 0.12 * font_size
    places, x, line = [], 0.0, 0
    for token in tokens:
        token_width = measure.get_text_width_height_descent(str(token), font, ismath=False)[0] / dots
        if x > 0 and x + token_width + 2 * pad > width:
            x, line = 0.0, line + 1
        places.append((x, line, token_width))
        x += token_width + 2 * pad + gap
    return places, line + 1


def _bar_of_shades(ax: Axes, top: float, even: float, y: float) -> None:
    """What the shades mean, below running text whose axes are in points."""
    left, right = 58.0, 218.0
    style: dict[str, Any] = {"size": SMALL, "va": "center_baseline"}
    ax.text(0, y + 4, "weight", **style)
    ax.text(left - 3, y + 4, "0", ha="right", **style)
    ax.imshow(np.linspace(0, 1, 256)[None], cmap=SHADES, extent=(left, right, y + 8, y), aspect="auto")
    ax.text(right + 3, y + 4, f"{top:.2g}", **style)
    if even <= top:
        ax.text(left + (right - left) * even / top, y - 1, "▾", size=SMALL, ha="center", va="bottom")
        ax.text(right + 52, y + 4, "▾ were it spread evenly", color=GREY, **style)


def _name_steps(ax: Axes, labels: Sequence[str] | None, steps: int) -> None:
    if labels is None:
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True, nbins=12))
        return
    # Slanted only where they would run into each other.
    crowded = sum(len(str(label)) + 1 for label in labels) > 62 or max(len(str(label)) for label in labels) * steps > 62
    slant: dict[str, Any] = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    ax.set_xticks(range(steps), [_plain(label) for label in labels], **slant)
    ax.tick_params(axis="x", length=0)


def _band(h: np.ndarray, band: str) -> tuple[np.ndarray, np.ndarray]:
    if band == "range":
        return h.min(axis=0), h.max(axis=0)
    half = scipy_stats.t.ppf(0.975, len(h) - 1) * h.std(axis=0, ddof=1) / np.sqrt(len(h))
    return h.mean(axis=0) - half, h.mean(axis=0) + half


def _label_ends(ax: Axes, x: float, ends: list[tuple[float, str, ColorType]]) -> None:
    """A name at the end of each line, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    inches = ax.get_window_extent().height / ax.figure.dpi
    gap = (high - low) * (SMALL * 1.25 / 72) / max(inches, 0.5)
    last = -np.inf
    for y, name, colour in sorted(ends, key=lambda end: end[:2]):
        last = max(y, last + gap)
        ax.annotate(
            _plain(name),
            (x, last),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            size=SMALL,
            weight="bold",
            annotation_clip=False,
        )
